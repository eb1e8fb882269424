"""Distances of trajectories from each other, the geodesic and their mean, at equal progress."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import bhattacharyya_distance, geodesic, ignorance, truth
from hyperribbon.probability.distributions import (
    as_distributions,
    as_numpy,
    check_shape,
    class_prior,
    sliceable,
)
from hyperribbon.trajectories.at_progress import AtProgress
from hyperribbon.trajectories.resampling import check_values, resample_trajectory

_POINTS = 100  # values of progress at which trajectories are resampled


class Comparison(NamedTuple):
    """Distances at equal progress (nats); NaN where a trajectory does not reach a grid value.

    Attributes
    ----------
    distance : (T, T), d_traj of Eq. 2.2.5: mean Bhattacharyya distance over the grid values that
        both trajectories reach; NaN if there is none
    common : (T, T) int, number of grid values that both trajectories reach
    to_geodesic : (T, G), distance from the point of the geodesic at the same progress
    to_mean : (T, G), distance from the arithmetic mean of the group's models at the same progress
        (the tube of 3.5.6); NaN where fewer than two trajectories of the group reach it
    """

    distance: np.ndarray
    common: np.ndarray
    to_geodesic: np.ndarray
    to_mean: np.ndarray


def compare_trajectories(
    trajectories: Sequence,
    progress: Sequence[np.ndarray],
    labels: np.ndarray,
    grid: np.ndarray,
    groups: Sequence | np.ndarray,
    *,
    smoothing: float = 0.0,
    prior=None,
    threads: int | None = None,
    client=None,
    progress_bar: bool = False,
) -> Comparison:
    """Compare trajectories after re-indexing them by progress.

    Parameters
    ----------
    trajectories : T arrays (K, N, C), where K may differ; Zarr arrays are read one checkpoint at a
        time
    progress : T arrays (K,), progress of their checkpoints
    labels : (N,) true classes
    grid : (G,) values of progress
    groups : T labels; trajectories with the same label differ only in their seed
    smoothing : float in [0, 1), label smoothing of the truth, as in `truth`
    prior : of ignorance, as in `ignorance`
    threads : int, number of threads; all cores by default
    client : dask.distributed.Client whose cluster compares, some values of progress per task
    progress_bar : bool, show a progress bar; quiet when the output is not a terminal

    Raises
    ------
    DataError
        If trajectories differ in samples or classes, lists differ in length, or rows are not
        distributions.

    Notes
    -----
    Memory is O(T N C) for any K and G; on a cluster, per task. The cost is G T^2 N C / 2
    multiplications.

    Examples
    --------
    >>> import numpy as np
    >>> from hyperribbon.probability import geodesic, ignorance, progress, truth
    >>> labels = np.array([0, 1, 2])
    >>> ends = ignorance(3, 3), truth(labels, 3)
    >>> trajectories = [geodesic(*ends, way) for way in ([0, 0.5, 1], [0, 0.7])]
    >>> s = [progress(P, labels) for P in trajectories]
    >>> grid = np.array([0.2, 0.6, 0.9])
    >>> compare_trajectories(trajectories, s, labels, grid, ["a", "b"]).common
    array([[3, 2],
           [2, 2]])
    """
    at = AtProgress.checked(
        trajectories, progress, labels, grid, groups, threads=threads, client=client
    )
    n_classes = at.shape[1]
    start = None if prior is None else class_prior(prior, n_classes, at.labels)
    compared = _Compared(at, smoothing, start)
    found = at.each_part(compared, client=client, progress_bar=progress_bar)
    total, common = (sum(part[k] for part in found) for k in range(2))
    with np.errstate(invalid="ignore"):
        distance = total / common
    to_geodesic, to_mean = (np.concatenate([part[k] for part in found], axis=1) for k in (2, 3))
    return Comparison(distance, common, to_geodesic, to_mean)


@dataclass(frozen=True)
class _Compared:
    """Compares trajectories at some values of progress; returns sums of distances, not means."""

    at: AtProgress
    smoothing: float
    prior: np.ndarray | None

    def __call__(self, part: range) -> tuple[np.ndarray, ...]:
        at, n = self.at, len(self.at.trajectories)
        n_samples, n_classes = at.shape
        start = ignorance(n_samples, n_classes, self.prior)
        ends = start, truth(at.labels, n_classes, self.smoothing)
        total, common = np.zeros((n, n)), np.zeros((n, n), dtype=np.int64)
        to_geodesic, to_mean = (np.full((n, len(part)), np.nan) for _ in range(2))
        for column, (g, reached, models) in enumerate(at.values(part)):
            if not reached.size:
                continue
            P = models(reached)
            pairs = np.ix_(reached, reached)
            total[pairs] += pairwise_distance(P, threads=at.threads)
            common[pairs] += 1
            line = geodesic(*ends, at.grid[g])
            to_geodesic[reached, column] = bhattacharyya_distance(P, line)
            for group in np.unique(at.groups[reached]):
                members = np.flatnonzero(at.groups[reached] == group)
                if len(members) > 1:
                    distances = bhattacharyya_distance(P[members], P[members].mean(axis=0))
                    to_mean[reached[members], column] = distances
        return total, common, to_geodesic, to_mean


def trajectory_distance(
    A, B, *, labels=None, progress=None, aligned: bool = False, smoothing: float = 0.0, prior=None
) -> float:
    r"""Distance between two trajectories at equal progress (Eq. 2.2.5).

    .. math:: d_\mathrm{traj}(A, B) = \frac{1}{|S|} \sum_{s \in S} d_B(A_s, B_s)

    with the Bhattacharyya distance (nats, with its floor of 1e-30) and S the values of progress
    that both trajectories reach.

    Parameters
    ----------
    A, B : (G, N, C), two trajectories resampled by `resample_trajectory` at the same values of
        progress; a model is all NaN where its value is not reached. With ``labels``, checkpoints
        (K, N, C) as they were recorded, of any numbers. Any sliceable arrays
    labels : (N,) true classes. With them, A and B are resampled first
    progress : (G,), values of progress; with ``labels``, 100 from 0 to 1 by default. Otherwise
        needed only if A and B do not know them, such as slices of resampled trajectories or stored
        arrays
    aligned : bool, whether model k of A is to be compared with model k of B whatever their progress
    smoothing, prior : of the truth and of ignorance, as in `progress`, to resample

    Returns
    -------
    float, nats; NaN if there is no value that both trajectories reach

    Raises
    ------
    DataError
        If the models' values of progress are unknown (for example, because checkpoints were not
        resampled) or differ between A and B; if shapes differ; if rows of models that are not
        missing are not distributions; or if both ``labels`` and ``aligned`` are given.

    Notes
    -----
    Checkpoints of the same number are at equal progress only by chance: the same curve traversed
    at two speeds would be far from itself. ``aligned=True`` compares models by their number anyway.

    Examples
    --------
    >>> import numpy as np
    >>> from hyperribbon.probability import geodesic, ignorance, truth
    >>> from hyperribbon.trajectories import resample_trajectory
    >>> labels, grid = np.array([0, 2, 1]), np.linspace(0, 1, 11)
    >>> ends = ignorance(3, 3), truth(labels, 3)
    >>> fast, slow = (geodesic(*ends, way) for way in ([0, 0.5, 1], [0, 0.1, 1]))
    >>> A, B = (resample_trajectory(P, labels, grid) for P in (fast, slow))
    >>> abs(round(trajectory_distance(A, B), 9))
    0.0
    >>> abs(round(trajectory_distance(fast, slow, labels=labels), 9))
    0.0
    """
    if labels is not None:
        if aligned:
            raise DataError("labels, aligned: both given; aligned models are not resampled")
        progress = np.linspace(0, 1, _POINTS) if progress is None else progress
        options = {"smoothing": smoothing, "prior": prior}
        A, B = (resample_trajectory(P, labels, progress, **options) for P in (A, B))
    A, B = sliceable(A, "A"), sliceable(B, "B")
    values = np.arange(A.shape[0]) if aligned else _common_progress(A, B, progress)
    if check_shape(A, "A", ndim=3) != check_shape(B, "B", ndim=3):
        raise DataError(f"A, B: shapes {A.shape} and {B.shape}, expected the same")
    if len(values) != A.shape[0]:
        raise DataError(f"progress: {len(values)} values, expected one per model, {A.shape[0]}")
    distances = []
    for g in range(A.shape[0]):
        a, b = _reached(A[g], f"A[{g}]"), _reached(B[g], f"B[{g}]")
        if a is not None and b is not None:
            distances.append(float(bhattacharyya_distance(a, b)))
    return float(np.mean(distances)) if distances else float("nan")


def _common_progress(A, B, progress) -> np.ndarray:
    """Return the values of progress of both trajectories; a DataError if unknown or different."""
    given = None if progress is None else check_values(progress, "progress")
    known = [getattr(X, "progress", None) for X in (A, B)]
    for name, own in zip("AB", known, strict=True):
        if given is None and own is None:
            raise DataError(
                f"{name}: models whose progress is not known; give labels= of the samples, to "
                "resample both trajectories, progress= with the values at which they were, or "
                "aligned=True to compare models by their number"
            )
    values = [own for own in (given, *known) if own is not None]
    for other in values[1:]:
        if not np.array_equal(values[0], other):
            raise DataError("A, B, progress: different values of progress, expected the same")
    return values[0]


def _reached(model, name: str) -> np.ndarray | None:
    """Distributions of a model; None if all its entries are NaN."""
    missing = np.isnan(as_numpy(model, name)).all()
    return None if missing else as_distributions(model, name)


def configuration_distances(distance: np.ndarray, groups: Sequence | np.ndarray) -> np.ndarray:
    """Average distances between trajectories over the seeds of each pair of groups.

    Parameters
    ----------
    distance : (T, T) symmetric, NaN where undefined
    groups : T labels

    Returns
    -------
    (n, n) symmetric, groups in the order of first appearance; the diagonal is the mean distance
    between different seeds of a group, NaN for a single seed

    Raises
    ------
    DataError
        If the numbers of distances and labels differ.

    Examples
    --------
    >>> import numpy as np
    >>> D = np.array([[0.0, 0.1, 0.4], [0.1, 0.0, 0.6], [0.4, 0.6, 0.0]])
    >>> configuration_distances(D, ["a", "a", "b"])
    array([[0.1, 0.5],
           [0.5, nan]])
    """
    names = list(dict.fromkeys(groups))
    groups, distance = np.asarray(groups), as_numpy(distance, "distance")
    if distance.shape != (len(groups), len(groups)):
        expected = (len(groups), len(groups))
        raise DataError(f"distance: shape {distance.shape}, expected {expected}, one row per label")
    result = np.full((len(names), len(names)), np.nan)
    for i, first in enumerate(names):
        for j, second in enumerate(names[: i + 1]):
            block = distance[np.ix_(groups == first, groups == second)]
            if i == j:
                block = block[~np.eye(len(block), dtype=bool)]
            block = block[~np.isnan(block)]
            if block.size:
                result[i, j] = result[j, i] = block.mean()
    return result
