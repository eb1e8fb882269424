"""The metric of a network of images: along paths between images, on planes, and at images."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from hyperribbon.errors import DataError, SingularMetricWarning
from hyperribbon.representations.boundary import Crossings, crossings
from hyperribbon.representations.features import FeatureMap
from hyperribbon.representations.metric import log_volume_element
from hyperribbon.representations.paths import Plane
from hyperribbon.representations.riemann import ricci_scalar

logger = logging.getLogger(__name__)

_MARGIN = 0.25  # of a plane around its three images, relative to their extent
_BATCH = 256  # inputs that are classified at once


class Pairs(NamedTuple):
    """Pairs of samples."""

    start: np.ndarray
    """(P,) int, positions of samples."""
    stop: np.ndarray
    """(P,) int."""
    same: np.ndarray
    """(P,) bool, whether both have the same class."""


class PathSurvey(NamedTuple):
    """What a network makes of paths."""

    log_volume: np.ndarray
    """(P, T) log volume elements, in nats."""
    rank: np.ndarray
    """(P, T) int, ranks of the metric."""
    predicted: np.ndarray
    """(P, T) int, classes."""
    crossings: Crossings


class PlaneSurvey(NamedTuple):
    """What a network makes of a plane; the metric is that of the plane's two directions."""

    log_volume: np.ndarray
    """(n, n) log volume elements; NaN where the metric is singular."""
    ricci: np.ndarray
    """(n, n) scalar curvature; NaN where the metric is singular, or without second derivatives."""
    predicted: np.ndarray
    """(n, n) int, classes."""


def choose_pairs(labels: ArrayLike, count: int, seed: int = 0) -> Pairs:
    """Random pairs of samples: first ``count`` of different classes, then as many of the same.

    No pair is chosen twice.

    Parameters
    ----------
    labels : (N,) int
    count : int
    seed : int

    Raises
    ------
    DataError
        If there are not as many pairs.

    Examples
    --------
    >>> pairs = choose_pairs([0, 0, 1, 1], 2)
    >>> pairs.same.tolist()
    [False, False, True, True]
    """
    classes = np.asarray(labels)
    rng = np.random.default_rng(seed)
    numbers = np.unique(classes, return_counts=True)[1].astype(int)
    same_pairs = int(np.sum(numbers * (numbers - 1) // 2))
    most = min(same_pairs, len(classes) * (len(classes) - 1) // 2 - same_pairs)
    if count > most:
        raise DataError(f"pairs: {count}, expected at most {most} of these {len(classes)} samples")
    found: dict[bool, dict[tuple[int, int], None]] = {False: {}, True: {}}
    while min(map(len, found.values())) < count:
        first, second = sorted(rng.choice(len(classes), 2, replace=False).tolist())
        chosen = found[bool(classes[first] == classes[second])]
        if len(chosen) < count:
            chosen[first, second] = None
    starts, stops = zip(*found[False], *found[True], strict=True)
    return Pairs(np.array(starts), np.array(stops), np.arange(2 * count) >= count)


def choose_triples(labels: ArrayLike, count: int, seed: int = 0) -> np.ndarray:
    """Random triples (count, 3) of samples of three different classes.

    Raises
    ------
    DataError
        If there are fewer than three classes.

    Examples
    --------
    >>> choose_triples([0, 1, 2], 1).shape
    (1, 3)
    """
    classes = np.asarray(labels)
    known = np.unique(classes)
    if count and len(known) < 3:
        raise DataError(f"planes: {count}, expected 0 with fewer than three classes")
    rng = np.random.default_rng([seed, 3])
    return np.array(
        [
            [rng.choice(np.flatnonzero(classes == c)) for c in rng.choice(known, 3, replace=False)]
            for _ in range(count)
        ],
        dtype=int,
    ).reshape(count, 3)


def classifier(network: nn.Module, input_shape: tuple[int, ...]) -> Callable:
    """Class of the largest logit, as a function of inputs (B, d).

    Parameters
    ----------
    network : in float64 and in evaluation mode
    input_shape : shape of one input
    """

    @torch.no_grad()
    def classify(x: np.ndarray) -> np.ndarray:
        blocks = torch.from_numpy(np.ascontiguousarray(x)).reshape(-1, *input_shape).split(_BATCH)
        return torch.cat([network(block).argmax(dim=1) for block in blocks]).numpy()

    return classify


def survey_paths(
    features: FeatureMap, classify: Callable, paths: np.ndarray, *, progress_bar: str | None = None
) -> PathSurvey:
    """Volume elements and classes along paths, and where the class changes.

    Parameters
    ----------
    features : function (B, d) -> (B, n)
    classify : function (B, d) -> (B,)
    paths : (P, T, d)
    progress_bar : str, optional
        Name of a progress bar to show; none if the output is not a terminal.
    """
    points = paths.reshape(-1, paths.shape[2])
    shape = paths.shape[:2]
    volume = log_volume_element(features, points, progress_bar=progress_bar)
    return PathSurvey(
        volume.log.reshape(shape),
        volume.rank.reshape(shape),
        np.asarray(classify(points)).reshape(shape),
        crossings(classify, paths),
    )


def plane_axes(plane: Plane, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates (n,) on both axes of a square around the three points of a plane.

    Examples
    --------
    >>> from hyperribbon.representations.paths import plane_through
    >>> x, y = plane_axes(plane_through(np.eye(3)), 5)
    >>> np.isclose(x[-1] - x[0], y[-1] - y[0]).item()
    True
    """
    low, high = plane.corners.min(axis=0), plane.corners.max(axis=0)
    half = (0.5 + _MARGIN) * (high - low).max()
    x, y = (low + high) / 2
    return np.linspace(x - half, x + half, n), np.linspace(y - half, y + half, n)


def survey_plane(features: FeatureMap, classify: Callable, plane: Plane, n: int) -> PlaneSurvey:
    """Volume element and curvature of a plane of inputs, and classes, on a grid of n x n points.

    Parameters
    ----------
    features : function (B, d) -> (B, k)
    classify : function (B, d) -> (B,)
    plane : Plane
    n : int
        Points on each of `plane_axes`.
    """
    x, y = np.meshgrid(*plane_axes(plane, n))
    points = plane.points(np.stack([x.ravel(), y.ravel()], axis=1))
    volume = log_volume_element(features, points, plane.basis)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SingularMetricWarning)  # NaN, as is said
            ricci = ricci_scalar(features, points, plane.basis)
    except DataError as error:
        logger.warning("no curvature of the plane: %s", error)
        ricci = np.full(n * n, np.nan)
    log = np.where(volume.rank == 2, volume.log, np.nan)
    predicted = np.asarray(classify(points))
    return PlaneSurvey(log.reshape(n, n), ricci.reshape(n, n), predicted.reshape(n, n))
