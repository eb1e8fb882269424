"""Labelled arrays whose numbers are read where they are sliced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing


class _Sliced(BackendArray):
    """Any sliceable array, for xarray: read as a NumPy array, by positions, slices or arrays."""

    def __init__(self, array):
        self._array = array
        self.shape, self.dtype = tuple(array.shape), np.dtype(array.dtype)

    def __getitem__(self, key):
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._read
        )

    def _read(self, key: tuple) -> np.ndarray:
        # Steps backwards are xarray's, but not those of all arrays.
        forwards, turned = [], []
        for part, size in zip(key, self.shape, strict=True):
            back = isinstance(part, slice) and (part.step or 1) < 0
            if back:
                chosen = range(size)[part]
                part = slice(chosen[-1], chosen[0] + 1, -chosen.step) if chosen else slice(0, 0)
            forwards.append(part)
            if isinstance(part, slice):
                turned.append(slice(None, None, -1 if back else 1))
        return np.asarray(self._array[tuple(forwards)])[tuple(turned)]


def lazy_array(
    array, dims: Sequence[str], coordinates: Mapping[str, Any], **attributes: object
) -> xr.DataArray:
    """Label an array that is read where it is sliced.

    Parameters
    ----------
    array : any array with a shape, a dtype and slices; a NumPy array stays as it is
    dims : names of its dimensions
    coordinates : as of `xarray.DataArray`
    attributes : of the array

    Examples
    --------
    >>> import zarr
    >>> found = lazy_array(zarr.array(np.arange(6).reshape(2, 3)), ("x", "y"), {"y": list("abc")})
    >>> found.sel(y="c").values.tolist()
    [2, 5]
    """
    if not isinstance(array, np.ndarray):
        array = indexing.LazilyIndexedArray(_Sliced(array))
    return xr.DataArray(xr.Variable(dims, array), dict(coordinates), attrs=attributes)
