"""Progress on the samples of one class at a time (thesis, Fig. 3.2a)."""

from __future__ import annotations

import numpy as np

from hyperribbon.numerics.blocks import slices
from hyperribbon.probability import progress
from hyperribbon.probability.distributions import check_labels, check_shape, read_rows, sliceable


def class_progress(
    P, labels: np.ndarray, *, smoothing: float = 0.0, threads: int | None = None
) -> np.ndarray:
    """Progress towards the truth of the samples of each class.

    It tells how well a representation serves a class, such as one that the network never saw.

    Parameters
    ----------
    P : (m, N, C) distributions; any sliceable array, read in blocks, once
    labels : (N,) true classes
    smoothing : float in [0, 1), label smoothing of the truth, as in `truth`
    threads : int, number of threads; all cores by default

    Returns
    -------
    (m, C) float64; NaN for classes without samples

    Raises
    ------
    DataError
        If rows are not distributions, labels do not fit, or the smoothing is outside [0, 1).

    Notes
    -----
    The cost is that of `progress`: all samples enter once.

    Examples
    --------
    >>> from hyperribbon.probability import geodesic, ignorance, truth
    >>> labels = np.array([0, 1, 1])
    >>> ends = geodesic(ignorance(3, 3), truth(labels, 3), [0.2, 0.8])
    >>> P = np.stack([ends[0, 0], ends[1, 1], ends[1, 2]])[None]
    >>> class_progress(P, labels).round(3)
    array([[0.2, 0.8, nan]])
    """
    P = sliceable(P, "P")
    n_models, n_samples, n_classes = check_shape(P, ndim=3)
    labels = check_labels(labels, n_classes, n_samples)
    found = np.full((n_models, n_classes), np.nan)
    of_class = {c: np.flatnonzero(labels == c) for c in np.unique(labels).tolist()}
    for block in slices(P):
        rows = read_rows(P[block])
        for c, samples in of_class.items():
            found[block, c] = progress(
                rows[:, samples], labels[samples], smoothing=smoothing, threads=threads
            )
    return found
