"""Checks of labels, predictions and numbers that users give."""

from __future__ import annotations

import numbers
from collections.abc import Iterator

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import (
    SUM_TOLERANCE,
    as_distributions,
    as_numpy,
    check_labels,
    sum_tolerance,
)

MOST = 2**53 - 1  # every integer up to it is exact in float64, which readers of tables may use

ONE_OUTPUT = (
    "one output per sample is no distribution over classes; expected two or more: turn a logit z "
    "into (0, z), a probability p into (1 - p, p)"
)


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


def as_labels(values, name: str, n_classes: int | None = None) -> np.ndarray:
    """True classes (N,) as int64, a copy; booleans are the classes 0 and 1.

    Raises
    ------
    DataError
        If they are not integers of shape (N,) from 0 to ``n_classes`` - 1.
    """
    refuse_missing(values, name)
    if isinstance(values, Iterator):
        kind = type(values).__name__
        raise DataError(f"{name}: of type {kind}, expected an array of integers")
    if hasattr(values, "to_numpy"):  # pandas, polars, xarray
        values = values.to_numpy()
    if isinstance(values, np.ndarray) and values.dtype == object:
        values = values.tolist()  # so that NumPy recognises integers
    try:
        text = not hasattr(values, "detach") and np.asarray(values).dtype.kind in "USTO"
    except ValueError:  # ragged; refused below
        text = False
    if text:
        raise DataError(
            f"{name}: no integers; expected classes 0, 1, ... in the order of the outputs, such as "
            "numpy.unique(names, return_inverse=True)[1]"
        )
    labels = as_numpy(values, name)
    if labels.ndim == 2:
        one_hot = "; argmax(axis=1) of one-hot rows" if labels.shape[1] != 1 else "; use ravel()"
        raise DataError(f"{name}: shape {labels.shape}, expected integers of shape (N,){one_hot}")
    labels = labels.astype(np.uint8) if labels.dtype == bool else labels
    if labels.dtype.kind == "i" and labels.size and labels.min() < 0 and n_classes is None:
        raise DataError(f"{name}: from {labels.min()} to {labels.max()}, expected 0 or more")
    try:
        return check_labels(labels, n_classes or 2**31).astype(np.int64)
    except DataError as error:
        raise DataError(f"{name}{str(error).removeprefix('labels')}") from None


def as_predictions(P, name: str, n_samples: int, n_classes: int | None) -> np.ndarray:
    """Probabilities (N, C) in float32, as a store holds them.

    Rows in half precision are normalised, because they sum to 1 only up to its rounding.

    Raises
    ------
    DataError
        If P has another shape, fewer than two classes, or rows that are no distributions.
    """
    refuse_missing(P, name)
    tolerance = sum_tolerance(P)
    rows = as_numpy(P, name)
    if rows.ndim != 2 or rows.shape != (n_samples, n_classes or rows.shape[1]):
        expected = f"({n_samples}, {n_classes or 'classes'})"
        raise DataError(f"{name}: shape {rows.shape}, expected {expected}")
    if rows.shape[1] == 1:
        raise DataError(f"{name}: {ONE_OUTPUT}")
    if tolerance > SUM_TOLERANCE:
        rows = rows.astype(np.float64)
        sums = rows.sum(axis=1, keepdims=True)
        if (np.abs(sums - 1) <= tolerance).all():
            rows /= sums
    try:
        as_distributions(rows, name)
    except DataError as error:
        raise DataError(f"{error}{_hint(rows)}") from None
    return rows.astype(np.float32)


def sum_to_one(rows: np.ndarray) -> bool:
    """Whether rows look like probabilities, which may have been in half precision."""
    tolerance = 8 * sum_tolerance(np.empty(rows.shape, np.float16))  # bfloat16 is 8 times coarser
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(rows.sum(axis=1, dtype=np.float64) - 1).max()
    return bool(rows.min() >= 0 and off <= tolerance)


def _hint(rows: np.ndarray) -> str:
    """What rows that are no distributions may be instead, and how to convert them."""
    if not np.isfinite(rows).all():
        return ""
    if sum_to_one(rows):
        return "; computed in half precision? take the softmax in float32, or give that type itself"
    return '; take the softmax of logits (a Recorder does so with outputs="logits")'
