import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.errors import DataError
from hyperribbon.networks import build_network
from hyperribbon.representations.features import layer_features
from hyperribbon.representations.metric import log_volume_element, pullback_metric

NETWORKS = {
    "fully_connected": {"widths": [12, 9]},
    "allcnn": {"widths": [4, 6]},
    "lenet": {"widths": [2, 3], "hidden_width": 5},
    "wide_resnet": {"depth": 10, "width": 2, "widen_factor": 2},
    "convmixer": {"width": 6, "depth": 2, "kernel_size": 3, "patch_size": 4},
    "vit": {"patch_size": 4, "width": 8, "depth": 1, "heads": 2, "mlp_width": 8},
    "resnet": {"depth": 18, "width": 2},
}
SHAPES = {"lenet": (1, 28, 28), "resnet": (1, 20, 20)}


def jacobian_of(features, x):
    return torch.func.vmap(torch.func.jacrev(lambda p: features(p[None])[0]))(x)


@pytest.mark.parametrize("architecture", NETWORKS)
def test_any_layer_of_any_network_has_the_metric_of_its_jacobian(architecture):
    torch.manual_seed(0)
    shape = SHAPES.get(architecture, (1, 12, 12))
    network = build_network(architecture, shape, 3, **NETWORKS[architecture])
    network.train()(torch.randn(8, *shape))  # statistics of BatchNorm
    x = torch.randn(2, int(np.prod(shape)), dtype=torch.float64)
    V = torch.linalg.qr(torch.randn(x.shape[1], 3, dtype=torch.float64))[0]
    for layer in ("features", ""):
        features = layer_features(network, layer, shape)
        J = jacobian_of(features, x) @ V
        expected = J.mT @ J / J.shape[1]
        for directions, change in ((V, torch.eye(3, dtype=V.dtype)), (None, V)):
            g = torch.from_numpy(pullback_metric(features, x, directions))
            torch.testing.assert_close(change.T @ g @ change, expected, rtol=1e-9, atol=1e-12)
    assert network.training
    assert next(network.parameters()).dtype == torch.float32


def test_a_layer_in_the_middle_is_reached_without_those_after_it():
    class Broken(nn.Module):
        def forward(self, x):
            raise AssertionError("computed")

    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), Broken())
    features = layer_features(network, "1")
    x = torch.randn(5, 3, dtype=torch.float64)
    torch.testing.assert_close(features(x), torch.tanh(network[0].double()(x)))


@pytest.mark.parametrize(
    ("layer", "shape", "x", "words"),
    [
        ("3", None, (2, 3), "layer 3: the network has none of that name; it has 0, 1, 2"),
        ("1", (1, 2, 2), (2, 3), "x: 3 numbers per input, expected 4 of shape (1, 2, 2)"),
        ("0", None, (2, 4), "features: refuse inputs of shape (1, 4) in float64"),
        ("2", None, (2, 3), "layer 2: returns tuple, expected one row for each input"),
    ],
)
def test_what_is_no_layer_or_does_not_fit_is_one_line(layer, shape, x, words):
    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), Pair())
    with pytest.raises(DataError) as error:
        log_volume_element(layer_features(network, layer, shape), np.zeros(x))
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)


def test_a_layer_that_is_never_called_is_refused():
    class Unused(nn.Module):
        def __init__(self):
            super().__init__()
            self.spare = nn.Linear(2, 2)

        def forward(self, x):
            return x

    with pytest.raises(DataError, match="layer spare: the network does not call it"):
        layer_features(Unused(), "spare")(torch.zeros(1, 2))
