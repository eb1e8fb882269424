"""True classes as users give them: integers or names, one per sample or per token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy, check_labels
from hyperribbon.recording.arrays import refuse_missing

IGNORED = -100  # as torch's CrossEntropyLoss and Hugging Face mark positions that do not count


@dataclass(frozen=True)
class Kept:
    """Which rows of an output (n, C), or of one per token (n, T, C), count.

    Parameters
    ----------
    shape : tuple of int
        (n,) or (n, T).
    index : ndarray of int, optional
        Flat positions of the rows that count; None for all.
    top : ndarray of int, shape (m, k), optional
        The classes of each row that are kept; None for all.
    """

    shape: tuple[int, ...]
    index: np.ndarray | None = None
    top: np.ndarray | None = None

    def rows(self, array: Any, name: str) -> Any:
        """The rows (m, C) that count, of any array (n, C), (n, T, C) or, for C = 1, (n,).

        Raises
        ------
        DataError
            If the array has another shape.
        """
        shape = tuple(getattr(array, "shape", None) or np.shape(array))
        # Of tokens, (n, T) could also be T classes of each sample.
        column = shape == (*self.shape, 1) or (shape == self.shape and len(shape) == 1)
        if not column and (len(shape) != len(self.shape) + 1 or shape[:-1] != self.shape):
            expected = ", ".join(map(str, (*self.shape, "classes")))
            raise DataError(f"{name}: shape {shape}, expected ({expected})")
        if len(self.shape) == 1 and self.index is None and len(shape) == 2:
            return array
        if not hasattr(array, "reshape"):
            array = np.asarray(array)
        rows = array.reshape(-1, 1 if column else shape[-1])
        return rows if self.index is None else rows[self.index]


@dataclass(frozen=True)
class Labels:
    """The true classes of a split.

    Parameters
    ----------
    classes : ndarray of int64, shape (M,)
        Classes of the samples, or tokens, that count.
    index : ndarray of int64, shape (M,)
        Their positions among all, which are flattened if there are T tokens per sample.
    shape : tuple of int
        (N,) or (N, T), of all.
    top : ndarray of int32, shape (M, k), optional
        The classes that are kept, the true one first; None for all.
    """

    classes: np.ndarray
    index: np.ndarray
    shape: tuple[int, ...]
    top: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def recorded(self) -> np.ndarray:
        """Columns (M,) of the true classes among what is recorded."""
        return self.classes if self.top is None else np.zeros_like(self.classes)

    @property
    def ignored(self) -> int:
        """Number of positions that do not count."""
        return int(np.prod(self.shape)) - len(self)

    def kept(self, part: slice = slice(None)) -> Kept:
        """Which rows count in the outputs of some samples; by default, of all."""
        start, stop, _ = part.indices(self.shape[0])
        shape = (stop - start, *self.shape[1:])
        if not self.ignored and self.top is None:
            return Kept(shape)
        width = int(np.prod(self.shape[1:]))
        inside = (start * width <= self.index) & (self.index < stop * width)
        index = self.index[inside] - start * width if self.ignored else None
        return Kept(shape, index, None if self.top is None else self.top[inside])


def read_labels(
    given: Mapping[str, object], n_classes: int | None = None
) -> tuple[dict[str, Labels], list[str] | None]:
    """Labels by split, and the names of the classes if the labels are names.

    Parameters
    ----------
    given : mapping
        For each split, classes (N,) or (N, T): integers from 0, where -100 marks what does not
        count; booleans, for the classes 0 and 1; or names, whose classes are in sorted order.
    n_classes : int, optional
        Number of classes, C.

    Raises
    ------
    DataError
        If they are something else, no label counts, or there are not C names.

    Examples
    --------
    >>> labels, names = read_labels({"train": ["dog", "cat", "dog"]})
    >>> labels["train"].classes.tolist(), names
    ([1, 0, 1], ['cat', 'dog'])
    >>> labels, names = read_labels({"train": [[0, -100], [2, 1]]})
    >>> labels["train"].classes.tolist(), labels["train"].index.tolist(), names
    ([0, 2, 1], [0, 2, 3], None)
    """
    arrays = {split: _array(values, f"{split} labels") for split, values in given.items()}
    text = {split for split, array in arrays.items() if array.dtype.kind == "U"}
    names = None
    if text:
        if len(text) < len(arrays):
            raise DataError("train labels, test labels: names and numbers; expected one kind")
        names = np.unique(np.concatenate([array.ravel() for array in arrays.values()])).tolist()
        if n_classes not in (None, len(names)):
            raise DataError(
                f"n_classes = {n_classes}: the labels are {len(names)} names; expected as many, or "
                "labels that are integers, in the order of the outputs"
            )
        arrays = {split: np.searchsorted(names, array) for split, array in arrays.items()}
    return {
        split: _labels(array, f"{split} labels", n_classes) for split, array in arrays.items()
    }, names


def _labels(array: np.ndarray, name: str, n_classes: int | None) -> Labels:
    index = np.flatnonzero(array != IGNORED)
    classes = array.ravel()[index]
    if array.size and not len(index):
        raise DataError(f"{name}: all are {IGNORED}, which marks what does not count")
    if classes.size and classes.min() < 0:
        raise DataError(
            f"{name}: from {classes.min()} to {classes.max()}, expected 0 or more, or {IGNORED} "
            "where a label does not count"
        )
    try:
        classes = check_labels(classes, n_classes or 2**31).astype(np.int64)
    except DataError as error:
        raise DataError(f"{name}{str(error).removeprefix('labels')}") from None
    return Labels(classes, index, array.shape)


def _array(values: Any, name: str) -> np.ndarray:
    """Labels as integers or text of shape (N,) or (N, T), a copy."""
    refuse_missing(values, name)
    if isinstance(values, Iterator):
        kind = type(values).__name__
        raise DataError(f"{name}: of type {kind}, expected an array of integers or names")
    if hasattr(values, "to_numpy"):  # pandas, polars, xarray
        values = values.to_numpy()
    if isinstance(values, np.ndarray) and values.dtype.kind in "OT":
        values = values.tolist()  # so that NumPy recognises integers and text
    array = _text(values)
    if array is None:
        missing = sum(value is None for value in values) if isinstance(values, list) else 0
        if missing:
            raise DataError(f"{name}: {missing} are None, expected integers or names")
        array = as_numpy(values, name)
        array = array.astype(np.uint8) if array.dtype == bool else array
        if array.dtype.kind not in "ui":
            shape = f"shape {array.shape} of {array.dtype}"
            hint = "; argmax(axis=1) of one-hot rows" if array.ndim == 2 else ""
            raise DataError(f"{name}: {shape}, expected integers or names{hint}")
        if array.dtype.kind == "u" and array.size and array.max() > 2**31:
            raise DataError(f"{name}: up to {array.max()}, expected classes from 0")
        array = array.astype(np.int64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or array.size == 0:
        raise DataError(f"{name}: shape {array.shape}, expected (N,), or (N, T) for T tokens each")
    if array.ndim == 2 and array.dtype.kind == "i" and _one_hot(array):
        raise DataError(f"{name}: one-hot rows, expected classes; use argmax(axis=1)")
    return array


def _text(values: Any) -> np.ndarray | None:
    """Labels that are text; None for any others."""
    if hasattr(values, "detach"):  # a tensor
        return None
    try:
        array = np.asarray(values)
    except ValueError:  # ragged; refused by the caller
        return None
    if array.dtype.kind != "U":
        return None
    flat = [values] if isinstance(values, str) else values
    while isinstance(flat, list | tuple) and flat and isinstance(flat[0], list | tuple):
        flat = [item for row in flat for item in row]
    # NumPy also makes text of names among numbers, or of names and None.
    whole = isinstance(values, np.ndarray) or all(isinstance(item, str) for item in flat)
    return array.copy() if whole else None


def _one_hot(array: np.ndarray) -> bool:
    return bool(array.min() == 0 and array.max() == 1 and (array.sum(axis=1) == 1).all())
