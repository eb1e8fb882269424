"""What the methods have in common: heads, the samples of each step, and losses of a network."""

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.nn.functional import cross_entropy

from hyperribbon.config import AugmentationConfig, MethodConfig
from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.methods.barlow_twins import BarlowTwins, barlow_twins_loss
from hyperribbon.training.methods.fine_tuning import start_backbone
from hyperribbon.training.methods.fixmatch import FixMatch, fixmatch_loss
from hyperribbon.training.methods.joint import Joint
from hyperribbon.training.methods.method import OWN, Material
from hyperribbon.training.methods.prototypical import Prototypical, prototypical_loss
from hyperribbon.training.methods.simclr import SimCLR, nt_xent
from hyperribbon.training.methods.supervised import Supervised
from hyperribbon.training.state import Purpose

N = 60
CLASSES = np.arange(N) % 6
FIRST = np.array([0, 1, 2, -1, -1, -1])[CLASSES]
SECOND = np.array([-1, -1, 0, 0, 1, -1])[CLASSES]
METHODS = {
    "supervised": (Supervised, {}, [FIRST], (3,), 5),
    "joint": (Joint, {}, [FIRST, SECOND], (3, 2), 6),
    "prototypical": (Prototypical, {"way": 2, "shot": 3, "queries": 4}, [FIRST], (3,), 5),
    "simclr": (SimCLR, {"projection": [7, 4]}, [FIRST], (3,), 5),
    "barlow_twins": (BarlowTwins, {"projection": [7, 4]}, [FIRST], (3,), 5),
    "fixmatch": (
        FixMatch,
        {"labelled": 6, "unlabelled_ratio": 2, "threshold": 0.4, "unlabelled_weight": 0.5},
        [FIRST],
        (3,),
        4,
    ),
}


def augmentation(seed, purpose=Purpose.AUGMENTATION, **config):
    black, white = torch.zeros(3, 1, 1), torch.ones(3, 1, 1)
    return Augmentation(
        AugmentationConfig(**config),
        image_size=6,
        black=black,
        white=white,
        seed=seed,
        steps_per_epoch=6,
        purpose=purpose,
    )


def make(name, seed=0, **others):
    kind, keys, targets, classes, batch_size = METHODS[name]
    section = TypeAdapter(MethodConfig).validate_python({"name": name, **keys})
    sizes = [np.bincount(own[own >= 0]).tolist() for own in targets]
    own = {key: augmentation(seed, Purpose.VIEWS, flip=True) for key in section.augmentations}
    material = Material(
        targets=np.stack(targets, axis=1),
        classes=classes,
        batch_size=batch_size,
        seed=seed,
        steps_per_epoch=section.steps_per_epoch(sizes, batch_size),
        augmentations={**own, OWN: augmentation(seed, crop="random", padding=1)},
        **others,
    )
    return kind(section, material)


def network(method):
    torch.manual_seed(0)
    whole = nn.Sequential()
    whole.features = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    whole.classifier = method.head(nn.Linear(5, 6))
    return whole


def batch(method, k=0):
    """Images and labels of a step, as the loop gives them."""
    index = next(method.epochs(1))[k]
    images = torch.rand(N, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    labels = torch.from_numpy(method.material.targets)
    labels = labels[:, 0] if labels.shape[1] == 1 else labels
    return images[index], labels[index]


@pytest.mark.parametrize("name", METHODS)
def test_steps_are_as_many_as_the_section_says_and_the_seed_decides_them(name):
    method = make(name)
    epochs = list(method.epochs(3))
    assert [len(batches) for batches in epochs] == [method.material.steps_per_epoch] * 3
    again = list(make(name).epochs(5))  # however many epochs there will be
    other = list(make(name, seed=1).epochs(3))
    for batches, same, different in zip(epochs, again, other, strict=False):
        assert torch.equal(torch.cat(batches), torch.cat(same))
        assert not torch.equal(torch.cat(batches), torch.cat(different))
    assert not torch.equal(torch.cat(epochs[0]), torch.cat(epochs[1]))


@pytest.mark.parametrize("name", METHODS)
def test_only_samples_of_the_tasks_are_seen(name):
    method = make(name)
    seen = torch.cat([index for batches in method.epochs(2) for index in batches])
    assert (method.material.targets[seen] >= 0).any(axis=1).all()


@pytest.mark.parametrize("name", METHODS)
def test_the_loss_reaches_every_weight_and_the_seed_and_the_step_decide_it(name):
    method = make(name)
    whole, (images, labels) = network(method), batch(make(name))
    loss = method.loss(whole, images, labels, 3)
    assert loss.shape == () and loss.isfinite()
    loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in whole.parameters())
    torch.manual_seed(5)  # of no consequence
    assert torch.equal(method.loss(network(method), images, labels, 3), loss)
    assert not torch.equal(method.loss(network(method), images, labels, 4), loss)


@pytest.mark.parametrize("name", METHODS)
def test_following_the_gradient_lowers_the_loss(name):
    method = make(name)
    whole, (images, labels) = network(method), batch(method)
    # With 0.01, whether all features of SimCLR come to vanish depends on the processor.
    optimiser = torch.optim.Adam(whole.parameters(), lr=0.003)
    losses = []
    for _ in range(240):
        loss = method.loss(whole, images, labels, 0)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", METHODS)
def test_one_pass_of_the_network_sees_all_views_of_a_step(name):
    method = make(name)
    whole, seen = network(method), []
    whole.features.register_forward_hook(lambda *given: seen.append(len(given[2])))
    images, labels = batch(method)
    method.loss(whole, images, labels, 0)
    views = {"simclr": 10, "barlow_twins": 10, "fixmatch": 4 + 2 * 8}
    assert seen == [views.get(name, len(images))]


