"""Small trainings on tasks, and data for them."""

import numpy as np

from hyperribbon.config import Configuration, LearningConfig, TrainingConfig
from hyperribbon.data import Dataset

CLASSES, EACH = 10, 12
FOUR = {"name": "four", "classes": [[0], [3], [4, 5], [9]]}  # 60 of 120 samples
PAIR = {"name": "pair", "classes": [[1], [2]]}
ALL = {"name": "all", "classes": [[c] for c in range(CLASSES)]}
CIFAR10 = {"name": "cifar10", "image_size": 8, "train_size": 120, "test_size": 40}
METHODS = {
    "supervised": {},
    "joint": {},
    "prototypical": {"way": 2, "shot": 2, "queries": 4, "episodes": 12},
    "simclr": {"projection": [8, 8]},
    "barlow_twins": {"projection": [8, 8]},
    "fixmatch": {"labelled": 12, "unlabelled_ratio": 1, "threshold": 0.3},
}


def colours():
    """Colour images of 8 x 8 pixels in ten classes."""
    rng = np.random.default_rng(0)
    labels = np.arange(160) % CLASSES
    colours = rng.integers(60, 190, size=(CLASSES, 3, 1, 1))
    images = colours[labels] + rng.integers(-60, 60, size=(160, 3, 8, 8))
    images = images.astype(np.uint8)
    return Dataset(
        name="colours",
        n_classes=CLASSES,
        train_images=images[:120],
        train_labels=labels[:120],
        train_index=np.arange(120),
        test_images=images[120:],
        test_labels=labels[120:],
        test_index=np.arange(120, 160),
        mean=np.full(3, 0.5, np.float32),
        std=np.full(3, 0.25, np.float32),
    )


def configuration(method="supervised", tasks=(FOUR,), start=None, start_epoch=None, **others):
    """Two epochs, of 12 to 18 steps each."""
    if method == "joint":
        tasks = (FOUR, PAIR)
    settings = {"epochs": 2, "batch_size": 4, "seeds": 1, "device": "cpu"}
    layer = {"normalisation": "layer"} if others.pop("layer", False) else {}
    learning = LearningConfig(
        name=others.pop("name", "some"),
        tasks=tasks,
        method={"name": method, **METHODS[method]},
        start_epoch=start_epoch,
    )
    return Configuration(
        network_name="WRN",
        optimiser_name="SGD",
        data=others.pop("data", CIFAR10),
        network={"architecture": "wide_resnet", "depth": 10, "width": 2, "widen_factor": 1} | layer,
        optimiser={
            "algorithm": "sgd",
            "learning_rate": 0.05,
            "momentum": 0.9,
            **others.pop("sgd", {}),
        },
        training=TrainingConfig(**(settings | others.pop("training", {}))),
        learning=learning,
        start=start,
        **others,
    )
