"""Models to which bases are fitted, and others by which they are judged."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from hyperribbon.storage.models import Models

HELD = 2**30  # bytes of models that are kept in memory
FITTED = "none"  # held out: bases are judged by the models that they are fitted to
TRAININGS = "trainings"
SEEDS = "seeds"
NETWORKS = "networks"
LARGER = "larger networks"


class Division(NamedTuple):
    """Two sets of models.

    held_out : kind of models to judge by: "none" if they are those that are fitted
    piece : which of them: number of a random half, seed, network
    fitted, judged : (m,) bool
    """

    held_out: str
    piece: str
    fitted: np.ndarray
    judged: np.ndarray

    @property
    def seed(self) -> int:
        """Seed of random bases, another for each random half."""
        return int(self.piece) if self.held_out == TRAININGS else 0

    def about(self) -> dict[str, object]:
        """Columns that tell it in a table."""
        counts = {"fitted": int(self.fitted.sum()), "judged": int(self.judged.sum())}
        return {"held_out": self.held_out, "piece": self.piece, **counts}


def some_checkpoints(models: Models, count: int) -> np.ndarray:
    """Rows of the models' table: some checkpoints of each training, with its first and last."""
    sizes = [len(P) for P in models.trajectories(models.splits[0])]
    starts = np.cumsum([0, *sizes[:-1]])
    pieces = [
        start + np.unique(np.linspace(0, size - 1, min(count, size)).round().astype(int))
        for start, size in zip(starts, sizes, strict=True)
    ]
    return np.concatenate(pieces)


class SomeModels:
    """Some models of a split, read once if they take less than 1 GiB.

    Parameters
    ----------
    models : all of them
    split : "train" or "test"
    rows : of the models' table, increasing
    """

    def __init__(self, models: Models, split: str, rows: np.ndarray):
        self._models, self._split, self._rows = models, split, rows
        self.all: list = models.selections(split, rows)
        self._held: np.ndarray | None = None
        if sum(P.dtype.itemsize * math.prod(P.shape) for P in self.all) <= HELD:
            self._held = np.concatenate([P[:] for P in self.all])
            self.all = [self._held]

    def __getitem__(self, some: np.ndarray) -> list:
        """The models (b, N, C), in one array or several, at which ``some`` (m,) is True."""
        if self._held is not None:
            return [self._held[some]]
        return self._models.selections(self._split, self._rows[some])


def divisions(table: pd.DataFrame, configurations: pd.DataFrame, draws: int) -> Iterator[Division]:
    """Divide models in every way that the study allows.

    Parameters
    ----------
    table : one row per model: configuration, network, seed
    configurations : one row per configuration: configuration, parameters (their number)
    draws : random halves of the trainings
    """
    everything = np.ones(len(table), bool)
    yield Division(FITTED, "", everything, everything)
    trainings = table.groupby(["configuration", "seed"], sort=False).ngroup().to_numpy()
    count = int(trainings.max()) + 1
    for draw in range(draws if count >= 4 else 0):
        half = np.random.default_rng(draw).permutation(count)[: count // 2]
        fitted = np.isin(trainings, half)
        yield Division(TRAININGS, str(draw), fitted, ~fitted)
    for kind, column in ((SEEDS, "seed"), (NETWORKS, "network")):
        values = table[column].unique()
        for value in values if len(values) > 1 else ():
            judged = (table[column] == value).to_numpy()
            yield Division(kind, str(value), ~judged, judged)
    sizes = configurations.set_index("configuration")["parameters"]
    of_network = table.assign(parameters=table["configuration"].map(sizes))
    by_size = of_network.groupby("network")["parameters"].max().sort_values()
    if len(by_size) > 1 and by_size.notna().all() and by_size.nunique() > 1:
        smaller = by_size.index[: (len(by_size) + 1) // 2]
        fitted = table["network"].isin(smaller).to_numpy()
        yield Division(LARGER, ", ".join(smaller), fitted, ~fitted)
