"""Trajectories against each other, the geodesic and their own mean, at equal progress."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.probability.geodesic import arc_length
from hyperribbon.trajectories.resampling import crossings


class Comparison(NamedTuple):
    """Distances at equal progress; NaN where a trajectory does not reach it.

    distance : (T, T), d_traj of Eq. 2.2.5: mean Bhattacharyya distance over the grid values that
        both trajectories reach; NaN if there is none
    common : (T, T) int, how many grid values both reach
    to_geodesic : (T, G), from the geodesic's point of that progress
    to_mean : (T, G), from the arithmetic mean of the group's models of that progress (the tube
        of 3.5.6); NaN where fewer than two of the group reach it
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
    groups: Sequence,
    *,
    show_progress: bool = False,
) -> Comparison:
    """Compare trajectories after re-indexing them by progress.

    Parameters
    ----------
    trajectories : T arrays (K, N, C), K may differ; zarr arrays are read a checkpoint at a time
    progress : T arrays (K,), of their checkpoints
    labels : (N,) true classes
    grid : (G,) values of progress
    groups : T labels; trajectories of one label differ by their seed only
    show_progress : bool, show a bar; quiet when the output is not a terminal

    Notes
    -----
    Memory is O(T N C), whatever K and G. Costs G T^2 N C / 2 multiplications.
    """
    groups = np.asarray(groups)
    n_trajectories, n_classes = len(trajectories), trajectories[0].shape[-1]
    brackets = [crossings(np.asarray(s), grid) for s in progress]
    start, end = ignorance(len(labels), n_classes), truth(labels, n_classes)
    total = np.zeros((n_trajectories, n_trajectories))
    common = np.zeros((n_trajectories, n_trajectories), dtype=np.int64)
    to_geodesic = np.full((n_trajectories, len(grid)), np.nan)
    to_mean = np.full((n_trajectories, len(grid)), np.nan)

    # Successive grid values mostly fall between the same two checkpoints.
    @lru_cache(maxsize=2 * n_trajectories)
    def checkpoint(t: int, k: int) -> np.ndarray:
        return np.asarray(trajectories[t][k])

    values = tqdm(
        grid, desc="re-indexing", unit="value", leave=False, disable=None if show_progress else True
    )
    for g, value in enumerate(values):
        reached = [t for t in range(n_trajectories) if brackets[t][0][g] >= 0]
        if not reached:
            continue
        models = []
        for t in reached:
            k, fraction = (part[g] for part in brackets[t])
            models.append(geodesic(checkpoint(t, k), checkpoint(t, k + 1), fraction))
        P = np.stack(models)
        pairs = np.ix_(reached, reached)
        total[pairs] += pairwise_distance(P)
        common[pairs] += 1
        to_geodesic[reached, g] = pairwise_distance(P, geodesic(start, end, value)[None])[:, 0]
        for group in np.unique(groups[reached]):
            members = np.flatnonzero(groups[reached] == group)
            if len(members) > 1:
                mean = P[members].mean(axis=0, keepdims=True)
                rows = np.asarray(reached)[members]
                to_mean[rows, g] = pairwise_distance(P[members], mean)[:, 0]
    with np.errstate(invalid="ignore"):
        distance = total / common
    return Comparison(distance, common, to_geodesic, to_mean)


def trajectory_length(P) -> float:
    """Riemannian length: sum of the mean arcs between consecutive models of P, (K, N, C).

    Arcs are arccos of the Bhattacharyya coefficient, averaged over samples (radians); the
    geodesic from ignorance to truth has length arccos(1 / sqrt C).

    Examples
    --------
    >>> import numpy as np
    >>> round(trajectory_length(np.array([[[0.5, 0.5]], [[1.0, 0.0]]])), 4)  # pi / 4
    0.7854
    """
    return float(sum(arc_length(P[k], P[k + 1]) for k in range(P.shape[0] - 1)))


def configuration_distances(distance: np.ndarray, groups: Sequence) -> np.ndarray:
    """Distances between trajectories averaged over the seeds of each two groups.

    Parameters
    ----------
    distance : (T, T), NaN where undefined
    groups : T labels

    Returns
    -------
    (n, n), groups in their order of first appearance; the diagonal is the mean distance between
    different seeds of one group, NaN for a single seed
    """
    names = list(dict.fromkeys(groups))
    groups = np.asarray(groups)
    result = np.full((len(names), len(names)), np.nan)
    for i, first in enumerate(names):
        for j, second in enumerate(names):
            block = distance[np.ix_(groups == first, groups == second)]
            if i == j:
                block = block[~np.eye(len(block), dtype=bool)]
            block = block[np.isfinite(block)]
            if block.size:
                result[i, j] = block.mean()
    return result
