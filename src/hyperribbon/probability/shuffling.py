"""Samples exchanged within their classes: what a null model of shared learning is made of."""

import numpy as np

from hyperribbon.probability.distributions import as_numpy, check_labels


def shuffled_within_classes(labels: np.ndarray, seed) -> np.ndarray:
    """A random permutation of the samples that leaves each one's label as it is.

    A model whose samples are so exchanged has the same loss, error, progress, and distances from
    ignorance, truth and the geodesic between them; models that are exchanged differently share
    nothing else.

    Parameters
    ----------
    labels : (N,) true classes
    seed : int, sequence of int or Generator

    Returns
    -------
    (N,) int

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
    # The k-th sample of a class, in random order, takes the place of its k-th one, in theirs.
    permutation = np.empty(len(labels), dtype=np.intp)
    permutation[np.argsort(labels, kind="stable")] = order[np.argsort(labels[order], kind="stable")]
    return permutation
