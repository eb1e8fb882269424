import warnings

import pytest
import torch
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from hyperribbon.config import NetworkConfig
from hyperribbon.networks import build_network

# Two settings each of what decides which samples a network can take.
SECTIONS = [
    {"architecture": "fully_connected", "widths": [3]},
    {"architecture": "fully_connected", "widths": [3], "activation": "tanh", "batchnorm": False},
    {"architecture": "allcnn", "widths": [2]},
    {"architecture": "allcnn", "widths": [2, 2, 2, 2]},
    {"architecture": "wide_resnet", "depth": 10, "width": 1, "widen_factor": 1},
    {"architecture": "wide_resnet", "depth": 16, "width": 2, "widen_factor": 1},
    {"architecture": "convmixer", "width": 2, "depth": 1, "kernel_size": 9, "patch_size": 3},
    {"architecture": "convmixer", "width": 2, "depth": 1, "kernel_size": 2, "patch_size": 4},
    {"architecture": "vit", "width": 4, "depth": 1, "heads": 2, "mlp_width": 3, "patch_size": 1},
    {"architecture": "vit", "width": 4, "depth": 1, "heads": 2, "mlp_width": 3, "patch_size": 5},
    {"architecture": "lenet", "widths": [2], "hidden_width": 3},
    {"architecture": "lenet", "widths": [2, 2], "hidden_width": 3},
    {"architecture": "lenet", "widths": [2, 2, 2], "hidden_width": 3},
    {"architecture": "resnet", "depth": 18, "width": 1},
    {"architecture": "resnet", "depth": 50, "width": 1},
]
SHAPES = [(1, size, size) for size in range(1, 41)]
SHAPES += [(2, 15, 40), (2, 16, 40), (2, 40, 16), (2, 17, 34), (2, 30, 18)]
SHAPES += [(1,), (40,), (3, 40)]


def section(settings):
    return TypeAdapter(NetworkConfig).validate_python(settings)


def is_accepted(network, shape):
    try:
        network.check_input(shape)
    except PydanticCustomError:
        return False
    return True


def trains(network, shape):
    """Whether it builds, and runs forward and backward on a batch of two, seeing all of it."""
    patch_size = getattr(network, "patch_size", 1)
    if any(side % patch_size for side in shape[1:]):
        return False  # it would run, but not see the pixels after the last whole patch
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # such as of a layer without elements
            warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
            built = build_network(input_shape=shape, n_classes=3, **network.model_dump())
            built(torch.randn(2, *shape)).sum().backward()
    except (RuntimeError, ValueError, IndexError, UserWarning):
        return False
    return all(p.grad is not None for p in built.parameters())


@pytest.mark.parametrize("settings", SECTIONS, ids=lambda settings: settings["architecture"])
def test_just_the_samples_that_a_network_can_take_are_accepted(settings):
    network = section(settings)
    accepted = [shape for shape in SHAPES if is_accepted(network, shape)]
    assert accepted == [shape for shape in SHAPES if trains(network, shape)]
    assert accepted


@pytest.mark.parametrize(
    ("settings", "shape", "message"),
    [
        ({"architecture": "allcnn"}, (200,),
         'architecture = "allcnn": needs images (channels, height, width); the samples have shape '
         "(200,)"),
        ({"architecture": "lenet"}, (1, 12, 12),
         'architecture = "lenet": needs at least 16 x 16 pixels; the images have 12 x 12'),
        ({"architecture": "lenet", "widths": [4, 5, 6]}, (1, 36, 35),
         'architecture = "lenet": needs at least 36 x 36 pixels; the images have 36 x 35'),
        ({"architecture": "resnet"}, (3, 32, 16),
         'architecture = "resnet": needs at least 17 x 17 pixels; the images have 32 x 16'),
        ({"architecture": "vit", "patch_size": 6}, (1, 12, 16),
         "patch_size = 6: must divide the images' 12 x 16 pixels; allowed: 1, 2, 4"),
    ],
)  # fmt: skip
def test_a_refusal_says_what_is_needed(settings, shape, message):
    with pytest.raises(PydanticCustomError) as error:
        section(settings).check_input(shape)
    assert error.value.message() == message
