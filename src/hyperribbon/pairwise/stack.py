"""Models of any array or sequence of arrays, read a few at a time."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import dtype_name
from hyperribbon.probability.distributions import check_shape, read_rows, sliceable
from hyperribbon.probability.views import are_trajectories, in_sequence, trajectories_of

_READ_BYTES = 2**26


class Stack:
    """Models (m, N, C) of an array or a sequence of arrays, read only on request.

    Parameters
    ----------
    P : numpy, torch, dask or zarr array (m, N, C), or (S, K, N, C), K checkpoints of S trainings,
        or a sequence of such arrays or of single models (N, C)
    name : what to call P in errors

    Attributes
    ----------
    name : str
    shape : (m, N, C)
    dtype : float32 or float64, of what is read
    single : bool, whether entries have the precision of float32 or less
    at_once : int, models to read together so that few chunks are read twice; at most 64 MB
    samples_at_once : int, samples of the longest chunk
    """

    def __init__(self, P, name: str):
        parts = _parts(P, name)
        self.name = name
        self._parts = []
        for part in parts:
            lone = len(part.shape) == 2
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
        self.dtype = np.dtype(np.float32 if self.single else np.float64)
        longest = max(1 if len(part.shape) == 2 else _chunk_length(part, 0) for part in parts)
        self.samples_at_once = max(_chunk_length(part, len(part.shape) - 2) for part in parts)
        self.at_once = max(1, min(longest, _READ_BYTES // (8 * self.shape[1] * self.shape[2])))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        """Models at a position, a slice or an array of positions, then samples and classes."""
        models, *rest = key if isinstance(key, tuple) else (key,)
        if isinstance(models, slice) and models.step in (None, 1):
            start, stop, _ = models.indices(len(self))
            block = self.read(slice(start, max(start, stop)))
        else:
            chosen = np.arange(len(self))[models]
            block = np.empty((*chosen.shape, *self.shape[1:]), self.dtype)
            for place in np.ndindex(chosen.shape):
                block[place] = self.read(slice(chosen[place], chosen[place] + 1))[0]
        # Entries of an array of positions are its first dimensions.
        before = (slice(None),) * (block.ndim - 2)
        return block.astype(self.dtype, copy=False)[before + tuple(rest)]

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
        if not pieces:
            return np.empty((0, *self.shape[1:]), self.dtype)[:, samples]
        block = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        dtype = np.float32 if block.dtype == np.float32 else np.float64
        return np.ascontiguousarray(block, dtype=dtype)


def one_array(P, name: str):
    """Models as one sliceable array: several trajectories as a `Stack`, an array as it is."""
    return Stack(P, name) if are_trajectories(P) else sliceable(P, name)


def _parts(P, name: str) -> list:
    """Arrays (b, N, C) of models, and single models (N, C) if P is a sequence."""
    if not hasattr(P, "shape"):
        try:
            P = list(P)
        except TypeError:
            raise DataError(f"{name}: {type(P).__name__}, expected an array of models") from None
        if not P:
            raise DataError(f"{name}: empty, expected models")
        if in_sequence(P):
            return [one for part in P for one in _trainings(sliceable(part, name), name)]
    P = sliceable(P, name)  # also nested lists of numbers
    check_shape(P, name, 4 if len(P.shape) == 4 else 3)
    return _trainings(P, name)


def _trainings(P, name: str) -> list:
    """The trainings of an array (S, K, N, C), or any other array itself."""
    return trajectories_of(P, name) if len(P.shape) == 4 else [P]


def _chunk_length(part, axis: int) -> int:
    """Length of the longest chunk along an axis; 1 if there are none."""
    chunks = getattr(part, "chunks", None)
    length = chunks[axis] if chunks else 1
    return max(length) if isinstance(length, tuple) else length


def _is_single(part) -> bool:
    return dtype_name(part) in ("float32", "float16", "bfloat16")
