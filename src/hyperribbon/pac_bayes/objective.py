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
    value : objective of the last batch
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
        self._centre = network.split(centre)
        shaped = bool(log_shape.any())
        self._inverse = network.split(np.exp(-log_shape)) if shaped else None
        self._free = None if free is None else network.split(free.astype(np.float64))
        self._p, self._log_shape = len(centre), float(log_shape.sum())
        self._step = [torch.empty_like(part) for part in self._centre]
        self._one = network.layers[0].mean.new_ones(())
        self.kl = self.value = math.nan

    def add_gradients(self, inputs: Tensor, entered: Tensor | None, targets: Tensor) -> float:
        """Surrogate loss of a batch; gradients of the objective are left in the layers.

        They are those of mean and log_variance, for epsilon held fixed.
        """
        loss = cross_entropy(self.network.outputs(inputs, entered), targets) / math.log(2)
        loss.backward()
        with torch.no_grad():
            self._add_those_of_kl()
        surrogate = loss.item()
        self.value = objective(surrogate, self.kl, self.n, self.epsilon, self.delta)
        return surrogate

    def _add_those_of_kl(self) -> None:
        layers, steps = self.network.layers, self._step
        squares = logs = 0.0
        for k, (layer, centre, step) in enumerate(zip(layers, self._centre, steps, strict=True)):
            torch.sub(layer.mean, centre, out=step)
            if self._inverse is None:
                squares += float(layer.variance.sum() + torch.dot(step.view(-1), step.view(-1)))
            else:
                distance = torch.dot(step.view(-1), step.mul(self._inverse[k]).view(-1))
                step.mul_(self._inverse[k])
                squares += float((layer.variance * self._inverse[k]).sum() + distance)
            logs += float(layer.log_variance.sum())
        if self._free is None:
            self.epsilon = self._p / squares
        logs -= self._log_shape
        self.kl = max(
            0.0, (self.epsilon * squares - self._p - logs - self._p * math.log(self.epsilon)) / 2
        )
        cost = self.kl + smooth_penalty(self.epsilon, self.n, self.delta)
        slope = 1 / math.sqrt(8 * (self.n - 1) * cost)  # of the objective in KL
        for k, (layer, step) in enumerate(zip(layers, steps, strict=True)):
            mean, variance, logarithm = layer.gradients
            mean.add_(step, alpha=slope * self.epsilon)
            if self._inverse is None:
                variance.add_(slope * self.epsilon / 2)
            else:
                variance.add_(self._inverse[k], alpha=slope * self.epsilon / 2)
            torch.addcmul(-slope / 2 * self._one, variance, layer.variance, out=logarithm)
            if self._free is not None:
                mean.mul_(self._free[k])
                logarithm.mul_(self._free[k])
