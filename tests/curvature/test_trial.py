"""Outputs that depend on chance, on what was before, or on other samples have no curvature."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import dropout

from hyperribbon.curvature import Problem
from hyperribbon.errors import DataError

N = 40
X, Y = torch.randn(N, 4, generator=torch.Generator().manual_seed(0)), torch.arange(N) % 2


class Net(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.layer, self.function, self.calls = nn.Linear(4, 2), function, 0

    def forward(self, x):
        self.calls += 1
        return self.function(self, x)


CHANCE = {
    "dropout": lambda m, x: m.layer(dropout(x)),
    "of numpy": lambda m, x: m.layer(x) * np.random.rand(),
    "of Python": lambda m, x: m.layer(x) * random.random(),
    "noise": lambda m, x: m.layer(x + 1e-3 * torch.randn_like(x)),
    "one sample in twenty": lambda m, x: m.layer(x * (torch.rand(len(x), 1) > 0.05)),
    "state": lambda m, x: m.layer(x) * m.calls,
}
OTHERS = {
    "mean of the batch": lambda m, x: m.layer(x - x.mean(0)),
    "the last sample": lambda m, x: m.layer(x) + x[-1].sum(),
    "place in the batch": lambda m, x: m.layer(x) * torch.arange(len(x))[:, None],
    "another axis": lambda m, x: m.layer(x).cumsum(0),
    "alone": lambda m, x: m.layer(x) * (1 + (len(x) > 1)),
}


@pytest.mark.parametrize("case", CHANCE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_chance_is_refused_and_generators_are_left(case, dtype):
    torch.manual_seed(0)
    network = Net(CHANCE[case]).to(dtype)
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    with pytest.raises(
        DataError, match=r"outputs differ by [\d.e+-]+ between two calls; expected no"
    ):
        Problem(network, X, Y)
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]


@pytest.mark.parametrize("case", OTHERS)
def test_dependence_on_other_samples_is_refused(case):
    with pytest.raises(DataError, match="outputs for a sample depend on the other samples"):
        Problem(Net(OTHERS[case]), X, Y)


def test_chance_that_a_seed_fixes_is_none():
    def seeded(m, x):
        torch.manual_seed(0)
        return m.layer(x * (torch.rand(4) > 0.5))

    Problem(Net(seeded), X, Y)


def test_large_outputs_of_many_layers_differ_by_rounding_only():
    torch.manual_seed(0)
    layers = [layer for _ in range(30) for layer in (nn.Linear(64, 64), nn.ReLU())]
    network = nn.Sequential(nn.Linear(4, 64), *layers, nn.Linear(64, 2))
    with torch.no_grad():
        for p in network.parameters():
            p *= 2
    Problem(network, X, Y)
