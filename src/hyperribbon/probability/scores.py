"""Loss and error of models."""

from __future__ import annotations

import numpy as np

from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import (
    as_distributions,
    check_labels,
    check_shape,
    sliceable,
)


def loss_and_error(P, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean cross-entropy of models (nats), and the fraction of samples that they misclassify.

    The loss is twice the Bhattacharyya distance to the truth, and its largest value, where a true
    class has no probability, is twice that of the distance.

    Parameters
    ----------
    P : (m, N, C) distributions; any sliceable array, read in blocks
    labels : (N,) true classes

    Returns
    -------
    loss, error : (m,) float64 each

    Raises
    ------
    DataError
        If P has another shape, rows are not distributions or labels do not fit.

    Examples
    --------
    >>> P = np.array([[[0.5, 0.5]], [[0.1, 0.9]]])
    >>> [found.round(3).tolist() for found in loss_and_error(P, np.array([0]))]
    [[0.693, 2.303], [0.0, 1.0]]
    """
    P = sliceable(P, "P")
    n_models, n_samples, n_classes = check_shape(P, ndim=3)
    labels = check_labels(labels, n_classes, n_samples)
    loss, error = np.empty(n_models), np.empty(n_models)
    for block in slices(P):
        rows = as_distributions(P[block])
        of_truth = rows[:, np.arange(n_samples), labels]
        loss[block] = -np.log(np.maximum(of_truth, FLOOR**2)).mean(axis=1)
        error[block] = (rows.argmax(axis=2) != labels).mean(axis=1)
    return loss, error
