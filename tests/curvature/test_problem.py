from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import Fisher, Hessian, Problem, kinks
from hyperribbon.errors import DataError

X, Y = torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 2


def linear():
    return nn.Sequential(nn.Linear(4, 2)).eval()


REFUSED = {
    "BatchNorm in training mode": (
        lambda: Problem(nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2)), X, Y),
        r"network: BatchNorm1d '1' is in training mode, .*; call network.eval\(\) first",
    ),
    "Dropout in training mode": (
        lambda: Problem(nn.Sequential(nn.Dropout(), nn.Linear(4, 2)), X, Y),
        r"network: Dropout '0' is in training mode",
    ),
    "BatchNorm of the batch": (
        lambda: Problem(
            nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2, track_running_stats=False)).eval(),
            X,
            Y,
        ),
        r"BatchNorm1d '1' keeps no running statistics",
    ),
    "a sum for a loss": (
        lambda: Problem(
            linear(), X, Y, lambda z, y: nn.functional.cross_entropy(z, y, reduction="sum")
        ),
        r"loss: [\d.]+ for 6 samples together, but a mean of [\d.]+ over each alone; expected",
    ),
    "a loss that is no scalar": (
        lambda: Problem(
            linear(), X, Y, lambda z, y: nn.functional.cross_entropy(z, y, reduction="none")
        ),
        r"loss: of shape \(6,\), expected a scalar",
    ),
    "an unknown loss": (
        lambda: Problem(linear(), X, Y, "mse"),
        r'loss = "mse": expected one of cross_entropy, squared_error, or a function',
    ),
    "classes beyond the outputs": (
        lambda: Problem(linear(), X, Y + 1),
        r"targets: classes 1 to 2, expected 0 to 1",
    ),
    "real classes": (
        lambda: Problem(linear(), X, Y.double()),
        r"targets: torch.float32 of shape \(6,\), expected integer classes of shape \(6,\)",
    ),
    "values of another shape": (
        lambda: Problem(linear(), X, torch.zeros(6), "squared_error"),
        r"targets: shape \(6,\), expected that of the outputs, \(6, 2\)",
    ),
    "fewer targets": (
        lambda: Problem(linear(), X, Y[:5]),
        r"inputs: 6 samples and 5 targets, expected equal numbers",
    ),
    "NaN": (lambda: Problem(linear(), X * torch.nan, Y), r"inputs: contains NaN or infinity"),
    "no parameters": (
        lambda: Problem(linear().requires_grad_(False), X, Y),
        r"network: no parameter requires a gradient",
    ),
    "an unknown parameter": (
        lambda: Problem(linear(), X, Y, only=["weight"]),
        r"only = 'weight': expected one of 0.weight, 0.bias",
    ),
    "outputs that are no vectors": (
        lambda: Problem(nn.Sequential(nn.Linear(4, 2), nn.Unflatten(1, (1, 2))).eval(), X, Y),
        r"network: outputs of shape \(6, 1, 2\), expected \(6, C\) for 6 samples",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_curvature_is_refused(case):
    make, message = REFUSED[case]
    with pytest.raises(DataError, match=message):
        make()


def test_some_parameters_are_a_block_of_all(small_problem):
    names = ["2.weight", "2.bias"]
    block = Problem(small_problem.network, small_problem.inputs, small_problem.targets, only=names)
    size = block.n_parameters
    for operator in (Hessian, Fisher):
        whole = operator(small_problem).dense()[-size:, -size:]
        np.testing.assert_allclose(operator(block).dense(), whole, atol=1e-14)


def test_weights_there_and_back(small_problem):
    flat = small_problem.flat_weights()
    other = small_problem.all_outputs(flat + 0.1)
    assert not torch.allclose(other, small_problem.all_outputs())
    torch.testing.assert_close(small_problem.all_outputs(flat), small_problem.all_outputs())


def test_kinks_are_counted():
    network = nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU(inplace=True), nn.Linear(3, 2))
    assert kinks(Problem(network.eval(), X, Y)) == 0
    black = torch.cat([X, torch.zeros(2, 4)])
    assert kinks(Problem(network.eval(), black, torch.arange(8) % 2)) == 6


def test_networks_are_left_as_they_were(small_problem):
    before = [p.clone() for p in small_problem.network.parameters()]
    Hessian(small_problem) @ np.ones(small_problem.n_parameters)
    for parameter, old in zip(small_problem.network.parameters(), before, strict=True):
        assert torch.equal(parameter, old) and parameter.grad is None


def test_samples_that_are_fitted_have_a_hessian_in_single_precision():
    """Rounding is all that is left of the loss, so that symmetry cannot be seen in it."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3))
    with torch.no_grad():
        network[2].weight *= 100
    x = torch.randn(2, 4)
    targets = network(x).argmax(dim=1)
    exact = Hessian(Problem(deepcopy(network).double(), x.double(), targets)).dense()
    found = Hessian(Problem(network, x, targets)).dense()
    assert np.abs(exact).max() < 1e-4
    np.testing.assert_allclose(found, exact, atol=1e-4)
