"""Checks of predictions and numbers that users give."""

from __future__ import annotations

import numbers

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import dtype_name
from hyperribbon.probability.distributions import (
    SUM_TOLERANCE,
    as_distributions,
    as_numpy,
    sum_tolerance,
)

_AT_ONCE = 2**24  # entries checked in float64
_UNDERFLOW = 2.0**-25  # what float16 rounds to 0
MOST = 2**53 - 1  # every integer up to it is exact in float64, which readers of tables may use


def refuse_missing(array, name: str) -> None:
    """Refuse an array with masked numbers, or a tensor on the meta device, which has none."""
    if np.ma.is_masked(array):
        count = int(np.ma.getmaskarray(array).sum())
        raise DataError(f"{name}: {count} masked entries, expected none; leave such samples out")
    if getattr(array, "is_meta", False):
        raise DataError(f"{name}: on the meta device, where tensors hold no numbers")


def check_positive(value, name: str) -> float:
    """A finite number above 0, as a float; any other value raises a DataError."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < value <= MOST:
        raise DataError(f"{name} = {value}: expected a number above 0, at most {MOST}")
    return float(value)


def as_predictions(P, name: str, n_samples: int, n_classes: int | None) -> np.ndarray:
    """Probabilities (N, C) in float32, as a store holds them.

    Rows in half precision are normalised, because they sum to 1 only up to its rounding. One
    column p, or (N,), is the second of two classes: it becomes (1 - p, p). A row with entries that
    are not finite becomes NaN.

    Raises
    ------
    DataError
        If P has another shape, or rows that are no distributions.
    """
    refuse_missing(P, name)
    tolerance = sum_tolerance(P)
    rows = as_numpy(P, name)
    if rows.shape in ((n_samples,), (n_samples, 1)):
        rows = _two_columns(rows.reshape(-1), name)
    if rows.ndim != 2 or rows.shape != (n_samples, n_classes or rows.shape[1]):
        expected = f"({n_samples}, {n_classes or 'classes'})"
        raise DataError(f"{name}: shape {rows.shape}, expected {expected}")
    lost = rows.shape[1] * _UNDERFLOW
    if dtype_name(P) == "float16" and lost > SUM_TOLERANCE:
        raise DataError(
            f"{name}: probabilities of {rows.shape[1]} classes in float16, which rounds those "
            f"below 3e-8 to 0: up to {lost:.2g} of a sample; give logits, or take the softmax in "
            "float32"
        )
    found = np.empty(rows.shape, np.float32)
    step = max(1, _AT_ONCE // rows.shape[1])
    for start in range(0, len(rows), step):
        found[start : start + step] = _checked(rows[start : start + step], name, tolerance)
    return found


def _checked(rows: np.ndarray, name: str, tolerance: float) -> np.ndarray:
    """Some rows of predictions, with NaN for those that are not finite."""
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        found = np.full(rows.shape, np.nan, np.float32)
        if finite.any():
            found[finite] = _checked(rows[finite], name, tolerance)
        return found
    if tolerance > SUM_TOLERANCE:
        rows = rows.astype(np.float64)
        sums = rows.sum(axis=1, keepdims=True)
        if (np.abs(sums - 1) <= tolerance).all():
            rows /= sums
    try:
        if len(rows):
            as_distributions(rows, name)
    except DataError as error:
        raise DataError(f"{error}{_hint(rows)}") from None
    return rows.astype(np.float32)


def _two_columns(p: np.ndarray, name: str) -> np.ndarray:
    """(1 - p, p) of probabilities p, as after a sigmoid."""
    if p.size and (np.nanmin(p) < 0 or np.nanmax(p) > 1):
        raise DataError(
            f"{name}: one output per sample, from {np.nanmin(p):.3g} to {np.nanmax(p):.3g}; "
            "expected probabilities of the second of two classes"
        )
    p = p.astype(np.float64)
    return np.stack([1 - p, p], axis=1)


def sum_to_one(rows: np.ndarray) -> bool:
    """Whether rows look like probabilities, which may have been in half precision."""
    tolerance = 8 * sum_tolerance(np.empty(rows.shape, np.float16))  # bfloat16 is 8 times coarser
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(rows.sum(axis=1, dtype=np.float64) - 1).max()
    return bool(rows.min() >= 0 and off <= tolerance)


def _hint(rows: np.ndarray) -> str:
    """What rows that are no distributions may be instead, and how to convert them."""
    if sum_to_one(rows):
        return "; computed in half precision? take the softmax in float32, or give that type itself"
    return '; take the softmax of logits (a Recorder does so with outputs="logits")'
