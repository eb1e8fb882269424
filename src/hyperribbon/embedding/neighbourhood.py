"""Which models are near given points, and which are away from the manifold (thesis 2.3)."""

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy, check_size

# Radii of the thesis, in nats, for ten classes: around points of the geodesic (Figs. 2.2d, 2.18c)
# and ends of trajectories (2.18d), and the distance from the truth beyond which models are away
# from the manifold (2.3).
NEAR_GEODESIC = {"train": 0.15, "test": 0.3}
NEAR_END = 0.45
AWAY = 2.0


def for_classes(radius: float, n_classes: int) -> float:
    """Scale a radius for ten classes with the distance from ignorance to truth, ln(C) / 2.

    Examples
    --------
    >>> for_classes(2.0, 10), round(for_classes(2.0, 100), 6)
    (2.0, 4.0)
    """
    return float(radius * np.log(check_size(n_classes, "n_classes", least=2)) / np.log(10))


def is_away(to_truth: np.ndarray, n_classes: int) -> np.ndarray:
    """Whether models are away from the manifold (Fig. 2.3): d_B(P, P*) > 2 nats for ten classes.

    Such models are worse than ignorance, which is 1.15 nats from the truth.

    Parameters
    ----------
    to_truth : (m,) Bhattacharyya distances from the truth, nats
    n_classes : int

    Returns
    -------
    (m,) bool

    Examples
    --------
    >>> is_away(np.array([1.15, 2.1]), 10).tolist()
    [False, True]
    """
    return as_numpy(to_truth, "to_truth") > for_classes(AWAY, n_classes)


def nearest_within(distance: np.ndarray, radius: float) -> np.ndarray:
    """The nearest of some points to each model, if it is within a radius.

    Parameters
    ----------
    distance : (k, m) distances from k points to m models
    radius : float, in the units of the distance

    Returns
    -------
    (m,) int, 0 to k - 1, or -1 where no point is within the radius

    Raises
    ------
    DataError
        If there are no points.

    Examples
    --------
    >>> nearest_within(np.array([[0.1, 0.5], [0.2, 0.9]]), 0.3).tolist()
    [0, -1]
    """
    distance = as_numpy(distance, "distance")
    if distance.ndim != 2 or not len(distance):
        raise DataError(f"distance: shape {distance.shape}, expected (points, models)")
    return np.where(distance.min(axis=0) <= radius, distance.argmin(axis=0), -1)
