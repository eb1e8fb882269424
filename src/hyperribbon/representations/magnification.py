"""Whether the volume element is large near decision boundaries, with controls.

At initialisation the volume element already falls with the radius, with a rank correlation of about
-0.98 in the plane, and decision boundaries often pass near the origin. A correlation of volume and
distance from the boundary therefore says nothing by itself: compare it with the change since
initialisation, and take the radius out.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from hyperribbon.errors import DataError
from hyperribbon.representations.checks import finite_array


class Magnification(NamedTuple):
    """Rank correlations (Spearman) with the distance from a boundary; negative: large near it."""

    volume: np.ndarray
    """(...) of the log volume element."""
    volume_without_radius: np.ndarray
    """(...) the same, partial: with the radius taken out of both ranks; NaN without a radius."""
    change: np.ndarray
    """(...) of its change since initialisation; NaN without an initial volume."""
    change_without_radius: np.ndarray
    """(...) the same, partial; NaN without a radius or an initial volume."""


class PathContrast(NamedTuple):
    """How the log volume element along paths stands out where they cross a boundary."""

    contrast: np.ndarray
    """(P,) log volume at the crossing above the straight line between its values at the ends, in
    nats."""
    peak: np.ndarray
    """(P,) position of the largest log volume, from 0 to 1."""


def magnification(
    log_volume: ArrayLike,
    distance: ArrayLike,
    radius: ArrayLike | None = None,
    initial: ArrayLike | None = None,
) -> Magnification:
    """Rank correlations of log volume elements with distances from a decision boundary.

    Parameters
    ----------
    log_volume : (..., B)
        At B points, such as for several seeds or epochs.
    distance : (B,) or (..., B)
        Of the points from the boundary.
    radius : (B,), optional
        Distance of the points from the origin, or another confounder, to take out.
    initial : (B,) or (..., B), optional
        Log volume elements at initialisation.

    Returns
    -------
    Magnification
        Each (...), NaN where a quantity is the same at all points.

    Raises
    ------
    DataError
        If shapes do not agree, there are fewer than 4 points, or a number is not finite.

    Examples
    --------
    >>> distance = np.arange(10.0)
    >>> magnification(-(distance**2), distance).volume
    array(-1.)
    """
    volume = _checked("log_volume", log_volume, None)
    distances = _checked("distance", distance, volume)
    far = None if radius is None else _ranks(_checked("radius", radius, volume))
    change = None if initial is None else volume - _checked("initial", initial, volume)
    near = _ranks(distances)
    nothing = np.full(volume.shape[:-1], np.nan)
    found = []
    for values in (volume, change):
        if values is None:
            found += [nothing, nothing]
            continue
        ranks = _ranks(values)
        found.append(_correlation(ranks, near))
        found.append(nothing if far is None else _partial(ranks, near, far))
    return Magnification(*found)


def path_contrast(log_volume: ArrayLike, position: ArrayLike) -> PathContrast:
    """How far the log volume element stands out at a position of each path.

    Parameters
    ----------
    log_volume : (P, T)
        At T points, evenly spaced on each path.
    position : (P,)
        Where to look, from 0 to 1: at a crossing of a boundary; on a path that crosses none, in the
        middle.

    Returns
    -------
    PathContrast

    Raises
    ------
    DataError
        If shapes do not agree, a position is outside 0 to 1, or a number is not finite.

    Examples
    --------
    >>> path_contrast([[0.0, 3.0, 2.0]], [0.5])
    PathContrast(contrast=array([2.]), peak=array([0.5]))
    """
    volume, where = finite_array(log_volume, "log_volume"), finite_array(position, "position")
    if volume.ndim != 2 or volume.shape[1] < 3 or where.shape != volume.shape[:1]:
        given = f"shapes {volume.shape} and {where.shape}"
        raise DataError(f"log_volume and position: {given}, expected (P, at least 3) and (P,)")
    if not ((where >= 0) & (where <= 1)).all():
        raise DataError(f"position: {where.min():g} to {where.max():g}, expected 0 to 1")
    grid = np.linspace(0, 1, volume.shape[1])
    there = np.array([np.interp(t, grid, v) for t, v in zip(where, volume, strict=True)])
    line = (1 - where) * volume[:, 0] + where * volume[:, -1]
    return PathContrast(there - line, grid[volume.argmax(axis=1)])


def _checked(name: str, values: ArrayLike, like: np.ndarray | None) -> np.ndarray:
    array = finite_array(values, name)
    if like is None:
        if array.ndim == 0 or array.shape[-1] < 4:
            raise DataError(
                f"{name}: shape {array.shape}, expected (..., B) with at least 4 points"
            )
    elif array.shape not in (like.shape, like.shape[-1:]):
        expected = f"{like.shape} or {like.shape[-1:]}"
        raise DataError(f"{name}: shape {array.shape}, expected {expected}")
    return array


def _ranks(values: np.ndarray) -> np.ndarray:
    """Ranks along the last axis, centred, of unit length; NaN if all are the same."""
    ranks = rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    length = np.linalg.norm(ranks, axis=-1, keepdims=True)
    return ranks / np.where(length > 0, length, np.nan)


def _correlation(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(a * b, axis=-1))


def _partial(a: np.ndarray, b: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Correlation of a and b with what is given taken out of both."""
    ag, bg = _correlation(a, given), _correlation(b, given)
    rest = (1 - ag**2) * (1 - bg**2)
    return (_correlation(a, b) - ag * bg) / np.sqrt(np.where(rest > 1e-12, rest, np.nan))
