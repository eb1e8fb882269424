"""A PAC-Bayes certificate of a trained network by the analytic posterior (Method 1; 4.3.3)."""

from __future__ import annotations

import math
from copy import deepcopy
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from hyperribbon.curvature.checks import check_count
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.problem import Problem, error_of
from hyperribbon.curvature.sloppiness import effective_dimension
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

MOST_DRAWS = 10**7  # their errors are kept
DELTA = 0.025  # probability that the bound fails, beside that of the draws
FEW = 5  # draws by which a scale of the prior is judged
STEP = math.exp(0.5)  # from one scale that is judged to the next


class Certified(NamedTuple):
    """A certificate, and what it is made of.

    Attributes
    ----------
    certificate : Certificate
    epsilon : inverse variance of the prior
    squared_distance : of the weights from the prior's centre
    effective_dimension : eigenvalues of the Hessian's approximation above epsilon / (2 (n - 1))
    train_error, test_error : of the network itself
    posterior_test_error : mean of the drawn networks
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
    progress: str | None = None,
) -> Certified:
    """Bound the error on new samples of networks drawn around a trained one.

    The prior is an isotropic Gaussian around the initial weights; the posterior is one around the
    trained weights, with precisions 2 (n - 1) lambda + epsilon in the eigenbasis of the network's
    Kronecker-factored Fisher matrix, lambda its eigenvalues in units of cross-entropy / ln 2. They
    stand for the Hessian's: any Gaussian gives a valid bound, a poorer one a looser. Epsilon is the
    one on its grid, for whose choice the penalty pays, at which the bound is least as judged by a
    few draws. That of the loose objective alone is too small where the network has learnt its
    samples by heart, for there the Fisher matrix all but vanishes, and Q forgets what it knows.
    Drawn networks predict in single precision, as they would in use.

    Parameters
    ----------
    problem : the trained network on all n training samples, which were trained on and chose no
        prior: no BatchNorm, whose statistics would be of them
    test : the same on test samples
    initial : (p,) weights before training
    draws : int, networks drawn; the more, the nearer the limit of the error to its mean
    seed : int, of the draws
    progress : name of a bar to show; quiet when the output is not a terminal
    """
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
        """The bound if the mean error of a few draws were exact, and if it were 0."""
        posterior, rng = posterior_of(scale.epsilon), np.random.default_rng((seed, scale.j))
        error = np.mean([error_of(drawn_on, posterior.sample(rng)) for _ in range(FEW)])
        cost = (posterior.kl(initial) + penalty(scale.j, n, DELTA)) / (n - 1)
        return float(inverse_binary_kl(error, cost)), float(inverse_binary_kl(0.0, cost))

    scale = best = best_epsilon(eigenvalues, n, distance, **GRID)
    least, at_least = judged(best)
    while at_least < least:  # larger ones only cost more
        scale = round_to_grid(scale.epsilon * STEP, **GRID)
        bound, at_least = judged(scale)
        if bound < least:
            best, least = scale, bound
    scale, posterior = best, posterior_of(best.epsilon)
    rng, errors, test_errors = np.random.default_rng(seed), [], []
    for _ in tqdm(range(draws), desc=progress, leave=False, disable=None if progress else True):
        drawn = posterior.sample(rng)
        errors.append(error_of(drawn_on, drawn))
        test_errors.append(error_of(drawn_test, drawn))
    kl, classes = posterior.kl(initial), problem.n_outputs
    found = certificate(np.array(errors), kl, n, scale.j, classes, delta=DELTA)
    return Certified(
        found,
        scale.epsilon,
        distance,
        effective_dimension(eigenvalues, n, scale.epsilon),
        error_of(problem),
        error_of(test),
        float(np.mean(test_errors)),
    )


def in_single_precision(problem: Problem) -> Problem:
    """The same network on the same samples, float32."""
    network = deepcopy(problem.network).float()
    return Problem(network, problem.inputs.float(), problem.targets, problem.loss)
