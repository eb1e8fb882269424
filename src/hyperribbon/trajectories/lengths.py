"""Riemannian lengths of trajectories, and how far a training departs from where it started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.probability import arc_length, bhattacharyya_distance
from hyperribbon.probability import progress as progress_of
from hyperribbon.probability.distance import arcs
from hyperribbon.probability.distributions import (
    as_distributions,
    check_shape,
    check_size,
    sliceable,
)
from hyperribbon.probability.views import are_trajectories, trajectories_of


def trajectory_length(P) -> float | np.ndarray:
    """Riemannian length of a trajectory: the sum of arcs between consecutive models.

    An arc is the arccos of the Bhattacharyya coefficient, averaged over samples (radians). The
    geodesic from ignorance to truth has length arccos(1 / sqrt C).

    Parameters
    ----------
    P : (K, N, C) models in the order of training; any sliceable array, read in blocks. Also
        (S, K, N, C), K checkpoints of S trainings, or a sequence of T trajectories

    Returns
    -------
    float, radians; of several trajectories (T,)

    Raises
    ------
    DataError
        If P has another shape or rows are not distributions.

    Examples
    --------
    >>> import numpy as np
    >>> round(trajectory_length(np.array([[[0.5, 0.5]], [[1.0, 0.0]]])), 4)  # pi / 4
    0.7854
    """
    if are_trajectories(P):
        return np.array([_length(one) for one in trajectories_of(P)])
    return _length(P)


def _length(P) -> float:
    P = sliceable(P, "P")
    check_shape(P, ndim=3)
    length, last = 0.0, None
    for block in slices(P):
        roots = np.sqrt(as_distributions(P[block]))
        if last is not None:
            length += arcs(last, roots[0]).mean()
        length += arcs(roots[:-1], roots[1:]).mean(axis=-1).sum()
        last = roots[-1]
    return float(length)


class LengthByCount(NamedTuple):
    """Lengths of a trajectory with fewer and fewer checkpoints; see `length_by_count`."""

    counts: np.ndarray
    """(n,) int, numbers of checkpoints."""
    length: np.ndarray
    """(n,) Riemannian length with so many, radians."""
    displacement: float
    """Arc from the first to the last checkpoint, radians."""


def length_by_count(P, counts: Sequence[int]) -> LengthByCount:
    """Riemannian length of a trajectory whose checkpoints are thinned.

    Where training is noisy, the length grows with the number of checkpoints, without a limit. So
    lengths of trajectories are comparable at equal counts only.

    Parameters
    ----------
    P : (K, N, C) models in the order of training, K at least 2; any sliceable array, read once
    counts : sequence of int, numbers of checkpoints to keep, 2 to K each. They are evenly spaced by
        number, with the first and the last

    Returns
    -------
    LengthByCount

    Raises
    ------
    DataError
        If P has another shape, rows are not distributions, or a count is not from 2 to K.

    Notes
    -----
    Arcs are computed once for all counts that share them: at most sum(counts) of them, each of
    about 4 N C operations. Memory is that of a block of P and of a model per count.

    Examples
    --------
    >>> angles = np.array([0.0, 0.5, 0.2, 0.7])
    >>> P = np.stack([np.cos(angles) ** 2, np.sin(angles) ** 2], axis=1)[:, None]
    >>> length_by_count(P, [2, 4]).length.round(3)
    array([0.7, 1.3])
    """
    P = sliceable(P, "P")
    n_checkpoints = check_shape(P, ndim=3)[0]
    if n_checkpoints < 2:
        raise DataError("P: one checkpoint, expected two or more")
    counts = [check_size(count, "counts", 2, n_checkpoints) for count in counts]
    kept = [set(np.linspace(0, n_checkpoints - 1, count).round().astype(int)) for count in counts]
    kept.append({0, n_checkpoints - 1})  # the displacement
    lengths = np.zeros(len(kept))
    last: list[tuple[int, np.ndarray]] = []
    for block in slices(P):
        rows = np.sqrt(as_distributions(P[block]))
        for k, roots in enumerate(rows, block.start):
            if k == 0:
                last = [(k, roots)] * len(kept)
                continue
            arc: dict[int, float] = {}  # to this checkpoint, by the one before it
            for i, keep in enumerate(kept):
                if k in keep:
                    before, start = last[i]
                    if before not in arc:
                        arc[before] = float(arcs(start, roots).mean())
                    lengths[i] += arc[before]
                    last[i] = k, roots
    return LengthByCount(np.array(counts, np.int64), lengths[:-1], float(lengths[-1]))


class Excursion(NamedTuple):
    """How far a training departs from the model where it started; see `excursion`."""

    distance: np.ndarray
    """(K,) Bhattacharyya distance of each checkpoint from the start, nats."""
    largest: float
    """Largest of these."""
    final: float
    """Last of these."""
    length: float
    """Riemannian length from the start through all checkpoints, radians."""
    backward_progress: float
    """Progress of the start, less the least on the way; 0 if progress never falls below it."""


def excursion(P, start, labels: np.ndarray, *, smoothing: float = 0.0) -> Excursion:
    """Departure of a fine-tuning from the model that it started from (thesis 3.3, Result 6).

    Parameters
    ----------
    P : (K, N, C) models of the fine-tuning in order; any sliceable array
    start : (N, C) model that it started from
    labels : (N,) true classes
    smoothing : float in [0, 1), label smoothing of the truth, as in `truth`

    Returns
    -------
    Excursion

    Raises
    ------
    DataError
        If shapes do not fit, rows are not distributions, or labels are out of range.

    Notes
    -----
    Lengths grow with the number of checkpoints; compare them at equal counts.

    Examples
    --------
    >>> from hyperribbon.probability import geodesic, ignorance, truth
    >>> labels = np.array([0, 2, 1])
    >>> way = geodesic(ignorance(3, 3), truth(labels, 3), [0.6, 0.4, 0.5])
    >>> found = excursion(way[1:], way[0], labels)
    >>> round(found.backward_progress, 3), found.largest > found.final
    (0.2, True)
    """
    P, start = sliceable(P, "P"), as_distributions(start, "start")
    shape = check_shape(P, ndim=3)
    if start.shape != shape[1:]:
        raise DataError(f"start: shape {start.shape}, expected {shape[1:]}, as of a model of P")
    distance = np.concatenate([bhattacharyya_distance(P[block], start) for block in slices(P)])
    least = np.min(progress_of(P, labels, smoothing=smoothing))
    began = progress_of(start, labels, smoothing=smoothing)
    return Excursion(
        distance,
        float(distance.max()),
        float(distance[-1]),
        float(arc_length(start, P[0])) + _length(P),
        float(max(0.0, began - least)),
    )
