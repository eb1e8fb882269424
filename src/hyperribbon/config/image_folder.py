"""Files in a folder of images by class: ``train/<class>/*`` and ``val/<class>/*``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from hyperribbon.errors import DataError

# Other files, such as lists of boxes, are left out.
SUFFIXES = {
    *(".jpeg", ".jpg", ".jpe", ".jfif", ".png", ".bmp", ".tif", ".tiff", ".webp", ".gif"),
    *(".jp2", ".avif", ".heic", ".heif", ".pgm", ".ppm"),
}


def class_names(path: str | Path) -> list[str]:
    """Names of the classes, sorted: the folders in ``train``, which ``val`` has as well.

    Raises
    ------
    DataError
        If there are none, or ``val`` has others.
    """
    train, val = (_folders(Path(path, split)) for split in ("train", "val"))
    for name in sorted({*train} ^ {*val}):
        there, not_there = ("train", "val") if name in train else ("val", "train")
        raise DataError(
            f"{path}: train and val hold different folders of classes: {name} is in {there}, "
            f"not in {not_there}"
        )
    return train


def image_files(path: str | Path, split: str, name: str) -> Iterator[str]:
    """Paths of a class's images, in no order.

    Raises
    ------
    DataError
        If there are none, or if the folder holds another folder, whose images would be left out.
    """
    folder, found = Path(path, split, name), False
    for entry in _visible(folder):
        if entry.is_dir():
            raise DataError(
                f"{entry.path}: a folder inside the folder of a class, expected images only"
            )
        if Path(entry.name).suffix.lower() in SUFFIXES:
            found = True
            yield entry.path
    if not found:
        raise DataError(
            f"{folder}: no images, expected some in each class ({' '.join(sorted(SUFFIXES))})"
        )


def _folders(folder: Path) -> list[str]:
    try:
        found = sorted(entry.name for entry in _visible(folder) if entry.is_dir())
    except OSError:
        raise DataError(f"{folder}: no such folder") from None
    if not found:
        raise DataError(f"{folder}: no folders of classes")
    return found


def _visible(folder: Path) -> Iterator[os.DirEntry]:
    """Entries of a folder, except hidden ones, such as .ipynb_checkpoints or ._x.jpg."""
    return (entry for entry in os.scandir(folder) if not entry.name.startswith("."))
