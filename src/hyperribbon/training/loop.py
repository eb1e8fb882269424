"""One training, from initial weights to the last step."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor, nn, optim
from torch.amp import GradScaler

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


class Learning(Protocol):
    """What `train` needs of a method: the samples of each step, and their loss."""

    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """For each epoch, the positions (B,) of the samples of each step."""

    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Loss of a batch; ``step`` counts the steps taken before."""


def train(
    network: nn.Module,
    optimiser: optim.Optimizer,
    scheduler: optim.lr_scheduler.LRScheduler,
    samples: Resident | Streamed,
    labels: Tensor,
    method: Learning,
    *,
    epochs: int,
    checkpoints: Sequence[int],
    record: Callable[[int, float], None],
    scaler: GradScaler | None = None,
    start: int = 0,
) -> None:
    """Minimise the loss of a method, and record after each of ``checkpoints``.

    Parameters
    ----------
    network : torch.nn.Module
        Network on the device of the samples and labels.
    optimiser, scheduler
        As returned by `build_optimiser`.
    samples : Resident or Streamed
        Training samples.
    labels : Tensor, shape (N,) or (N, T)
        What they are trained to.
    method : Learning
        How the network learns, such as a `Method`.
    epochs : int
        Epochs of the method.
    checkpoints : sequence of int
        Increasing steps; 0 is before training.
    record : callable
        Called with the step and the mean loss since the last checkpoint (NaN at step 0), in
        whatever mode the network is; must not change its state.
    scaler : GradScaler, optional
        Scaler of the gradients, which float16 needs.
    start : int
        Steps taken already. Network, optimiser, scheduler and scaler are in their state after
        these steps; ``start`` is a checkpoint.

    Raises
    ------
    Diverged
        If the loss is not finite. Checking costs one synchronisation per epoch and checkpoint.
    """
    scaler = scaler or GradScaler(labels.device.type, enabled=False)
    due = set(checkpoints)
    step = 0
    pending: list[Tensor] = []  # losses since the last check, kept on the device
    checked: list[Tensor] = []  # those before, since the last checkpoint

    def check() -> None:
        losses = torch.stack(pending).cpu()
        finite = losses.isfinite()
        if not finite.all():
            raise Diverged(step - len(pending) + int(finite.int().argmin()) + 1)
        checked.append(losses)
        pending.clear()

    if 0 in due:
        record(0, torch.nan)
    for batches in method.epochs(epochs):
        network.train()
        done = min(max(start - step, 0), len(batches))  # only their order is drawn again
        step += done
        for batch, images in zip(batches[done:], samples.batches(batches[done:]), strict=True):
            loss = method.loss(network, images, labels[batch.to(labels.device)], step)
            optimiser.zero_grad(set_to_none=True)
            scaler.scale(loss).backward()
            scaler.step(optimiser)
            scaler.update()
            scheduler.step()
            step += 1
            pending.append(loss.detach())
            if step in due:
                check()
                record(step, torch.cat(checked).double().mean().item())
                checked.clear()
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
    """Outputs (N, C) of a network, or of its features, in evaluation mode, float32 throughout."""
    network.eval()
    with tf32(allowed=False):
        outputs = [network(batch) for batch in samples.batches(slices(len(samples)))]
    return torch.cat(outputs)


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
