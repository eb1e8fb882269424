"""Descent of the objective by Adam, at a rate that falls as a cosine."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from hyperribbon.pac_bayes.objective import Objective, flat
from hyperribbon.pac_bayes.passes import BETA1, BETA2, TINY, adam_pass

SCALES_RATE = 10  # learning rate of log variances, in that of the means
LEFT = 0.01  # of the learning rate at the end


class Descent:
    """Steps of Adam on means and log variances of a posterior.

    On the CPU the gradients of KL, Adam's step and the sums of the next KL take one pass over the
    weights, which leaves `log_variance` of the layers behind; elsewhere torch does the same.

    Parameters
    ----------
    goal : Objective
    rate : learning rate of the means at the start
    steps : number of steps until it has fallen
    """

    def __init__(self, goal: Objective, rate: float, steps: int):
        self.goal, self.rate, self.steps, self.taken = goal, rate, steps, 0
        layers = goal.network.layers
        self._moments: list[np.ndarray] = []
        self._parts: tuple[float, float] | None = None  # of KL, where the last pass knows them
        if layers[0].mean.device.type == "cpu":
            self._moments = [np.zeros((4, part.size), part.dtype)
                             for part in (flat(layer.mean) for layer in layers)]  # fmt: skip
        else:
            groups = [{"params": [layer.mean for layer in layers], "lr": rate},
                      {"params": [layer.log_variance for layer in layers], "lr": rate}]  # fmt: skip
            self._adam = torch.optim.Adam(groups, betas=(BETA1, BETA2), eps=TINY, fused=True)

    def step(self, inputs: Tensor, entered: Tensor | None, targets: Tensor) -> float:
        """Surrogate loss of a batch before a step down from there."""
        surrogate = self.goal.evaluate(inputs, entered, targets, self._parts)
        share = (1 + math.cos(math.pi * self.taken / self.steps)) / 2
        rate = self.rate * (LEFT + (1 - LEFT) * share)
        self.taken += 1
        if self._moments:
            self._parts = self._pass(rate)
        else:
            self.goal.add_those_of_kl()
            for group, factor in zip(self._adam.param_groups, (1, SCALES_RATE), strict=True):
                group["lr"] = factor * rate
            self._adam.step()
            self.goal.network.refresh()
        return surrogate

    def _pass(self, rate: float) -> tuple[float, float]:
        goal = self.goal
        squares, logs = 0.0, (self._parts or goal.parts())[1]
        rate /= 1 - BETA1**self.taken
        unbiased = 1 / math.sqrt(1 - BETA2**self.taken)
        for k, (layer, moments) in enumerate(zip(goal.network.layers, self._moments, strict=True)):
            kind = moments.dtype.type
            found = adam_pass(
                *goal.arrays(k),
                flat(layer.gradients.mean),
                flat(layer.gradients.variance),
                None if goal.free is None else flat(goal.free[k]),
                moments,
                kind(goal.slope * goal.epsilon),
                kind(goal.slope / 2),
                np.array([rate, SCALES_RATE * rate], kind),
                np.array([BETA1, BETA2], kind),
                kind(unbiased),
                kind(TINY),
            )
            squares, logs = squares + found[0], logs + found[1]
        return squares, logs
