"""What a data set's module loads: one part that is split later, or a train and a test part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np

from hyperribbon.errors import DataError


class Images(Protocol):
    """An array of images, or an object that is indexed like one and reads images only then."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, channels, height, width) or (N, features)."""

    @property
    def dtype(self) -> np.dtype:
        """Type of the numbers."""

    def __getitem__(self, rows: Any, /) -> np.ndarray: ...


class Part(NamedTuple):
    """Images and labels of a data set, or of its train or test part.

    Attributes
    ----------
    images : Images
        Images (N, channels, height, width) or (N, features), uint8 or floating point.
    labels : ndarray of shape (N,)
        Integer labels.
    key : str
        What distinguishes images that are read when they are indexed from others.
    """

    images: Images
    labels: np.ndarray
    key: str = ""


def embedded_part(
    name: str, package: str, release: str, images: np.ndarray, labels: np.ndarray, sha256: str
) -> Part:
    """Samples that a package contains, checked by content.

    Parameters
    ----------
    name : str
        Name of the data set.
    package, release : str
        The package that contains them, and the release to install if they differ.
    images, labels : ndarray of uint8
        Of shapes (N, channels, height, width) and (N,).
    sha256 : str
        Hash of the images followed by the labels.

    Raises
    ------
    DataError
        If the content is not the expected one.
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
    """Parts of your own data set, by the names of its arrays.

    Parameters
    ----------
    arrays : mapping
        It has the keys ``images`` and ``labels``, or ``train_images``, ``train_labels``,
        ``test_images`` and ``test_labels``. All labels are read into memory.
    source : str
        Where the arrays come from, for error messages.

    Raises
    ------
    DataError
        If the arrays have neither of these sets of names, or both.

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
