"""Analysis of trainings on synthetic sloppy data (thesis 2.5.5, Figs. 2.26 to 2.28)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.curve import embed_geodesic
from hyperribbon.embedding.intervals import explained_stress_interval
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.errors import HyperribbonError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.tables import coordinate_table

DIMENSIONS = 100  # most dimensions in tables of explained stress
GEODESIC_POINTS = 51
KEYS = ["network", "optimiser", "batch_size", "weight_decay", "seed", "corner"]
FACTORS = ["network", "optimiser", "batch_size"]


class Trainings:
    """The trainings in a store of `hyperribbon.studies.synthetic.training` that did not diverge.

    Parameters
    ----------
    path : path of the store

    Raises
    ------
    HyperribbonError
        If all trainings diverged.

    Attributes
    ----------
    store : Dataset of these trainings
    table : one row per training: network, optimiser, batch_size, weight_decay, seed, corner
    """

    def __init__(self, path: str | Path):
        self._whole = open_dataset(path)
        kept = np.flatnonzero(self._whole["diverged_step"].values < 0)
        if not len(kept):
            raise HyperribbonError(f"{path}: every training diverged; lower the learning rates")
        self.store = self._whole.isel(training=kept)
        self.table = pd.DataFrame({name: self.store[name].values for name in KEYS})

    def predictions(self, split: str, rows: Sequence[int] | np.ndarray | None = None) -> np.ndarray:
        """Models (T, K, N, C) of all trainings, or of those in some rows of the table."""
        chosen = np.arange(len(self.table)) if rows is None else np.asarray(rows)
        return self.store[f"{split}_predictions"].isel(training=chosen).values

    def labels(self, split: str) -> np.ndarray:
        """True classes (N,)."""
        return self.store[f"{split}_label"].values

    def models(self, rows: Sequence[int] | np.ndarray | None = None) -> pd.DataFrame:
        """One row per model, in the order of the predictions, trainings slowest."""
        chosen = np.arange(len(self.table)) if rows is None else np.asarray(rows)
        steps = self.store["step"].values[chosen]
        checkpoints = steps.shape[1]
        table = self.table.iloc[chosen]
        table = table.loc[table.index.repeat(checkpoints)].reset_index(drop=True)
        return table.assign(
            checkpoint=np.tile(np.arange(checkpoints), len(chosen)),
            step=steps.ravel(),
            fraction=np.tile(self.store["fraction"].values, len(chosen)),
        )

    def ends(self, splits: Sequence[str]) -> pd.DataFrame:
        """One row per training, including diverged ones: its final errors on recorded samples."""
        errors = {f"{s}_error": self._whole[f"{s}_error"].values[:, -1] for s in splits}
        table = pd.DataFrame({name: self._whole[name].values for name in KEYS})
        last = {"steps": self._whole["step"].values[:, -1]}
        return table.assign(**last, **errors, diverged_step=self._whole["diverged_step"].values)

    def _rows(self, rows: ArrayLike | None) -> np.ndarray:
        return np.arange(len(self.table)) if rows is None else np.asarray(rows)


def embed(P: np.ndarray, threads: int | None = None) -> tuple[np.ndarray, InPCA]:
    """Bhattacharyya distances (m, m) of models (m, N, C), in nats, and their InPCA."""
    D = pairwise_distance(P, threads=threads)
    inpca = InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0).fit(D)
    return D, inpca


def stress_table(D: np.ndarray, inpca: InPCA, groups: Sequence) -> pd.DataFrame:
    """Explained stress (Eq. 2.2.8) by dimension, with its bootstrap interval over groups.

    Columns ``models`` and ``groups`` say how many of them there are.
    """
    low, high = explained_stress_interval(D, groups, inpca.explained_stress_)
    table = dimension_table(inpca).drop(columns="explained_pairwise_distance")
    return table.assign(low=low, high=high, models=len(D), groups=len(set(groups)))


def geodesic_table(
    inpca: InPCA, P: np.ndarray, labels: np.ndarray, threads: int | None = None
) -> pd.DataFrame:
    """The geodesic from ignorance to truth in the coordinates of fitted models (m, N, C)."""
    alpha = np.linspace(0, 1, GEODESIC_POINTS)
    X = embed_geodesic(inpca, P, labels, alpha, threads=threads)
    return coordinate_table(X, 3).assign(alpha=alpha)


def of_corners(table: pd.DataFrame, corners: int, trajectories: int) -> np.ndarray:
    """Rows of a given number of trainings, evenly from the first corners and all optimisers."""
    each = trajectories // (corners * table["optimiser"].nunique())
    return np.flatnonzero((table["corner"] <= corners) & (table["seed"] < each))
