"""Trainings by a corner: how near to ignorance they come, and where they rejoin the manifold.

A corner is the truth of random labels. Trainings go to one, then from it to the true labels; others
are direct (thesis 2.5.4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from hyperribbon.probability.distance import bhattacharyya_distance
from hyperribbon.probability.distributions import ignorance, truth
from hyperribbon.probability.geodesic import geodesic

REJOINED = 0.15  # nats to the nearest model that was trained directly
GEODESIC_POINTS = 51  # with the middle, where it is nearest to ignorance
_ALIKE = ["network", "optimiser", "augmentation"]


def distance_to_direct(
    models: pd.DataFrame, distance, direct: np.ndarray, by_corner: np.ndarray
) -> np.ndarray:
    """Distance from models of trainings by a corner to the nearest of direct trainings.

    These have the same network, optimiser and augmentation.

    Parameters
    ----------
    models : one row per model, numbered from 0: configuration, network, optimiser, augmentation,
        seed
    distance : (m, m), a NumPy or Zarr array; the rows of one training are in memory at a time
    direct : (m,) bool, models of direct trainings
    by_corner : (m,) bool, models of trainings by a corner

    Returns
    -------
    (m,) in the units of the distance; NaN for all that are not by a corner, and for those without
    any direct training beside them

    Examples
    --------
    >>> models = pd.DataFrame({"configuration": list("aab"), "network": "N", "optimiser": "O",
    ...                        "augmentation": "none", "seed": 0})
    >>> D = np.array([[0.0, 1.0, 4.0], [1.0, 0.0, 2.0], [4.0, 2.0, 0.0]])
    >>> distance_to_direct(models, D, np.array([True, True, False]), np.array([False, False, True]))
    array([nan, nan,  2.])
    """
    found = np.full(len(models), np.nan)
    for _, alike in models.groupby(_ALIKE, sort=False):
        columns = alike.index[direct[alike.index]].to_numpy()
        trainings = alike[by_corner[alike.index]].groupby(["configuration", "seed"], sort=False)
        for _, training in trainings:
            if len(columns):
                rows = training.index.to_numpy()
                read = getattr(distance, "oindex", None)  # of Zarr
                some = distance[np.ix_(rows, columns)] if read is None else read[rows, columns]
                found[rows] = some.min(axis=1)
    return found


def approach_to_corner(P, labels: np.ndarray, smoothing: float = 0.0) -> np.ndarray:
    """Distance of each model to a corner, and its error on the labels of the corner.

    Parameters
    ----------
    P : (K, N, C) models, any array with slices; one is in memory at a time
    labels : (N,) random labels of the corner
    smoothing : as of `hyperribbon.probability.truth`

    Returns
    -------
    (K, 2) float64: Bhattacharyya distance in nats, share of the samples

    Examples
    --------
    >>> approach_to_corner(np.full((1, 3, 2), 0.5), np.array([0, 1, 1])).round(3).tolist()
    [[0.347, 0.667]]
    """
    corner = truth(labels, P.shape[2], smoothing)
    found = np.empty((len(P), 2))
    for k in range(len(P)):
        p = np.asarray(P[k])
        found[k] = bhattacharyya_distance(p, corner), (p.argmax(axis=1) != labels).mean()
    return found


def geodesic_distance_to_ignorance(start: np.ndarray, end: np.ndarray) -> float:
    """How near the geodesic between two models comes to ignorance.

    Parameters
    ----------
    start, end : (N, C) distributions

    Returns
    -------
    float, nats; the least of 51 evenly spaced points

    Examples
    --------
    >>> truths = np.eye(2)
    >>> round(geodesic_distance_to_ignorance(truths, truths[::-1]), 6)
    0.0
    """
    middle = ignorance(*end.shape)
    return float(
        min(
            bhattacharyya_distance(geodesic(start, end, alpha), middle)
            for alpha in np.linspace(0, 1, GEODESIC_POINTS)
        )
    )


def expected_geodesic_distance(n_classes: int) -> float:
    """How near geodesics from a corner to the truth are expected to come to ignorance (2.5.4).

    Of the random labels 1/C are true.

    Parameters
    ----------
    n_classes : int, C

    Returns
    -------
    float, nats

    Examples
    --------
    >>> round(expected_geodesic_distance(10), 3)
    0.839
    """
    true = 1 / n_classes
    return (true * math.log(n_classes) + (1 - true) * math.log(n_classes / 2)) / 2


def rejoining(
    distance_to_ignorance: np.ndarray,
    distance_to_manifold: np.ndarray,
    progress: np.ndarray,
    epoch: Sequence[float],
) -> dict[str, float]:
    """Where a training from a corner is nearest to ignorance, and where it rejoins the manifold.

    Parameters
    ----------
    distance_to_ignorance : (K,) of the models of a training, nats
    distance_to_manifold : (K,) to the nearest model of a direct training, nats
    progress : (K,) towards the truth
    epoch : (K,)

    Returns
    -------
    dict of min_distance_to_ignorance, progress_at_min, and rejoining_progress and rejoining_epoch
    of the first model within 0.15 nats of the manifold, NaN without one

    Examples
    --------
    >>> found = rejoining([0.3, 0.1, 0.9], [0.5, 0.2, 0.1], [0.0, 0.2, 0.9], [0, 1, 2])
    >>> list(found.values())
    [0.1, 0.2, 0.9, 2]
    """
    nearest = int(np.argmin(distance_to_ignorance))
    near = np.flatnonzero(np.asarray(distance_to_manifold) < REJOINED)
    return {
        "min_distance_to_ignorance": distance_to_ignorance[nearest],
        "progress_at_min": progress[nearest],
        "rejoining_progress": progress[near[0]] if len(near) else math.nan,
        "rejoining_epoch": epoch[near[0]] if len(near) else math.nan,
    }
