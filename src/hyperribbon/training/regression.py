"""Training of perceptrons that learn a regression (Cowlagi & Chaudhari, Fig. 2)."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from hyperribbon.config import AdamConfig
from hyperribbon.errors import HyperribbonError
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.training.optimisers import build_optimiser
from hyperribbon.training.stacked import seeded_network


class Moment(NamedTuple):
    """A network at one moment of its training.

    Attributes
    ----------
    name : ``"initialisation"``, ``"middle"`` or ``"end"``
    epoch : steps taken
    network : copy of the network, float64, in evaluation mode
    error : mean squared error over all samples
    """

    name: str
    epoch: int
    network: FullyConnected
    error: float


def standardised(values: np.ndarray) -> np.ndarray:
    """Columns (N, d) with mean 0 and variance 1.

    Examples
    --------
    >>> standardised(np.array([[1.0, 10.0], [3.0, 30.0]])).tolist()
    [[-1.0, -1.0], [1.0, 1.0]]
    """
    return (values - values.mean(axis=0)) / values.std(axis=0)


def train_regression(
    inputs: np.ndarray,
    targets: np.ndarray,
    widths: Sequence[int],
    *,
    seed: int,
    epochs: int,
    learning_rate: float,
) -> Iterator[Moment]:
    """Train a perceptron, and yield it at initialisation, middle and end.

    Layers are Linear-tanh, which is smooth, so that second derivatives exist everywhere; there is
    no BatchNorm. The loss is half the mean squared error. Adam takes one step per epoch, on all
    samples, in float64, while the learning rate decays to 0 along a cosine. On a CPU, the same seed
    and number of threads give the same weights, bit by bit.

    Parameters
    ----------
    inputs : (N, d)
    targets : (N, C)
    widths : units of each hidden layer; empty for a linear model
    seed : seed of the initialisation, which is PyTorch's default
    epochs : int, at least 2
    learning_rate : initial learning rate

    Raises
    ------
    HyperribbonError
        If the loss stops being finite.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 20)[:, None]
    >>> moments = train_regression(x, x**2, [5], seed=0, epochs=100, learning_rate=0.1)
    >>> [(moment.name, moment.epoch, moment.error < 0.05) for moment in moments]
    [('initialisation', 0, False), ('middle', 50, True), ('end', 100, True)]
    """
    x, y = torch.from_numpy(inputs).double(), torch.from_numpy(targets).double()
    network = seeded_network(
        seed, x.shape[1:], y.shape[1], widths=widths, activation="tanh", batchnorm=False
    ).double()
    optimiser, scheduler = build_optimiser(
        network, AdamConfig(algorithm="adam", learning_rate=learning_rate), epochs
    )
    due = {0: "initialisation", epochs // 2: "middle", epochs: "end"}
    for epoch in range(epochs + 1):
        error = torch.nn.functional.mse_loss(network(x), y)
        if not error.isfinite():
            raise HyperribbonError(
                f"network {list(widths)}, seed {seed}: the loss was not finite after {epoch} "
                f"epochs; lower the learning rate, {learning_rate:g}"
            )
        if epoch in due:
            yield Moment(due[epoch], epoch, copy.deepcopy(network).eval(), error.item())
        if epoch < epochs:
            optimiser.zero_grad()
            (error / 2).backward()
            optimiser.step()
            scheduler.step()
