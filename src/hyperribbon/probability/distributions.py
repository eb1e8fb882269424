"""Models as points in prediction space: each sample has a distribution over the classes."""

import numpy as np

from hyperribbon.errors import DataError

SUM_TOLERANCE = 1e-4


def ignorance(n_samples: int, n_classes: int) -> np.ndarray:
    """P0: every class equally probable, (N, C) float64.

    Examples
    --------
    >>> ignorance(1, 4)
    array([[0.25, 0.25, 0.25, 0.25]])
    """
    return np.full((n_samples, n_classes), 1 / n_classes)


def truth(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """P*: probability 1 for the true class, (N, C) float64.

    Raises
    ------
    DataError
        If a label is outside 0..C-1.

    Examples
    --------
    >>> truth([1, 0], 2)
    array([[0., 1.],
           [1., 0.]])
    """
    labels = check_labels(labels, n_classes)
    return np.eye(n_classes)[labels]


def check_labels(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Labels as integers (N,), each in 0..C-1; else a DataError."""
    labels = np.asarray(labels)
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise DataError(
            f"labels: shape {labels.shape} of {labels.dtype}, expected integers of shape (N,)"
        )
    if labels.size and (labels.min() < 0 or labels.max() >= n_classes):
        raise DataError(
            f"labels: from {labels.min()} to {labels.max()}, expected 0 to {n_classes - 1}"
        )
    return labels


def as_distributions(P: np.ndarray, name: str = "P") -> np.ndarray:
    """Check that rows are distributions, and normalise them in float64.

    Probabilities stored in float32 sum to 1 only to about 1e-7; without the normalisation a
    model would lie at a distance of that order from itself.

    Parameters
    ----------
    P : (..., N, C)
    name : what to call it in errors

    Returns
    -------
    (..., N, C) float64, each row summing to 1

    Raises
    ------
    DataError
        If an entry is negative or not finite, or a row's sum is off 1 by more than 1e-4.
    """
    P = np.asarray(P, dtype=np.float64)
    if P.ndim < 2 or P.shape[-1] < 1:
        raise DataError(f"{name}: shape {P.shape}, expected (..., samples, classes)")
    sums = P.sum(axis=-1, keepdims=True)
    if not (np.abs(sums - 1) <= SUM_TOLERANCE).all() or (P < 0).any():
        if not np.isfinite(P).all():
            problem = "entries that are not finite"
        elif (P < 0).any():
            problem = f"negative entries, down to {P.min():.3g}"
        else:
            worst = np.abs(sums - 1).argmax()
            problem = f"a row that sums to {sums.flat[worst]:.6g}"
        raise DataError(f"{name}: {problem}, expected probabilities that sum to 1 over the classes")
    return P / sums
