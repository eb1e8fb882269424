"""A data set as the networks see it: split, resized and standardised."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.files import written_whole
from hyperribbon.provenance import versions


@dataclass(frozen=True)
class Dataset:
    """Train and test images with labels.

    Parameters
    ----------
    name : str
    n_classes : int, C
    train_images, test_images : (N, channels, height, width) float32
    train_labels, test_labels : (N,) int64, each in 0..C-1
    train_index, test_index : (N,) int64, position of each sample in the source

    Raises
    ------
    DataError
        If shapes do not agree, an image is not finite or a label is outside 0..C-1.
    """

    name: str
    n_classes: int
    train_images: np.ndarray
    train_labels: np.ndarray
    train_index: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    test_index: np.ndarray

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            images, labels, index = self.split(split)
            where = f"data set {self.name}, {split}"
            if images.ndim != 4 or not len(images):
                raise DataError(
                    f"{where}: images of shape {images.shape}, expected (N, channels, height, "
                    "width) with N >= 1"
                )
            if not len(images) == len(labels) == len(index):
                raise DataError(
                    f"{where}: {len(images)} images, {len(labels)} labels and {len(index)} "
                    "indices, expected as many of each"
                )
            if images.shape[1:] != self.input_shape:
                raise DataError(
                    f"{where}: images of shape {images.shape[1:]}, expected {self.input_shape}"
                )
            if not np.isfinite(images).all():
                raise DataError(f"{where}: images contain NaN or infinity")
            if labels.min() < 0 or labels.max() >= self.n_classes:
                raise DataError(
                    f"{where}: labels from {labels.min()} to {labels.max()}, expected 0 to "
                    f"{self.n_classes - 1}"
                )

    def split(self, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Images, labels and index of ``"train"`` or ``"test"``."""
        return tuple(getattr(self, f"{split}_{part}") for part in ("images", "labels", "index"))

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width)"""
        return self.train_images.shape[1:]

    @property
    def sha256(self) -> str:
        """Hash of everything a network or an analysis can see of it."""
        content = hashlib.sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                content.update(f"{field.name} {value.dtype} {value.shape}".encode())
                content.update(np.ascontiguousarray(value))
            else:
                content.update(f"{field.name} {value}".encode())
        return content.hexdigest()

    def save(self, path: str | Path) -> None:
        """Write to one ``.npz`` file, whole or not at all; with the versions it was made with."""
        arrays = {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}
        made_with = json.dumps(versions("numpy", "scikit-learn", "torch"))
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez(file, sha256=self.sha256, versions=made_with, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Dataset:
        """Read a file written by :meth:`save`, and check it by content.

        Raises
        ------
        DataError
            If the file is damaged, foreign, or its content does not have its recorded hash.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                values = {field.name: arrays[field.name] for field in fields(cls)}
                recorded = str(arrays["sha256"])
        except FileNotFoundError:
            raise
        except Exception as error:  # damaged bytes make zipfile and NumPy raise nearly anything
            raise DataError(
                f"{path}: not a data set written by hyperribbon, or damaged ({error}); delete it "
                "and run again"
            ) from None
        values["name"], values["n_classes"] = str(values["name"]), int(values["n_classes"])
        dataset = cls(**values)
        if dataset.sha256 != recorded:
            raise DataError(
                f"{path}: content has SHA-256 {dataset.sha256}, recorded {recorded}; delete the "
                "file and run again"
            )
        return dataset
