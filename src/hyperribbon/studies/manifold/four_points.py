"""All models in an embedding of four points: ignorance, truth, two averages (thesis 2.4)."""

import argparse
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import zarr

from hyperribbon.embedding import InPCA, align_like_signs, explained_pairwise_distance
from hyperribbon.embedding.intervals import MODELS, explained_pairwise_distance_interval
from hyperribbon.embedding.neighbourhood import is_away
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import ignorance, truth
from hyperribbon.probability.progress_average import SIGMA, progress_weighted_sums
from hyperribbon.runtime.cluster import each
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, models_parser, run_step

# Averages are at s and 1 - s; the thesis shows 0.2 for all models and 0.3 for three configurations.
VALUES = (0.1, 0.2, 0.3, 0.4)
SHOWN = 0.2
POINTS = 4
DIMENSIONS = POINTS - 1
ORIGINAL = 10  # dimensions of the original embedding to compare with


class Embedding(NamedTuple):
    """What is compared: dimensions, signs and coordinates of all models."""

    eigenvalues: np.ndarray
    explained: np.ndarray
    signature: np.ndarray
    X: np.ndarray


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    explained, coordinates = [], []
    manifests = (args.distance, args.embedding, args.progress)
    for split, distance, embedding, progress in zip(SPLITS, *manifests, strict=True):
        store, matrix = models.distances(store_path(distance))
        fours = embed_fours(models, split, progress, args.smoothing, args.threads)
        near = ~is_away(store["geodesic_distance"].values[-1], models.n_classes)
        selections = {"all models": (np.ones(len(models)), stored(models, embedding))}
        if near.sum() in range(ORIGINAL, len(models)):
            selections["near the manifold"] = near.astype(float), fitted(matrix, near)
        for selection, (weights, original) in selections.items():
            about = {"split": split, "selection": selection, "models": int(weights.sum())}
            chosen = weights > 0
            few = np.flatnonzero(chosen)
            few = few[evenly(len(few), MODELS)]
            D, configurations = matrix.oindex[few, few], models.table["configuration"].iloc[few]
            table = dimension_table(original.eigenvalues, original.explained)
            explained.append(table.assign(**about, points="all"))
            shown = {"all": original.X[chosen]}
            for s, (inpca, X) in fours.items():
                share = explained_pairwise_distance(matrix, X, inpca.signature_, weights)
                laid = align_like_signs(
                    X[chosen], inpca.signature_, original.X[chosen], original.signature
                )
                rmsd = np.nan if laid is None else laid.rmsd
                low, high = explained_pairwise_distance_interval(
                    D, X[few], inpca.signature_, configurations, share
                )
                table = dimension_table(inpca.eigenvalues_, share).assign(low=low, high=high)
                explained.append(table.assign(**about, points="four", s=s, rmsd=rmsd))
                if s == SHOWN:
                    shown["four"] = X[chosen] if laid is None else laid.aligned
        # Of the last selection, near the manifold if some models are away.
        keys = models.table.loc[chosen, MODEL_KEYS].reset_index(drop=True)
        coordinates += [
            keys.join(coordinate_table(X)).assign(split=split, points=points)
            for points, X in shown.items()
        ]
        logger.info("%s: averages at %s", split, ", ".join(f"{s:g}" for s in fours) or "none")
    columns = ["split", "selection", "points", "s", "models", "dimension", "kind"]
    columns += ["explained_pairwise_distance", "low", "high", "rmsd"]
    write_table(pd.concat(explained).reindex(columns=columns), args.output[0])
    columns = ["split", "points", *MODEL_KEYS]
    write_table(pd.concat(coordinates).set_index(columns).reset_index(), args.output[1])


def stored(models: Models, manifest: Path) -> Embedding:
    """The embedding of all models."""
    store = models.open(store_path(manifest))
    return Embedding(
        store["eigenvalue"].values[:ORIGINAL],
        store["explained_pairwise_distance"].values[:ORIGINAL],
        store["signature"].values[:DIMENSIONS],
        store["embedding"].values[:, :DIMENSIONS],
    )


def fitted(matrix: zarr.Array, chosen: np.ndarray) -> Embedding:
    """An embedding of some models, in which the others are placed."""
    inpca = InPCA(ORIGINAL, metric="precomputed", random_state=0)
    inpca.fit(matrix, sample_weight=chosen.astype(float))
    return Embedding(
        inpca.eigenvalues_,
        inpca.explained_pairwise_distance_,
        inpca.signature_[:DIMENSIONS],
        inpca.embedding_[:, :DIMENSIONS],
    )


def embed_fours(
    models: Models, split: str, progress: Path, smoothing: float, threads: int
) -> dict[float, tuple[InPCA, np.ndarray]]:
    """For each value, InPCA of the four points, and all models placed in it (Eq. 2.2.9)."""
    averages = averages_of(
        models, split, models.open(store_path(progress))["progress"].values, threads
    )
    labels = models.labels(split)
    ends = [ignorance(len(labels), models.n_classes), truth(labels, models.n_classes, smoothing)]
    points = np.concatenate([ends, *averages.values()])
    options = {"floor": FLOOR, "threads": threads}
    among = pairwise_distance(points, **options)
    # The predictions are read once for all values.
    to_points = pairwise_distance(list(models.trajectories(split)), points, **options)
    found = {}
    for k, s in enumerate(averages):
        four = [0, 2 + 2 * k, 3 + 2 * k, 1]
        inpca = InPCA(DIMENSIONS, metric="precomputed").fit(among[np.ix_(four, four)])
        found[s] = inpca, inpca.transform(to_points[:, four])
    return found


def averages_of(models: Models, split: str, s: np.ndarray, threads: int) -> dict:
    """The two averages (2, N, C) of every value; values that no model is near are left out."""
    values = np.array([*VALUES, *(1 - v for v in VALUES)])
    trajectories = list(models.trajectories(split))
    bounds = np.cumsum([len(P) for P in trajectories])[:-1]
    add = partial(_sums, values=values)
    total, weights = 0.0, np.zeros(len(values))
    pairs = list(zip(trajectories, np.split(s, bounds), strict=True))
    for start in range(0, len(pairs), threads):  # as many sums in memory as threads
        for sums, weight in each(add, pairs[start : start + threads], threads=threads):
            total = total + sums
            weights += weight
    near = (np.abs(s - values[:, None]) < 2 * SIGMA).any(axis=1)
    n = len(VALUES)
    return {
        value: total[[k, k + n]] / weights[[k, k + n], None, None]
        for k, value in enumerate(VALUES)
        if near[k] and near[k + n]
    }


def _sums(pair: tuple, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return progress_weighted_sums(*pair, values)


def dimension_table(eigenvalues: np.ndarray, share: np.ndarray) -> pd.DataFrame:
    """One row a dimension."""
    return pd.DataFrame(
        {
            "dimension": np.arange(1, len(share) + 1),
            "kind": np.where(eigenvalues < 0, "time-like", "space-like"),
            "explained_pairwise_distance": share,
        }
    )


if __name__ == "__main__":
    parser = models_parser(__doc__, "distance", "embedding", "progress")
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="CSV files: explained, coordinates"
    )
    run_step(main, parser)
