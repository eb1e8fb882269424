"""Whether recordings are of the same samples, in the same order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.errors import StoreError
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.shared_samples import common_places
from hyperribbon.storage.vocabulary import read_vocabulary, refuse_other_vocabulary


class RecordedSamples:
    """The inputs and class names of the stores so far, to which others are compared.

    A store that knows its inputs has a hash of each sample. Networks may receive different features
    of the same samples, whose hashes have nothing in common. But a sample that occurs once in each
    of two stores must be at the same place in both: otherwise one is in another order, even if the
    labels agree.
    """

    def __init__(self) -> None:
        self._hashes: dict[str, list[tuple[Path, np.ndarray]]] = {split: [] for split in SPLITS}
        self._names: tuple[Path, list[str]] | None = None
        self._vocabulary: tuple[Path, list[str]] | None = None

    def check(self, path: Path, store: xr.Dataset) -> None:
        """Refuse a store with the samples of an earlier one in another order, or other classes.

        Raises
        ------
        StoreError
            If a sample is elsewhere in an earlier store, or the names or tokens of the classes
            differ.
        """
        names = json.loads(store.attrs["configuration"]).get("class_names")
        if names is not None:
            self._names = self._names or (path, names)
            if names != self._names[1]:
                raise StoreError(
                    f"{path}: classes {names}, expected those of {self._names[0]}, {self._names[1]}"
                )
        tokens = read_vocabulary(store)
        if tokens is not None:
            self._vocabulary = self._vocabulary or (path, tokens)
            refuse_other_vocabulary(path, tokens, *self._vocabulary)
        for split, before in self._hashes.items():
            if f"{split}_input_hash" not in store:
                continue
            hashes = store[f"{split}_input_hash"].values
            if any(np.array_equal(hashes, other) for _, other in before):
                continue
            for where, other in before:
                moved = _moved(hashes, other)
                if moved is not None:
                    raise StoreError(
                        f"{path}: {split} sample {moved[0]} is sample {moved[1]} of {where}; "
                        "expected the same samples in the same order"
                    )
            before.append((path, hashes))


def _moved(hashes: np.ndarray, other: np.ndarray) -> tuple[int, int] | None:
    """Positions of a sample that occurs once in each, at different places; None if there is none.

    >>> _moved(np.array([5, 6, 6, 8]), np.array([5, 8, 6, 6])), _moved(np.arange(3), np.arange(4))
    ((3, 1), None)
    """
    places = np.stack(common_places(hashes, other), axis=1)
    places = places[places[:, 0] != places[:, 1]]
    return (int(places[0, 0]), int(places[0, 1])) if len(places) else None
