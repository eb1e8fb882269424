import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from hyperribbon.config import AugmentationConfig, SupervisedConfig
from hyperribbon.probability import truth
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.methods.method import OWN, Material
from hyperribbon.training.methods.supervised import Classification, Supervised

SECTION = SupervisedConfig(name="supervised")


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(12, 1, 4, 4, generator=generator)
    return images, torch.randint(5, (12,), generator=generator)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 5))


def loss(network, images, labels, step=0, **others):
    material = Material.of_labels(labels, batch_size=len(labels), **others)
    return Classification(SECTION, material).loss(network, images, labels, step)


def test_is_the_cross_entropy(network, batch):
    images, labels = batch
    assert torch.equal(loss(network, *batch), cross_entropy(network(images), labels))


def test_smoothed_labels_are_the_truth(network, batch):
    images, labels = batch
    rows = torch.from_numpy(truth(labels.numpy(), 5, smoothing=0.3))
    expected = -(rows * network(images).log_softmax(dim=1)).sum(dim=1).mean()
    found = loss(network, *batch, label_smoothing=0.3)
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
    found = loss(network, images, labels, step=5, label_smoothing=0.1, augmentations={OWN: augment})
    mixed, mix = augment(images, 5)
    rows = torch.from_numpy(truth(labels.numpy(), 5, smoothing=0.1))
    rows = mix.weight * rows + (1 - mix.weight) * rows[mix.partner]
    expected = -(rows * network(mixed).log_softmax(dim=1)).sum(dim=1).mean()
    torch.testing.assert_close(found.double(), expected, rtol=1e-6, atol=0)


def test_only_samples_of_the_task_are_seen(batch):
    labels = torch.tensor([0, -1, 1, 1, -1, 0, 1])
    method = Supervised(SECTION, Material.of_labels(labels, batch_size=2, seed=3))
    epochs = list(method.epochs(4))
    assert all(
        len(batches) == 2 and all(len(batch) == 2 for batch in batches) for batches in epochs
    )
    for batches in epochs:
        seen = torch.cat(batches)
        assert len(set(seen.tolist())) == 4
        assert (labels[seen] >= 0).all()
    assert len({tuple(torch.cat(batches).tolist()) for batches in epochs}) > 1
    again = list(method.epochs(4))
    assert all(
        torch.equal(a, b)
        for x, y in zip(epochs, again, strict=True)
        for a, b in zip(x, y, strict=True)
    )


def test_the_head_of_a_task_has_no_bias_and_that_of_all_classes_is_the_networks_own():
    own = nn.Linear(6, 10)
    material = Material.of_labels(torch.arange(3), batch_size=2)
    head = Supervised(SECTION, material).head(own)
    assert (head.in_features, head.out_features, head.bias) == (6, 3, None)
    assert Classification(SECTION, material).head(own) is own
