r"""A few classes of a large vocabulary for each sample, and one remainder for all others.

Predictions of C classes are coarse-grained: for each sample n, k classes are kept, the true one
first, and the probabilities of the others are added up. Which classes are kept is chosen once, for
all models, so that what is recorded are exact distributions over k + 1 outcomes, and everything
that holds for distributions holds for these. In particular, the Bhattacharyya coefficient
:math:`\sum_c \sqrt{p_c q_c}` of a sample can only grow, by Cauchy-Schwarz, so that distances can
only shrink; how far they do is bounded by `hyperribbon.distance_bounds`. The loss is exact.

Keeping the k largest probabilities of each model instead, whose classes differ between models,
would give an interval for each distance, but neither a distance nor an embedding.
"""

from __future__ import annotations

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy, check_size
from hyperribbon.recording.labels import Labels, read_labels

_ENTRIES = 2**24  # of a reference, sorted at a time


def top_classes(reference, labels, k: int) -> np.ndarray:
    """Choose k classes to keep for each sample: the true one, then the likeliest of a reference.

    Parameters
    ----------
    reference : array-like of shape (C,), (N, C) or, for T tokens per sample, (N, T, C)
        What is known about the classes before: how often each occurs in a text, or probabilities
        or logits of a model that is not recorded. It decides how tight the bounds on distances are,
        not whether they hold.
    labels : array-like of shape (N,) or (N, T)
        True classes, integers, as for a `hyperribbon.Recorder`.
    k : int
        Classes to keep, fewer than C.

    Returns
    -------
    ndarray of int32, shape (M, k)
        Classes by decreasing reference, after the true one, of the M samples or tokens that count.

    Raises
    ------
    DataError
        If shapes do not fit, the reference is not finite, or k is not from 1 to C - 1.

    Examples
    --------
    >>> top_classes([9, 5, 7, 0], [1, 0], k=2).tolist()
    [[1, 0], [0, 2]]
    """
    scores = as_numpy(reference, "reference")
    n_classes = scores.shape[-1] if scores.ndim else 0
    k = check_size(k, "k", most=max(1, n_classes - 1))
    read, names = read_labels({"": labels}, n_classes)
    if names is not None:
        raise DataError("labels: names, expected integers")
    found = read[""]
    if scores.shape not in ((n_classes,), (*found.shape, n_classes)):
        expected = ", ".join(map(str, (*found.shape, "classes")))
        raise DataError(f"reference: shape {scores.shape}, expected (classes,) or ({expected})")
    rows = scores.reshape(-1, n_classes)
    top = np.empty((len(found), k), np.int32)
    step = max(1, _ENTRIES // n_classes)
    for start in range(0, len(found), step):
        part = slice(start, start + step)
        classes = found.classes[part]
        at = found.index[part] if scores.ndim > 1 else np.zeros(len(classes), np.intp)
        some = rows[at].astype(np.float64)
        if not np.isfinite(some).all():
            raise DataError("reference: entries that are not finite")
        some[np.arange(len(classes)), classes] = np.inf  # the true class comes first
        largest = np.argpartition(-some, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(some, largest, axis=1), axis=1, kind="stable")
        top[part] = np.take_along_axis(largest, order, axis=1)
    return top


def check_top(top, labels: Labels, n_classes: int, name: str) -> np.ndarray:
    """Classes (M, k) to keep, as int32; a DataError unless each row is of k, the true one first."""
    given = as_numpy(top, name)
    if given.ndim != 2 or given.dtype.kind not in "ui" or len(given) != len(labels):
        raise DataError(
            f"{name}: shape {given.shape} of {given.dtype}, expected integers ({len(labels)}, k), "
            "as hyperribbon.top_classes returns them for these labels"
        )
    if not 1 <= given.shape[1] < n_classes:
        raise DataError(f"{name}: {given.shape[1]} of {n_classes} classes, expected fewer")
    if given.min() < 0 or given.max() >= n_classes:
        raise DataError(
            f"{name}: from {given.min()} to {given.max()}, expected 0 to {n_classes - 1}"
        )
    other = np.flatnonzero(given[:, 0] != labels.classes)
    if len(other):
        n = other[0]
        raise DataError(
            f"{name}: row {n} begins with class {given[n, 0]}, expected the true one, "
            f"{labels.classes[n]}"
        )
    ordered = np.sort(given, axis=1)
    if (ordered[:, 1:] == ordered[:, :-1]).any():
        raise DataError(f"{name}: a row has a class twice, expected different ones")
    return given.astype(np.int32)


def coarse_grained(rows: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Coarse-grain probabilities (m, C).

    Returns
    -------
    ndarray of float32, shape (m, k + 2)
        Probabilities of the k classes of each row of ``top`` and of all others together; and the
        largest among the others, which says whether the true class is the likeliest of all.
    """
    others = np.array(rows)  # a copy
    at = np.arange(len(rows))[:, None]
    kept = others[at, top].astype(np.float64)
    others[at, top] = 0
    # Summed over the others themselves: 1 minus what is kept would lose all digits of little.
    rest = others.sum(axis=1, dtype=np.float64)
    return np.column_stack([kept, rest, others.max(axis=1)]).astype(np.float32)
