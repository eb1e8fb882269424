"""ImageNet, or any folder of photographs sorted by class: ``train/<class>/*``, ``val/<class>/*``.

Images are decoded when they are indexed, so that they need not fit into memory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from hyperribbon.config.image_folder import class_names, image_files
from hyperribbon.data.parts import Part
from hyperribbon.data.pictures import decoded


def load(path: str | Path, size: int) -> list[Part]:
    """Train and test part of a folder, images (N, 3, size, size) uint8, decoded when indexed.

    Hidden files and folders are left out, as are files without the suffix of an image.

    Parameters
    ----------
    path : path
        Folder that holds ``train`` and ``val``, each with one folder per class.
    size : int
        Pixels to which the shorter side is resized, and of the square that is kept in the centre.

    Raises
    ------
    DataError
        If a class has no images or holds folders, or if ``val`` and ``train`` have different
        classes.
    """
    classes = class_names(path)
    parts = []
    for split in ("train", "val"):
        files: list[str] = []
        labels: list[int] = []
        for label, name in enumerate(classes):
            found = sorted(image_files(path, split, name))
            files += found
            labels += [label] * len(found)
        names = "\n".join(os.path.relpath(file, path) for file in files)
        key = hashlib.sha256(names.encode(errors="surrogateescape")).hexdigest()
        parts.append(Part(Photographs(files, size), np.array(labels), key))
    return parts


class Photographs:
    """Image files as an array (N, 3, size, size) uint8, decoded by threads when it is indexed.

    Parameters
    ----------
    files : sequence of str
        Paths of the N images.
    size : int
        Height and width of the decoded squares in pixels.
    """

    def __init__(self, files: Sequence[str], size: int):
        self._files, self._size = files, size
        self.shape, self.dtype = (len(files), 3, size, size), np.dtype(np.uint8)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        # Pillow releases the interpreter lock while it decodes and resizes.
        with ThreadPoolExecutor() as pool:
            some = pool.map(lambda row: decoded(self._files[row], self._size), rows)
            return np.stack(list(some))
