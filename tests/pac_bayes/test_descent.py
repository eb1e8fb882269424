import math

import numpy as np
import pytest
import torch

from hyperribbon.curvature import KFAC, Problem
from hyperribbon.pac_bayes.descent import LEFT, SCALES_RATE, Descent
from hyperribbon.pac_bayes.objective import Objective
from hyperribbon.pac_bayes.stochastic import StochasticNetwork

from ..curvature.conftest import perceptron

STEPS, RATE = 12, 0.02


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("shaped", "restricted"), [(False, False), (True, False), (True, True)])
def test_one_pass_does_what_gradients_of_kl_and_adam_of_torch_do(dtype, shaped, restricted):
    rng = np.random.default_rng(3)
    network = perceptron([4, 5, 3]).to(dtype)
    inputs = torch.from_numpy(rng.normal(size=(20, 4))).to(dtype)
    problem = Problem(network, inputs, rng.integers(3, size=20))
    p = problem.n_parameters
    mean, log_variance, centre, log_shape = rng.normal(size=(4, p))
    free = np.arange(p) % 3 > 0 if restricted else None

    def started():
        drawn = StochasticNetwork(problem.network, KFAC(problem).weights(), 0)
        drawn.assign(mean, log_variance)
        return drawn, Objective(drawn, centre, shaped * log_shape, 50, 0.7, 0.05, free)

    ours, goal = started()
    descent = Descent(goal, RATE, STEPS)
    theirs, other = started()
    groups = [[getattr(layer, name) for layer in theirs.layers]
              for name in ("mean", "log_variance")]  # fmt: skip
    adam = torch.optim.Adam([{"params": group} for group in groups])
    for step in range(STEPS):
        surrogate = other.evaluate(problem.inputs, None, problem.targets)
        other.add_those_of_kl()
        rate = RATE * (LEFT + (1 - LEFT) * (1 + math.cos(math.pi * step / STEPS)) / 2)
        for group, factor in zip(adam.param_groups, (1, SCALES_RATE), strict=True):
            group["lr"] = factor * rate
        adam.step()
        theirs.refresh()
        found = descent.step(problem.inputs, None, problem.targets)
        tolerance = 1e-4 if dtype == torch.float32 else 1e-10
        assert found == pytest.approx(surrogate, rel=tolerance)
        assert goal.kl == pytest.approx(other.kl, rel=tolerance)
        for name in ("mean", "variance"):
            np.testing.assert_allclose(
                ours.joined(name), theirs.joined(name), rtol=tolerance, atol=tolerance
            )
        np.testing.assert_allclose(
            np.log(ours.joined("variance")),
            theirs.joined("log_variance"),
            rtol=tolerance,
            atol=tolerance,
        )
    moved = ours.joined("mean") != torch.from_numpy(mean).to(dtype).double().numpy()
    np.testing.assert_array_equal(moved, np.ones(p, bool) if free is None else free)
