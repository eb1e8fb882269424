import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from hyperribbon.curvature import KFAC, Problem
from hyperribbon.pac_bayes.analytic import GRID
from hyperribbon.pac_bayes.bound import penalty, round_to_grid
from hyperribbon.pac_bayes.objective import Objective, diagonal_kl, objective, smooth_penalty
from hyperribbon.pac_bayes.stochastic import StochasticNetwork

from ..curvature.conftest import perceptron


@pytest.mark.parametrize("seed", range(10))
def test_kl_is_that_of_torch(seed):
    rng = np.random.default_rng(seed)
    mean, log_variance, centre, log_shape = rng.normal(size=(4, 50))
    epsilon = float(rng.uniform(0.1, 10))
    q = Normal(torch.tensor(mean), torch.tensor(np.exp(log_variance / 2)))
    p = Normal(torch.tensor(centre), torch.tensor(np.exp(log_shape / 2) / math.sqrt(epsilon)))
    expected = float(kl_divergence(q, p).sum())
    assert diagonal_kl(mean, log_variance, centre, log_shape, epsilon) == pytest.approx(expected)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    return Problem(perceptron([4, 5, 3]), rng.normal(size=(20, 4)), rng.integers(3, size=20))


@pytest.mark.parametrize("shaped", [False, True])
@pytest.mark.parametrize("free", [False, True])
def test_the_objective_is_made_of_the_parts_that_it_says(problem, shaped, free):
    rng, p, n = np.random.default_rng(1), problem.n_parameters, 500
    mean, log_variance, centre, log_shape = rng.normal(size=(4, p))
    log_shape *= shaped
    drawn = StochasticNetwork(problem.network, KFAC(problem).weights(), 0)
    drawn.assign(mean, log_variance)
    chosen = np.ones(p, bool) if free else None
    goal = Objective(drawn, centre, log_shape, n, 3.0, 0.05, chosen)
    surrogate = goal.evaluate(problem.inputs, None, problem.targets)
    assert goal.kl == pytest.approx(
        diagonal_kl(mean, log_variance, centre, log_shape, goal.epsilon)
    )
    assert goal.value == objective(surrogate, goal.kl, n, goal.epsilon, 0.05)
    drawn.generator.manual_seed(0)
    z = drawn.outputs(problem.inputs).detach()
    loss = torch.nn.functional.cross_entropy(z, problem.targets).item()
    assert surrogate == pytest.approx(loss / math.log(2))
    if free:
        assert goal.epsilon == 3.0
    else:  # the best scale of the prior
        for other in (0.9 * goal.epsilon, 1.1 * goal.epsilon):
            assert diagonal_kl(mean, log_variance, centre, log_shape, other) > goal.kl


def test_kl_does_not_depend_on_the_basis(problem):
    """The baseline's posterior, said in a basis without rotations, and an isotropic one in two."""
    kfac = KFAC(problem)
    rng, p = np.random.default_rng(2), problem.n_parameters
    mean, centre, zeros = *rng.normal(size=(2, p)), np.zeros(p)
    found = [
        diagonal_kl(basis.to_basis(mean), zeros - 1, basis.to_basis(centre), zeros, 2.0)
        for basis in (kfac, kfac.weights())
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-12)
    log_variance = rng.normal(size=p)
    order = kfac.weights().to_basis(np.arange(p)).astype(int)
    assert diagonal_kl(
        mean[order], log_variance[order], centre[order], zeros, 2.0
    ) == pytest.approx(diagonal_kl(mean, log_variance, centre, zeros, 2.0))


def test_the_penalty_is_that_of_the_grid_on_its_points():
    for epsilon in (0.01, 3.0, 800.0):
        point = round_to_grid(epsilon, **GRID)
        assert smooth_penalty(point.epsilon, 100, 0.05) == pytest.approx(
            penalty(point.j, 100, 0.05)
        )
    assert smooth_penalty(1e-9, 100, 0.05) == penalty(1, 100, 0.05)
