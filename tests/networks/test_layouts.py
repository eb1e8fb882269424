"""No layout, number of threads or instruction set decides what a network learns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from marked import with_slow
from torch import nn

from hyperribbon.networks import build_network, striding_by_slices

CAPABILITY = torch.backends.cpu.get_cpu_capability()
SETS = {
    "AVX": ("AVX2", "AVX512"),
    "AVX2": ("AVX2", "AVX512"),
    "AVX512_CORE": ("AVX512",),
}


@pytest.mark.parametrize(
    "instructions",
    with_slow(SETS, {"AVX"}),  # the faulty kernel and its remedy are the same with AVX as with AVX2
)
def test_gradients_are_those_of_float64_in_every_layout(instructions):
    if CAPABILITY not in SETS[instructions]:
        pytest.skip(f"this processor has no {instructions}: torch sees {CAPABILITY}")
    # In a process of its own, which the fault may hang or kill.
    found = subprocess.run(
        [sys.executable, Path(__file__).with_name("gradients.py")],
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": instructions, "OMP_WAIT_POLICY": "PASSIVE"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    *lines, last = found.stdout.splitlines()
    assert found.returncode == 0, f"{last}\n{found.stderr}"
    assert [line for line in lines if not line.endswith("right")] == []
    assert last == "end"


def strided(channels=3, **settings):
    return nn.Sequential(nn.Conv2d(channels, 16, 1, **{"stride": (2, 3), **settings}))


def test_a_network_without_such_layers_is_left_alone():
    for network in (
        strided(16),
        strided(32, groups=2),
        strided(stride=1),
        strided(padding=1),
        nn.Sequential(nn.Conv2d(3, 16, 3, stride=2)),
    ):
        assert striding_by_slices(network) is network


def test_the_copy_is_the_same_function_of_the_same_weights():
    network = strided().double()
    copy = striding_by_slices(network)
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(copy(x), network(x))
    assert copy[0].weight is network[0].weight
    assert list(copy.state_dict()) == list(network.state_dict())
    assert network[0].stride == (2, 3)
    assert striding_by_slices(copy) is copy


def test_a_layer_with_a_forward_of_its_own_is_left_alone():
    class Own(nn.Conv2d):
        def forward(self, x):
            return nn.functional.conv2d(x, self.weight, stride=2)

    network = nn.Sequential(Own(3, 16, 1, stride=2))
    assert striding_by_slices(network) is network


def test_wide_resnet_strides_by_slices():
    network = build_network("wide_resnet", (3, 16, 16), 5, depth=10, width=4, widen_factor=2)
    pointwise = [m for m in network.modules() if getattr(m, "kernel_size", 0) == (1, 1)]
    assert [m.stride for m in pointwise if m.in_channels < 16] == [(1, 1), (1, 1)]
