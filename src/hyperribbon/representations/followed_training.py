"""Training of one network of any kind, while the class manifolds of some layers are followed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.errors import HyperribbonError
from hyperribbon.representations.class_manifolds import check_classes, class_manifolds
from hyperribbon.representations.class_training import (
    ManifoldTraining,
    check_losses,
    endless_batches,
)

BLOCK = 1024  # samples at a time


def train_followed(
    network: nn.Module,
    x: Tensor,
    labels: np.ndarray,
    layers: Sequence[str],
    *,
    steps: int,
    learning_rate: float,
    batch_size: int,
    every: int = 1,
    seed: int = 0,
) -> ManifoldTraining:
    """Train a network by SGD, and record the class manifolds of some of its layers.

    Parameters
    ----------
    network : torch.nn.Module
        Gives logits (B, C); trained in place.
    x : Tensor, shape (N, ...)
        Samples.
    labels : array of int, shape (N,)
        Classes from 0 to C - 1.
    layers : sequence of str
        Names of modules (``network.named_modules()``), whose outputs are the representations.
    steps, learning_rate, batch_size : numbers
        Steps to take, learning rate, and samples of a step.
    every : int
        Steps between records of all samples.
    seed : int
        Seed of the order of samples.

    Returns
    -------
    ManifoldTraining
        Of one training, S = 1, without predictions. A representation that is zero, as ReLU may give
        for some samples, has no direction and counts as zero.

    Raises
    ------
    HyperribbonError
        If there is no layer of a name, or a loss is not finite.
    DataError
        If the labels or representations are unsuitable (see `class_manifolds`).

    Examples
    --------
    >>> x, labels = torch.randn(40, 6), np.arange(40) % 2
    >>> network = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2))
    >>> arguments = {"steps": 4, "learning_rate": 0.1, "batch_size": 10}
    >>> train_followed(network, x, labels, ["0", "1"], **arguments).radii.shape
    (1, 5, 2, 2)
    """
    labels = check_classes(labels, len(x))
    known = dict(network.named_modules())
    for name in layers:
        if name not in known:
            raise HyperribbonError(f"layer {name!r}: expected one of {', '.join(known)}")
    y = torch.from_numpy(labels)
    optimiser = torch.optim.SGD(network.parameters(), lr=learning_rate)
    batches = endless_batches(len(x), batch_size, seed)
    found = []
    for step in range(steps + 1):
        if step % every == 0:
            found.append(_recorded(network, x, y, [known[name] for name in layers]))
            check_losses(found[-1][0][None], step, learning_rate)
        if step < steps:
            rows = next(batches)
            network.train()
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
            optimiser.step()
    arrays = [np.stack(values)[None] for values in zip(*found, strict=True)]
    nothing = np.empty((1, len(found), 0, labels.max() + 1), np.float32)
    losses, errors, radii, distances, packed = arrays
    return ManifoldTraining(
        np.arange(0, steps + 1, every), losses, errors, radii, distances, packed, nothing
    )


@torch.no_grad()
def _recorded(
    network: nn.Module, x: Tensor, y: Tensor, layers: Sequence[nn.Module]
) -> tuple[np.ndarray, ...]:
    """Losses, errors, radii, distances and packed bits of one record."""
    network.eval()
    with _outputs(layers) as outputs:
        logits = torch.cat([network(block) for block in x.split(BLOCK)])
    manifolds = [
        class_manifolds(_directions(torch.cat(blocks)).numpy(), y.numpy(), normalise=False)
        for blocks in outputs
    ]
    wrong = logits.argmax(dim=1) != y
    return (
        np.array(float(nn.functional.cross_entropy(logits.double(), y))),
        np.array(float(wrong.double().mean())),
        np.stack([radii for radii, _ in manifolds]),
        np.stack([distances for _, distances in manifolds]),
        np.packbits(wrong.numpy()),
    )


def _directions(h: Tensor) -> Tensor:
    """Representations (N, n) of unit length; those that are zero stay zero."""
    length = torch.linalg.vector_norm(h, dim=1, keepdim=True)
    return h / torch.where(length > 0, length, 1)


@contextmanager
def _outputs(layers: Sequence[nn.Module]) -> Iterator[list[list[Tensor]]]:
    """Lists of what each layer gives for block after block, flattened to vectors."""
    found: list[list[Tensor]] = [[] for _ in layers]

    def hook(blocks: list[Tensor]):
        # A copy, because a later layer may change its input in place.
        return lambda module, inputs, output: blocks.append(output.flatten(1).clone())

    handles = [
        layer.register_forward_hook(hook(blocks))
        for layer, blocks in zip(layers, found, strict=True)
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()
