"""Where a classifier changes its mind: crossings of paths and boundaries in the plane."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial import KDTree

from hyperribbon.errors import DataError
from hyperribbon.representations.checks import finite_array

Classify = Callable[[np.ndarray], np.ndarray]
_BLOCK_NUMBERS = 2**22  # of inputs that are classified at once


class Crossings(NamedTuple):
    """Crossings of decision boundaries, in the order of the paths and along them."""

    path: np.ndarray
    """(K,) int, index of the path."""
    position: np.ndarray
    """(K,) where on the path, from 0 at its first point to 1 at its last; all segments between
    successive points count as equally long."""
    before: np.ndarray
    """(K,) class just before."""
    after: np.ndarray
    """(K,) class just after."""
    point: np.ndarray
    """(K, d) the crossing itself."""


def crossings(classify: Classify, paths: ArrayLike, tolerance: float = 1e-6) -> Crossings:
    """Find by bisection where the class changes along paths.

    A segment whose two ends have the same class counts as not crossed.

    Parameters
    ----------
    classify : function
        It maps inputs (B, d) to classes (B,).
    paths : (P, T, d)
        Each path as T points, T >= 2, such as from `straight_paths`.
    tolerance : float
        Largest error of a position, as a fraction of a segment.

    Returns
    -------
    Crossings

    Raises
    ------
    DataError
        If the paths have another shape or numbers that are not finite, or the classifier does not
        return one class for each input.

    Examples
    --------
    >>> found = crossings(lambda x: x[:, 0] > 0.3, [[[0.0], [0.5], [1.0]]])
    >>> found.position.round(4), found.before, found.after
    (array([0.3]), array([False]), array([ True]))
    """
    points = finite_array(paths, "paths", "P", "T", "d")
    if points.shape[1] < 2:
        raise DataError(f"paths: shape {points.shape}, expected at least 2 points on each")
    n_paths, n_points, d = points.shape
    classes = _classes(classify, points.reshape(-1, d)).reshape(n_paths, n_points)
    path, segment = np.nonzero(classes[:, 1:] != classes[:, :-1])
    first, last = points[path, segment], points[path, segment + 1]
    before, after = classes[path, segment], classes[path, segment + 1]
    low, high = np.zeros(len(path)), np.ones(len(path))
    while len(path) and high[0] - low[0] > tolerance:
        middle = (low + high) / 2
        there = _classes(classify, _between(first, last, middle))
        same = there == before
        low, high = np.where(same, middle, low), np.where(same, high, middle)
        after = np.where(same, after, there)
    position = (low + high) / 2
    return Crossings(
        path, (segment + position) / (n_points - 1), before, after, _between(first, last, position)
    )


def plane_boundary(classify: Classify, xs: ArrayLike, ys: ArrayLike) -> np.ndarray:
    """Points of the decision boundary in the plane, by bisection along the lines of a grid.

    Parameters
    ----------
    classify : function
        It maps points (B, 2) to classes (B,).
    xs : (X,)
        Increasing.
    ys : (Y,)
        Increasing.

    Returns
    -------
    (K, 2)
        Where the class changes along the edges of the grid; empty if it does not.

    Raises
    ------
    DataError
        As `crossings`.

    Examples
    --------
    >>> plane_boundary(lambda x: x.sum(axis=1) > 0.9, [0.0, 1.0], [0.0, 1.0]).round(4)
    array([[0.9, 0. ],
           [0. , 0.9]])
    """
    x, y = np.meshgrid(np.asarray(xs, dtype=float), np.asarray(ys, dtype=float))
    grid = np.stack([x, y], axis=-1)
    lines = [crossings(classify, way).point for way in (grid, grid.transpose(1, 0, 2))]
    return np.concatenate(lines)


def boundary_distance(points: ArrayLike, boundary: ArrayLike) -> np.ndarray:
    """Distance of points from the nearest point of a boundary.

    Parameters
    ----------
    points : (B, d)
    boundary : (K, d)
        Points of the boundary, such as from `plane_boundary`. A distance of many times their
        spacing h is right to h^2 / (8 distance); a shorter one to h / 2.

    Returns
    -------
    (B,)

    Raises
    ------
    DataError
        If the boundary has no points.

    Examples
    --------
    >>> boundary_distance([[0.0, 3.0]], [[0.0, 0.0], [4.0, 0.0]])
    array([3.])
    """
    where = np.asarray(boundary, dtype=float)
    if not len(where):
        raise DataError("boundary: no points, expected at least one; the class changes nowhere")
    return KDTree(where).query(np.asarray(points, dtype=float))[0]


def _classes(classify: Classify, x: np.ndarray) -> np.ndarray:
    """Classes of inputs (B, d), in blocks."""
    step = max(1, _BLOCK_NUMBERS // x.shape[1])
    found = []
    for start in range(0, len(x), step):
        inputs = x[start : start + step]
        classes = np.asarray(classify(inputs))
        if classes.shape != (len(inputs),):
            given = f"shape {classes.shape} for {len(inputs)} inputs"
            raise DataError(f"classify: returned {given}, expected one class for each")
        found.append(classes)
    return np.concatenate(found) if found else np.empty(0)


def _between(first: np.ndarray, last: np.ndarray, position: np.ndarray) -> np.ndarray:
    return first + (last - first) * position[:, None]
