"""Plans of trainings on tasks: what they learn from, and what they refuse."""

import dataclasses
import pickle

import numpy as np
import pytest
import torch
from task_trainings import ALL, METHODS, configuration

from hyperribbon.config import AugmentationConfig
from hyperribbon.errors import ConfigError, DataError
from hyperribbon.training.plan import Plan
from hyperribbon.training.schedule import checkpoint_at, keeping


@pytest.mark.parametrize("name", METHODS)
def test_a_plan_can_be_sent_to_another_process(name, dataset):
    plan = Plan(configuration(name), dataset, "")
    sent = pickle.loads(pickle.dumps(plan))
    assert sent.key == plan.key
    ours, theirs = (next(what.method(seed=1).epochs(1)) for what in (plan, sent))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_targets_are_those_of_the_tasks(dataset):
    labels = torch.from_numpy(dataset.train_labels)
    table = torch.tensor([0, -1, -1, 1, 2, 2, -1, -1, -1, 3])
    assert torch.equal(Plan(configuration(), dataset, "").targets(labels), table[labels])
    both = Plan(configuration("joint"), dataset, "").targets(labels)
    assert both.shape == (120, 2)
    assert torch.equal(both[:, 0], table[labels])
    pair = torch.tensor([-1, 0, 1, -1, -1, -1, -1, -1, -1, -1])
    assert torch.equal(both[:, 1], pair[labels])


def test_random_labels_are_classes_of_the_task(dataset):
    noise = AugmentationConfig(random_labels=1.0)
    labels = torch.from_numpy(dataset.train_labels)
    plain, random = (
        Plan(configuration(**others), dataset, "").targets(labels)
        for others in ({}, {"augmentation": noise, "augmentation_name": "noise"})
    )
    assert torch.equal(plain < 0, random < 0)
    assert set(random.tolist()) == {-1, 0, 1, 2, 3}
    assert 0.1 < (plain == random)[plain >= 0].double().mean() < 0.45


def test_augmentations_know_black_and_white(dataset):
    """Pixel values 0 and 1, standardised with mean 0.5 and standard deviation 0.25."""
    for views in (
        Plan(configuration("simclr"), dataset, "").method(0).material.augmentations.values()
    ):
        assert views.black.shape == views.white.shape == (3, 1, 1)
        assert (views.black == -2).all() and (views.white == 2).all()


REFUSED = {
    "record_train": (
        lambda: configuration(training={"record_train": 9}),
        None,
        ConfigError,
        "training.record_train = 9: no sample of class 1 among them",
    ),
    "class": (
        lambda: configuration(tasks=({"name": "a", "classes": [[0], [10]]},)),
        None,
        ConfigError,
        r"some-WRN-SGD: some.tasks.a.classes = 10: the data have classes 0 to 9",
    ),
    "batch": (
        lambda: configuration(training={"batch_size": 61}),
        None,
        ConfigError,
        "batch_size = 61: at most 60, the train samples of task four",
    ),
    "colours": (
        lambda: configuration("simclr"),
        lambda data: {"train_images": data.train_images.astype(np.float32) / 100},
        DataError,
        "pixel values from 0 to 2.*, expected 0 to 1 for an augmentation that changes colours",
    ),
}


@pytest.mark.parametrize("which", REFUSED)
def test_what_the_data_do_not_allow_is_refused_before_training(which, dataset):
    make, change, error, message = REFUSED[which]
    if change:
        floats = {"test_images": dataset.test_images.astype(np.float32), **change(dataset)}
        dataset = dataclasses.replace(dataset, **floats)
    with pytest.raises(error, match=message):
        Plan(make(), dataset, "")


def test_checkpoints_at_epochs():
    what = configuration(tasks=(ALL,), training={"batch_size": 10, "epochs": 7})
    assert checkpoint_at(what, 0) == 0
    assert checkpoint_at(what, 1 / 3) == checkpoint_at(what, 0.34) == 4
    assert checkpoint_at(what, 7) == 84
    assert checkpoint_at(what, 1.0417, steps_per_epoch=24) == 25
    with pytest.raises(ConfigError, match=r"at epoch 8, expected one of 0, 0.08333.*, 6, 7$"):
        checkpoint_at(what, 8)
    unknown = configuration(data={"name": "mnist", "image_size": 8})
    with pytest.raises(ConfigError, match="steps per epoch are not known before the data are read"):
        checkpoint_at(unknown, 1)


def test_kept_checkpoints_are_those_asked_for(dataset):
    what = configuration(tasks=(ALL,), training={"batch_size": 10, "epochs": 7})
    kept = keeping(what, [1 / 3, 6])
    assert kept.id == what.id
    assert Plan(kept, dataset, "").snapshot_steps == [0, 4, 43, 72, 84]
    assert set(Plan(what, dataset, "").snapshot_steps) < set(Plan(kept, dataset, "").snapshot_steps)
