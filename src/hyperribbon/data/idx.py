"""IDX, the format of MNIST and similar data sets (Y. LeCun, C. Cortes, C. Burges)."""

from __future__ import annotations

import gzip
import struct

import numpy as np

from hyperribbon.data.cache import RawFiles
from hyperribbon.data.parts import Part
from hyperribbon.errors import DataError

# Files of a data set: train images, train labels, test images, test labels.
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def parse_idx(content: bytes, source: str) -> np.ndarray:
    """Array of unsigned bytes in IDX format.

    Parameters
    ----------
    content : bytes
        Content of the file.
    source : str
        Name of the file, for error messages.

    Raises
    ------
    DataError
        If the header is wrong, or the content is longer or shorter than the header says.

    Examples
    --------
    >>> parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 7, 8, 9]), "example")
    array([[7, 8, 9]], dtype=uint8)
    """
    n_dimensions = content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else 0
    start = 4 + 4 * n_dimensions
    if not n_dimensions or len(content) < start:
        raise DataError(f"{source}: not of IDX format with unsigned bytes")
    shape = struct.unpack(f">{n_dimensions}I", content[4:start])
    if len(content) - start != int(np.prod(shape, dtype=np.uint64)):
        raise DataError(
            f"{source}: {len(content) - start} bytes of data, expected those of shape {shape}"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy()


def load_idx(files: RawFiles) -> list[Part]:
    """Train and test part of a data set in four IDX files, images (N, 1, 28, 28).

    ``files`` are in the order of `NAMES`, and are fetched if necessary.
    """
    files.fetch()
    arrays = []
    for name in files.md5:
        content = files.read(name)
        if name.endswith(".gz"):
            content = gzip.decompress(content)  # it has the published MD5, so it is harmless
        arrays.append(parse_idx(content, str(files.folder / name)))
    return [
        Part(images[:, None], labels)
        for images, labels in zip(arrays[::2], arrays[1::2], strict=True)
    ]
