import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import Fisher, Problem, norm_bounds
from hyperribbon.errors import DataError

from .conftest import perceptron


def problem(activation, seed=0, widths=(6, 7, 5, 3)):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(30, widths[0])), rng.integers(widths[-1], size=30)
    return Problem(perceptron(widths, activation, bias=False, seed=seed), x, y)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Tanh, nn.LeakyReLU])
@pytest.mark.parametrize("seed", range(3))
def test_they_hold(activation, seed):
    bounds = norm_bounds(problem(activation, seed))
    assert len(bounds) == 3 + 2 + 3 * (2 * 3 + 1)
    for bound in bounds:
        assert bound.measured <= bound.bound * (1 + 1e-9), bound


def test_what_is_measured_is_what_is_said():
    given = problem(nn.Tanh)
    found = {(b.statement, b.quantity): b for b in norm_bounds(given)}
    trace = np.trace(Fisher(given).dense())
    assert found["Equation 4.7.6", "tr F"].measured == pytest.approx(trace, rel=1e-12)
    assert found["Theorem 4.3.1", "tr F / ln 2"].measured == pytest.approx(trace / np.log(2))


def test_the_bound_of_one_layer_is_reached():
    """With one layer the Jacobian of a logit is x itself, so its bounds are equalities."""
    given = problem(nn.Tanh, widths=(6, 3))
    for bound in norm_bounds(given):
        if bound.statement in ("Lemma 4.7.3", "Lemma 4.3.2"):
            assert bound.measured == pytest.approx(bound.bound, rel=1e-10)


def test_scaling_a_layer_scales_the_bound():
    given = problem(nn.ReLU)
    before = norm_bounds(given)[2].bound
    squares = [torch.linalg.matrix_norm(m.weight, 2).item() ** 2 for m in given.network[::2]]
    with torch.no_grad():
        given.network[0].weight *= 2
    after = norm_bounds(Problem(given.network, given.inputs, given.targets))[2].bound
    shares = sum(1 / s for s in squares)
    expected = 4 * (shares - 0.75 / squares[0]) / shares
    assert after / before == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), "Linear with a bias '0'"),
        (
            nn.Sequential(nn.Linear(4, 3, bias=False), nn.BatchNorm1d(3, affine=False)),
            "BatchNorm1d '1'",
        ),
        (nn.Sequential(nn.Linear(4, 3, bias=False), nn.Sigmoid()), "Sigmoid '1'"),
    ],
)
def test_other_networks_are_refused(network, message):
    given = Problem(network.double().eval(), torch.randn(5, 4), torch.arange(5) % 2)
    with pytest.raises(DataError, match=f"network: {message}; expected linear layers"):
        norm_bounds(given)
