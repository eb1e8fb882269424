import numpy as np
import pytest
import torch
from scipy.ndimage import convolve1d
from torch import nn
from torch.nn.functional import interpolate

from hyperribbon.networks import build_network, resnet
from hyperribbon.probability import bhattacharyya_distance, ignorance
from hyperribbon.training.loop import calibrate_batchnorm, predict
from hyperribbon.training.samples import Resident


@pytest.mark.parametrize("size", [(2, 2), (5, 8), (9, 3)])
def test_blurpool_is_the_binomial_filter_at_every_second_pixel(size):
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    blurred = convolve1d(x, [0.25, 0.5, 0.25], axis=2, mode="mirror")  # torch's "reflect"
    blurred = convolve1d(blurred, [0.25, 0.5, 0.25], axis=3, mode="mirror")
    np.testing.assert_allclose(resnet._BlurPool().double()(x), blurred[:, :, ::2, ::2], atol=1e-12)


def test_a_shortcut_equals_its_convolution_with_blurpool_after_it():
    shortcut = nn.Sequential(*resnet._conv(3, 4, 1, stride=2, affine=True)).double().eval()
    conv = next(m for m in shortcut if isinstance(m, nn.Conv2d))
    x = torch.randn(2, 3, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(shortcut(x), shortcut[-1](resnet._BlurPool().double()(conv(x))))


@pytest.mark.parametrize(("depth", "layers"), [(18, 18 + 3), (50, 50 + 4)])
def test_depth_counts_the_layers_beside_shortcuts_and_none_is_strided(depth, layers):
    network = build_network("resnet", (3, 32, 32), 10, depth=depth, width=2)
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) + 1 == layers
    assert {m.stride for m in convolutions} == {(1, 1)}
    # The stem's convolution and pooling, and in three stages the residual branch and the shortcut.
    assert sum(isinstance(m, resnet._BlurPool) for m in network.modules()) == 2 + 3 * 2


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_resnet_starts_near_ignorance_only_when_batchnorm_is_calibrated(seed):
    """Thesis Fig. 2.12.

    In units of the distance of ignorance from truth, d_B(P0, P*) = ln(C) / 2, the distance of the
    initial network from ignorance is 0.28 to 0.55 without calibration and 0.02 with it; at width 64
    and 224 pixels 0.75 to 0.79 and 0.01. The thesis has "as much as 0.91" for ResNet-50.
    """
    n, size, n_classes = 64, 40, 1000
    torch.manual_seed(seed)
    network = build_network("resnet", (3, size, size), n_classes, depth=50, width=8)
    images = interpolate(torch.randn(n, 3, 4, 4), size=size, mode="bicubic")  # smooth, as photos
    images = (images - images.mean()) / images.std()

    def from_ignorance():
        P = predict(network, Resident(images)).double().softmax(dim=1).numpy()
        return bhattacharyya_distance(P, ignorance(n, n_classes)) / (np.log(n_classes) / 2)

    assert from_ignorance() > 0.2
    calibrate_batchnorm(network, images.split(32))
    assert from_ignorance() < 0.04


@pytest.mark.parametrize("depth", [18, 50])
def test_with_gelu_there_is_no_relu_and_nothing_else_changes(depth):
    torch.manual_seed(0)
    relu = build_network("resnet", (3, 32, 32), 10, depth=depth, width=2)
    torch.manual_seed(0)
    gelu = build_network("resnet", (3, 32, 32), 10, depth=depth, width=2, activation="gelu")
    assert not any(isinstance(m, nn.ReLU) for m in gelu.modules())
    assert relu.state_dict().keys() == gelu.state_dict().keys()
    x = torch.randn(3, 3, 32, 32)
    for module in gelu.modules():
        if isinstance(module, resnet._Block):
            module.activation = torch.relu
    for name, module in list(gelu.named_modules()):
        if isinstance(module, nn.GELU):
            gelu.get_submodule(name.rpartition(".")[0])[int(name.rpartition(".")[2])] = nn.ReLU()
    torch.testing.assert_close(gelu(x), relu(x))
