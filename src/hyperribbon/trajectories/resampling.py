"""Re-indexing a trajectory by progress instead of time (thesis 2.2, after Eq. 2.2.4)."""

from __future__ import annotations

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability import geodesic
from hyperribbon.probability import progress as progress_of
from hyperribbon.probability.distributions import as_numpy, check_shape, read_rows, sliceable
from hyperribbon.probability.views import are_trajectories, trajectories_of


def crossings(progress: np.ndarray, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find where a trajectory's progress first crosses each grid value in the forward direction.

    Progress need not increase along training. The first crossing of a value s is at the first k
    with progress[k] <= s <= progress[k + 1]. A trajectory of one checkpoint crosses nothing.

    Parameters
    ----------
    progress : (K,) progress of successive checkpoints
    grid : (G,) values of progress

    Returns
    -------
    k : (G,) int, checkpoint before the crossing, -1 where there is none
    fraction : (G,) float, fraction of the way from checkpoint k to k + 1, NaN where k is -1

    Raises
    ------
    DataError
        If progress or grid is not a list of numbers from 0 to 1.

    Examples
    --------
    >>> crossings(np.array([0.0, 0.4, 0.2, 0.8]), np.array([0.3, 0.6, 0.9]))
    (array([ 0,  2, -1]), array([0.75      , 0.66666667,        nan]))
    """
    progress, grid = check_values(progress, "progress"), check_values(grid, "grid")
    if len(progress) == 1:
        return np.full(len(grid), -1), np.full(len(grid), np.nan)
    before, after = progress[:-1, None], progress[1:, None]
    crossed = (before <= grid) & (grid <= after)
    k = np.where(crossed.any(axis=0), crossed.argmax(axis=0), -1)
    width = progress[k + 1] - progress[k]
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.where(width > 0, (grid - progress[k]) / width, 0.0)
    return k, np.where(k >= 0, fraction, np.nan)


def check_values(values: np.ndarray, name: str) -> np.ndarray:
    """Return values of progress as (n,) float64; a DataError unless all are from 0 to 1."""
    values = as_numpy(values, name).astype(np.float64)
    if values.ndim != 1 or values.size == 0:
        raise DataError(f"{name}: shape {values.shape}, expected a list of values of progress")
    if not ((values >= 0) & (values <= 1)).all():
        raise DataError(
            f"{name}: from {values.min():.6g} to {values.max():.6g}, expected all within [0, 1]"
        )
    return values


class Resampled(np.ndarray):
    """Models of a trajectory (G, N, C) that know their values of progress.

    Otherwise a numpy array. Slices and results of arithmetic have no ``progress``, because they may
    hold other models or another order.

    Attributes
    ----------
    progress : (G,) values of progress, or None
    """

    progress: np.ndarray | None = None

    def __reduce__(self):
        return Resampled.at, (np.asarray(self), self.progress)

    @classmethod
    def at(cls, models: np.ndarray, progress: np.ndarray | None) -> Resampled:
        """View models as resampled at these values of progress."""
        resampled = models.view(cls)
        resampled.progress = progress
        return resampled


def resample_trajectory(
    P, labels: np.ndarray, grid: np.ndarray, *, smoothing: float = 0.0, prior=None
) -> Resampled | list[Resampled]:
    """Resample a trajectory at given values of progress (thesis 2.2, before Eq. 2.2.5).

    At the first forward crossing of a value, the model is interpolated on the geodesic between the
    two checkpoints, in proportion to their values of progress.

    Parameters
    ----------
    P : (K, N, C) models in the order of training; any sliceable array: numpy, torch, dask, zarr.
        Also (S, K, N, C), K checkpoints of S trainings, or a sequence of trajectories
    labels : (N,) true classes
    grid : (G,) values of progress in [0, 1]
    smoothing : float in [0, 1), label smoothing of the truth, as in `truth`
    prior : of ignorance, as in `ignorance`

    Returns
    -------
    (G, N, C) float64, NaN where a value is never reached. Its attribute ``progress`` is the grid,
    which `trajectory_distance` needs. Of several trajectories, a list of these

    Raises
    ------
    DataError
        If rows are not distributions, labels do not fit, or a grid value is outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> P = np.array([[[0.5, 0.5]], [[0.9, 0.1]]])
    >>> resample_trajectory(P, np.array([0]), np.array([0.0, 1.0])).round(3).tolist()
    [[[0.5, 0.5]], [[nan, nan]]]
    """
    if are_trajectories(P):
        return [_resampled(one, labels, grid, smoothing, prior) for one in trajectories_of(P)]
    return _resampled(P, labels, grid, smoothing, prior)


def _resampled(P, labels: np.ndarray, grid: np.ndarray, smoothing: float, prior) -> Resampled:
    P = sliceable(P, "P")
    check_shape(P, ndim=3)
    grid = check_values(grid, "grid")
    along = progress_of(P, labels, smoothing=smoothing, prior=prior)
    k, fraction = crossings(np.asarray(along), grid)
    resampled = np.full((len(grid), *P.shape[1:]), np.nan)
    for step in np.unique(k[k >= 0]):
        here = k == step
        pair = read_rows(P[step : step + 2])
        resampled[here] = geodesic(pair[0], pair[1], fraction[here])
    return Resampled.at(resampled, grid)
