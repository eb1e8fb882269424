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
    permutations, threads : as of `hyperribbon.trajectories.importance.variable_importance`

    Returns
    -------
    DataFrame of `hyperribbon.trajectories.importance.variable_importance`

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 3.0, 3.1, 3.2])
    >>> trainings = pd.DataFrame({"configuration": list("abcdef"), "network": list("MMMNNN"),
    ...     "optimiser": list("xyzxyz"), "augmentation": "none", "algorithm": None,
    ...     "batch_size": None, "learning_rate": None, "weight_decay": None})
    >>> found = configuration_importance(trainings, (x[:, None] - x) ** 2, x, permutations=19)
    >>> sorted(found["factor"])
    ['distance to geodesic', 'network', 'optimiser']
    """
    configurations = trainings.drop_duplicates("configuration", ignore_index=True)
    groups = trainings["configuration"]
    means = pd.Series(to_geodesic).groupby(groups, sort=False).mean()
    return variable_importance(
        configuration_distances(distance, groups),
        separate_factors(configurations),
        means.to_numpy(),
        permutations=permutations,
        threads=threads,
    )
