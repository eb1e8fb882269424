"""The direction that the tangent kernel predicts."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

from hyperribbon.curvature import JacobianGram, Problem
from hyperribbon.curvature.tangent_kernel import ntk_tangent
from hyperribbon.errors import DataError


@pytest.fixture
def problem():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 3)).double().eval()
    return network, torch.randn(7, 4, dtype=torch.float64), torch.arange(7) % 3


def test_velocity_is_the_kernel_times_what_is_left_to_learn(problem):
    network, x, y = problem
    found = ntk_tangent(network, x, y)
    K = JacobianGram(Problem(network, x, y)).gram.reshape(21, 21)
    left = one_hot(y, 3).numpy() - found.predictions
    expected = (K @ left.ravel()).reshape(7, 3) / 7
    np.testing.assert_allclose(found.velocity, expected, rtol=1e-9, atol=1e-12)
    outputs = network(x).softmax(dim=1).detach().numpy()
    np.testing.assert_allclose(found.predictions, outputs, rtol=1e-12)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_small_step_of_gradient_descent_goes_there(problem, elsewhere):
    network, x, y = problem
    at = torch.randn(5, 4, dtype=torch.float64) if elsewhere else x
    found = ntk_tangent(network, x, y, at=at if elsewhere else None, batch_size=2)
    before, step = network(at), 1e-5
    roots = before.softmax(dim=1).sqrt()
    network.zero_grad()
    cross_entropy(network(x), y).backward()
    with torch.no_grad():
        for p in network.parameters():
            p -= step * p.grad
        after = network(at)
    change = ((after - before) / step).detach().numpy()
    np.testing.assert_allclose(found.velocity, change, atol=1e-4)
    moved = ((after.softmax(dim=1).sqrt() - roots) / step).detach().numpy()
    np.testing.assert_allclose(found.tangent, moved, atol=1e-4)


def test_one_output_is_refused():
    with pytest.raises(DataError, match="network: 1 output, expected one per class"):
        ntk_tangent(nn.Linear(2, 1).eval(), torch.ones(3, 2), torch.zeros(3, dtype=torch.int64))
