"""Trajectories as points: their InPCA embedding, and which factors make them differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.trajectories.comparison import configuration_distances
from hyperribbon.trajectories.factors import separate_factors
from hyperribbon.trajectories.gaps import comparable
from hyperribbon.trajectories.importance import variable_importance

LEAST = 4  # trajectories


class TrajectoryEmbedding(NamedTuple):
    """An InPCA of trajectories; see `embed_trajectories`."""

    rows: np.ndarray
    """(k,) positions of the trajectories that are embedded, increasing."""
    distance: np.ndarray
    """(k, k) of these."""
    inpca: InPCA
    """Fitted to them."""


def embed_trajectories(distance: np.ndarray, n_components: int = 100) -> TrajectoryEmbedding | None:
    """Embed trajectories by InPCA, without those that cannot be compared with others.

    Parameters
    ----------
    distance : (T, T) symmetric; NaN where two trajectories have no progress in common
    n_components : int, at most

    Returns
    -------
    TrajectoryEmbedding; None if there are fewer than four that can be compared

    Examples
    --------
    >>> D = np.ones((6, 6)) - np.eye(6)
    >>> D[5, 0] = D[5, 1] = D[0, 5] = D[1, 5] = np.nan
    >>> embed_trajectories(D).rows.tolist(), embed_trajectories(D[:3, :3])
    ([0, 1, 2, 3, 4], None)
    """
    rows = comparable(distance)
    if len(rows) < LEAST:
        return None
    D = distance[np.ix_(rows, rows)]
    inpca = InPCA(min(n_components, len(rows)), metric="precomputed", random_state=0)
    return TrajectoryEmbedding(rows, D, inpca.fit(D))


def configuration_importance(
    trainings: pd.DataFrame,
    distance: np.ndarray,
    to_geodesic: np.ndarray,
    *,
    permutations: int = 99,
    trees: int = 100,
    threads: int = 1,
) -> pd.DataFrame:
    """Importance of the factors of configurations for the distances of trajectories.

    Distances are averaged over seeds.

    Parameters
    ----------
    trainings : one row per trajectory: configuration, and the columns of
        `hyperribbon.trajectories.factors.separate_factors`
    distance : (T, T) of the trajectories, NaN where undefined
    to_geodesic : (T,) mean distance to the geodesic
    permutations, trees, threads : as of
        `hyperribbon.trajectories.importance.variable_importance`

    Returns
    -------
    DataFrame of `hyperribbon.trajectories.importance.variable_importance`

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 3.0, 3.1, 3.2])
    >>> trainings = pd.DataFrame({"configuration": list("abcdef"), "network": list("MMMNNN"),
    ...     "optimiser": list("xyzxyz"), "augmentation": "none", "algorithm": None,
    ...     "batch_size": None, "learning_rate": None, "weight_decay": None})
    >>> D = (x[:, None] - x) ** 2
    >>> found = configuration_importance(trainings, D, x, permutations=19, trees=20)
    >>> sorted(found["factor"])
    ['distance to geodesic', 'network', 'optimiser']
    """
    D, factors, means = _of_configurations(trainings, distance, to_geodesic)
    return variable_importance(
        D, factors, means, permutations=permutations, trees=trees, threads=threads
    )


def importance_without(
    trainings: pd.DataFrame,
    distance: np.ndarray,
    to_geodesic: np.ndarray,
    *,
    groups: int = 5,
    permutations: int = 10,
    trees: int = 100,
    threads: int = 1,
) -> pd.DataFrame:
    """Importance of factors without one random group of configurations after the other.

    These are the values that a jackknife takes. A bootstrap would draw some configurations twice,
    and pairs with the one would predict those with its copy. Fewer groups need fewer forests for
    the same error by permutations, which the jackknife multiplies by their number.

    Parameters
    ----------
    trainings, distance, to_geodesic, trees, threads : as of `configuration_importance`
    groups : number of groups; as many as configurations, if there are fewer
    permutations : of each factor

    Returns
    -------
    DataFrame, one row per group and factor: left_out (from 0), factor, importance

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 0.3, 3.0, 3.1, 3.2, 3.3])
    >>> trainings = pd.DataFrame({"configuration": list("abcdefgh"), "network": list("MMMMNNNN"),
    ...     "optimiser": list("wxyzwxyz"), "augmentation": "none", "algorithm": None,
    ...     "batch_size": None, "learning_rate": None, "weight_decay": None})
    >>> D = (x[:, None] - x) ** 2
    >>> found = importance_without(trainings, D, x, groups=4, permutations=3, trees=20)
    >>> sorted(found["left_out"].unique().tolist())
    [0, 1, 2, 3]
    """
    D, factors, means = _of_configurations(trainings, distance, to_geodesic)
    order = np.random.default_rng(0).permutation(len(factors))
    parts = []
    for k, left_out in enumerate(np.array_split(order, min(groups, len(factors)))):
        kept = np.setdiff1d(order, left_out)
        found = variable_importance(
            D[np.ix_(kept, kept)],
            factors.iloc[kept],
            means[kept],
            permutations=permutations,
            untested=0,
            trees=trees,
            threads=threads,
        )
        parts.append(found[["factor", "importance"]].assign(left_out=k))
    return pd.concat(parts)[["left_out", "factor", "importance"]]


def _of_configurations(
    trainings: pd.DataFrame, distance: np.ndarray, to_geodesic: np.ndarray
) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
    """Mean distances of configurations, their factors, and their distances to the geodesic."""
    groups = trainings["configuration"]
    factors = separate_factors(trainings.drop_duplicates("configuration", ignore_index=True))
    means = pd.Series(to_geodesic).groupby(groups, sort=False).mean().to_numpy()
    return configuration_distances(distance, groups), factors, means
