"""Networks of users: what is built, and what is refused before it is trained for hours."""

import subprocess
import sys
from typing import get_args

import pytest
import torch
from torch import nn

import hyperribbon as hr
from hyperribbon.config.networks import BuiltInNetworkConfig
from hyperribbon.errors import DataError
from hyperribbon.networks import NETWORKS, build_network


def perceptron(input_shape, n_classes, width=4):
    layers = [nn.Flatten(), nn.Linear(input_shape[0], width), nn.BatchNorm1d(width), nn.Dropout()]
    return nn.Sequential(*layers, nn.Linear(width, n_classes))


def test_every_section_is_of_an_architecture_that_is_built_in():
    tags = [
        get_args(section.model_fields["architecture"].annotation)[0]
        for section in get_args(BuiltInNetworkConfig)
    ]
    assert tags == list(NETWORKS)
    assert set(tags) == NETWORKS.built_in


def test_a_registered_network_is_built_by_its_name():
    hr.register_network("perceptron", perceptron)
    torch.manual_seed(0)
    network = build_network("perceptron", (6,), 3, width=5)
    assert network[1].out_features == 5
    assert all(module.training for module in network.modules())
    torch.manual_seed(0)
    expected = perceptron((6,), 3, width=5).state_dict()
    for name, tensor in network.state_dict().items():  # statistics of BatchNorm, too
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)
    assert build_network("perceptron", (6,), 3)[1].out_features == 4
    with torch.device("meta"):
        assert build_network("perceptron", (6,), 3)[1].weight.is_meta


def test_an_unknown_architecture_lists_what_there_is():
    hr.register_network("perceptron", perceptron)
    with pytest.raises(DataError, match="^network = 'lenett': expected one of .*lenet.*perceptron"):
        build_network("lenett", (1, 8, 8), 3)
    with pytest.raises(DataError, match="^network = 'layer_output': expected one of "):
        build_network("layer_output", (1, 8, 8), 3)


@pytest.mark.parametrize(
    "build", [None, "perceptron", lambda: None, lambda shape: None, lambda *, shape, n: None]
)
def test_what_takes_no_shape_and_classes_is_no_network(build):
    with pytest.raises(DataError, match=r"^network = 'mine': .*\(input_shape, n_classes"):
        hr.register_network("mine", build)


@pytest.mark.parametrize(
    ("build", "wrong"),
    [
        (lambda shape, n: 3, "int, expected an nn.Module"),
        (lambda shape, n: nn.Linear(shape[0], n + 1), r"returns \(2, 4\) for 2 samples, expected"),
        (lambda shape, n: nn.LSTM(shape[0], n), "returns tuple for 2 samples"),
        (lambda shape, n: nn.Linear(shape[0] + 1, n), r"RuntimeError: .*shapes.* \(.*py:\d+\)"),
        (lambda shape, n: {}["width"], r"KeyError: 'width' \(.*test_registry.py:\d+\)"),
    ],
)
def test_a_network_that_does_not_work_is_one_line(build, wrong):
    hr.register_network("mine", build)
    with pytest.raises(DataError, match=f"^network = 'mine': {wrong}") as refused:
        build_network("mine", (6,), 3)
    assert "\n" not in str(refused.value)


def test_a_linear_classifier_is_looked_for():
    hr.register_network("mine", perceptron, linear_classifier=True)
    with pytest.raises(DataError, match="linear_classifier = True, expected modules `features`"):
        build_network("mine", (6,), 3)


def test_registering_imports_no_torch():
    code = (
        "import sys, hyperribbon as hr; hr.register_network('mine', lambda shape, n: None); "
        "print(sorted({'torch', 'pandas'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
