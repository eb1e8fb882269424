"""A PAC-Bayes certificate for a trained network, from the analytic posterior (Method 1; 4.3.3)."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import NamedTuple

import numpy as np

from hyperribbon.bars import bar_over
from hyperribbon.curvature.checks import check_count
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.losses import CrossEntropy
from hyperribbon.curvature.problem import Problem, error_of
from hyperribbon.curvature.sloppiness import effective_dimension
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.analytic import (
    GRID,
    GaussianPosterior,
    analytic_precisions,
    best_epsilon,
)
from hyperribbon.pac_bayes.bound import (
    Certificate,
    GridPoint,
    certificate,
    inverse_binary_kl,
    penalty,
    round_to_grid,
)
from hyperribbon.pac_bayes.prior import refuse_batch_norm

MOST_DRAWS = 10**7  # the errors of all are kept in memory
DELTA = 0.025  # probability that the bound fails, in addition to that of the draws
FEW = 5  # draws with which a scale of the prior is judged
STEP = math.exp(0.5)  # ratio of a scale to the one judged before


class Certified(NamedTuple):
    """A certificate, and the quantities that it follows from.

    Attributes
    ----------
    certificate : Certificate
    epsilon : inverse variance of the prior
    squared_distance : squared distance of the weights from the prior's centre
    effective_dimension : number of eigenvalues of the approximate Hessian that are at least
        epsilon / (2 (n - 1))
    train_error, test_error : errors of the network itself
    posterior_test_error : mean test error of the drawn networks
    """

    certificate: Certificate
    epsilon: float
    squared_distance: float
    effective_dimension: int
    train_error: float
    test_error: float
    posterior_test_error: float


def certify(
    problem: Problem,
    test: Problem,
    initial: np.ndarray,
    draws: int,
    *,
    seed: int = 0,
    progress_bar: str | None = None,
) -> Certified:
    """Bound the error, on new samples, of networks drawn around a trained one.

    The prior is an isotropic Gaussian around the initial weights. The posterior Q is a Gaussian
    around the trained weights, with precisions 2 (n - 1) lambda + epsilon in the eigenbasis of the
    network's Kronecker-factored Fisher matrix, where lambda are its eigenvalues in units of
    cross-entropy / ln 2. They stand in for those of the Hessian: every Gaussian gives a valid
    bound, and a worse approximation only loosens it. Epsilon is the point of its grid at which the
    bound, judged by a few draws, is smallest; the penalty accounts for this choice. The minimum of
    the loose objective alone would be too small where the network has memorised its samples,
    because the Fisher matrix nearly vanishes there, and networks drawn from Q would have large
    errors. Drawn networks predict in single precision, as they would in use.

    Parameters
    ----------
    problem : the trained network with all n training samples, which must not have influenced the
        prior; a network with BatchNorm does not qualify, because its statistics depend on them
    test : the same network with test samples
    initial : (p,) weights before training
    draws : int, number of networks drawn; with more draws, the upper limit of the error is closer
        to the mean
    seed : int, seed of the draws
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Raises
    ------
    DataError
        If the loss is not the cross-entropy, or the network has BatchNorm.
    """
    if not isinstance(problem.loss, CrossEntropy):
        raise DataError(
            f"loss: {type(problem.loss).__name__}, expected CrossEntropy: a certificate is "
            "about the error of a classifier"
        )
    refuse_batch_norm(problem.network)
    n, weights = problem.n_samples, problem.flat_weights()
    draws = check_count(draws, "draws", 1, MOST_DRAWS)
    kfac = KFAC(problem)
    eigenvalues = kfac.eigenvalues / math.log(2)
    distance = float(((weights - initial) ** 2).sum())

    drawn_on, drawn_test = in_single_precision(problem), in_single_precision(test)

    def posterior_of(epsilon: float) -> GaussianPosterior:
        precisions = analytic_precisions(eigenvalues, n, epsilon)
        return GaussianPosterior(weights, precisions, epsilon, kfac)

    def judged(scale: GridPoint) -> tuple[float, float]:
        """The bound if the mean error of a few draws were exact, and if that error were 0."""
        posterior, rng = posterior_of(scale.epsilon), np.random.default_rng((seed, scale.j))
        error = float(np.mean([error_of(drawn_on, posterior.sample(rng)) for _ in range(FEW)]))
        cost = (posterior.kl(initial) + penalty(scale.j, n, DELTA)) / (n - 1)
        return float(inverse_binary_kl(error, cost)), float(inverse_binary_kl(0.0, cost))

    scale = best = best_epsilon(eigenvalues, n, distance, **GRID)
    least, at_least = judged(best)
    while at_least < least:  # larger scales only raise the penalty
        scale = round_to_grid(scale.epsilon * STEP, **GRID)
        bound, at_least = judged(scale)
        if bound < least:
            best, least = scale, bound
    scale, posterior = best, posterior_of(best.epsilon)
    rng, errors, test_errors = np.random.default_rng(seed), [], []
    for _ in bar_over(range(draws), progress_bar):
        drawn = posterior.sample(rng)
        errors.append(error_of(drawn_on, drawn))
        test_errors.append(error_of(drawn_test, drawn))
    kl, classes = posterior.kl(initial), problem.n_outputs
    found = certificate(np.array(errors), kl, n, scale.j, classes, delta=DELTA)
    return Certified(
        found,
        scale.epsilon,
        distance,
        int(effective_dimension(eigenvalues, n, scale.epsilon)),
        error_of(problem),
        error_of(test),
        float(np.mean(test_errors)),
    )


def in_single_precision(problem: Problem) -> Problem:
    """The same network with the same samples, in float32."""
    network = deepcopy(problem.network).float()
    return Problem(network, problem.inputs.float(), problem.targets, problem.loss)
