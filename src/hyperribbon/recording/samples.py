"""Inputs for the evaluation of a model, as users give them: checked once, read in batches."""

from __future__ import annotations

import hashlib
import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy
from hyperribbon.recording.arrays import refuse_missing
from hyperribbon.storage.digest import digest

_BLOCK = 500  # samples hashed at a time
_NUMBERS = 2**24  # in memory at a time
_PRIME = 0x100000001B3  # of the FNV hash


class Samples:
    """Inputs of one split: an array, or a mapping of arrays that a model takes by name.

    Parameters
    ----------
    inputs : array-like or mapping
        An array of NumPy, torch, dask, xarray, JAX or another library, a DataFrame, a sparse
        matrix, a list with one item per sample, or a mapping of these.
    split : str
        Name of the split in error messages.

    Raises
    ------
    DataError
        If something else is given, or arrays have masked entries, tensors without numbers, or
        unequal shapes.
    """

    def __init__(self, inputs, split: str):
        self.named = isinstance(inputs, Mapping)
        given = dict(inputs) if self.named else {"inputs": inputs}
        if not given or not all(isinstance(name, str) for name in given):
            raise DataError(
                f"{split} inputs: a mapping of {list(given)}, expected names that a model takes"
            )
        self.split = split
        self.arrays = {name: _sliceable(array, f"{split} {name}") for name, array in given.items()}
        self.counts = {name: _count(array) for name, array in self.arrays.items()}
        self._beginning = self._sha256(_BLOCK)

    def __len__(self) -> int:
        return next(iter(self.counts.values()))

    def batches(self, size: int) -> list[slice]:
        """Slices of the samples in batches, in order."""
        n = len(self)
        return [slice(start, min(start + size, n)) for start in range(0, n, size)]

    def batch(self, part: slice) -> dict[str, object]:
        """Copies of some samples as they were given, because a model may write into them."""
        return {name: _rows(array, part, copy=True) for name, array in self.arrays.items()}

    def sha256(self) -> str | None:
        """Hash of the samples in order, equal for tensors and arrays; None if there is none."""
        return self._sha256(len(self))

    def hash_of_each(self) -> np.ndarray | None:
        """A hash (N,) uint64 of each sample; None if there is none.

        Equal numbers have equal hashes in whatever type and shape, up to rounding to float32, so
        that samples are recognised in other stores.
        """
        total = np.zeros(len(self), np.uint64)
        for _, array in sorted(self.arrays.items()):
            found = _hash_of_each(array)
            if found is None:
                return None
            total = total * np.uint64(_PRIME) + found
        return total

    def not_finite(self) -> np.ndarray:
        """Whether each sample (N,) holds numbers that are NaN or infinite."""
        found = np.zeros(len(self), bool)
        for array in self.arrays.values():
            for part in _blocks(array):
                numbers = _numbers(_rows(array, part))
                if numbers is not None:
                    found[part] |= ~np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1)
        return found

    def check_unchanged(self) -> None:
        """Refuse samples that were shuffled or scaled in place since they were given.

        Only the first 500 are compared.
        """
        if self._sha256(_BLOCK) != self._beginning:
            raise DataError(
                f"{self.split} inputs: changed in place since the Recorder was given them; "
                "expected the same samples in the same order at every checkpoint: give it a copy"
            )

    def _sha256(self, n: int) -> str | None:
        content = hashlib.sha256()
        for name, array in sorted(self.arrays.items()):
            if isinstance(array, list) or hasattr(array, "iloc") or _is_sparse(array):
                found = _digest_of(_rows(array, slice(0, n)))
                if found is None:
                    return None
                content.update(f"{name} {found}".encode())
                continue
            for start in range(0, min(n, _count(array)), _BLOCK):
                rows = _rows(array, slice(start, min(start + _BLOCK, n)))
                flat, kind = _bytes(rows)
                if flat is None:
                    return None
                if start == 0:
                    shape = (_count(array), *tuple(rows.shape[1:]))
                    content.update(f"{name} {kind} {shape}".encode())
                content.update(flat)
        return content.hexdigest()


def _sliceable(array, name: str):
    """The array, detached and not masked, if its rows can be taken; otherwise a DataError."""
    refuse_missing(array, name)
    kind = type(array).__name__
    if _is_tensor(array):
        if str(array.layout) != "torch.strided" or array.is_nested:
            layout = "nested" if array.is_nested else f"of layout {array.layout}"
            raise DataError(f"{name}: a tensor {layout}, expected a dense one")
        array = array.detach()
    elif isinstance(array, np.ndarray):
        array = np.ma.getdata(array)
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    elif _is_sparse(array):
        return array.tocsr()
    elif isinstance(array, list | tuple):
        return _from_list(list(array), name)
    elif isinstance(array, Iterator | str | bytes) or not hasattr(array, "__getitem__"):
        raise DataError(f"{name}: of type {kind}, expected an array or tensor of all samples")
    shape = getattr(array, "shape", None)
    if shape is not None and len(shape) == 0:
        raise DataError(f"{name}: shape (), expected one row per sample")
    if shape is not None and shape[0] != shape[0]:  # NaN, if dask does not know it
        raise DataError(f"{name}: of unknown length; call compute_chunk_sizes() on it before")
    return array


