"""Re-indexing a trajectory by progress instead of time (thesis 2.2, after Eq. 2.2.4)."""

import numpy as np

from hyperribbon.probability import geodesic
from hyperribbon.probability import progress as progress_of


def crossings(progress: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First forward crossing of each grid value by a trajectory's progress.

    Progress need not increase along training. A value s is crossed first at the first k with
    progress[k] <= s <= progress[k + 1].

    Parameters
    ----------
    progress : (K,) of successive checkpoints
    grid : (G,) values of progress

    Returns
    -------
    k : (G,) int, checkpoint before the crossing, -1 where the value is never crossed
    fraction : (G,) float, of the way from checkpoint k to k + 1, NaN where never crossed

    Examples
    --------
    >>> crossings(np.array([0.0, 0.4, 0.2, 0.8]), np.array([0.3, 0.6, 0.9]))
    (array([ 0,  2, -1]), array([0.75      , 0.66666667,        nan]))
    """
    before, after = progress[:-1, None], progress[1:, None]
    crossed = (before <= grid) & (grid <= after)
    k = np.where(crossed.any(axis=0), crossed.argmax(axis=0), -1)
    width = progress[k + 1] - progress[k]
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.where(width > 0, (grid - progress[k]) / width, 0.0)
    return k, np.where(k >= 0, fraction, np.nan)


def resample_trajectory(P: np.ndarray, labels: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Models of a trajectory at given values of progress.

    Between two checkpoints, the model is on the geodesic between them.

    Parameters
    ----------
    P : (K, N, C) models in the order of training
    labels : (N,) true classes
    grid : (G,) values of progress

    Returns
    -------
    (G, N, C) float64, NaN where a value is never reached

    Examples
    --------
    >>> import numpy as np
    >>> P = np.array([[[0.5, 0.5]], [[0.9, 0.1]]])
    >>> resample_trajectory(P, np.array([0]), np.array([0.0, 1.0])).round(3).tolist()
    [[[0.5, 0.5]], [[nan, nan]]]
    """
    k, fraction = crossings(progress_of(P, labels), np.asarray(grid, dtype=np.float64))
    resampled = np.full((len(k), *P.shape[1:]), np.nan)
    reached = k >= 0
    resampled[reached] = geodesic(P[k[reached]], P[k[reached] + 1], fraction[reached])
    return resampled
