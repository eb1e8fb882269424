"""The samples that set each model apart from others as far on their way to the truth."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import n_threads, slices
from hyperribbon.pairwise import FLOOR
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability.distributions import check_size
from hyperribbon.probability.progress import plane_coordinates


class Apart(NamedTuple):
    """The samples that contribute most to the distance of each model from its reference."""

    sample: np.ndarray
    """(m, k) int, positions of samples, the one that contributes most first."""
    predicted: np.ndarray
    """(m, k) int, class that the model predicts."""
    share: np.ndarray
    """(m, k) float, share of the distance."""
    distance: np.ndarray
    """(m,) Bhattacharyya distance from the reference, nats."""


def samples_apart(
    P,
    labels: np.ndarray | None = None,
    progress: np.ndarray | None = None,
    *,
    count: int = 5,
    smoothing: float = 0.0,
    prior=None,
    threads: int | None = None,
) -> Apart:
    """Find the samples that set each model apart.

    A model is compared with the point of the geodesic from ignorance to the truth at its progress:
    the samples on which it is ahead, behind or wrong for its progress contribute most. Where labels
    are not known, models are compared with the mean of all.

    Parameters
    ----------
    P : (m, N, C) distributions, or several trajectories; any sliceable arrays, read in blocks
    labels : (N,) true classes, optional
    progress : (m,) of the models, needed with labels
    count : int, number of samples per model, of as many as there are
    smoothing, prior : of the truth and of ignorance, as in `hyperribbon.progress`
    threads : int, number of threads; all cores by default

    Returns
    -------
    Apart

    Raises
    ------
    DataError
        If rows are not distributions, or the numbers of models and samples do not fit.

    Notes
    -----
    The cost is 4 m N C, and P is read once, or twice without labels.

    Examples
    --------
    >>> from hyperribbon.probability import geodesic, ignorance, truth
    >>> labels = np.array([0, 1, 1])
    >>> P = geodesic(ignorance(3, 2), truth(labels, 2), [0.5])
    >>> P[0, 1] = [0.7, 0.3]
    >>> found = samples_apart(P, labels, np.array([0.5]), count=1)
    >>> found.sample.tolist(), found.predicted.tolist(), found.share.round(2).tolist()
    ([[1]], [[0]], [[1.0]])
    """
    stack = Stack(P, "P")
    m, n_samples, _ = stack.shape
    count = min(count, n_samples)
    threads = n_threads() if threads is None else check_size(threads, "threads")
    blocks = list(slices(stack, parts=threads))
    if labels is None:
        total = sum(stack.read(block).sum(axis=0, dtype=np.float64) for block in blocks)
        mean = np.sqrt(np.asarray(total / m))
    along = np.zeros(0) if progress is None else progress
    if labels is not None and len(along) != m:
        raise DataError(f"progress: {len(along)} values, expected one per model, {m}")
    sample, predicted = np.empty((m, count), np.int64), np.empty((m, count), np.int64)
    share, distance = np.empty((m, count)), np.empty(m)

    def compare(block: slice) -> None:
        models = stack.read(block)
        if labels is None:
            coefficients = np.einsum("mnc,nc->mn", np.sqrt(models), mean)
        else:
            plane = plane_coordinates(models, labels, smoothing=smoothing, prior=prior)
            coefficients = plane.coefficients(along[block])
        terms = -np.log(np.clip(coefficients, FLOOR, 1))
        most = np.argpartition(-terms, count - 1, axis=1)[:, :count]
        order = np.argsort(-np.take_along_axis(terms, most, 1), axis=1, kind="stable")
        sample[block] = most = np.take_along_axis(most, order, 1)
        whole = terms.sum(axis=1)
        distance[block] = whole / n_samples
        found = np.take_along_axis(terms, most, 1)
        share[block] = np.divide(
            found, whole[:, None], out=np.zeros_like(found), where=whole[:, None] > 0
        )
        predicted[block] = np.take_along_axis(models.argmax(axis=2), most, 1)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(compare, blocks))
    return Apart(sample, predicted, share, distance)