def _from_list(items: list, name: str):
    """A list with one item per sample as one array if the items are numbers, else as it is."""
    for k, item in enumerate(items):
        refuse_missing(item, f"{name}[{k}]")
    try:
        if items and all(map(_is_tensor, items)):
            import torch  # which is where tensors come from

            return torch.stack([item.detach() for item in items])
        if items and all(
            isinstance(item, list | tuple | np.ndarray | int | float) for item in items
        ):
            array = np.asarray(items)
            return array if array.dtype.kind in "buif" else items
    except (ValueError, RuntimeError):  # of unequal shapes
        raise DataError(
            f"{name}: a list of arrays of unequal shapes, expected one per sample, all of one "
            "shape (pad them); give several inputs of a model as a mapping, by their names"
        ) from None
    return items


def _is_tensor(array) -> bool:
    return hasattr(array, "detach")


def _is_sparse(array) -> bool:
    return type(array).__module__.startswith("scipy.sparse")


def _count(array) -> int:
    return array.shape[0] if hasattr(array, "shape") else len(array)


def _rows(array, part: slice, *, copy: bool = False):
    """Some rows of an array or, by position, of a DataFrame."""
    rows = array.iloc[part] if hasattr(array, "iloc") else array[part]
    if not copy:
        return rows
    if _is_tensor(rows):
        return rows.clone()
    return rows.copy() if hasattr(rows, "copy") else rows


def _bytes(rows) -> tuple[Any, str]:
    """Content and type of rows of numbers; for anything else, None instead of the content."""
    kind = str(getattr(rows, "dtype", "")).removeprefix("torch.")
    if _is_tensor(rows):
        flat = rows.cpu().contiguous().flatten()
        return flat.view(sys.modules["torch"].uint8).numpy(), kind
    try:
        array = np.asarray(rows)
    except (TypeError, ValueError):
        return None, kind
    return (None if array.dtype.hasobject else np.ascontiguousarray(array)), str(array.dtype)


def _numbers(rows) -> np.ndarray | None:
    """Rows of numbers as float32; None for anything else."""
    try:
        dense = rows.toarray() if _is_sparse(rows) else rows
        with np.errstate(over="ignore"):
            return as_numpy(dense, "inputs").astype(np.float32)
    except DataError:
        return None


def _blocks(array) -> Iterator[slice]:
    """Slices of samples of which not too many numbers are in memory at a time."""
    width = math.prod(getattr(array, "shape", (0,))[1:])
    size = max(1, min(_BLOCK, _NUMBERS // max(1, width)))
    yield from (slice(start, start + size) for start in range(0, _count(array), size))


def _hash_of_each(array) -> np.ndarray | None:
    """Hash (N,) uint64 of each sample in an array; None if there is none."""
    found = []
    for part in _blocks(array):
        rows = _rows(array, part)
        numbers = _numbers(rows)
        if numbers is not None:
            flat = numbers.reshape(len(numbers), -1) + np.float32(0)  # which makes 0 of -0
            lines = np.ascontiguousarray(flat).view(np.uint8)
            hashes = [hashlib.blake2b(line.tobytes(), digest_size=8).digest() for line in lines]
            found.append(np.frombuffer(b"".join(hashes), "<u8"))
        elif hasattr(rows, "iloc"):
            from pandas.util import hash_pandas_object

            try:
                found.append(hash_pandas_object(rows, index=False).to_numpy(np.uint64))
            except TypeError:
                return None
        else:
            digests = [_digest_of([item]) for item in rows] if isinstance(rows, list) else [None]
            if None in digests:
                return None
            found.append(np.array([int(str(x)[:16], 16) for x in digests], np.uint64))
    return np.concatenate(found) if found else np.zeros(0, np.uint64)


def _digest_of(rows) -> str | None:
    """Hash of a list, a DataFrame or a sparse matrix; None if there is none."""
    if _is_sparse(rows):
        rows = rows.copy()
        rows.sum_duplicates()
        parts = rows.data, rows.indices.astype(np.int64), rows.indptr.astype(np.int64)
        rows = [str(rows.dtype), rows.shape, *(hashlib.sha256(x).hexdigest() for x in parts)]
    try:
        if hasattr(rows, "iloc"):
            from pandas.util import hash_pandas_object

            names = list(map(str, rows.columns if rows.ndim == 2 else [rows.name]))
            rows = [names, hash_pandas_object(rows, index=False).tolist()]
        return digest(rows)
    except (TypeError, ValueError):
        return None
