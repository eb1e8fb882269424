"""Whether trainings are of the same samples, which decides whether they can be in one picture."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from hyperribbon.errors import StoreError
from hyperribbon.storage.digest import digest
from hyperribbon.storage.recorded_samples import RecordedSamples
from hyperribbon.watching.recordings import Training


class SameSamples:
    """The samples of the first training, with which those of others are compared.

    Parameters
    ----------
    split : {"train", "test"}
        The samples on which models are compared.
    """

    def __init__(self, split: str):
        self.split = split
        self.first: Training | None = None
        self._recorded = RecordedSamples()
        self._known: dict[str, tuple[object, str | None]] = {}

    def fault(self, training: Training) -> str | None:
        """Why a training cannot be in the picture, in one line; None if it can.

        A training has checkpoints when it is first given.
        """
        identity = json.dumps(training.about, sort_keys=True), training.n_classes
        known = self._known.get(training.key)
        if known is not None and known[0] == identity:
            return known[1]
        fault = self._compare(training)
        if fault is None and self.first is None:
            self.first = training
        self._known[training.key] = identity, fault
        return fault

    @property
    def labels(self) -> np.ndarray | None:
        """True classes (N,), if they are known."""
        return None if self.first is None else self.first.labels.get(self.split)

    def _compare(self, other: Training) -> str | None:
        split, name = self.split, other.path.name
        if split not in _numbers(other):
            return f"{name}: no {split} predictions, which this picture is of"
        if self.first is not None:
            first, where = self.first, self.first.path.name
            pairs = {
                "classes": (other.n_classes, first.n_classes),
                f"{split} samples": (_numbers(other)[split], _numbers(first)[split]),
            }
            for what, (given, expected) in pairs.items():
                if given != expected:
                    return f"{name}: {given} {what}, expected those of {where}, {expected}"
            if _labels_sha256(other, split) != _labels_sha256(first, split):
                return (
                    f"{name}: {split} labels that differ from those of {where}; expected the same "
                    "samples in the same order"
                )
        hashes = {
            f"{split}_input_hash": (f"{split}_sample", h) for split, h in other.hashes.items()
        }
        about = {"configuration": json.dumps(dict(other.about))}
        try:
            self._recorded.check(other.path, xr.Dataset(hashes, attrs=about))
        except StoreError as error:
            return str(error)
        return None


def _numbers(training: Training) -> dict[str, int]:
    """Numbers of samples by split."""
    known = {split: len(labels) for split, labels in training.labels.items()}
    samples = training.about.get("samples") or {}
    return known or {split: int(found["number"]) for split, found in samples.items()}


def _labels_sha256(training: Training, split: str) -> str:
    if split in training.labels:
        return digest(training.labels[split].tolist())
    return training.about["samples"][split]["labels_sha256"]
