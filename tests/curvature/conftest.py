"""Small networks of all kinds, and the network of oracle 4."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from marked import with_slow
from torch import nn

from hyperribbon.curvature import Problem
from hyperribbon.networks import build_network

DATA = Path(__file__).parents[1] / "data"
NETWORKS = {
    "fully_connected": {"widths": [6, 5]},
    "allcnn": {"widths": [2, 3]},
    "convmixer": {"width": 4, "depth": 2, "kernel_size": 3, "patch_size": 2},
    "vit": {"patch_size": 4, "width": 4, "depth": 2, "heads": 2, "mlp_width": 3},
    "wide_resnet": {"depth": 10, "width": 1, "widen_factor": 1},
    "lenet": {"widths": [2], "hidden_width": 5},
}


@pytest.fixture(scope="session")
def o4():
    with np.load(DATA / "o4_slice.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def oracle_problem(o4):
    network = perceptron([12, 8, 6, 3], nn.ReLU)
    for k, parameter in enumerate(network.parameters()):
        parameter.data = torch.from_numpy(o4[f"w{k}"].astype(float))
    return Problem(network, o4["X"], o4["Y"])


def perceptron(widths, activation=nn.Tanh, bias=True, seed=0):
    torch.manual_seed(seed)
    layers = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out, bias=bias), activation()]
    return nn.Sequential(*layers[:-1]).double().eval()


@pytest.fixture(scope="session")
def small_problem():
    """A perceptron of 93 parameters on 20 samples, three classes."""
    rng = np.random.default_rng(1)
    return Problem(perceptron([5, 8, 5]), rng.normal(size=(20, 5)), rng.integers(5, size=20))


@pytest.fixture(scope="session")
def problem_of():
    """Function making a problem of an architecture, on 7 images in three classes."""

    def make(architecture: str, n: int = 7, **options) -> Problem:
        torch.manual_seed(0)
        network = build_network(architecture, (1, 8, 8), 3, **NETWORKS[architecture])
        images = torch.randn(n, 1, 8, 8)
        with torch.no_grad():  # running statistics that are not 0 and 1
            network.train()(images)
        return Problem(network.double().eval(), images, torch.arange(n) % 3, **options)

    return make


LONG = {"allcnn", "convmixer", "wide_resnet"}  # of convolutions, as LeNet


@pytest.fixture(params=with_slow(NETWORKS, LONG))
def any_problem(request, problem_of):
    return problem_of(request.param)
