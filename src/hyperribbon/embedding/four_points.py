"""All models in an embedding of four points: ignorance, truth and two averages (thesis 2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from hyperribbon.embedding.inpca import InPCA
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import n_threads
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability.distributions import ignorance, truth
from hyperribbon.probability.progress_average import SIGMA, progress_weighted_sums
from hyperribbon.runtime.cluster import each

# The averages are at progress s and 1 - s. The thesis shows s = 0.2 for all models, and 0.3 for
# three configurations.
VALUES = (0.1, 0.2, 0.3, 0.4)
DIMENSIONS = 3


class FourPoints(NamedTuple):
    """All models among ignorance, truth, and the averages at progress s and 1 - s."""

    inpca: InPCA
    """Of three dimensions, fitted to the four points."""
    embedding: np.ndarray
    """(m, 3), all models placed in it (Eq. 2.2.9)."""


def embed_four_points(
    trajectories: Sequence,
    progress: np.ndarray,
    labels: np.ndarray,
    *,
    values: Sequence[float] = VALUES,
    smoothing: float = 0.0,
    threads: int | None = None,
) -> dict[float, FourPoints]:
    """Place all models in embeddings of ignorance, truth and two averages.

    Parameters
    ----------
    trajectories : models (K, N, C) of each training, any arrays with slices
    progress : (m,) of all models, in order
    labels : (N,) true classes
    values : s, one embedding for each
    smoothing : of the truth, as in `hyperribbon.probability.truth`
    threads : int, all cores by default

    Returns
    -------
    dict of FourPoints by s, without the values that no model is near

    Raises
    ------
    DataError
        If the progress is not that of as many models, or rows are not distributions.

    Examples
    --------
    >>> P = np.linspace(0.5, 1, 9)[:, None, None] * [1, -1] + [0, 1]
    >>> labels = np.array([0])
    >>> found = embed_four_points([P], np.linspace(0, 1, 9), labels, values=[0.2])
    >>> found[0.2].inpca.embedding_.shape, found[0.2].embedding.shape
    ((4, 3), (9, 3))
    """
    averages = averages_at(trajectories, progress, values, threads=threads)
    n_classes = trajectories[0].shape[2]
    ends = [ignorance(len(labels), n_classes), truth(labels, n_classes, smoothing)]
    points = np.concatenate([ends, *averages.values()])
    among = pairwise_distance(points, floor=FLOOR, threads=threads)
    # The predictions are read once for all values.
    to_points = pairwise_distance(list(trajectories), points, floor=FLOOR, threads=threads)
    found = {}
    for k, s in enumerate(averages):
        four = [0, 2 + 2 * k, 3 + 2 * k, 1]
        inpca = InPCA(DIMENSIONS, metric="precomputed").fit(among[np.ix_(four, four)])
        found[s] = FourPoints(inpca, inpca.transform(to_points[:, four]))
    return found


def averages_at(
    trajectories: Sequence,
    progress: np.ndarray,
    values: Sequence[float] = VALUES,
    *,
    threads: int | None = None,
) -> dict[float, np.ndarray]:
    """Averages of all models near progress s and near 1 - s (Eq. 2.4.1).

    Parameters are those of `embed_four_points`.

    Returns
    -------
    dict of (2, N, C) float64 by s, without the values that no model is near

    Raises
    ------
    DataError
        If the progress is not that of as many models, or rows are not distributions.

    Examples
    --------
    >>> P = np.linspace(0.5, 1, 9)[:, None, None] * [1, -1] + [0, 1]
    >>> averages_at([P], np.linspace(0, 1, 9), [0.2])[0.2][:, 0, 0].round(2).tolist()
    [0.6, 0.9]
    """
    both = np.array([*values, *(1 - s for s in values)])
    bounds = np.cumsum([len(P) for P in trajectories])
    if np.shape(progress) != (m := int(bounds[-1]),):
        raise DataError(f"progress: shape {np.shape(progress)}, expected ({m},)")
    total: Any = 0.0
    weights = np.zeros(len(both))
    pairs = list(zip(trajectories, np.split(progress, bounds[:-1]), strict=True))
    threads = threads or n_threads()
    for start in range(0, len(pairs), threads):  # as many sums in memory as threads
        some = pairs[start : start + threads]
        for sums, weight in each(partial(_sums, values=both), some, threads=threads):
            total = total + sums
            weights += weight
    near = (np.abs(progress - both[:, None]) < 2 * SIGMA).any(axis=1)
    n = len(values)
    return {
        s: total[[k, k + n]] / weights[[k, k + n], None, None]
        for k, s in enumerate(values)
        if near[k] and near[k + n]
    }


def _sums(pair: tuple[Any, np.ndarray], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return progress_weighted_sums(*pair, values)
