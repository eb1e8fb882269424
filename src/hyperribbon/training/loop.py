"""One training, from initial weights to the last step."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn, optim
from torch.amp import GradScaler

from hyperribbon.training.objective import Objective
from hyperribbon.training.samples import Resident, Streamed

EVALUATION_BATCH = 500


class Diverged(Exception):
    """The loss is no longer finite; ``step`` counts the steps taken until then."""

    def __init__(self, step: int):
        super().__init__(f"loss not finite at step {step}")
        self.step = step


def shuffled_batches(n: int, batch_size: int, generator: torch.Generator) -> list[Tensor]:
    """Indices of the full batches of one epoch in random order."""
    order = torch.randperm(n, generator=generator)
    return [order[start : start + batch_size] for start in range(0, n - batch_size + 1, batch_size)]


def train(
    network: nn.Module,
    optimiser: optim.Optimizer,
    scheduler: optim.lr_scheduler.LRScheduler,
    samples: Resident | Streamed,
    labels: Tensor,
    *,
    epochs: int,
    batch_size: int,
    generator: torch.Generator,
    checkpoints: Sequence[int],
    record: Callable[[int], None],
    objective: Callable[[nn.Module, Tensor, Tensor, int], Tensor] | None = None,
    scaler: GradScaler | None = None,
    start: int = 0,
) -> None:
    """Minimise the objective, and call ``record(step)`` after each of ``checkpoints``.

    Parameters
    ----------
    network : torch.nn.Module
        Network on the device of the samples and labels.
    optimiser, scheduler
        As returned by `build_optimiser`.
    samples : Resident or Streamed
        Training samples.
    labels : Tensor, shape (N,)
        Their labels.
    epochs, batch_size : int
        An incomplete last batch of an epoch is left out.
    generator : torch.Generator
        Generator, on the CPU, that decides the order of the samples.
    checkpoints : sequence of int
        Increasing steps; 0 is before training.
    record : callable
        Called in whatever mode the network is; must not change its state.
    objective : callable, optional
        Loss of (network, images, labels, step); by default, the cross-entropy.
    scaler : GradScaler, optional
        Scaler of the gradients, which float16 needs.
    start : int
        Steps taken already. Network, optimiser, scheduler and scaler are in their state after
        these steps, the generator in its state before the first.

    Raises
    ------
    Diverged
        If the loss is not finite. Checking costs one synchronisation per epoch and checkpoint.
    """
    objective = objective or Objective()
    scaler = scaler or GradScaler(labels.device.type, enabled=False)
    due = set(checkpoints)
    step = 0
    pending: list[Tensor] = []  # losses since the last check, kept on the device

    def check() -> None:
        finite = torch.stack(pending).isfinite()
        if not finite.all():
            raise Diverged(step - len(pending) + int(finite.int().argmin()) + 1)
        pending.clear()

    if 0 in due:
        record(0)
    for _ in range(epochs):
        network.train()
        batches = shuffled_batches(len(samples), batch_size, generator)
        done = min(max(start - step, 0), len(batches))  # only their order is drawn again
        step += done
        for batch, images in zip(batches[done:], samples.batches(batches[done:]), strict=True):
            loss = objective(network, images, labels[batch.to(labels.device)], step)
            optimiser.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
            scheduler.step()
            step += 1
            pending.append(loss.detach())
            if step in due:
                check()
                record(step)
                network.train()
        if pending:
            check()


@torch.no_grad()
def calibrate_batchnorm(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set BatchNorm's running statistics to averages over the batches; weights do not change.

    Without this, a network with BatchNorm starts far from ignorance (thesis 2.5.2, Fig. 2.12).
    """
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average instead of a decaying one
    network.train()
    with tf32(allowed=False):
        for batch in batches:
            if len(batch) > 1:
                network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def predict(network: nn.Module, samples: Resident | Streamed) -> Tensor:
    """Logits (N, C) in evaluation mode, float32 throughout."""
    network.eval()
    with tf32(allowed=False):
        logits = [network(batch) for batch in samples.batches(slices(len(samples)))]
    return torch.cat(logits)


@contextmanager
def tf32(*, allowed: bool) -> Iterator[None]:
    """Allow or forbid a GPU to round factors to TensorFloat-32."""
    places: tuple[Any, ...] = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [place.allow_tf32 for place in places]
    for place in places:
        place.allow_tf32 = allowed
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            place.allow_tf32 = value


def slices(n: int, size: int = EVALUATION_BATCH) -> list[slice]:
    """Slices of the samples 0 to n - 1 in batches, in order."""
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
