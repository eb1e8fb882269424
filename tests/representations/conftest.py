"""Networks of the oracles, as plain functions, and surfaces whose curvature is known."""

from pathlib import Path

import numpy as np
import pytest
import torch

DATA = Path(__file__).parents[1] / "data"
DEEP = ["sigmoid_d2", "erf_d3", "sigmoid_deep_d2", "erf_deep_d3", "gelu_deep_d3", "erf_deep_d4"]
ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "erf": lambda z: torch.erf(z / 2**0.5),
    "gelu": torch.nn.functional.gelu,
}


@pytest.fixture(scope="session")
def o7():
    with np.load(DATA / "o7_slice.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def o11():
    with np.load(DATA / "o11_slice.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def layers():
    """Function making the feature map of layers (W, b): all but the first scaled by 1/sqrt."""

    def make(activation: str, *weights):
        weights = [tuple(map(torch.as_tensor, pair)) for pair in weights]

        def features(x):
            for number, (W, b) in enumerate(weights):
                x = x @ W.T / (x.shape[1] ** 0.5 if number else 1) + b
                x = ACTIVATIONS[activation](x)
            return x

        return features

    return make


@pytest.fixture(scope="session", params=DEEP)
def deep(request, o11, layers):
    """A network of oracle 11: its feature map, and the oracle's numbers without their prefix."""
    name = request.param
    own = {k.removeprefix(f"{name}_"): v for k, v in o11.items() if k.startswith(f"{name}_")}
    pairs = [(own[f"W{k}"], own[f"b{k}"]) for k in (1, 2, 3) if f"W{k}" in own]
    return layers(name.split("_")[0], *pairs), own
