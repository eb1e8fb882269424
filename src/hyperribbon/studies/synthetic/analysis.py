"""What is asked of trainings on synthetic sloppy data (thesis 2.5.5, Figs. 2.26 to 2.28)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import MODELS, explained_stress_interval
from hyperribbon.errors import HyperribbonError
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.tables import coordinate_table

DIMENSIONS = 100  # whose explained stress is told, of as many models
GEODESIC_POINTS = 51
KEYS = ["network", "optimiser", "batch_size", "weight_decay", "seed", "corner"]
FACTORS = ["network", "optimiser", "batch_size"]


class Trainings:
    """Trainings of one store of `hyperribbon.studies.synthetic.training` that did not diverge.

    Parameters
    ----------
    path : of the store

    Raises
    ------
    HyperribbonError
        If none is left.

    Attributes
    ----------
    store : Dataset, of these trainings
    table : one row a training: network, optimiser, batch_size, weight_decay, seed, corner
    """

    def __init__(self, path: str | Path):
        self._whole = open_dataset(path)
        kept = np.flatnonzero(self._whole["diverged_step"].values < 0)
        if not len(kept):
            raise HyperribbonError(f"{path}: every training diverged; take lower learning rates")
        self.store = self._whole.isel(training=kept)
        self.table = pd.DataFrame({name: self.store[name].values for name in KEYS})

    def predictions(self, split: str, rows: Sequence[int] | None = None) -> np.ndarray:
        """Models (T, K, N, C) of all trainings, or some."""
        rows = np.arange(len(self.table)) if rows is None else np.asarray(rows)
        return self.store[f"{split}_predictions"].isel(training=rows).values

    def labels(self, split: str) -> np.ndarray:
        """True classes (N,)."""
        return self.store[f"{split}_label"].values

    def models(self, rows: Sequence[int] | None = None) -> pd.DataFrame:
        """One row a model, in the order of the predictions, trainings slowest."""
        rows = np.arange(len(self.table)) if rows is None else np.asarray(rows)
        steps = self.store["step"].values[rows]
        checkpoints = steps.shape[1]
        table = self.table.iloc[rows]
        table = table.loc[table.index.repeat(checkpoints)].reset_index(drop=True)
        return table.assign(
            checkpoint=np.tile(np.arange(checkpoints), len(rows)),
            step=steps.ravel(),
            fraction=np.tile(self.store["fraction"].values, len(rows)),
        )

    def ends(self, splits: Sequence[str]) -> pd.DataFrame:
        """One row a training, those that diverged too: its error at the end on recorded samples."""
        errors = {f"{s}_error": self._whole[f"{s}_error"].values[:, -1] for s in splits}
        table = pd.DataFrame({name: self._whole[name].values for name in KEYS})
        last = {"steps": self._whole["step"].values[:, -1]}
        return table.assign(**last, **errors, diverged_step=self._whole["diverged_step"].values)


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
    """95% intervals of explained stress, from drawing groups of a few hundred models again."""
    few = evenly(len(D), MODELS)
    return explained_stress_interval(D[np.ix_(few, few)], np.asarray(groups)[few], stress)


def geodesic_table(
    inpca: InPCA, P: np.ndarray, labels: np.ndarray, threads: int | None = None
) -> pd.DataFrame:
    """The curve from ignorance to the truth in the coordinates of fitted models (m, N, C)."""
    alpha = np.linspace(0, 1, GEODESIC_POINTS)
    n_classes = P.shape[2]
    curve = geodesic(ignorance(len(labels), n_classes), truth(labels, n_classes), alpha)
    # One floor for both, although predictions are float32 and the curve is float64.
    X = inpca.transform(pairwise_distance(curve, P, floor=FLOOR, threads=threads))
    return coordinate_table(X, 3).assign(alpha=alpha)


def separation(D: np.ndarray, about: pd.DataFrame, checkpoints: int) -> pd.DataFrame:
    """How far apart trainings are that differ in one factor, beside those that differ in seeds.

    Compared are models at the same checkpoint, that is, after the same part of the training.

    Parameters
    ----------
    D : (T * K, T * K) distances of the models of T trainings, K checkpoints each, in nats
    about : one row a training, with columns network, optimiser, batch_size and seed
    checkpoints : K

    Returns
    -------
    One row a factor and checkpoint. ``between`` is the mean distance of trainings that differ in
    the factor and the seed, and agree in the other factors; ``within`` that of trainings that
    differ in nothing but the seed. (Of one seed, the order of the samples would be the same, and
    the weights if the network is.) Without the factor's second level there is no row.
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
    """Rows of as many trainings, evenly from each of the first corners and optimisers."""
    each = trajectories // (corners * table["optimiser"].nunique())
    return np.flatnonzero((table["corner"] <= corners) & (table["seed"] < each))


def slice_eigenvalues(P: np.ndarray, threads: int | None = None) -> np.ndarray:
    """Eigenvalues (m,) of the centred distances of models (m, N, C), by magnitude (Eq. 2.2.6)."""
    D = pairwise_distance(P, threads=threads)
    return InPCA(None, metric="precomputed", solver="full").fit(D).eigenvalues_
