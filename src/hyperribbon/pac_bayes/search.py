"""Search for a posterior: where it starts, and the descent from there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.bars import bar_over
from hyperribbon.curvature.kfac import LayerBasis
from hyperribbon.pac_bayes.analytic import GRID, best_epsilon
from hyperribbon.pac_bayes.bound import GridPoint, inverse_binary_kl, penalty, round_to_grid
from hyperribbon.pac_bayes.certificate import STEP
from hyperribbon.pac_bayes.descent import Descent
from hyperribbon.pac_bayes.methods import Method
from hyperribbon.pac_bayes.objective import Objective, diagonal_kl, objective
from hyperribbon.pac_bayes.prior import Prior
from hyperribbon.pac_bayes.samples import BoundedSamples
from hyperribbon.pac_bayes.stochastic import StochasticNetwork

BATCH = 1_000  # samples evaluated at a time
LARGE = 1_000  # from so many samples, each network meets a share where places share weights:
SHARE_OF_SAMPLES = 100
JUDGED = 2_000  # samples on which a start is judged
SHARE = 0.25  # of the way from the prior's centre to the trained weights, where Q starts
NARROWER = 30  # inverse variance of the prior at the start, in that of the least objective
PATIENCE = 3  # points of the grid without a lower bound, after which no others are tried


class Posterior(NamedTuple):
    """A Gaussian, diagonal in a basis, and the scale of its prior; (p,) mean and log variances."""

    mean: np.ndarray
    log_variance: np.ndarray
    scale: GridPoint


class Search:
    """Posteriors in one basis, and what the bound says of them."""

    def __init__(
        self,
        trained: nn.Module,
        basis: LayerBasis,
        prior: Prior,
        method: Method,
        bounded: BoundedSamples,
        trained_weights: np.ndarray,
        delta: float,
        seed: int,
    ):
        self.network = StochasticNetwork(trained, basis, seed)
        self.method, self.delta, self.seed = method, delta, seed
        device = next(trained.parameters()).device
        self.n = len(bounded)
        if not self.network.independent and self.n >= LARGE:
            self.n -= self.n % SHARE_OF_SAMPLES  # so that equal shares of samples meet a network
        self.inputs = bounded.inputs[: self.n].to(device)
        self.targets = bounded.targets[: self.n].to(device)
        self.entered = self.network.entered(self.inputs)
        self.centre = basis.to_basis(prior.centre)
        self.trained = basis.to_basis(np.asarray(trained_weights, dtype=np.float64))
        self.log_shape = prior.log_shape
        even = torch.linspace(0, self.n - 1, min(self.n, JUDGED)).long()
        self._few = even.unique().to(device)

    def kl(self, q: Posterior) -> float:
        """KL(Q || P) in nats."""
        return diagonal_kl(q.mean, q.log_variance, self.centre, self.log_shape, q.scale.epsilon)

    @torch.no_grad()
    def wrong(
        self, inputs: Tensor, entered: Tensor | None, targets: Tensor, size: int = BATCH
    ) -> Tensor:
        """Whether each sample's prediction is wrong, with new draws for so many samples at most."""
        found = []
        for start in range(0, len(inputs), size):
            rows = slice(start, start + size)
            z = self.network.outputs(inputs[rows], None if entered is None else entered[rows])
            found.append(z.argmax(dim=1) != targets[rows])
        return torch.cat(found)

    def draw_errors(self, q: Posterior, draws: int) -> np.ndarray:
        """0-1 errors on the samples, one per network drawn independently."""
        self.network.assign(q.mean, q.log_variance)
        size, one = BATCH, 1
        if not self.network.independent:
            small = self.n < LARGE
            size = one = self.n if small else SHARE_OF_SAMPLES
        found = []
        for _ in range(draws):
            wrong = self.wrong(self.inputs, self.entered, self.targets, size).double()
            found.append(wrong.view(-1, one).mean(dim=1).cpu().numpy())
        return np.concatenate(found)

    def judged(self, q: Posterior) -> float:
        """The bound, if the error of one prediction per sample were exact."""
        error = float(self.draw_errors(q, 1).mean())
        cost = (self.kl(q) + penalty(q.scale.j, self.n, self.delta)) / (self.n - 1)
        return float(inverse_binary_kl(error, cost))

    def stiff(self, curvatures: list[np.ndarray], epsilon: float) -> np.ndarray:
        """The directions whose curvature outweighs the prior (Eq. 4.4.1)."""
        return 2 * (self.n - 1) * sum(curvatures) * np.exp(self.log_shape) >= epsilon

    def analytic(
        self, curvature: np.ndarray, share: float, scale: GridPoint, free: np.ndarray | None
    ) -> Posterior:
        """The analytic posterior, at a share of the way from the prior's centre."""
        precision = 2 * (self.n - 1) * curvature + scale.epsilon * np.exp(-self.log_shape)
        step = share * (self.trained - self.centre)
        if free is not None:
            precision = np.where(free, precision, scale.epsilon * np.exp(-self.log_shape))
            step = np.where(free, step, 0)
        return Posterior(self.centre + step, -np.log(precision), scale)

    def start(self, curvatures: list[np.ndarray]) -> tuple[Posterior, Posterior]:
        """The analytic posterior with the least bound, and the one from which to descend.

        Where the network fits its samples, the curvature at the trained weights nearly vanishes.
        That at the prior's centre, added to it, limits the spread of Q to what the loss allows. The
        descent begins near the prior's centre, and with a narrower prior than that of the least
        objective: from there it finds posteriors with less KL than from the trained weights.
        """
        at_trained, both = curvatures[0], curvatures[0] + curvatures[1]
        tried = [(at_trained, 1.0)]
        if self.method.optimised:
            tried.append((both, SHARE))
        least_bound = least_objective = math.inf
        best = start = None
        for curvature, share in tried:
            shaped = curvature * np.exp(self.log_shape)
            distance = share**2 * (self.trained - self.centre) ** 2 @ np.exp(-self.log_shape)
            scale = best_epsilon(shaped, self.n, float(distance), **GRID)
            while True:
                free = None
                if self.method.stiff:
                    free = self.stiff(curvatures, scale.epsilon)
                q = self.analytic(curvature, share, scale, free)
                surrogate, error = self._few_judged(q)
                kl = self.kl(q)
                cost = (kl + penalty(scale.j, self.n, self.delta)) / (self.n - 1)
                bound = float(inverse_binary_kl(error, cost))
                value = objective(surrogate, kl, self.n, scale.epsilon, self.delta)
                if bound < least_bound:
                    least_bound, best = bound, q
                if value < least_objective:
                    least_objective, start = value, q
                if free is not None and not free.any():
                    break
                # Larger scales only raise the cost.
                if float(inverse_binary_kl(0.0, cost)) >= least_bound and (
                    value - surrogate >= least_objective
                ):
                    break
                scale = round_to_grid(scale.epsilon * STEP, **GRID)
        assert best is not None and start is not None
        if not self.method.optimised:
            return best, start
        scale, free = start.scale, None
        if self.method.stiff:  # whose spread is the prior's, almost everywhere
            free = self.stiff(curvatures, scale.epsilon)
        else:
            scale = round_to_grid(scale.epsilon * NARROWER, **GRID)
        return best, self.analytic(both, SHARE, scale, free)

    @torch.no_grad()
    def _few_judged(self, q: Posterior) -> tuple[float, float]:
        """Surrogate loss and error of one prediction for each of some samples."""
        self.network.assign(q.mean, q.log_variance)
        rows = self._few
        entered = None if self.entered is None else self.entered[rows]
        z, targets = self.network.outputs(self.inputs[rows], entered), self.targets[rows]
        wrong = (z.argmax(dim=1) != targets).double().mean()
        return float(cross_entropy(z, targets)) / math.log(2), float(wrong)

    def optimise(
        self,
        start: Posterior,
        free: np.ndarray | None,
        epochs: int,
        size: int,
        rate: float,
        history: dict[str, list[float]],
        progress_bar: str | None,
    ) -> Posterior:
        """Minimise the objective; its history is appended."""
        network = self.network
        network.assign(start.mean, start.log_variance)
        network.descending(True)
        epsilon = start.scale.epsilon
        goal = Objective(network, self.centre, self.log_shape, self.n, epsilon, self.delta, free)
        descent = Descent(goal, rate, epochs * -(-self.n // size))
        order = torch.Generator().manual_seed(self.seed)
        for epoch in bar_over(range(1, epochs + 1), progress_bar):
            surrogate = total = 0.0
            for rows in torch.randperm(self.n, generator=order).split(size):
                rows = rows.to(self.inputs.device)
                if self.entered is None:
                    inputs, entered = self.inputs.index_select(0, rows), None
                else:  # in place of inputs, of which only the number counts then
                    inputs = self.inputs[: len(rows)]
                    entered = self.entered.index_select(0, rows)
                found = descent.step(inputs, entered, self.targets[rows])
                surrogate += found * len(rows) / self.n
                total += goal.value * len(rows) / self.n
            row = {"epoch": epoch, "objective": total, "surrogate_loss": surrogate, "kl": goal.kl}
            for name, value in row.items():
                history[name].append(value)
        network.descending(False)
        log_variance = np.log(network.joined("variance"))
        return self._widened(network.joined("mean"), log_variance, goal.epsilon)

    def _widened(self, mean: np.ndarray, log_variance: np.ndarray, epsilon: float) -> Posterior:
        """Of the posteriors that widen together with their prior, the one with the least bound.

        All ratios of variances stay, while the means come closer in units of the prior's width: KL
        falls, and errors rise. The descent stops short of the best of these, because the
        cross-entropy weighs errors more than the bound does.
        """
        found, waited = None, 0
        least, scale = math.inf, round_to_grid(epsilon * math.exp(1 / GRID["b"]), **GRID)
        while found is None or (waited < PATIENCE and scale.j > 1):
            q = Posterior(mean, log_variance + math.log(epsilon / scale.epsilon), scale)
            bound, waited = self.judged(q), waited + 1
            if bound < least:
                least, found, waited = bound, q, 0
            scale = round_to_grid(scale.epsilon * math.exp(-1 / GRID["b"]), **GRID)
        return found
