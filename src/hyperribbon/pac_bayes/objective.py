r"""The bound as an objective, with gradients in the posterior's means and scales (thesis 4.7.2).

.. math:: \breve e(Q) + \sqrt{\frac{\mathrm{KL}(Q \| P) + \text{penalty}}{2 (n - 1)}}

with the cross-entropy / ln 2, which is at least the 0-1 error, for :math:`\breve e`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from hyperribbon.pac_bayes.analytic import GRID, gaussian_kl
from hyperribbon.pac_bayes.bound import penalty
from hyperribbon.pac_bayes.passes import parts_of_kl
from hyperribbon.pac_bayes.stochastic import StochasticNetwork


def diagonal_kl(
    mean: np.ndarray,
    log_variance: np.ndarray,
    centre: np.ndarray,
    log_shape: np.ndarray,
    epsilon: float,
) -> float:
    r"""KL(Q || P) in nats of Gaussians that are diagonal in one basis; see `gaussian_kl`.

    Parameters
    ----------
    mean, log_variance : (p,), of Q
    centre, log_shape : (p,), of P, whose variances are exp(log_shape) / epsilon
    epsilon : inverse variance of the prior where its shape is 1

    Examples
    --------
    >>> diagonal_kl(np.ones(2), np.zeros(2), np.zeros(2), np.zeros(2), 1.0)
    1.0
    """
    precisions = np.exp(log_shape - log_variance)
    distance = (mean - centre) ** 2 @ np.exp(-log_shape)
    return gaussian_kl(precisions, epsilon, float(distance))


def objective(surrogate: float, kl: float, n: int, epsilon: float, delta: float) -> float:
    """The objective of numbers: the surrogate loss of Q, and the cost of KL.

    Between the points of the grid of scales, the penalty is interpolated.

    Parameters
    ----------
    surrogate : mean cross-entropy / ln 2 of networks drawn from Q
    kl : KL(Q || P) in nats
    n : number of samples
    epsilon : inverse variance of the prior
    delta : probability that the bound fails

    Examples
    --------
    >>> round(objective(0.2, 1000.0, 10_001, 100.0, 0.025), 4)
    0.4262
    """
    return surrogate + math.sqrt((kl + smooth_penalty(epsilon, n, delta)) / (2 * (n - 1)))


def smooth_penalty(epsilon: float, n: int, delta: float) -> float:
    """`penalty`, as a function of a scale anywhere on, or between, the points of its grid."""
    j = max(1.0, GRID["b"] * math.log(epsilon / GRID["c"]))
    return penalty(1, n, delta) + 2 * math.log(j)


class Objective:
    """The objective of a `StochasticNetwork`, for batches of its n samples.

    Parameters
    ----------
    network : StochasticNetwork
    centre, log_shape : (p,), of the prior, in the basis of the network
    n : number of samples
    epsilon : inverse variance of the prior
    delta : probability that the bound fails
    free : (p,) bool, where Q may differ from the prior; everywhere by default. Epsilon is then the
        best one after each evaluation, which is known in closed form; otherwise it stays, because
        the spread of Q depends on it

    Attributes
    ----------
    epsilon : inverse variance of the prior
    kl : KL(Q || P) at the last evaluation, in nats
    slope : of the objective in KL, at the last evaluation
    value : objective of the last batch
    centre, inverse, free : by layer, (O, I); inverse is 1 / exp(log_shape), None of equal shapes
    """

    def __init__(
        self,
        network: StochasticNetwork,
        centre: np.ndarray,
        log_shape: np.ndarray,
        n: int,
        epsilon: float,
        delta: float,
        free: np.ndarray | None = None,
    ):
        self.network, self.n, self.epsilon, self.delta = network, n, epsilon, delta
        self.centre = network.split(centre)
        shaped = bool(log_shape.any())
        self.inverse = network.split(np.exp(-log_shape)) if shaped else None
        self.free = None if free is None else network.split(free.astype(np.float64))
        self._p, self._log_shape = len(centre), float(log_shape.sum())
        self.slope = self.kl = self.value = math.nan

    def evaluate(
        self,
        inputs: Tensor,
        entered: Tensor | None,
        targets: Tensor,
        parts: tuple[float, float] | None = None,
    ) -> float:
        """Surrogate loss of a batch, whose gradients are left in the layers; KL is brought up.

        ``parts`` as of `parts`, where they are known.
        """
        loss = cross_entropy(self.network.outputs(inputs, entered), targets) / math.log(2)
        loss.backward()
        self._evaluate_kl(*(parts or self.parts()))
        surrogate = loss.item()
        self.value = objective(surrogate, self.kl, self.n, self.epsilon, self.delta)
        return surrogate

    @torch.no_grad()
    def parts(self) -> tuple[float, float]:
        """Sums of which KL is made: of squares in units of the prior's shape, of log variances."""
        squares = logs = 0.0
        for k, layer in enumerate(self.network.layers):
            if layer.mean.device.type == "cpu":
                found = parts_of_kl(*self.arrays(k))
            else:
                parts = layer.variance + (layer.mean - self.centre[k]) ** 2
                if self.inverse is not None:
                    parts *= self.inverse[k]
                found = float(parts.sum()), float(layer.log_variance.sum())
            squares, logs = squares + found[0], logs + found[1]
        return squares, logs

    def _evaluate_kl(self, squares: float, logs: float) -> None:
        if self.free is None:
            self.epsilon = self._p / squares
        logs -= self._log_shape
        self.kl = max(
            0.0, (self.epsilon * squares - self._p - logs - self._p * math.log(self.epsilon)) / 2
        )
        cost = self.kl + smooth_penalty(self.epsilon, self.n, self.delta)
        self.slope = 1 / math.sqrt(8 * (self.n - 1) * cost)

    def arrays(self, k: int) -> tuple:
        """Arguments of `parts_of_kl` for layer k: what its weights are, and the prior."""
        layer = self.network.layers[k]
        inverse = None if self.inverse is None else flat(self.inverse[k])
        return flat(layer.mean), flat(self.centre[k]), flat(layer.variance), inverse

    @torch.no_grad()
    def add_those_of_kl(self) -> None:
        """Add the gradients of KL to those of the surrogate, for epsilon held fixed."""
        weight = self.slope * self.epsilon
        for k, layer in enumerate(self.network.layers):
            mean, variance, logarithm = layer.gradients
            step = layer.mean - self.centre[k]
            if self.inverse is None:
                variance += weight / 2
            else:
                step *= self.inverse[k]
                variance += weight / 2 * self.inverse[k]
            mean += weight * step
            torch.mul(variance, layer.variance, out=logarithm)
            logarithm -= self.slope / 2
            if self.free is not None:
                mean *= self.free[k]
                logarithm *= self.free[k]


def flat(part: Tensor) -> np.ndarray:
    """An array (p,) that shares the memory of a tensor on the CPU."""
    return part.detach().view(-1).numpy()
