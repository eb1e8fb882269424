"""Models of any array or sequence of arrays, read a few at a time."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import dtype_name
from hyperribbon.probability.distributions import check_shape, read_rows, sliceable

_READ_BYTES = 2**26


class Stack:
    """Models (m, N, C) of an array or a sequence of arrays, read only on request.

    Parameters
    ----------
    P : numpy, torch, dask or zarr array (m, N, C), or a sequence of such arrays (b, N, C) or of
        single models (N, C)
    name : what to call P in errors

    Attributes
    ----------
    name : str
    shape : (m, N, C)
    single : bool, whether entries have the precision of float32 or less
    at_once : int, models to read together so that few chunks are read twice; at most 64 MB
    """

    def __init__(self, P, name: str):
        parts, in_sequence = _parts(P, name)
        self.name = name
        self._parts = []
        for part in parts:
            lone = in_sequence and len(part.shape) == 2
            shape = check_shape(part, name, 2 if lone else 3)
            self._parts.append((part, lone))
            if shape[-2:] != tuple(parts[0].shape)[-2:]:
                raise DataError(
                    f"{name}: models of shapes {tuple(parts[0].shape)[-2:]} and {shape[-2:]}, "
                    "expected the same samples and classes in all"
                )
        lengths = [1 if lone else part.shape[0] for part, lone in self._parts]
        self._starts = [0, *accumulate(lengths)]
        self.shape = (self._starts[-1], *tuple(parts[0].shape)[-2:])
        self.single = all(_is_single(part) for part in parts)
        longest = max(_chunk_length(part) for part in parts)
        self.at_once = max(1, min(longest, _READ_BYTES // (8 * self.shape[1] * self.shape[2])))

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, models: slice, samples: slice = slice(None)) -> np.ndarray:
        """Read rows of some models as a C-contiguous (b, n, C) array, float32 or float64."""
        start, stop = models.start, models.stop
        pieces = []
        at = bisect_right(self._starts, start) - 1
        while at < len(self._parts) and self._starts[at] < stop:
            part, lone = self._parts[at]
            low = max(start - self._starts[at], 0)
            high = min(stop, self._starts[at + 1]) - self._starts[at]
            piece = part[samples][None] if lone else part[low:high, samples]
            if hasattr(piece, "dask"):  # in this thread; other threads read other models
                piece = piece.compute(scheduler="synchronous")
            pieces.append(read_rows(piece, self.name))
            at += 1
        block = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        dtype = np.float32 if block.dtype == np.float32 else np.float64
        return np.ascontiguousarray(block, dtype=dtype)


def _parts(P, name: str) -> tuple[list, bool]:
    """Arrays of models, and whether P is a sequence; nested lists of numbers are one array."""
    if hasattr(P, "shape"):
        return [sliceable(P, name)], False
    try:
        parts = list(P)
    except TypeError:
        raise DataError(f"{name}: {type(P).__name__}, expected an array of models") from None
    if not parts:
        raise DataError(f"{name}: empty, expected models")
    if any(hasattr(part, "shape") for part in parts):
        return [sliceable(part, name) for part in parts], True
    return [sliceable(parts, name)], False


def _chunk_length(part) -> int:
    """Number of models in one chunk."""
    if len(part.shape) == 2:
        return 1
    length = (getattr(part, "chunks", None) or (1,))[0]
    return max(length) if isinstance(length, tuple) else length


def _is_single(part) -> bool:
    return dtype_name(part) in ("float32", "float16", "bfloat16")
