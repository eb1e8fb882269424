"""Training of stacked networks, all at once, each with its own order of the samples.

One step of one network takes at least 6 * B * sum(in * out) operations; 2 of the first layer's 6
are the gradient of its inputs, which is not needed. With 512 units in one or two hidden layers, 200
inputs and batches of 100 to 500, 20 networks on one core of a Zen 5 EPYC reach 0.51 to 0.75 of
oneDNN's peak (0.35 to 0.68 without the operations that are not needed). This is 1.6 to 1.9 times as
fast as a plain loop over the networks (``bench_stacked.py loops --threads 1``). The rest of
the time goes to the operations around the products, which are bound by memory. Two threads are 1.4
to 2.1 times as fast as two threads of the plain loop. With one hidden layer and batches of 100,
however, two processes of one thread and one stack each do a third more than two threads (2 x 1,660
steps of a network per second against 2,470), and far more on a busy machine, because threads wait
for each other. Call `hyperribbon.training.parallel.set_up` first, as the workflow's trainings
do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from hyperribbon.bars import step_bar
from hyperribbon.config import AdamPConfig, OptimiserConfig
from hyperribbon.errors import HyperribbonError
from hyperribbon.numerics.blocks import evenly
from hyperribbon.training.loop import calibrate_batchnorm, shuffled_batches, tf32
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.schedule import checkpoint_steps
from hyperribbon.training.seed import CALIBRATION_BATCHES
from hyperribbon.training.stacked import StackedFullyConnected

# Of 5, 10, 20 and 40 networks at once, 20 are fastest, or nearly so: fewer have more overhead each,
# and 40 have activations of 40 MB (512 units, batch 500), more than the cache holds.
STACK_SIZE = 20


def train_stacked(
    stack: StackedFullyConnected,
    config: OptimiserConfig,
    x: Tensor,
    labels: Tensor,
    *,
    seeds: Sequence[int],
    epochs: int,
    batch_size: int,
    record: Callable[[int, StackedFullyConnected], None] = lambda step, stack: None,
    checkpoints: Sequence[int] | None = None,
    calibrate: bool = True,
    progress_bar: str | None = None,
) -> np.ndarray:
    """Train all networks of a stack, each as `train` would train it alone, up to rounding.

    Their losses are summed. No two losses share a parameter and every update is elementwise, so
    that networks do not influence each other.

    Parameters
    ----------
    stack : StackedFullyConnected
        S networks on the device of the samples, trained in place. `STACK_SIZE` is a good S.
    config : OptimiserConfig
        The optimiser and its schedule; not AdamP.
    x : Tensor, shape (N, d) or (N, ...)
        Samples, float32, which all networks see.
    labels : Tensor, shape (N,) or (S, N)
        Labels for all networks, or for each. If they are integers, they are classes, and the
        cross-entropy is minimised; real numbers are targets of the only output, and the mean
        squared error is minimised.
    seeds : sequence of int
        S seeds of the orders of the samples, as in ``torch.Generator().manual_seed(seed)``.
    epochs, batch_size : int
        An incomplete last batch of an epoch is left out.
    record : callable
        Called with the step and the stack after each of ``checkpoints``; it may leave the stack in
        evaluation mode.
    checkpoints : sequence of int, optional
        Increasing steps; 0 is before training. By default, `checkpoint_steps`.
    calibrate : bool
        Whether to estimate BatchNorm's running statistics first.
    progress_bar : str, optional
        Name of a progress bar to show; none is shown if the output is not a terminal.

    Returns
    -------
    ndarray of int64, shape (S,)
        Steps that each network had taken when its loss was no longer finite; -1 if it never was.

    Raises
    ------
    HyperribbonError
        If the optimiser is AdamP, or shapes do not agree.

    Examples
    --------
    >>> from hyperribbon.config import SGDConfig
    >>> stack = StackedFullyConnected.from_seeds([0, 1], (4,), 3, widths=[8])
    >>> config = SGDConfig(algorithm="sgd", learning_rate=0.1)
    >>> x, labels = torch.randn(20, 4), torch.arange(20) % 3
    >>> train_stacked(stack, config, x, labels, seeds=[0, 1], epochs=2, batch_size=10)
    array([-1, -1])
    """
    x = x.flatten(1)
    _check(stack, config, x, labels, seeds, batch_size)
    steps_per_epoch = len(x) // batch_size
    total = epochs * steps_per_epoch
    due = set(checkpoint_steps(epochs, steps_per_epoch) if checkpoints is None else checkpoints)
    diverged = torch.full((stack.size,), -1)
    if calibrate:
        few = evenly(len(x), CALIBRATION_BATCHES * batch_size)
        calibrate_batchnorm(stack, (x[rows] for rows in torch.from_numpy(few).split(batch_size)))
    optimiser, scheduler = build_optimiser(stack, config, total)
    with step_bar(total, progress_bar) as bar, tf32(allowed=False):
        if 0 in due:
            record(0, stack)
        checked, losses = 0, []
        stack.train()
        batches = _batches(len(x), batch_size, epochs, seeds, x.device)
        for step, batch in enumerate(batches, start=1):
            loss = _losses(stack(_rows(x, batch)), _labels(labels, batch))
            optimiser.zero_grad(set_to_none=True)
            loss.sum().backward()
            optimiser.step()
            scheduler.step()
            losses.append(loss.detach())
            if step in due or step % steps_per_epoch == 0:
                _note(diverged, torch.stack(losses), checked)
                bar.update(step - checked)
                checked, losses = step, []
            if step in due:
                record(step, stack)
                stack.train()
    return diverged.numpy()


def _check(
    stack: StackedFullyConnected,
    config: OptimiserConfig,
    x: Tensor,
    labels: Tensor,
    seeds: Sequence[int],
    batch_size: int,
) -> None:
    if isinstance(config, AdamPConfig):
        raise HyperribbonError(
            'stacked training: algorithm = "adamp": its update of a weight depends on others, also '
            "those of other networks; expected sgd, adam or adamw"
        )
    if len(seeds) != stack.size:
        raise HyperribbonError(
            f"stacked training: {len(seeds)} seeds, expected one per network, {stack.size}"
        )
    if tuple(labels.shape) not in ((len(x),), (stack.size, len(x))):
        raise HyperribbonError(
            f"stacked training: labels of shape {tuple(labels.shape)}, expected {(len(x),)} or "
            f"{(stack.size, len(x))}"
        )
    if not 2 <= batch_size <= len(x):  # BatchNorm cannot normalise a single number
        raise HyperribbonError(
            f"stacked training: batch_size = {batch_size}, expected 2 to {len(x)}, the samples"
        )
    n_outputs = stack.weights[-1].shape[1]
    if labels.is_floating_point() and n_outputs != 1:
        raise HyperribbonError(
            f"stacked training: real-valued targets and {n_outputs} outputs, expected 1 output"
        )


def _batches(
    n: int, batch_size: int, epochs: int, seeds: Sequence[int], device: torch.device
) -> Iterator[Tensor]:
    """Indices (S, batch_size) of each step, in the order that `train` has for each seed."""
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for _ in range(epochs):
        orders = [torch.stack(shuffled_batches(n, batch_size, g)) for g in generators]
        yield from torch.stack(orders, dim=1).to(device)


def _rows(x: Tensor, batch: Tensor) -> Tensor:
    """Samples (S, B, d) of indices (S, B), copied once; the products read them in this layout."""
    return x.index_select(0, batch.flatten()).view(*batch.shape, -1)


def _labels(labels: Tensor, batch: Tensor) -> Tensor:
    return labels[batch] if labels.ndim == 1 else labels.gather(1, batch)


def _losses(outputs: Tensor, labels: Tensor) -> Tensor:
    """Mean loss (S,) of outputs (S, C, B) and labels (S, B)."""
    if labels.is_floating_point():
        return (outputs.squeeze(1) - labels).square().mean(dim=1)
    return cross_entropy(outputs, labels, reduction="none").mean(dim=1)


def _note(diverged: Tensor, losses: Tensor, before: int) -> None:
    """Note the first step at which a loss (steps, S) is not finite, unless noted before."""
    wrong = ~losses.isfinite().cpu()
    new = wrong.any(dim=0) & (diverged < 0)
    diverged[new] = before + 1 + wrong.int().argmax(dim=0)[new]
