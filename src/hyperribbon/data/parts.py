"""What a data set's module loads: one part that is to be split, or a train and a test part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from hyperribbon.errors import DataError


class Images(Protocol):
    """An array of images, or what is indexed like one and reads them only then."""

    shape: tuple[int, ...]
    dtype: np.dtype

    def __getitem__(self, rows: np.ndarray) -> np.ndarray: ...


class Part(NamedTuple):
    """Images and labels of a data set, or of its train or test part.

    images : (N, channels, height, width) or (N, features), uint8 or floating point
    labels : (N,) integers
    key : of images that are read where they are indexed, what tells them from others
    """

    images: Images
    labels: np.ndarray
    key: str = ""


def embedded_part(
    name: str, package: str, release: str, images: np.ndarray, labels: np.ndarray, sha256: str
) -> Part:
    """Samples that come inside a package, checked by content.

    Parameters
    ----------
    name : of the data set
    package, release : what they come in, and which release to install if they are others
    images, labels : (N, channels, height, width) and (N,), uint8
    sha256 : of the images, then the labels

    Raises
    ------
    DataError
        If the content is not the one expected.
    """
    found = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    if found != sha256:
        raise DataError(
            f"data set {name}: the images inside {package} have SHA-256 {found}, expected "
            f"{sha256}; reinstall {package} {release}"
        )
    return Part(images, labels)


WHOLE = ("images", "labels")
PARTS = tuple(f"{split}_{name}" for split in ("train", "test") for name in WHOLE)


def named_parts(arrays: Mapping[str, Images], source: str) -> list[Part]:
    """Parts of a data set of one's own, by the names of its arrays.

    Parameters
    ----------
    arrays : with keys ``images`` and ``labels``, or ``train_images``, ``train_labels``,
        ``test_images`` and ``test_labels``; labels are read whole
    source : where they come from, for errors

    Raises
    ------
    DataError
        If neither names are there, or both.

    Examples
    --------
    >>> images, labels = np.zeros((4, 2)), np.array([0, 1, 0, 1])
    >>> [part.labels.tolist() for part in named_parts({"images": images, "labels": labels}, "here")]
    [[0, 1, 0, 1]]
    """
    names = [names for names in (WHOLE, PARTS) if set(names) <= set(arrays)]
    if len(names) != 1:
        given = ", ".join(sorted(map(str, arrays))) or "nothing"
        raise DataError(
            f"{source}: holds {given}; expected either {', '.join(WHOLE)} or {', '.join(PARTS)}"
        )
    found = [arrays[name] for name in names[0]]
    return [
        Part(images, np.asarray(labels[:]))
        for images, labels in zip(found[::2], found[1::2], strict=True)
    ]
