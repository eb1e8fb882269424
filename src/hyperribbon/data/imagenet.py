"""ImageNet, or any folder of photographs sorted by class: ``train/<class>/*``, ``val/<class>/*``.

Images are decoded where they are indexed, so that they need not fit into memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from hyperribbon.data.parts import Part
from hyperribbon.errors import DataError, first_line

SUFFIXES = {".jpeg", ".jpg", ".png"}


def load(path: str | Path, size: int) -> list[Part]:
    """Train and test part of a folder, images (N, 3, size, size) uint8, decoded when indexed.

    Parameters
    ----------
    path : folder that holds ``train`` and ``val``, each with a folder a class
    size : pixels to which the shorter side is resized, and of the square in its centre

    Raises
    ------
    DataError
        If there are no images, or the classes of ``val`` are others than those of ``train``.
    """
    classes = _classes(Path(path, "train"))
    if _classes(Path(path, "val")) != classes:
        raise DataError(f"{path}: folders of classes in val are others than in train")
    parts = []
    for split in ("train", "val"):
        files, labels = [], []
        for label, name in enumerate(classes):
            found = sorted(
                entry.path
                for entry in os.scandir(Path(path, split, name))
                if Path(entry.name).suffix.lower() in SUFFIXES
            )
            files += found
            labels += [label] * len(found)
        if not files:
            raise DataError(f"{Path(path, split)}: no images, expected <class>/*.JPEG")
        names = "\n".join(os.path.relpath(file, path) for file in files)
        key = hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()
        parts.append(Part(Photographs(files, size), np.array(labels), key))
    return parts


def _classes(folder: Path) -> list[str]:
    try:
        found = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    except OSError:
        raise DataError(f"{folder}: no such folder") from None
    if not found:
        raise DataError(f"{folder}: no folders of classes")
    return found


class Photographs:
    """Image files as an array (N, 3, size, size) uint8, decoded by threads when it is indexed."""

    def __init__(self, files: Sequence[str], size: int):
        self._files, self._size = files, size
        self.shape, self.dtype = (len(files), 3, size, size), np.dtype(np.uint8)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        # Pillow lets go of the interpreter while it decodes and resizes.
        with ThreadPoolExecutor() as pool:
            some = pool.map(lambda row: decoded(self._files[row], self._size), rows)
            return np.stack(list(some))


def decoded(file: str | Path, size: int) -> np.ndarray:
    """Centre (3, size, size) of an image whose shorter side is resized to ``size``.

    Raises
    ------
    DataError
        If the file is no image, or damaged.
    """
    try:
        with Image.open(file) as image:
            image.draft("RGB", (size, size))  # decodes JPEG at the least size that is enough
            square = ImageOps.fit(image.convert("RGB"), (size, size), Image.Resampling.BILINEAR)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise DataError(f"{file}: cannot be decoded as an image ({first_line(error)})") from None
    return np.asarray(square).transpose(2, 0, 1)
