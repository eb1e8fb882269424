"""Images on disk: an uncompressed Zarr array in chunks of whole images, which can be mapped.

A chunk's file is its images in C order, then 4 bytes of checksum. So any of them are read without
the others, and a set may be larger than the memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import zarr
from zarr.codecs import BytesCodec, Crc32cCodec

from hyperribbon.errors import DataError

CHUNK_BYTES = 64 * 2**20  # at most, unless an image is larger


class MappedImages:
    """Images of a store, read where they are indexed.

    Parameters
    ----------
    folder : of the Zarr array, as of `write_images`

    Attributes
    ----------
    shape, dtype : of all images, (N, channels, height, width) or (N, features)
    sha256 : str, hash of the content as recorded when it was written

    Raises
    ------
    DataError
        If the array is compressed or laid out otherwise, or a chunk is missing or too short.

    Examples
    --------
    >>> import tempfile
    >>> images = np.arange(24, dtype=np.uint8).reshape(4, 1, 2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for _ in write_images(folder, images.shape, "uint8", lambda rows: images[rows]):
    ...         pass
    ...     MappedImages(Path(folder))[[3, 0]][:, 0, 0].tolist()
    [[18, 19, 20], [0, 1, 2]]
    """

    def __init__(self, folder: Path):
        self.folder = folder
        array = zarr.open_array(folder, mode="r")
        layout = array.metadata
        whole = all(a == b for a, b in zip(array.chunks[1:], array.shape[1:], strict=True))
        raw = [BytesCodec(endian=None if array.dtype.itemsize == 1 else "little"), Crc32cCodec()]
        if not whole or list(layout.codecs) != raw or array.dtype.byteorder == ">":
            raise DataError(
                f"{folder}: expected uncompressed chunks of whole images, as hyperribbon writes "
                "them; delete the store and run again"
            )
        self.shape, self.dtype = array.shape, array.dtype
        self.sha256 = str(array.attrs.get("sha256", ""))
        self._rows = array.chunks[0]
        self._chunks: list[torch.Tensor] = []
        n_entries, dtype = int(np.prod(array.chunks)), getattr(torch, str(self.dtype))
        for k in range(-(-len(self) // self._rows)):
            path = folder / layout.encode_chunk_key((k,) + (0,) * (len(self.shape) - 1))
            try:
                short = path.stat().st_size < n_entries * self.dtype.itemsize
            except OSError:
                short = True
            if short:
                raise DataError(
                    f"{path}: a chunk of images is missing or too short; delete the store and run "
                    "again"
                )
            # Keeps no file open, as numpy's maps do: there are thousands of chunks.
            chunk = torch.from_file(str(path), shared=False, size=n_entries, dtype=dtype)
            self._chunks.append(chunk.view(array.chunks))

    def __reduce__(self) -> tuple:
        return type(self), (self.folder,)  # another process maps the files itself

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some images, copied into memory; other threads go on meanwhile."""
        if isinstance(rows, slice):
            rows = np.arange(*rows.indices(len(self)))
        rows = np.asarray(rows, dtype=np.int64)
        if rows.size and not (-len(self) <= rows.min() and rows.max() < len(self)):
            raise IndexError(f"{self.folder}: rows {rows.min()} to {rows.max()} of {len(self)}")
        chunk, row = np.divmod(rows % len(self), self._rows)
        found = torch.empty((len(rows), *self.shape[1:]), dtype=self._chunks[0].dtype)
        for k in np.unique(chunk):
            here = torch.from_numpy(np.flatnonzero(chunk == k))
            some = self._chunks[k].index_select(0, torch.from_numpy(row)[here])
            found.index_copy_(0, here, some)
        return found.numpy()


def write_images(
    folder: str | Path,
    shape: tuple[int, ...],
    dtype: str,
    make: Callable[[slice], np.ndarray],
    *,
    split: str = "train",
) -> Iterator[np.ndarray]:
    """Write images as a Zarr array, a chunk at a time; whole chunks that are there are kept.

    Parameters
    ----------
    folder : of the array
    shape : (N, channels, height, width) or (N, features)
    dtype : ``"uint8"`` or ``"float32"``
    make : gives the images of some rows
    split : for the name of the first dimension

    Yields
    ------
    ndarray
        The images of each chunk, in order. The array is whole when all have been taken.
    """
    folder = Path(folder)
    for partial in folder.rglob("*.partial"):  # what a killed process was writing
        partial.unlink()
    n, per_image = shape[0], int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
    n_chunks = -(-n * per_image // CHUNK_BYTES)
    rows = max(1, -(-n // n_chunks))
    (folder / "zarr.json").unlink(missing_ok=True)  # made anew: it says nothing until all is there
    array = zarr.create_array(
        folder,
        shape=shape,
        chunks=(rows, *shape[1:]),
        dtype=dtype,
        compressors=[Crc32cCodec()],
        dimension_names=(f"{split}_sample", *sample_dimensions(shape[1:])),
        config={"write_empty_chunks": True},
    )
    content = hashlib.sha256(_header(dtype, shape))
    for start in range(0, n, rows):
        place = slice(start, min(start + rows, n))
        chunk = array.metadata.encode_chunk_key((start // rows,) + (0,) * len(shape[1:]))
        block = _whole_chunk(array, place) if (folder / chunk).exists() else None
        if block is None:
            block = np.ascontiguousarray(make(place), dtype=dtype)
            array[place] = block
        content.update(block)
        yield block
    array.attrs["sha256"] = content.hexdigest()


def _whole_chunk(array: zarr.Array, rows: slice) -> np.ndarray | None:
    try:
        return np.asarray(array[rows])
    except ValueError:  # the checksum is another
        return None


def sample_dimensions(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the dimensions of a sample.

    >>> sample_dimensions((3, 32, 32))
    ('channel', 'row', 'column')
    """
    return ("channel", "row", "column") if len(shape) == 3 else ("feature",)


def content_sha256(array: np.ndarray | MappedImages) -> str:
    """SHA-256 of an array's type, shape and content; of a mapped one, as recorded."""
    if isinstance(array, MappedImages):
        return array.sha256
    content = hashlib.sha256(_header(array.dtype, array.shape))
    content.update(np.ascontiguousarray(array))
    return content.hexdigest()


def _header(dtype: object, shape: tuple[int, ...]) -> bytes:
    return f"{np.dtype(dtype)} {tuple(map(int, shape))}".encode()
