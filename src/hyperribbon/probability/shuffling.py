"""Shuffling of samples within their classes, for a null model of shared learning."""

import numpy as np

from hyperribbon.probability.distributions import as_numpy, check_labels


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
