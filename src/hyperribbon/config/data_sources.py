"""What is known about the data sets that come with the package, before they are read."""

from __future__ import annotations

from typing import NamedTuple


class SourceFacts(NamedTuple):
    """What is known about a data set before it is read.

    Attributes
    ----------
    n_samples : tuple of int
        Size of the one set that is split, or of the train and the test part.
    n_classes : int
        Number of classes, C.
    shape : tuple of int
        (channels, height, width).
    names : tuple of str
        Names of the classes; none if they are digits or the like.
    """

    n_samples: tuple[int, ...]
    n_classes: int
    shape: tuple[int, int, int]
    names: tuple[str, ...] = ()


CIFAR10_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
FASHION_CLASSES = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "boot"),
)

DATA_SOURCES = {
    "mnist5k": SourceFacts((5_000,), 10, (1, 28, 28)),
    "digits": SourceFacts((1_797,), 10, (1, 8, 8)),
    "mnist": SourceFacts((60_000, 10_000), 10, (1, 28, 28)),
    "fashion_mnist": SourceFacts((60_000, 10_000), 10, (1, 28, 28), FASHION_CLASSES),
    "kmnist": SourceFacts((60_000, 10_000), 10, (1, 28, 28)),
    "cifar10": SourceFacts((50_000, 10_000), 10, (3, 32, 32), CIFAR10_CLASSES),
}

# The same number of samples of each class.
BALANCED = ("mnist5k", "fashion_mnist", "kmnist", "cifar10")
