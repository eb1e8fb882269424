"""The inversion of class manifolds: when it happens, and the samples that are still misclassified.

During training, class manifolds first segregate: their radii fall and their distance grows. Then
they entangle again. The inversion is the turn, and the stragglers are the samples that are
misclassified there (arXiv:2303.05161).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from hyperribbon.errors import DataError

WINDOW = 5  # records
WINDOWS = (1, 3, 5, 9, 15)
RISE = 0.02  # of the drop


class Inversion(NamedTuple):
    """Where trainings invert; arrays have the trainings' leading axes, here written (S,).

    Attributes
    ----------
    record : ndarray of int, shape (S,)
        Position of t* among the records; -1 for a training that never inverts.
    step : ndarray of float, shape (S,)
        Step, or epoch, t*; NaN for a training that never inverts, as are the others.
    low, high : ndarray of float, shape (S,)
        Least and greatest t* over the windows of smoothing.
    error : ndarray of float, shape (S,)
        Training error at t*.
    radius_steps : ndarray of float, shape (S, C)
        Step at which the radius of each class turns, by the same rule.
    distance_steps : ndarray of float, shape (S,)
        Step at which the mean distance turns, from growing to falling.
    """

    record: np.ndarray
    step: np.ndarray
    low: np.ndarray
    high: np.ndarray
    error: np.ndarray
    radius_steps: np.ndarray
    distance_steps: np.ndarray

    @property
    def inverts(self) -> np.ndarray:
        """Whether each training inverts, (S,)."""
        return self.record >= 0


def inversion_point(
    radii: np.ndarray,
    distances: np.ndarray,
    errors: np.ndarray,
    *,
    steps: np.ndarray | None = None,
    window: int = WINDOW,
    windows: Sequence[int] = WINDOWS,
    rise: float = RISE,
) -> Inversion:
    """The point t* at which class manifolds stop to segregate.

    The rule: t* is the first minimum of the sum of the radii, smoothed by a moving average, after
    the fast phase. This phase ends where the sum has made half of its drop, from the first record
    to the least. After a minimum that counts, the sum rises by at least ``rise`` of that drop
    before it falls below. A training without such a minimum never inverts, which is a result, not
    an error.

    The radius of each class, and minus the mean distance of the centres, turn by the same rule.

    Parameters
    ----------
    radii : array of shape (..., T, C)
        Gyration radii at T records, as from `class_manifolds`.
    distances : array of shape (..., T, C, C)
        Distances of the centres.
    errors : array of shape (..., T)
        Training errors.
    steps : array of shape (T,), optional
        Step of each record; by default 0, 1, ...
    window : int
        Records of the moving average.
    windows : sequence of int
        Windows over which ``low`` and ``high`` are taken.
    rise : float
        Least rise after the minimum, relative to the drop before.

    Returns
    -------
    Inversion

    Raises
    ------
    DataError
        If shapes do not agree, there are fewer than 3 records, or a value is not finite.

    Examples
    --------
    >>> t = np.arange(60)
    >>> R = np.exp(-t / 5) + t / 200
    >>> radii, distances = np.stack([R, R], axis=-1), np.zeros((60, 2, 2))
    >>> found = inversion_point(radii, distances, np.exp(-t / 20))
    >>> found.step.item(), round(found.error.item(), 3)
    (19.0, 0.387)
    """
    radii, distances, errors = (np.asarray(a, dtype=float) for a in (radii, distances, errors))
    shape, n_classes = radii.shape[:-1], radii.shape[-1]
    if errors.shape != shape or distances.shape != (*shape, n_classes, n_classes):
        raise DataError(
            f"radii, distances and errors of shapes {radii.shape}, {distances.shape} and "
            f"{errors.shape}: expected (..., T, C), (..., T, C, C) and (..., T)"
        )
    T = shape[-1]
    if T < 3:
        raise DataError(f"radii: {T} records, expected at least 3")
    steps = np.arange(T) if steps is None else np.asarray(steps)
    if steps.shape != (T,):
        raise DataError(f"steps of shape {steps.shape}: expected ({T},), one per record")
    for name, values in (("radii", radii), ("distances", distances), ("errors", errors)):
        if not np.isfinite(values).all():
            raise DataError(f"{name}: not all values are finite")
    pairs = np.triu_indices(n_classes, 1)
    total = radii.sum(axis=-1)
    index = turning_points(total, window, rise)
    each = np.stack([_steps(turning_points(total, w, rise), steps) for w in (window, *windows)])
    missing = np.isnan(each[0])
    low = np.where(missing, np.nan, np.fmin.reduce(each))
    high = np.where(missing, np.nan, np.fmax.reduce(each))
    at = np.take_along_axis(errors, np.maximum(index, 0)[..., None], axis=-1)[..., 0]
    of_radii = turning_points(np.moveaxis(radii, -1, -2), window, rise)
    of_distance = turning_points(-distances[..., pairs[0], pairs[1]].mean(axis=-1), window, rise)
    return Inversion(
        index,
        each[0],
        low,
        high,
        np.where(missing, np.nan, at),
        _steps(of_radii, steps),
        _steps(of_distance, steps),
    )


def turning_points(curves: np.ndarray, window: int = WINDOW, rise: float = RISE) -> np.ndarray:
    """Positions of the first minima (...) of curves (..., T) after the fast phase.

    The rule is that of `inversion_point`; without such a minimum, the position is -1.

    Examples
    --------
    >>> turning_points(np.array([[4.0, 2.0, 1.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0, 0.0]]), window=1)
    array([ 2, -1])
    """
    curves = np.asarray(curves, dtype=float)
    smooth = uniform_filter1d(curves, window, axis=-1, mode="nearest")
    flat = smooth.reshape(-1, curves.shape[-1])
    found = np.full(len(flat), -1)
    for k, curve in enumerate(flat):
        drop = curve[0] - curve.min()
        if drop <= 0:
            continue
        half = np.argmax(curve <= curve[0] - drop / 2)
        minima, _ = find_peaks(-curve, prominence=rise * drop)
        later = minima[minima >= half]
        if len(later):
            found[k] = later[0]
    return found.reshape(curves.shape[:-1])


def stragglers(wrong: np.ndarray, inversion: Inversion) -> np.ndarray:
    """The samples that are misclassified at the inversion.

    Parameters
    ----------
    wrong : array of bool, shape (..., T, N)
        Whether each sample is misclassified, at the records from which the inversion was found.
    inversion : Inversion
        As from `inversion_point`.

    Returns
    -------
    ndarray of bool, shape (..., N)

    Raises
    ------
    DataError
        If shapes do not agree, or a training never inverts; choose the others by ``inverts``.

    Examples
    --------
    >>> t = np.arange(60)
    >>> radii = np.repeat((np.exp(-t / 5) + t / 200)[:, None], 2, axis=1)
    >>> found = inversion_point(radii, np.zeros((60, 2, 2)), np.zeros(60))
    >>> stragglers(t[:, None] < [10, 19, 20, 40], found)
    array([False, False,  True,  True])
    """
    wrong = np.asarray(wrong)
    if wrong.dtype != bool or wrong.ndim < 2 or wrong.shape[:-2] != inversion.record.shape:
        raise DataError(
            f"wrong: {wrong.dtype} of shape {wrong.shape}, expected bool of shape "
            f"{(*inversion.record.shape, 'T', 'N')}".replace("'", "")
        )
    if not inversion.inverts.all():
        never = int((~inversion.inverts).sum())
        raise DataError(
            f"inversion: {never} of {inversion.record.size} trainings never invert, so they have "
            "no stragglers; expected those that do (inversion.inverts)"
        )
    if inversion.record.max() >= wrong.shape[-2]:
        raise DataError(
            f"wrong: {wrong.shape[-2]} records, expected those from which the inversion was found"
        )
    return np.take_along_axis(wrong, inversion.record[..., None, None], axis=-2)[..., 0, :]


def _steps(index: np.ndarray, steps: np.ndarray) -> np.ndarray:
    return np.where(index < 0, np.nan, steps[np.maximum(index, 0)].astype(float))
