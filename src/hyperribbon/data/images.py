"""Images on disk: an uncompressed Zarr array in chunks of whole images, which can be mapped.

The file of a chunk holds its images in C order, then 4 bytes of checksum. Any image can therefore
be read without the others, and a set may be larger than the memory.
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
    """Images of a store, read when they are indexed.

    Parameters
    ----------
    folder : Path
        Folder of the Zarr array, as written by `write_images`.

    Attributes
    ----------
    shape : tuple of int
        (N, channels, height, width) or (N, features).
    dtype : numpy.dtype
        Type of the stored numbers.
    sha256 : str
        Hash of the content, as recorded when it was written.

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
        codecs = list(getattr(layout, "codecs", ()))  # an array of Zarr v2 has none
        if not whole or codecs != raw or array.dtype.byteorder == ">":
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
        """Number of dimensions, as of an array."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all images, as of an array."""
        return int(np.prod(self.shape)) * self.dtype.itemsize

    def __getitem__(self, rows: slice | np.ndarray) -> np.ndarray:
        """Some images, copied into memory while other threads continue."""
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
    """Write images as a Zarr array, chunk by chunk; intact chunks of an earlier try are kept.

    Parameters
    ----------
    folder : path
        Folder of the array.
    shape : tuple of int
        (N, channels, height, width) or (N, features).
    dtype : {"uint8", "float32"}
        Type of the stored numbers.
    make : callable
        Returns the images of a slice of rows.
    split : str
        Split, for the name of the first dimension.

    Yields
    ------
    ndarray
        The images of each chunk, in order. The array is complete when all have been taken.
    """
    folder = Path(folder)
    for partial in folder.rglob("*.partial"):  # left by a killed process
        partial.unlink()
    n, per_image = shape[0], int(np.prod(shape[1:])) * np.dtype(dtype).itemsize
    n_chunks = -(-n * per_image // CHUNK_BYTES)
    rows = max(1, -(-n // n_chunks))
    (folder / "zarr.json").unlink(missing_ok=True)  # written again at the end, when all is there
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
        content.update(block.data)
        yield block
    array.attrs["sha256"] = content.hexdigest()


def _whole_chunk(array: zarr.Array, rows: slice) -> np.ndarray | None:
    try:
        return np.asarray(array[rows])
    except ValueError:  # the checksum does not match
        return None


def sample_dimensions(shape: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the dimensions of a sample.

    >>> sample_dimensions((3, 32, 32))
    ('channel', 'row', 'column')
    """
    return ("channel", "row", "column") if len(shape) == 3 else ("feature",)


def content_sha256(array: np.ndarray | MappedImages) -> str:
    """SHA-256 of an array's type, shape and content; for a mapped array, the recorded one."""
    if isinstance(array, MappedImages):
        return array.sha256
    content = hashlib.sha256(_header(array.dtype, array.shape))
    content.update(np.ascontiguousarray(array).data)
    return content.hexdigest()


def _header(dtype: np.dtype | str, shape: tuple[int, ...]) -> bytes:
    return f"{np.dtype(dtype)} {tuple(map(int, shape))}".encode()
