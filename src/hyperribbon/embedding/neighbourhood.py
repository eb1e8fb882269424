"""Which models are near given points, and which are away from the manifold (thesis 2.3)."""

import numpy as np
import pandas as pd

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy, check_size

# Radii of the thesis, in nats, for ten classes: around points of the geodesic (Figs. 2.2d, 2.18c)
# and ends of trajectories (2.18d), and the distance from the truth beyond which models are away
# from the manifold (2.3).
NEAR_GEODESIC = {"train": 0.15, "test": 0.3}
NEAR_END = 0.45
AWAY = 2.0
ON_GEODESIC = (0.02, 0.5, 0.98)  # points A, B and C of Fig. 2.2d


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


def places(
    models: pd.DataFrame,
    distance,
    to_geodesic: np.ndarray,
    alpha: np.ndarray,
    *,
    n_classes: int,
    geodesic_radius: float,
) -> pd.DataFrame:
    """Where models are: how far from ignorance and truth, near which points, and whether away.

    The points are three on the geodesic, and the ends of trajectories: of each network with each
    augmentation, that of the first training.

    Parameters
    ----------
    models : one row per model in the order of training, numbered from 0: configuration, network,
        augmentation, seed
    distance : (m, m) Bhattacharyya distances in nats, a NumPy or Zarr array
    to_geodesic : (G, m) from points on the geodesic, from ignorance to truth, nats
    alpha : (G,) of these points, from 0 to 1
    n_classes : int
    geodesic_radius : nats, for ten classes; for instance one of `NEAR_GEODESIC`

    Returns
    -------
    DataFrame, one row per model: distance_to_ignorance and distance_to_truth (nats), away (bool),
    near_geodesic and near_end (names of points, ``none`` if none is within the radius)

    Examples
    --------
    >>> models = pd.DataFrame({"configuration": "a", "network": "N", "augmentation": "none",
    ...                        "seed": [0, 0]})
    >>> D, to_geodesic = np.array([[0.0, 3.0], [3.0, 0.0]]), np.array([[0.0, 3.0], [1.2, 4.0]])
    >>> places(models, D, to_geodesic, np.array([0.0, 1.0]), n_classes=10,
    ...        geodesic_radius=0.15).values.tolist()
    [[0.0, 1.2, False, '0.00', 'none'], [3.0, 4.0, True, 'none', 'N']]
    """
    chosen = [np.abs(alpha - s).argmin() for s in ON_GEODESIC]
    radius = for_classes(geodesic_radius, n_classes)
    factors = ["network", "augmentation"]
    ends = models.groupby([*factors, "configuration", "seed"], sort=False).tail(1)
    ends = ends.drop_duplicates(factors)  # the thesis has five chosen ones
    rows = ends.index.to_numpy()
    to_ends = distance.oindex[rows, slice(None)] if hasattr(distance, "oindex") else distance[rows]
    several = ends["augmentation"].nunique() > 1
    names = ends["network"] + (" " + ends["augmentation"] if several else "")
    near_end = nearest_within(to_ends, for_classes(NEAR_END, n_classes))
    near_geodesic = nearest_within(to_geodesic[chosen], radius)
    return pd.DataFrame(
        {
            "distance_to_ignorance": to_geodesic[0],
            "distance_to_truth": to_geodesic[-1],
            "away": is_away(to_geodesic[-1], n_classes),
            "near_geodesic": _named(near_geodesic, [f"{alpha[k]:.2f}" for k in chosen]),
            "near_end": _named(near_end, names.tolist()),
        }
    )


def _named(which: np.ndarray, names: list[str]) -> np.ndarray:
    """Names by position, none for -1."""
    return np.array([*names, "none"], dtype=object)[which]
