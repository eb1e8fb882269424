"""Your own arrays, in a Zarr store whose images are read when they are indexed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import zarr

from hyperribbon.data.parts import Part, named_parts
from hyperribbon.errors import DataError, first_line


def load(path: str | Path) -> list[Part]:
    """Parts of a data set in a store; for the names of its arrays see `named_parts`.

    Raises
    ------
    DataError
        If it is no Zarr group, is damaged, or lacks an array.
    """
    try:
        arrays = {
            name: ZarrImages(array) for name, array in zarr.open_group(path, mode="r").arrays()
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a Zarr group of arrays, or damaged ({first_line(error)})"
        ) from None
    return named_parts(arrays, str(path))


class ZarrImages:
    """A Zarr array that is read some rows at a time."""

    def __init__(self, array: zarr.Array):
        self._array = array
        self.shape, self.dtype = array.shape, array.dtype

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        try:
            return np.asarray(self._array.oindex[rows])
        except (OSError, ValueError, RuntimeError) as error:  # raised by its codecs
            raise DataError(f"{self._array.store_path}: damaged ({first_line(error)})") from None
