"""Two tasks in the plane, and networks of many seeds that learn one of them at once.

They are those of Zavatone-Veth et al. (arXiv:2301.11375): XOR, and two classes on both sides of a
sine. Their metric is 2 x 2, so that its volume element and curvature can be mapped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.bars import step_bar
from hyperribbon.errors import DataError
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.training.stacked import StackedFullyConnected, seeded_network

Parametrisation = Literal["standard", "ntk"]
_SEED = 2301_11375  # of samples and of random labels


class PlaneTask(NamedTuple):
    """Samples of two classes in the plane."""

    x: np.ndarray
    """(N, 2), inputs."""
    labels: np.ndarray
    """(N,) int, 0 or 1."""
    extent: float
    """The task is on the square from -extent to extent."""
    truth: Callable[[np.ndarray], np.ndarray]
    """Function of points (B, 2) that is positive in class 1, and 0 on the true boundary."""

    def labels_of(self, points: np.ndarray) -> np.ndarray:
        """True classes (B,) of points (B, 2)."""
        return (self.truth(points) > 0).astype(np.int64)

    def random_labels(self, seed: int) -> np.ndarray:
        """The labels in a random order (N,)."""
        return np.random.default_rng([_SEED, seed]).permutation(self.labels)


def xor() -> PlaneTask:
    """Four points, of which opposite ones have the same class; both axes are the boundary.

    Examples
    --------
    >>> task = xor()
    >>> task.x.astype(int).tolist(), task.labels.tolist()
    ([[-1, -1], [-1, 1], [1, -1], [1, 1]], [0, 1, 1, 0])
    """
    x = np.array([[a, b] for a in (-1.0, 1.0) for b in (-1.0, 1.0)])
    return PlaneTask(x, np.array([0, 1, 1, 0]), 1.5, lambda p: -p[:, 0] * p[:, 1])


def sinusoid(samples: int = 400) -> PlaneTask:
    """Uniform points in the square, of class 1 above the sine y = 0.6 sin(7 x - 1).

    Examples
    --------
    >>> sinusoid().x.shape, sinusoid().labels_of(np.array([[0.0, 1.0], [0.0, -1.0]])).tolist()
    ((400, 2), [1, 0])
    """
    x = np.random.default_rng(_SEED).uniform(-1, 1, (samples, 2))
    task = PlaneTask(x, np.empty(0), 1.0, lambda p: p[:, 1] - 0.6 * np.sin(7 * p[:, 0] - 1))
    return task._replace(labels=task.labels_of(x))


PLANE_TASKS: dict[str, Callable[[], PlaneTask]] = {"xor": xor, "sinusoid": sinusoid}


class PlaneMoment(NamedTuple):
    """A moment of a training of S networks."""

    epoch: int
    networks: list[nn.Module]
    """The S networks, in float64."""
    loss: np.ndarray
    """(S,) mean cross-entropy of the samples, in nats."""
    accuracy: np.ndarray
    """(S,) share of the samples that are classified as they are labelled."""


def train_stacked(
    x: ArrayLike,
    labels: ArrayLike,
    widths: Sequence[int],
    activation: str,
    seeds: Sequence[int],
    *,
    moments: Sequence[int],
    learning_rate: float,
    momentum: float = 0.9,
    weight_decay: ArrayLike = 1e-4,
    parametrisation: Parametrisation = "standard",
    progress_bar: str | None = None,
) -> Iterator[PlaneMoment]:
    """Train S networks at once by full-batch gradient descent on the mean cross-entropy.

    Biases and the first layer's weights start from N(0, 1), the weights of n units of a later layer
    from N(0, 1 / n). Trainings are in float32.

    Parameters
    ----------
    x : (N, d)
        Samples.
    labels : (S, N) or (N,) int
        Classes 0 and 1 of the samples, for each network or for all.
    widths : sequence of int
        Units of each hidden layer.
    activation : str
        As of `FullyConnected`.
    seeds : sequence of int
        One of the initial weights of each network.
    moments : sequence of int
        Epochs, in increasing order, after which the networks are returned; the last one ends the
        training.
    learning_rate, momentum : float
    weight_decay : float or (S,)
    parametrisation : {"standard", "ntk"}
        What descends: "standard", the weights; "ntk", weights of variance 1 at first, which the
        network scales by n^(-1/2), so that wide networks hardly change their features.
    progress_bar : str, optional
        Name of a progress bar to show; none if the output is not a terminal.

    Yields
    ------
    PlaneMoment

    Raises
    ------
    DataError
        If the labels have another shape or the moments do not increase; if a training diverges.

    Examples
    --------
    >>> task = xor()
    >>> *_, last = train_stacked(
    ...     task.x, task.labels, [20], "sigmoid", [0, 1], moments=[0, 300], learning_rate=0.1
    ... )
    >>> last.epoch, last.accuracy.tolist()
    (300, [1.0, 1.0])
    """
    samples = torch.as_tensor(np.asarray(x), dtype=torch.float32)
    S, N = len(seeds), len(samples)
    targets = np.asarray(labels)
    if targets.shape not in ((N,), (S, N)):
        raise DataError(f"labels: shape {targets.shape}, expected ({N},) or ({S}, {N})")
    if not moments or list(moments) != sorted(set(moments)) or moments[0] < 0:
        raise DataError(f"moments: {list(moments)}, expected epochs in increasing order")
    wanted = torch.from_numpy(np.broadcast_to(targets, (S, N)).astype(np.int64))
    make = {"input_shape": samples.shape[1:], "n_classes": 2, "widths": widths, "bias": True}
    make |= {"activation": activation, "batchnorm": False}
    stack = StackedFullyConnected([_normal(seed, make) for seed in seeds])
    decay = torch.as_tensor(np.broadcast_to(weight_decay, (S,)).copy(), dtype=torch.float32)
    steps = [
        _Descent(weights, scale, learning_rate, momentum, decay)
        for weights, scale in _scaled(stack, parametrisation)
    ]
    epoch = 0
    with step_bar(moments[-1], progress_bar) as bar:
        for moment in moments:
            for _ in range(moment - epoch):
                (cross_entropy(stack(samples), wanted, reduction="sum") / N).backward()
                for step in steps:
                    step()
            bar.update(moment - epoch)
            epoch = moment
            yield _moment(epoch, stack, samples, wanted, make)


class _Descent:
    """Gradient descent with momentum and weight decay, of the weights of one layer."""

    def __init__(self, weights: Tensor, scale: float, rate: float, momentum: float, decay: Tensor):
        self.weights, self.scale, self.rate, self.momentum = weights, scale, rate, momentum
        self.decay = decay.view(-1, 1, 1)
        self.velocity = torch.zeros_like(weights)

    @torch.no_grad()
    def __call__(self) -> None:
        gradient = self.weights.grad
        assert gradient is not None
        self.velocity.mul_(self.momentum).add_(gradient, alpha=self.scale)
        self.velocity.addcmul_(self.weights, self.decay)
        self.weights.sub_(self.velocity, alpha=self.rate)
        self.weights.grad = None


def _normal(seed: int, make: dict) -> FullyConnected:
    """A network whose weights are N(0, 1), those after the first layer times n^(-1/2)."""
    network = seeded_network(seed, **make)
    generator = torch.Generator().manual_seed(seed)
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for k, layer in enumerate(layers):
            layer.weight.normal_(generator=generator)
            layer.bias.normal_(generator=generator)
            if k:
                layer.weight /= layer.in_features**0.5
    return network


def _scaled(
    stack: StackedFullyConnected, parametrisation: Parametrisation
) -> Iterator[tuple[Tensor, float]]:
    """Weights and biases, with the factor of their gradients.

    A step of w n^(-1/2) along the gradient in w is one along 1 / n times the gradient in the
    product.
    """
    for k, weights in enumerate(stack.weights):
        yield weights, 1 / weights.shape[2] if k and parametrisation == "ntk" else 1.0
    for biases in stack.biases:
        yield biases, 1.0


@torch.no_grad()
def _moment(
    epoch: int, stack: StackedFullyConnected, x: Tensor, wanted: Tensor, make: dict
) -> PlaneMoment:
    logits = stack(x)
    loss = cross_entropy(logits, wanted, reduction="none").mean(dim=1)
    if not loss.isfinite().all():
        which = torch.nonzero(~loss.isfinite()).ravel().tolist()
        raise DataError(f"learning_rate: networks {which} diverged before epoch {epoch}")
    networks: list[nn.Module] = []
    for state in stack.state_dicts():
        network = FullyConnected(**make)
        network.load_state_dict(state)
        networks.append(network.double().eval())
    accuracy = (logits.argmax(dim=1) == wanted).double().mean(dim=1)
    return PlaneMoment(epoch, networks, loss.double().numpy(), accuracy.numpy())
