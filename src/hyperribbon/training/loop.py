"""One training, from initial weights to the last step."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy

EVALUATION_BATCH = 500


class Diverged(Exception):
    """The loss stopped being finite; ``step`` counts the steps taken when it did."""

    def __init__(self, step: int):
        super().__init__(f"loss not finite at step {step}")
        self.step = step


def shuffled_batches(n: int, batch_size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Indices of the full batches of one epoch in random order."""
    order = torch.randperm(n, generator=generator)
    for start in range(0, n - batch_size + 1, batch_size):
        yield order[start : start + batch_size]


def train(
    network: nn.Module,
    optimiser: optim.Optimizer,
    scheduler: optim.lr_scheduler.LRScheduler,
    images: Tensor,
    labels: Tensor,
    *,
    epochs: int,
    batch_size: int,
    generator: torch.Generator,
    checkpoints: Sequence[int],
    record: Callable[[int], None],
    start: int = 0,
) -> None:
    """Train on the cross-entropy, and call ``record(step)`` after each of ``checkpoints``.

    Parameters
    ----------
    network, images, labels : on one device; images (N, channels, height, width), labels (N,)
    epochs, batch_size : int; an incomplete last batch of an epoch is left out
    generator : decides the order of the samples, on the CPU
    checkpoints : increasing steps; 0 is before training
    record : called in whatever mode the network is; must not change its state
    start : steps taken already; network, optimiser and scheduler are as after these, the generator
        as before the first

    Raises
    ------
    Diverged
        When the loss is not finite; the checks cost one synchronisation an epoch or checkpoint.
    """
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
        for batch in shuffled_batches(len(images), batch_size, generator):
            if step < start:  # only its place in the order is drawn again
                step += 1
                continue
            batch = batch.to(images.device)
            loss = cross_entropy(network(images[batch]), labels[batch])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
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
def calibrate_batchnorm(network: nn.Module, images: Tensor, batch_size: int) -> None:
    """Set BatchNorm's running statistics to averages over the images, weights unchanged.

    Without it a network with BatchNorm starts far from ignorance (thesis 2.5.2, Fig. 2.12).
    """
    norms = [m for m in network.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average instead of a decaying one
    network.train()
    for batch in images.split(batch_size):
        if len(batch) > 1:
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def predict(network: nn.Module, images: Tensor) -> Tensor:
    """Logits (N, C) in evaluation mode, float32."""
    network.eval()
    return torch.cat([network(batch) for batch in images.split(EVALUATION_BATCH)]).float()
