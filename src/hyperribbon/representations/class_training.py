"""Training of many fully-connected tanh networks at once, while their class manifolds are followed.

All networks of a stack see the same samples, so that their first layers are one matrix product,
X (N, d) by W (d, S * n), and so is the gradient of their weights. Forward and backward passes are
written out, in blocks of samples that fit into the cache; the forward pass of a full-batch step
also gives what is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.bars import bar_over
from hyperribbon.errors import HyperribbonError
from hyperribbon.representations.class_manifolds import check_classes, from_centres
from hyperribbon.training.loop import shuffled_batches
from hyperribbon.training.stacked import StackedFullyConnected

BLOCK = 1024  # samples at a time
ALGORITHMS = ("sgd", "adam")


class ManifoldTraining(NamedTuple):
    """What was recorded of S trainings at T steps, with L hidden layers and C classes.

    Attributes
    ----------
    steps : ndarray of int, shape (T,)
        Steps taken; if each step takes all samples, these are epochs.
    losses, errors : ndarray of shape (S, T)
        Mean cross-entropy, and share of misclassified samples.
    radii : ndarray of shape (S, T, L, C)
        Gyration radii of the class manifolds in each hidden layer, of vectors of unit length.
    distances : ndarray of shape (S, T, L, C, C)
        Distances between their centres.
    packed : ndarray of uint8, shape (S, T, ceil(N / 8))
        Bits of misclassified samples, as of `numpy.packbits`.
    predictions : ndarray of float32, shape (S, T, K, C)
        Probabilities of the first K samples.
    """

    steps: np.ndarray
    losses: np.ndarray
    errors: np.ndarray
    radii: np.ndarray
    distances: np.ndarray
    packed: np.ndarray
    predictions: np.ndarray

    def wrong(self, n_samples: int) -> np.ndarray:
        """Whether each of N samples is misclassified, (S, T, N)."""
        return np.unpackbits(self.packed, axis=-1, count=n_samples).astype(bool)


def tanh_stack(
    seeds: Sequence[int], n_features: int, n_classes: int, widths: Sequence[int]
) -> StackedFullyConnected:
    """Networks of tanh layers without BatchNorm, initialised as by PyTorch from each seed.

    Examples
    --------
    >>> [weight.shape for weight in tanh_stack([0, 1, 2], 784, 2, [20]).weights]
    [torch.Size([3, 20, 784]), torch.Size([3, 2, 20])]
    """
    return StackedFullyConnected.from_seeds(
        seeds, (n_features,), n_classes, widths=widths, activation="tanh", batchnorm=False
    )


@torch.no_grad()
def train_manifolds(
    stack: StackedFullyConnected,
    x: Tensor,
    labels: np.ndarray,
    *,
    steps: int,
    learning_rate: float,
    algorithm: str = "sgd",
    batch_size: int | None = None,
    every: int = 1,
    weights: np.ndarray | None = None,
    record: int = 0,
    seed: int = 0,
    progress_bar: str | None = None,
) -> ManifoldTraining:
    """Train all networks of a stack on the same samples, and record their class manifolds.

    The mean cross-entropy is minimised. The loop is that of each network alone, up to rounding.

    Parameters
    ----------
    stack : StackedFullyConnected
        S networks with tanh, biases and no BatchNorm, trained in place; see `tanh_stack`.
    x : Tensor, shape (N, d)
        Samples, float32 or float64 as the stack is.
    labels : array of int, shape (N,)
        Classes from 0 to C - 1.
    steps : int
        Steps to take.
    learning_rate : float
        Learning rate, which is constant.
    algorithm : {"sgd", "adam"}
        Optimiser; sgd without ``batch_size`` is gradient descent.
    batch_size : int, optional
        Samples of a step, in an order that all networks share; by default all.
    every : int
        Steps between records; one is before the first step.
    weights : array of shape (S, N), optional
        How much each sample counts for each network, in the loss and in what is recorded. Samples
        of weight 0 are as if they were not there; they still have a bit in ``packed``.
    record : int
        Number K of samples whose predictions are recorded.
    seed : int
        Seed of the order of samples.
    progress_bar : str, optional
        Name of a progress bar to show; none is shown if the output is not a terminal.

    Returns
    -------
    ManifoldTraining

    Raises
    ------
    HyperribbonError
        If the stack is of other networks, an argument is out of range, or a loss is not finite.
    DataError
        If the labels are unsuitable (see `class_manifolds`).

    Examples
    --------
    >>> x = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    >>> labels = (x[:, 0] > 0).long().numpy()
    >>> stack = tanh_stack([0, 1, 2], 6, 2, [4])
    >>> found = train_manifolds(stack, x, labels, steps=50, learning_rate=0.5)
    >>> found.radii.shape, bool((found.errors[:, -1] < found.errors[:, 0]).all())
    ((3, 51, 1, 2), True)
    """
    classes = check_classes(labels, len(x))
    _check(stack, x, classes, steps, algorithm, batch_size, every, weights, record)
    y = nn.functional.one_hot(torch.from_numpy(classes)).to(x)
    parameters = [*stack.weights, *stack.biases]
    optimiser = (torch.optim.Adam if algorithm == "adam" else torch.optim.SGD)(
        parameters, lr=learning_rate, fused=True
    )
    w = None if weights is None else torch.from_numpy(np.asarray(weights, float)).to(x)
    batches = None if batch_size is None else endless_batches(len(x), batch_size, seed)
    found: list[tuple[np.ndarray, ...]] = []
    for step in bar_over(range(steps + 1), progress_bar):
        due = step % every == 0
        tally = _Tally(stack, y, w, record) if due else None
        gradients = _zeros(parameters) if step < steps else None
        if batches is None:
            _run(stack, x, y, w, gradients, tally)
        elif due:
            _run(stack, x, y, w, None, tally)
        if tally is not None:
            found.append(tally.values())
            check_losses(found[-1][0], step, learning_rate)
        if gradients is None:
            break
        if batches is not None:
            rows = next(batches)
            _run(stack, x[rows], y[rows], None if w is None else w[:, rows], gradients, None)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        optimiser.step()
    arrays = [np.stack(values, axis=1) for values in zip(*found, strict=True)]
    return ManifoldTraining(np.arange(0, steps + 1, every), *arrays)


@torch.no_grad()
def classification_errors(
    stack: StackedFullyConnected, x: Tensor, labels: np.ndarray
) -> np.ndarray:
    """Share of misclassified samples of each network, (S,)."""
    y = nn.functional.one_hot(torch.from_numpy(labels), stack.weights[-1].shape[1]).to(x)
    tally = _Tally(stack, y, None, 0)
    _run(stack, x, y, None, None, tally)
    return tally.wrong.numpy().mean(axis=1)


def _run(
    stack: StackedFullyConnected,
    x: Tensor,
    y: Tensor,
    w: Tensor | None,
    gradients: list[Tensor] | None,
    tally: _Tally | None,
) -> None:
    """A forward pass of all samples, block by block; add gradients and tally if asked for.

    The samples' one-hot labels are y (N, C), and their weights w (S, N) or all equal.
    """
    share = 1 / len(x) if w is None else (w / w.sum(dim=1, keepdim=True)).unsqueeze(1)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        hidden, logits = _forward(stack, x[rows])
        probabilities = logits.softmax(dim=1)
        if tally is not None:
            tally.add(rows, hidden, logits, probabilities)
        if gradients is not None:
            delta = probabilities.sub_(y[rows].T)
            delta *= share if isinstance(share, float) else share[:, :, rows]
            _backward(stack, x[rows], hidden, delta, gradients)


def _forward(stack: StackedFullyConnected, x: Tensor) -> tuple[list[Tensor], Tensor]:
    """Activations (S, n, B) of each hidden layer, and logits (S, C, B), of samples (B, d)."""
    first = stack.weights[0]
    h = (first.flatten(0, 1) @ x.T).view(*first.shape[:2], len(x)).add_(stack.biases[0]).tanh_()
    hidden = [h]
    for weight, bias in zip(stack.weights[1:-1], stack.biases[1:-1], strict=True):
        hidden.append(torch.baddbmm(bias, weight, hidden[-1]).tanh_())
    return hidden, torch.baddbmm(stack.biases[-1], stack.weights[-1], hidden[-1])


def _backward(
    stack: StackedFullyConnected,
    x: Tensor,
    hidden: list[Tensor],
    delta: Tensor,
    gradients: list[Tensor],
) -> None:
    """Add gradients, of all weights and then of all biases, from those of logits (S, C, B)."""
    layers = len(stack.weights)
    for k in reversed(range(1, layers)):
        gradients[k].baddbmm_(delta, hidden[k - 1].mT)
        gradients[layers + k] += delta.sum(dim=2, keepdim=True)
        h = hidden[k - 1]
        delta = torch.bmm(stack.weights[k].mT, delta).mul_(h.mul_(h).neg_().add_(1))
    gradients[0].view(-1, x.shape[1]).addmm_(delta.flatten(0, 1), x)
    gradients[layers] += delta.sum(dim=2, keepdim=True)


class _Tally:
    """Sums over samples, from which what is recorded follows."""

    def __init__(
        self, stack: StackedFullyConnected, y: Tensor, w: Tensor | None, record: int
    ) -> None:
        S, (N, C) = stack.size, y.shape
        self.y, self.w, self.record = y, w, record
        self.loss = torch.zeros(S, dtype=torch.float64)
        self.wrong = torch.empty(S, N, dtype=torch.bool)
        widths = [weight.shape[1] for weight in stack.weights[:-1]]
        self.sums = [torch.zeros(S, n, C, dtype=torch.float64) for n in widths]
        self.predictions = torch.empty(S, record, C)

    def add(self, rows: slice, hidden: list[Tensor], logits: Tensor, probabilities: Tensor) -> None:
        """Take what a block of samples gives."""
        y = self.y[rows]
        # Sums and a largest value, because torch's norm and argmax along this axis are ten times
        # as slow as all else here.
        found = (logits * y.T).sum(dim=1)
        losses = logits.logsumexp(dim=1) - found
        self.wrong[:, rows] = logits.amax(dim=1) > found
        w = None if self.w is None else self.w[:, rows]
        self.loss += (losses if w is None else losses * w).sum(dim=1, dtype=torch.float64)
        for h, sums in zip(hidden, self.sums, strict=True):
            # Lengths go with the labels, which are fewer numbers than the representations.
            shares = (h * h).sum(dim=1).rsqrt_()
            sums += torch.bmm(h, (shares if w is None else shares * w).unsqueeze(2) * y)
        if rows.start < self.record:
            end = min(rows.stop, self.record)
            self.predictions[:, rows.start : end] = probabilities[..., : end - rows.start].mT

    def values(self) -> tuple[np.ndarray, ...]:
        """Losses, errors, radii, distances, packed bits and predictions, each (S, ...)."""
        if self.w is None:
            counts = self.y.sum(dim=0, dtype=torch.float64).expand(self.loss.shape[0], -1)
            errors = self.wrong.double().mean(dim=1)
        else:
            w = self.w.double()
            counts = w @ self.y.double()
            errors = (w * self.wrong).sum(dim=1) / w.sum(dim=1)
        found = [from_centres((sums / counts.unsqueeze(1)).mT.numpy(), 1.0) for sums in self.sums]
        return (
            (self.loss / counts.sum(dim=1)).numpy(),
            errors.numpy(),
            np.stack([manifolds.radii for manifolds in found], axis=1),
            np.stack([manifolds.distances for manifolds in found], axis=1),
            np.packbits(self.wrong.numpy(), axis=1),
            self.predictions.numpy(),
        )


def endless_batches(n: int, batch_size: int, seed: int) -> Iterator[Tensor]:
    """Indices of the samples of each step, in epoch after epoch without incomplete batches."""
    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from shuffled_batches(n, batch_size, generator)


def _zeros(parameters: Sequence[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(parameter) for parameter in parameters]


def _check(
    stack: StackedFullyConnected,
    x: Tensor,
    labels: np.ndarray,
    steps: int,
    algorithm: str,
    batch_size: int | None,
    every: int,
    weights: np.ndarray | None,
    record: int,
) -> None:
    if len(stack.norms) or not stack.biases or not isinstance(stack.activation, nn.Tanh):
        raise HyperribbonError("stack: expected tanh networks with biases and without BatchNorm")
    features, outputs = stack.weights[0].shape[2], stack.weights[-1].shape[1]
    expected = (len(x), features)
    if tuple(x.shape) != expected or x.dtype != stack.weights[0].dtype:
        dtype = stack.weights[0].dtype
        raise HyperribbonError(
            f"x: {x.dtype} of shape {tuple(x.shape)}, expected {dtype} of shape (N, {features})"
        )
    if labels.max() + 1 != outputs:
        raise HyperribbonError(f"labels: {labels.max() + 1} classes, expected {outputs}")
    if algorithm not in ALGORITHMS:
        raise HyperribbonError(f"algorithm = {algorithm!r}: expected sgd or adam")
    if batch_size is not None and not 1 <= batch_size <= len(x):
        raise HyperribbonError(f"batch_size = {batch_size}: expected 1 to {len(x)}, the samples")
    if steps < 1 or not 1 <= every <= steps:
        raise HyperribbonError(f"steps = {steps}, every = {every}: expected 1 <= every <= steps")
    if not 0 <= record <= len(x):
        raise HyperribbonError(f"record = {record}: expected at most {len(x)}, the samples")
    if weights is not None:
        weights = np.asarray(weights)
        if weights.shape != (stack.size, len(x)) or not (weights >= 0).all():
            raise HyperribbonError(
                f"weights of shape {weights.shape}: expected ({stack.size}, {len(x)}), none "
                "negative"
            )
        present = weights @ (labels[:, None] == np.arange(outputs))
        if not present.all():
            k, empty = np.argwhere(present == 0)[0]
            raise HyperribbonError(f"weights: network {k} has no samples of class {empty}")


def check_losses(losses: np.ndarray, step: int, learning_rate: float) -> None:
    """Refuse losses (S,) that are not finite, after so many steps."""
    if not np.isfinite(losses).all():
        k = int(np.flatnonzero(~np.isfinite(losses))[0])
        raise HyperribbonError(
            f"network {k}: the loss was not finite after {step} steps; lower the learning rate, "
            f"{learning_rate:g}"
        )
