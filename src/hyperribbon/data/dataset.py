"""A prepared data set: split, with raw images and the way networks see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from hyperribbon.config.data_section import IN_MEMORY
from hyperribbon.data.images import (
    MappedImages,
    content_sha256,
    sample_dimensions,
    write_images,
)
from hyperribbon.errors import DataError, first_line
from hyperribbon.storage.dataset import SPLITS, open_dataset, write_dataset
from hyperribbon.storage.digest import digest
from hyperribbon.storage.files import partial_path, remove
from hyperribbon.storage.provenance import versions


@dataclass(frozen=True)
class Dataset:
    """Train and test images with labels.

    Parameters
    ----------
    name : str
        Name of the data set.
    n_classes : int
        Number of classes, C.
    train_images, test_images : ndarray or MappedImages
        Images (N, channels, height, width) or (N, features), uint8 or float32. `MappedImages` are
        read when they are indexed.
    train_labels, test_labels : ndarray of int64, shape (N,)
        Labels from 0 to C - 1.
    train_index, test_index : ndarray of int64, shape (N,)
        Position of each sample in the source.
    mean, std : ndarray of float32, shape (channels,) or (features,)
        What `as_input` subtracts and divides by.
    input_shape : tuple of int
        Shape (channels, height, width) or (features,) of what networks see, the centre of an image;
        by default, the shape of the complete image.

    Raises
    ------
    DataError
        If shapes or types do not agree, an image is not finite, a channel has no contrast or a
        label is outside 0..C-1.
    """

    name: str
    n_classes: int
    train_images: np.ndarray | MappedImages
    train_labels: np.ndarray
    train_index: np.ndarray
    test_images: np.ndarray | MappedImages
    test_labels: np.ndarray
    test_index: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    input_shape: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        stored = tuple(self.train_images.shape[1:])
        if not self.input_shape:
            object.__setattr__(self, "input_shape", stored)
        for split in SPLITS:
            images, labels, index = self.split(split)
            where = f"data set {self.name}, {split}"
            if images.ndim not in (2, 4) or not len(images):
                raise DataError(
                    f"{where}: images of shape {images.shape}, expected (N, channels, height, "
                    "width) or (N, features) with N >= 1"
                )
            if images.dtype not in (np.uint8, np.float32):
                raise DataError(f"{where}: images of {images.dtype}, expected uint8 or float32")
            if not len(images) == len(labels) == len(index):
                raise DataError(
                    f"{where}: {len(images)} images, {len(labels)} labels and {len(index)} "
                    "indices, expected equally many of each"
                )
            if images.shape[1:] != stored:
                raise DataError(f"{where}: images of shape {images.shape[1:]}, expected {stored}")
            in_memory = isinstance(images, np.ndarray) and images.dtype == np.float32
            if in_memory and not np.isfinite(np.asarray(images)).all():
                raise DataError(f"{where}: images contain NaN or infinity")
            check_labels(labels, self.n_classes, where)
        self._check_input(f"data set {self.name}", stored)

    def _check_input(self, where: str, stored: tuple[int, ...]) -> None:
        seen = self.input_shape
        if len(seen) != len(stored) or seen[0] != stored[0] or any(np.greater(seen, stored)):
            raise DataError(
                f"{where}: networks see samples of shape {seen}, expected the centre of {stored}"
            )
        for name in ("mean", "std"):
            value = getattr(self, name)
            if value.shape != stored[:1] or value.dtype != np.float32:
                raise DataError(
                    f"{where}: {name} is {value.dtype} of shape {value.shape}, expected float32 "
                    f"of {stored[:1]}"
                )
        bad = np.flatnonzero(~(np.isfinite(self.mean) & np.isfinite(self.std) & (self.std > 0)))
        if len(bad):
            kind = sample_dimensions(stored)[0]
            raise DataError(
                f"{where}: {kind} {bad[0]} has mean {self.mean[bad[0]]} and standard deviation "
                f"{self.std[bad[0]]} on the train set, so that it cannot be standardised"
            )

    def split(self, split: str) -> tuple[np.ndarray | MappedImages, np.ndarray, np.ndarray]:
        """Raw images, labels and index of ``"train"`` or ``"test"``."""
        return tuple(getattr(self, f"{split}_{part}") for part in ("images", "labels", "index"))

    def as_input(self, raw: Tensor) -> Tensor:
        r"""Raw images as networks see them, computed on the device where they are.

        Parameters
        ----------
        raw : Tensor, shape (n, channels, height, width) or (n, features)
            Images as they are stored, uint8 or float32.

        Returns
        -------
        Tensor, shape (n, \*input_shape)
            The centre of each image, float32: uint8 is divided by 255, then the mean is subtracted,
            and the result is divided by the standard deviation.

        Examples
        --------
        >>> one = np.array([0])
        >>> image = np.full((1, 1, 2, 2), 51, np.uint8)
        >>> scale = np.array([0.1], np.float32)
        >>> data = Dataset("grey", 1, image, one, one, image, one, one, mean=scale, std=scale)
        >>> data.as_input(torch.from_numpy(image)).flatten().tolist()
        [1.0, 1.0, 1.0, 1.0]
        """
        for axis in range(2, raw.ndim):
            margin = raw.shape[axis] - self.input_shape[axis - 1]
            raw = raw.narrow(axis, margin // 2, self.input_shape[axis - 1])
        return self.standardise(raw)

    def standardise(self, raw: Tensor) -> Tensor:
        """Complete raw images, not only their centres, as networks would see them."""
        pixels = raw.float().div_(255) if raw.dtype == torch.uint8 else raw
        shape = (-1,) + (1,) * (raw.ndim - 2)
        mean, std = (
            torch.from_numpy(value).to(raw.device).reshape(shape) for value in (self.mean, self.std)
        )
        return (pixels - mean).div_(std)

    @property
    def black(self) -> Tensor:
        """A sample of zeros as networks see it, (channels, 1, 1) or (features,) float32."""
        return self._uniform(0.0)

    @property
    def white(self) -> Tensor:
        """A sample of ones as networks see it, (channels, 1, 1) or (features,) float32."""
        return self._uniform(1.0)

    def _uniform(self, value: float) -> Tensor:
        shape = (1, len(self.mean)) + (1,) * (len(self.input_shape) - 1)
        return self.standardise(torch.full(shape, value))[0]

    @cached_property
    def sha256(self) -> str:
        """Hash of everything that a network or an analysis can see."""
        values = ((field.name, getattr(self, field.name)) for field in fields(self))
        return digest(
            {
                name: content_sha256(value)
                if isinstance(value, np.ndarray | MappedImages)
                else value
                for name, value in values
            }
        )

    def save(self, path: str | Path, attributes: Mapping[str, object] | None = None) -> None:
        """Publish as a Zarr store, with its hash and the versions of the libraries.

        Parameters
        ----------
        path : path
            The store; an older one is replaced.
        attributes : mapping, optional
            Further attributes of the store; must be JSON.
        """
        path = Path(path)
        folder = partial_path(path.with_name(f"{path.name}.images"))
        linked: dict[str, Path] = {}
        small: dict[str, tuple[Any, ...]] = {}
        try:
            for split in SPLITS:
                images, labels, index = self.split(split)
                linked[f"{split}_images"] = _on_disk(images, folder / split, split)
                small[f"{split}_label"] = (f"{split}_sample", labels)
                note = {"long_name": f"position of the {split} sample in the source"}
                small[f"{split}_index"] = (f"{split}_sample", index, note)
            channel = sample_dimensions(self.input_shape)[0]
            scale = {name: (channel, getattr(self, name)) for name in ("mean", "std")}
            about: dict[str, object] = {
                "name": self.name,
                "n_classes": self.n_classes,
                "input_shape": list(self.input_shape),
                "sha256": self.sha256,
                "versions": json.dumps(versions("numpy", "pillow", "scikit-learn", "torch")),
            }
            about |= attributes or {}
            write_dataset(xr.Dataset(scale, small, about), path, linked)
        finally:
            remove(folder)

    @classmethod
    def open(cls, path: str | Path) -> Dataset:
        """Open a store written by :meth:`save`.

        Images of less than 4 GiB are loaded, and everything is checked by content. Larger images
        are mapped, and only the rest is checked; `verify` reads them all.

        Raises
        ------
        StoreError
            If it is no store of this version of hyperribbon.
        DataError
            If it holds something else, or its content does not have the recorded hash.
        """
        path = Path(path)
        store = open_dataset(path)
        try:
            sizes = [store[f"{split}_images"].nbytes for split in SPLITS]
            values: dict[str, Any] = {name: store[name].values for name in ("mean", "std")}
            for split in SPLITS:
                images = f"{split}_images"
                mapped = sum(sizes) >= IN_MEMORY
                values[images] = MappedImages(path / images) if mapped else store[images].values
                values[f"{split}_labels"] = store[f"{split}_label"].values
                values[f"{split}_index"] = store[f"{split}_index"].values
            values["input_shape"] = tuple(store.attrs["input_shape"])
            values["n_classes"], recorded = store.attrs["n_classes"], store.attrs["sha256"]
            values["name"] = store.attrs["name"]
        except (KeyError, ValueError, OSError) as error:
            raise DataError(
                f"{path}: not a data set written by hyperribbon, or damaged "
                f"({first_line(error)}); delete it and run again"
            ) from None
        dataset = cls(**values)
        if dataset.sha256 != recorded:
            raise DataError(
                f"{path}: content has SHA-256 {dataset.sha256}, recorded {recorded}; delete it "
                "and run again"
            )
        return dataset


def check_labels(labels: np.ndarray, n_classes: int, where: str) -> None:
    """Refuse labels outside 0..n_classes-1 with a DataError."""
    if labels.min() < 0 or labels.max() >= n_classes:
        raise DataError(
            f"{where}: labels from {labels.min()} to {labels.max()}, expected 0 to {n_classes - 1}"
        )


def _on_disk(images: np.ndarray | MappedImages, folder: Path, split: str) -> Path:
    """Folder of the images as a Zarr array, written if they are in memory."""
    if isinstance(images, MappedImages):
        return images.folder
    dtype = str(images.dtype)
    for _ in write_images(folder, images.shape, dtype, images.__getitem__, split=split):
        pass
    return folder
