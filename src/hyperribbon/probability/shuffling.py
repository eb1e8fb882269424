"""Shuffling of samples within their classes, for a null model of shared learning."""

from collections.abc import Sequence

import numpy as np

from hyperribbon.probability.distributions import as_numpy, check_labels
from hyperribbon.probability.views import Selection


def shuffled_within_classes(labels: np.ndarray, seed) -> np.ndarray:
    """Draw a random permutation of the samples that keeps every label in its place.

    A model with permuted samples has the same loss, error, progress, and distances from
    ignorance, the truth and the geodesic between them; models permuted independently share
    nothing else.

    Parameters
    ----------
    labels : (N,) true classes
    seed : int, sequence of int, or Generator

    Returns
    -------
    (N,) int, the permutation

    Raises
    ------
    DataError
        If labels are not integers, 0 or more.

    Examples
    --------
    >>> labels = np.array([0, 1, 0, 1])
    >>> bool((labels[shuffled_within_classes(labels, seed=0)] == labels).all())
    True
    """
    labels = as_numpy(labels, "labels")
    labels = check_labels(labels, max(int(labels.max(initial=0)) + 1, 1))
    order = np.random.default_rng(seed).permutation(len(labels))
    # In each class, the k-th sample in random order takes the place of the k-th in the old order.
    permutation = np.empty(len(labels), dtype=np.intp)
    permutation[np.argsort(labels, kind="stable")] = order[np.argsort(labels[order], kind="stable")]
    return permutation


def shuffled_by_training(parts: Sequence, labels: np.ndarray, draw: int) -> list[Selection]:
    """Exchange samples within classes, in the same way for all models of a training.

    Distances within a training stay as they are; trainings share only how far they got.

    Parameters
    ----------
    parts : models (b, N, C) of each training, any arrays with slices
    labels : (N,) true classes
    draw : int, 0 or more; another one is another exchange

    Returns
    -------
    list of (b, N, C), read where they are sliced

    Examples
    --------
    >>> P = np.arange(16).reshape(2, 4, 2) / 16
    >>> (shuffled,) = shuffled_by_training([P], np.array([0, 1, 0, 1]), draw=0)
    >>> bool((np.sort(shuffled[:, [0, 2]], axis=1) == P[:, [0, 2]]).all())
    True
    """
    return [
        Selection(P, samples=shuffled_within_classes(labels, (draw, k)))
        for k, P in enumerate(parts)
    ]


def shuffled_by_model(parts: Sequence, labels: np.ndarray, draw: int) -> list[Selection]:
    """Exchange samples within classes, for each model in its own way.

    Parameters are those of `shuffled_by_training`.

    Returns
    -------
    list of (1, N, C), in the order of the models
    """
    return [
        Selection(P, [i], shuffled_within_classes(labels, (draw, k, i)))
        for k, P in enumerate(parts)
        for i in range(len(P))
    ]


# Null models by the names that tables and figures give them.
NULLS = {"shuffled by training": shuffled_by_training, "shuffled by model": shuffled_by_model}