def test_heads():
    heads = {name: make(name).head(nn.Linear(5, 6)) for name in METHODS}
    for name, width in (("supervised", 3), ("joint", 5), ("fixmatch", 3)):
        assert (heads[name].in_features, heads[name].out_features) == (5, width)
        assert heads[name].bias is None
    features = torch.randn(2, 5)
    assert torch.equal(heads["prototypical"](features), features)
    for name in ("simclr", "barlow_twins"):
        assert heads[name](features).shape == (2, 4)
    for name in METHODS:
        if name != "prototypical":
            with pytest.raises(ConfigError, match="its classifier is Flatten, expected one linear"):
                make(name).head(nn.Flatten())


def test_an_episode_has_different_samples_of_each_of_its_classes():
    method = make("prototypical")
    classes = []
    for index in (index for batches in method.epochs(20) for index in batches):
        assert len(set(index.tolist())) == len(index) == 10
        labels = FIRST[index]
        support, query = labels[:6].reshape(2, 3), labels[6:].reshape(2, 2)
        assert (support == support[:, :1]).all() and (query == support[:, :1]).all()
        assert support[0, 0] != support[1, 0]
        classes.append(support[:, 0])
    counts = np.bincount(np.concatenate(classes), minlength=3) / len(classes)
    np.testing.assert_allclose(counts, 2 / 3, atol=0.2)


def test_the_loss_of_an_episode_is_that_of_its_labels():
    method = make("prototypical")
    whole, (images, labels) = network(method), batch(method)
    features = whole(method.augmented(images, 2))
    kinds = {c: k for k, c in enumerate(dict.fromkeys(labels[:6].tolist()))}
    own = torch.tensor([kinds[c] for c in labels.tolist()])
    expected = prototypical_loss(features[:6], own[:6], features[6:], own[6:], 2)
    torch.testing.assert_close(method.loss(whole, images, labels, 2), expected)


@pytest.mark.parametrize("name", ["simclr", "barlow_twins"])
def test_two_views_are_of_the_same_samples_and_differ(name):
    method = make(name)
    whole, (images, labels) = network(method), batch(method)
    views = method.material.augmentations["views"](torch.cat([images, images]), 7)[0]
    assert not torch.equal(*views.chunk(2))
    assert torch.equal(
        torch.sort(views.flatten(1), dim=1)[0].chunk(2)[0],
        torch.sort(views.flatten(1), dim=1)[0].chunk(2)[1],
    )  # flips
    a, b = whole(views).chunk(2)
    section = method.config
    expected = (
        nt_xent(a, b, section.temperature)
        if name == "simclr"
        else barlow_twins_loss(a, b, section.redundancy)
    )
    torch.testing.assert_close(method.loss(whole, images, labels, 7), expected)


def test_labels_are_few_equally_many_of_each_class_and_always_the_same():
    method = make("fixmatch")
    labelled = method.labelled()
    assert np.bincount(FIRST[labelled]).tolist() == [2, 2, 2]
    assert labelled.tolist() == make("fixmatch").labelled().tolist()
    assert labelled.tolist() != make("fixmatch", seed=1).labelled().tolist()
    for batches in method.epochs(3):
        with_label = torch.cat([index[:4] for index in batches])
        without = torch.cat([index[4:] for index in batches])
        assert set(with_label.tolist()) <= set(labelled.tolist())
        assert len(set(without.tolist())) == len(without) == 24
        assert not set(without.tolist()) & set(labelled.tolist())
        counts = np.bincount(with_label, minlength=N)[labelled]
        assert counts.max() - counts.min() <= 1  # in turn


def test_labels_of_the_others_are_never_used():
    method = make("fixmatch")
    whole, (images, labels) = network(method), batch(method)
    spoilt = labels.clone()
    spoilt[4:] = -100
    loss = method.loss(whole, images, labels, 0)
    assert torch.equal(method.loss(whole, images, spoilt, 0), loss)
    weak = method.augmented(images, 0)
    strong = method.seen("strong", images[4:], 0)
    logits = whole(torch.cat([weak, strong]))
    expected = cross_entropy(logits[:4], labels[:4])
    expected = expected + 0.5 * fixmatch_loss(logits[4:12], logits[12:], 0.4)
    torch.testing.assert_close(loss, expected)


def test_tasks_share_a_batch_equally():
    method = make("joint")
    for batches in method.epochs(3):
        for index in batches:
            assert (FIRST[index[:3]] >= 0).all() and (SECOND[index[3:]] >= 0).all()
    whole, (images, labels) = network(method), batch(method)
    logits = whole(method.augmented(images, 1))
    first = cross_entropy(logits[:3, :3], labels[:3, 0])
    second = cross_entropy(logits[3:, 3:], labels[3:, 1])
    torch.testing.assert_close(method.loss(whole, images, labels, 1), (first + second) / 2)


def test_the_backbone_of_another_network_is_taken_over_and_the_head_is_not():
    method = make("supervised")
    one, other = (network(method) for _ in range(2))
    for p in other.parameters():
        nn.init.normal_(p)
    weights = {name: t.clone() for name, t in other.state_dict().items()}
    weights["classifier.weight"] = torch.zeros(9, 9)
    head = one.classifier.weight.clone()
    start_backbone(one, weights)
    assert torch.equal(one.features[0].weight, other.features[0].weight)
    assert torch.equal(one.classifier.weight, head)
    with pytest.raises(StoreError, match="features.0.bias: no such weights, expected shape"):
        start_backbone(one, {"features.0.weight": weights["features.0.weight"]})
    weights["features.0.bias"] = torch.zeros(4)
    with pytest.raises(StoreError, match=r"features.0.bias: shape \(4,\), expected shape \(5,\)"):
        start_backbone(one, weights)
