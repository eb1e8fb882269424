"""Trainings whose predictions are arrays, with the interface of stores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import check_labels
from hyperribbon.probability.scores import loss_and_error
from hyperribbon.probability.views import trajectories_of
from hyperribbon.storage.dataset import SPLITS, Split
from hyperribbon.storage.shared_samples import Samples
from hyperribbon.storage.tables import TRAINING_KEYS

UNKNOWN = ("optimiser", "augmentation", "stage")


class ArrayModels:
    """All checkpoints of trainings that are given as arrays, like `hyperribbon.storage.Models`.

    Parameters
    ----------
    predictions : mapping
        By split, "train" or "test": a mapping from the name of a training to its predictions
        (K, N, C), to those of several seeds (S, K, N, C), or to those of a single model (N, C).
    labels : mapping
        True classes (N,) by split; None where they are not known.

    Attributes
    ----------
    table, trainings, configurations, n_classes, splits
        As those of `hyperribbon.storage.models.Models`. Losses and errors are missing where labels
        are not known.

    Raises
    ------
    DataError
        If names, numbers of checkpoints or samples do not agree, or labels do not fit.
    """

    inputs = None  # nothing identifies arrays, so that nothing of them is kept on disk

    def __init__(self, predictions: Mapping[str, Mapping], labels: Mapping[str, object]):
        self.splits = tuple(split for split in SPLITS if split in predictions)
        self._trajectories: dict[Split, list] = {}
        names: dict[str, list[tuple[str, int, int]]] = {}
        for split in self.splits:
            given = predictions[split]
            if not isinstance(given, Mapping) or not given:
                kind = type(given).__name__
                raise DataError(f"{split}: {kind}, expected a mapping from names to predictions")
            found = {name: trajectories_of(P, f"{split} {name}") for name, P in given.items()}
            self._trajectories[split] = [P for several in found.values() for P in several]
            names[split] = [
                (str(name), seed, P.shape[0])
                for name, several in found.items()
                for seed, P in enumerate(several)
            ]
        first = self.splits[0]
        for split in self.splits:
            if names[split] != names[first]:
                raise DataError(
                    f"{split}: trainings or checkpoints other than those of {first}: "
                    f"{_listed(names[split])}, expected {_listed(names[first])}"
                )
        self.n_classes = self._trajectories[first][0].shape[2]
        self._labels: dict[str, np.ndarray | None] = {}
        for split, several in self._trajectories.items():
            shape = several[0].shape[1:]
            for (name, *_), P in zip(names[split], several, strict=True):
                if P.shape[1:] != shape or shape[1] != self.n_classes:
                    expected = f"{shape[0]} samples and {self.n_classes} classes, as all others"
                    raise DataError(f"{split} {name}: shape {P.shape}, expected {expected}")
            known = labels.get(split)
            if known is not None:
                known = check_labels(np.asarray(known), self.n_classes, shape[0])
            self._labels[split] = known
        keys = [{"configuration": name, "network": name, "seed": k} for name, k, _ in names[first]]
        self.trainings = pd.DataFrame(keys).assign(**dict.fromkeys(UNKNOWN, "unknown"))
        self.trainings = self.trainings[TRAINING_KEYS].assign(diverged_step=-1)
        lengths = [length for *_, length in names[first]]
        rows = self.trainings.loc[np.repeat(np.arange(len(lengths)), lengths), TRAINING_KEYS]
        checkpoint = np.concatenate([np.arange(length) for length in lengths])
        self.table = rows.reset_index(drop=True).assign(
            checkpoint=checkpoint, step=checkpoint, epoch=np.nan
        )
        for split, several in self._trajectories.items():
            true = self._labels[split]
            if true is None:
                scores = np.full((2, len(self.table)), np.nan)
            else:
                of_each = [
                    _scores(P, true, f"{split} {name}")
                    for (name, *_), P in zip(names[split], several, strict=True)
                ]
                scores = np.concatenate(of_each, axis=1)
            self.table[f"{split}_loss"], self.table[f"{split}_error"] = scores
        about = self.trainings[["configuration", "network", "optimiser", "augmentation"]]
        self.configurations = about.drop_duplicates(ignore_index=True)

    def __len__(self) -> int:
        return len(self.table)

    def labels(self, split: str) -> np.ndarray | None:
        """True classes (N,) of a split, if they are known."""
        return self._labels[split]

    def known_samples(self, split: str) -> Samples:
        """What is known about the samples of a split: no more than their labels."""
        return Samples(self.n_classes, self.labels(split))

    def class_names(self) -> list[str] | None:
        """Names of the classes: none are known."""
        return None

    def trajectories(self, split: Split) -> Iterator:
        """Each training's predictions (K, N, C), in the order of the table."""
        return iter(self._trajectories[split])

    def training_keys(self) -> pd.DataFrame:
        """One row per training."""
        return self.trainings.drop(columns="diverged_step")


def _scores(P, labels: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Losses and errors of a training, whose name is in the error of rows that are none."""
    try:
        return loss_and_error(P, labels)
    except DataError as error:
        raise DataError(f"{name}: {str(error).removeprefix('P: ')}") from None


def _listed(names: list[tuple[str, int, int]]) -> str:
    """The first trainings, with their numbers of checkpoints."""
    shown = [f"{name}, seed {seed} ({length})" for name, seed, length in names[:3]]
    return "; ".join(shown) + (f"; and {len(names) - 3} more" if len(names) > 3 else "")
