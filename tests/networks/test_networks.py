from pathlib import Path

import numpy as np
import pytest
import torch

from hyperribbon import networks
from hyperribbon.networks import build_network

THESIS = {
    "fc": ("fully_connected", {"widths": (1024, 512, 256, 128)}),
    "allcnn": ("allcnn", {"widths": (96, 144)}),
    "wr-10-4-8": ("wide_resnet", {"depth": 10, "width": 8, "widen_factor": 4}),
    "wr-16-4-64": ("wide_resnet", {"depth": 16, "width": 64, "widen_factor": 4}),
    "convmixer": ("convmixer", {"width": 256, "depth": 8, "kernel_size": 5, "patch_size": 2}),
    "vit": (
        "vit",
        {"patch_size": 4, "width": 512, "depth": 6, "heads": 8, "mlp_width": 512},
    ),
}
SMALL = {
    "fully_connected": {"widths": (12, 7)},
    "allcnn": {"widths": (5, 6, 7)},
    "wide_resnet": {"depth": 16, "width": 3, "widen_factor": 2},
    "convmixer": {"width": 8, "depth": 2, "kernel_size": 3, "patch_size": 3},
    "vit": {"patch_size": 3, "width": 12, "depth": 2, "heads": 3, "mlp_width": 10},
}


@pytest.mark.parametrize("name", THESIS)
def test_thesis_networks_agree_with_the_oracle(o2, name):
    architecture, parameters = THESIS[name]
    expected = o2["networks"][name]
    torch.manual_seed(42)
    network = build_network(architecture, (3, 32, 32), 10, **parameters).eval()
    assert sum(p.numel() for p in network.parameters()) == expected["num_params"]
    total = sum(p.double().sum().item() for p in network.parameters())
    assert total == pytest.approx(expected["weight_sum"], abs=1e-3)
    with torch.no_grad():
        logits = network(torch.linspace(-1, 1, 4 * 3 * 32 * 32).view(4, 3, 32, 32))
    np.testing.assert_allclose(logits, expected["logits_eval_linspace_seed42"], atol=5e-6)


def test_every_architecture_is_tested_here():
    files = {path.stem for path in Path(networks.__file__).parent.glob("*.py")}
    assert set(SMALL) == files - {"__init__"}


@pytest.mark.parametrize("architecture", SMALL)
@pytest.mark.parametrize("input_shape", [(1, 6, 6), (3, 9, 9), (2, 12, 12)])
def test_other_sizes_channels_and_classes(architecture, input_shape):
    torch.manual_seed(0)
    network = build_network(architecture, input_shape, 4, **SMALL[architecture])
    x = torch.randn(5, *input_shape)
    logits = network(x)
    assert logits.shape == (5, 4)
    logits.square().sum().backward()
    unused = [name for name, p in network.named_parameters() if p.grad is None]
    assert unused == []
    network.eval()
    with torch.no_grad():
        torch.testing.assert_close(network.classifier(network.features(x)), network(x))
        # In evaluation a prediction does not depend on the rest of its batch.
        torch.testing.assert_close(network(x[:2]), network(x)[:2])


@pytest.mark.parametrize("architecture", SMALL)
def test_initialisation_follows_the_seed(architecture):
    def weights(seed):
        torch.manual_seed(seed)
        network = build_network(architecture, (1, 6, 6), 3, **SMALL[architecture])
        return torch.cat([p.detach().flatten() for p in network.parameters()])

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_vit_sees_where_a_patch_is():
    torch.manual_seed(0)
    network = build_network("vit", (1, 6, 6), 3, **SMALL["vit"]).eval()
    x = torch.randn(1, 1, 6, 6)
    with torch.no_grad():
        assert not torch.allclose(network(x), network(x.roll(3, dims=3)), atol=1e-4)
