"""Arrays of predictions whose checkpoints are large: a file per checkpoint, read in parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import zarr

from hyperribbon.storage.dataset import CODECS

_LARGE = 2**24  # bytes of a checkpoint that is one chunk, which is read as a whole
_PART = 2**20  # bytes of a part of a larger one


def in_parts(array: zarr.Array, dtype: str | None = None, like: zarr.Array | None = None) -> None:
    """Replace an empty array, of a chunk per checkpoint, by one whose large chunks are shards.

    The samples of a shard can be read a few at a time, about 1 MB of them, but it is one file still
    and at the same place. An array with small chunks stays as it is.

    Parameters
    ----------
    array : zarr.Array
        Predictions (seed, checkpoint, N, C), as they are created.
    dtype : str, optional
        Another type.
    like : zarr.Array, optional
        An array whose files are to be those of this one too, and whose parts it gets.
    """
    kind = np.dtype(dtype or array.dtype)
    chunks, shards = array.chunks, None
    if like is not None:
        chunks, shards = (1, 1, *like.chunks[2:]), like.shards and (1, 1, *like.shards[2:])
    elif math.prod(chunks) * kind.itemsize > _LARGE:
        n, width = chunks[2:]
        n_part = min(n, max(1, _PART // (width * kind.itemsize)))
        # A shard is a whole number of chunks; what is beyond the last sample takes no space.
        chunks, shards = (1, 1, n_part, width), (1, 1, -(-n // n_part) * n_part, width)
    if (kind, chunks, shards) == (array.dtype, array.chunks, None):
        return
    names: Any = getattr(array.metadata, "dimension_names", None)
    zarr.create_array(
        array.store_path,
        shape=array.shape,
        chunks=chunks,
        shards=shards,
        dtype=kind,
        fill_value=np.nan,
        compressors=CODECS,
        dimension_names=names,
        attributes=dict(array.attrs),
        overwrite=True,
    )
