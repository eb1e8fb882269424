"""Analysis of trainings on synthetic sloppy data (thesis 2.5.5, Figs. 2.26 to 2.28)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import MODELS, explained_stress_interval
from hyperribbon.errors import HyperribbonError
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
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

    def predictions(self, split: str, rows: ArrayLike | None = None) -> np.ndarray:
        """Models (T, K, N, C) of all trainings, or of those in some rows of the table."""
        return self.store[f"{split}_predictions"].isel(training=self._rows(rows)).values

    def labels(self, split: str) -> np.ndarray:
        """True classes (N,)."""
        return self.store[f"{split}_label"].values

    def models(self, rows: ArrayLike | None = None) -> pd.DataFrame:
        """One row per model, in the order of the predictions, trainings slowest."""
        chosen = self._rows(rows)
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


def stress_table(inpca: InPCA) -> pd.DataFrame:
    """Explained stress (Eq. 2.2.8) and eigenvalues, in nats, by dimension."""
    k = len(inpca.eigenvalues_)
    kinds = np.where(inpca.signature_ > 0, "space-like", "time-like")
    return pd.DataFrame(
        {
            "dimension": np.arange(1, k + 1),
            "eigenvalue": inpca.eigenvalues_,
            "kind": kinds,
            "explained_stress": inpca.explained_stress_,
        }
    )


def stress_bounds(
    D: np.ndarray, groups: Sequence, stress: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """95% bootstrap intervals of explained stress, over groups of a few hundred models."""
    few = evenly(len(D), MODELS)
    return explained_stress_interval(D[np.ix_(few, few)], np.asarray(groups)[few], stress)


def geodesic_table(
    inpca: InPCA, P: np.ndarray, labels: np.ndarray, threads: int | None = None
) -> pd.DataFrame:
    """The geodesic from ignorance to truth in the coordinates of fitted models (m, N, C)."""
    alpha = np.linspace(0, 1, GEODESIC_POINTS)
    n_classes = P.shape[2]
    curve = geodesic(ignorance(len(labels), n_classes), truth(labels, n_classes), alpha)
    # Predictions are float32 and the curve is float64, so both need the same floor.
    X = inpca.transform(pairwise_distance(curve, P, floor=FLOOR, threads=threads))
    return coordinate_table(X, 3).assign(alpha=alpha)


def separation(D: np.ndarray, about: pd.DataFrame, checkpoints: int) -> pd.DataFrame:
    """Distance of trainings that differ in one factor, and of those that differ only in the seed.

    Models are compared at the same checkpoint, that is, after the same fraction of the training.

    Parameters
    ----------
    D : (T * K, T * K) distances, in nats, of the models of T trainings with K checkpoints each
    about : one row per training, with columns network, optimiser, batch_size and seed
    checkpoints : K

    Returns
    -------
    DataFrame with one row per factor and checkpoint. ``between`` is the mean distance of trainings
    that differ in the factor and the seed and agree in the other factors; ``within`` is that of
    trainings that differ only in the seed. (Trainings with the same seed would share the order of
    the samples and, for the same network, the initial weights.) A factor with a single level has
    no row.
    """
    same = {f: about[f].to_numpy()[:, None] == about[f].to_numpy() for f in FACTORS}
    seeds = about["seed"].to_numpy()[:, None] != about["seed"].to_numpy()
    within = np.logical_and.reduce([*same.values(), seeds])
    rows = []
    for factor in FACTORS:
        others = [agree for name, agree in same.items() if name != factor]
        between = np.logical_and.reduce([~same[factor], *others, seeds])
        if not between.any():
            continue
        for k in range(checkpoints):
            at = D[k::checkpoints, k::checkpoints]
            mean = at[within].mean() if within.any() else np.nan
            rows.append((factor, k, at[between].mean(), mean))
    return pd.DataFrame(rows, columns=["factor", "checkpoint", "between", "within"])


def of_corners(table: pd.DataFrame, corners: int, trajectories: int) -> np.ndarray:
    """Rows of a given number of trainings, evenly from the first corners and all optimisers."""
    each = trajectories // (corners * table["optimiser"].nunique())
    return np.flatnonzero((table["corner"] <= corners) & (table["seed"] < each))


def slice_eigenvalues(P: np.ndarray, threads: int | None = None) -> np.ndarray:
    """Eigenvalues (m,) of the centred distances of models (m, N, C), by magnitude (Eq. 2.2.6)."""
    D = pairwise_distance(P, threads=threads)
    return InPCA(None, metric="precomputed", solver="full").fit(D).eigenvalues_
