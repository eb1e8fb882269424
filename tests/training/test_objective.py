import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hyperribbon.config import AugmentationConfig
from hyperribbon.errors import ConfigError
from hyperribbon.probability import truth
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.objective import Objective


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(12, 1, 4, 4, generator=generator)
    return images, torch.randint(5, (12,), generator=generator)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 5))


def test_is_the_cross_entropy(network, batch):
    images, labels = batch
    assert torch.equal(Objective()(network, *batch, 0), cross_entropy(network(images), labels))


def test_smoothed_labels_are_the_truth(network, batch):
    images, labels = batch
    rows = torch.from_numpy(truth(labels.numpy(), 5, smoothing=0.3))
    expected = -(rows * network(images).log_softmax(dim=1)).sum(dim=1).mean()
    found = Objective(label_smoothing=0.3)(network, *batch, 0)
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)


def test_mixed_images_have_mixed_labels(network, batch):
    images, labels = batch
    augment = Augmentation(
        AugmentationConfig(mixup=0.7),
        image_size=4,
        black=torch.zeros(1, 1, 1),
        seed=1,
        steps_per_epoch=1,
    )
    found = Objective(label_smoothing=0.1, augmentation=augment)(network, images, labels, 5)
    mixed, mix = augment(images, 5)
    rows = torch.from_numpy(truth(labels.numpy(), 5, smoothing=0.1))
    rows = mix.weight * rows + (1 - mix.weight) * rows[mix.partner]
    expected = -(rows * network(mixed).log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)


def test_autocast_concerns_the_network_alone(network, batch):
    seen = []
    network.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    loss = Objective(precision="bfloat16")(network, *batch, 0)
    assert seen == [torch.bfloat16]
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, Objective()(network, *batch, 0), rtol=0.02, atol=0)
    loss.backward()
    assert network[1].weight.grad.dtype == torch.float32


def test_a_precision_that_is_not_known_is_refused():
    with pytest.raises(ConfigError, match="precision = 'float8': expected one of float32, tf32"):
        Objective(precision="float8")
