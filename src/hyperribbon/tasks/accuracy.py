"""Errors of models of many classes on the classes of a task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distributions import check_labels, check_shape, read_rows, sliceable


def error_within(P, labels: np.ndarray, groups: Sequence[Sequence[int]]) -> np.ndarray:
    """Error on the samples of a task, if only its classes can be predicted.

    Parameters
    ----------
    P : (m, N, C) distributions over all classes; any sliceable array, read in blocks
    labels : (N,) true classes
    groups : sequence of sequences of int
        The classes of the task, each as the classes that it merges; their probabilities are added.

    Returns
    -------
    (m,) float64, fraction misclassified; NaN if the task has no samples

    Raises
    ------
    DataError
        If rows are not distributions, labels do not fit, or a group names no such class or one that
        is in another group.

    Examples
    --------
    >>> P = np.array([[[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.3, 0.2]]])
    >>> error_within(P, np.array([0, 2, 2]), [[1], [2]])
    array([1.])
    >>> error_within(P, np.array([0, 2, 1]), [[0], [1, 2]])
    array([0.33333333])
    """
    P = sliceable(P, "P")
    n_models, n_samples, n_classes = check_shape(P, ndim=3)
    labels = check_labels(labels, n_classes, n_samples)
    merged = [k for group in groups for k in group]
    if len(set(merged)) < len(merged) or not set(merged) <= set(range(n_classes)):
        expected = f"different classes from 0 to {n_classes - 1}"
        raise DataError(f"groups: {[list(group) for group in groups]}, expected {expected}")
    of_class = np.full(n_classes, -1)
    for k, group in enumerate(groups):
        of_class[list(group)] = k
    own = np.flatnonzero(of_class[labels] >= 0)
    found = np.full(n_models, np.nan)
    if not own.size:
        return found
    for block in slices(P):
        rows = read_rows(P[block])[:, own]
        shares = np.stack([rows[..., list(group)].sum(axis=-1) for group in groups], axis=-1)
        found[block] = (shares.argmax(axis=-1) != of_class[labels[own]]).mean(axis=-1)
    return found
