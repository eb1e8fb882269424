"""Paths and planes in the space of inputs: straight, and nearer to the data."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse.csgraph import dijkstra
from sklearn.neighbors import kneighbors_graph

from hyperribbon.errors import DataError


class Plane(NamedTuple):
    """A plane in the space of inputs."""

    origin: np.ndarray
    """(d,) the mean of the three points."""
    basis: np.ndarray
    """(d, 2) orthonormal directions."""
    corners: np.ndarray
    """(3, 2) coordinates of the three points."""

    def points(self, coordinates: ArrayLike) -> np.ndarray:
        """Inputs (B, d) at coordinates (B, 2)."""
        return self.origin + np.asarray(coordinates, dtype=float) @ self.basis.T


def straight_paths(start: ArrayLike, stop: ArrayLike, steps: int) -> np.ndarray:
    """Straight paths between pairs of inputs.

    Parameters
    ----------
    start, stop : (P, d)
        Ends of the paths.
    steps : int
        Points on each, ends included; at least 2.

    Returns
    -------
    (P, steps, d)

    Raises
    ------
    DataError
        If the ends have different shapes, or there are fewer than 2 steps.

    Examples
    --------
    >>> straight_paths([[0.0, 0.0]], [[1.0, 2.0]], 3)[0]
    array([[0. , 0. ],
           [0.5, 1. ],
           [1. , 2. ]])
    """
    first, last = _ends(start, stop, steps)
    positions = np.linspace(0, 1, steps)[:, None]
    return first[:, None] + (last - first)[:, None] * positions


def neighbour_paths(
    samples: ArrayLike, start: ArrayLike, stop: ArrayLike, steps: int, neighbours: int = 10
) -> np.ndarray:
    """Paths between pairs of inputs by way of data: shortest ones in a graph of neighbours.

    The graph joins each sample, and each end, to its nearest neighbours; its edges are as long as
    the distances. A path follows straight edges between samples, so between them it leaves the data
    by no more than the distance of neighbours. The graph of m samples and ends costs m^2 d.

    Parameters
    ----------
    samples : (N, d)
        The data, such as a training set.
    start, stop : (P, d)
        Ends of the paths.
    steps : int
        Points on each, evenly spaced along it, ends included; at least 2.
    neighbours : int
        Number of nearest neighbours.

    Returns
    -------
    (P, steps, d)

    Raises
    ------
    DataError
        If shapes do not agree, there are not enough samples, or the graph does not join a pair.

    Examples
    --------
    Along a half-circle of samples, not straight through the middle.

    >>> angles = np.linspace(0, np.pi, 101)
    >>> circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    >>> neighbour_paths(circle, circle[:1], circle[-1:], 3, neighbours=4)[0].round(2) + 0.0
    array([[ 1.,  0.],
           [ 0.,  1.],
           [-1.,  0.]])
    """
    first, last = _ends(start, stop, steps)
    data = np.asarray(samples, dtype=float)
    if data.ndim != 2 or data.shape[1] != first.shape[1]:
        raise DataError(f"samples: shape {data.shape}, expected (N, {first.shape[1]})")
    if not 1 <= neighbours < len(data):
        raise DataError(f"neighbours: {neighbours}, expected 1 to {len(data) - 1}, fewer than all")
    n, pairs = len(data), len(first)
    points = np.concatenate([data, first, last])
    graph = kneighbors_graph(points, neighbours, mode="distance")
    graph = graph.maximum(graph.T)
    graph.data = np.maximum(graph.data, np.finfo(float).tiny)  # an edge of length 0 is none
    _, before = dijkstra(graph, indices=np.arange(n, n + pairs), return_predecessors=True)
    found = np.empty((pairs, steps, points.shape[1]))
    for pair in range(pairs):
        here, way = n + pairs + pair, []
        while here >= 0:
            way.append(here)
            here = before[pair, here]
        if way[-1] != n + pair:
            raise DataError(
                f"neighbours: {neighbours}: they do not join pair {pair}, expected more of them"
            )
        found[pair] = _evenly_along(points[way[::-1]], steps)
    return found


def plane_through(points: ArrayLike) -> Plane:
    """The plane through three inputs.

    Parameters
    ----------
    points : (3, d)

    Returns
    -------
    Plane

    Raises
    ------
    DataError
        If the points are not three, or lie on a line.

    Examples
    --------
    >>> corners = np.eye(3)
    >>> plane = plane_through(corners)
    >>> np.allclose(plane.points(plane.corners), corners)
    True
    """
    three = np.asarray(points, dtype=float)
    if three.ndim != 2 or len(three) != 3:
        raise DataError(f"points: shape {three.shape}, expected (3, d)")
    origin = three.mean(axis=0)
    edges = three[1:] - three[0]
    if np.linalg.matrix_rank(edges) < 2:
        raise DataError("points: all three on a line, expected three that span a plane")
    basis = np.linalg.qr(edges.T)[0]
    return Plane(origin, basis, (three - origin) @ basis)


def _ends(start: ArrayLike, stop: ArrayLike, steps: int) -> tuple[np.ndarray, np.ndarray]:
    first, last = np.asarray(start, dtype=float), np.asarray(stop, dtype=float)
    if first.ndim != 2 or first.shape != last.shape:
        raise DataError(f"stop: shape {last.shape}, start {first.shape}, expected (P, d) for both")
    if steps < 2:
        raise DataError(f"steps: {steps}, expected at least 2")
    return first, last


def _evenly_along(corners: np.ndarray, steps: int) -> np.ndarray:
    """Points (steps, d) evenly spaced along the line through corners (K, d)."""
    lengths = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    where = np.linspace(0, along[-1], steps)
    segment = np.clip(np.searchsorted(along, where, side="right") - 1, 0, len(lengths) - 1)
    part = (where - along[segment]) / np.maximum(lengths[segment], np.finfo(float).tiny)
    return corners[segment] + part[:, None] * (corners[segment + 1] - corners[segment])
