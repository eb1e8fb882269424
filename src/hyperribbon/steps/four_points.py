"""All models in an embedding of four points: ignorance, truth, two averages (thesis 2.4)."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.cluster import each
from hyperribbon.embedding import InPCA, align, explained_pairwise_distance
from hyperribbon.embedding.neighbourhood import is_away
from hyperribbon.manifest import store_path
from hyperribbon.models import Models
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import ignorance, truth
from hyperribbon.probability.progress_average import SIGMA, progress_weighted_sums
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.store import SPLITS, open_dataset
from hyperribbon.tables import MODEL_KEYS, write_table

# Averages are at s and 1 - s; the thesis shows 0.2 for all models and 0.3 for three configurations.
VALUES = (0.1, 0.2, 0.3, 0.4)
SHOWN = 0.2
POINTS = 4
DIMENSIONS = POINTS - 1
ORIGINAL = 10  # dimensions of the original embedding to compare with


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    explained, coordinates = [], []
    for split, distance, progress in zip(SPLITS, args.distance, args.progress, strict=True):
        store, matrix = models.distances(store_path(distance))
        s = open_dataset(store_path(progress))["progress"].values
        averages = averages_of(models, split, s, args.threads)
        beyond = is_away(store["geodesic_distance"].values[-1], models.n_classes)
        for selection, chosen in {
            "all models": np.ones(len(models), dtype=bool),
            "near the manifold": ~beyond,
        }.items():
            if chosen.sum() < ORIGINAL:
                continue
            weights = chosen.astype(float)
            original = InPCA(min(ORIGINAL, chosen.sum()), metric="precomputed", random_state=0)
            original.fit(matrix, sample_weight=weights)
            about = {"split": split, "selection": selection, "models": int(chosen.sum())}
            explained.append(
                dimension_table(
                    original.eigenvalues_, original.explained_pairwise_distance_
                ).assign(**about, points="all", s=np.nan)
            )
            for value, means in averages.items():
                inpca, X = embed_four(models, split, means, args.smoothing, args.threads)
                share = explained_pairwise_distance(matrix, X, inpca.signature_, weights)
                table = dimension_table(inpca.eigenvalues_, share)
                laid = laid_upon(original, inpca, X, chosen)
                table["rmsd"] = np.nan if laid is None else laid.rmsd
                explained.append(table.assign(**about, points="four", s=value))
                if value == SHOWN and selection == "near the manifold":
                    coordinates += [
                        place_table(models, chosen, split, points, Y)
                        for points, Y in (
                            ("all", original.embedding_[chosen, :DIMENSIONS]),
                            ("four", X[chosen] if laid is None else laid.aligned),
                        )
                    ]
        logger.info("%s: averages at %s", split, ", ".join(f"{v:g}" for v in averages) or "none")
    columns = ["split", "selection", "points", "s", "models", "dimension", "kind"]
    names = [*columns, "explained_pairwise_distance", "rmsd"]
    write_table(pd.concat(explained).reindex(columns=names), args.output[0])
    names = ["split", "points", *MODEL_KEYS, *(f"pc{k + 1}" for k in range(DIMENSIONS))]
    found = pd.concat(coordinates) if coordinates else pd.DataFrame(columns=names)
    write_table(found.reindex(columns=names), args.output[1])


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


def embed_four(
    models: Models, split: str, means: np.ndarray, smoothing: float, threads: int
) -> tuple[InPCA, np.ndarray]:
    """InPCA of the four points, and all models placed in it (Eq. 2.2.9)."""
    n_samples, n_classes = means.shape[1:]
    points = np.stack(
        [
            ignorance(n_samples, n_classes),
            *means,
            truth(models.labels(split), n_classes, smoothing),
        ]
    )
    options = {"floor": FLOOR, "threads": threads}
    inpca = InPCA(DIMENSIONS, metric="precomputed").fit(pairwise_distance(points, **options))
    to_points = pairwise_distance(list(models.trajectories(split)), points, **options)
    return inpca, inpca.transform(to_points)


def laid_upon(original: InPCA, inpca: InPCA, X: np.ndarray, chosen: np.ndarray):
    """The coordinates from four points aligned with the original ones, where signs allow it."""
    signature = original.signature_[:DIMENSIONS]
    if sorted(signature) != sorted(inpca.signature_):
        return None
    order = np.empty(DIMENSIONS, dtype=int)
    order[np.argsort(-signature, kind="stable")] = np.argsort(-inpca.signature_, kind="stable")
    return align(X[chosen][:, order], original.embedding_[chosen, :DIMENSIONS], signature)


def dimension_table(eigenvalues: np.ndarray, share: np.ndarray) -> pd.DataFrame:
    """One row a dimension."""
    return pd.DataFrame(
        {
            "dimension": np.arange(1, len(share) + 1),
            "kind": np.where(eigenvalues < 0, "time-like", "space-like"),
            "explained_pairwise_distance": share,
        }
    )


def place_table(
    models: Models, chosen: np.ndarray, split: str, points: str, X: np.ndarray
) -> pd.DataFrame:
    """One row a model: its first coordinates."""
    names = [f"pc{k + 1}" for k in range(DIMENSIONS)]
    keys = models.table.loc[chosen, MODEL_KEYS].reset_index(drop=True)
    return keys.join(pd.DataFrame(X, columns=names)).assign(split=split, points=points)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="manifests")
    for name in ("distance", "progress"):
        parser.add_argument(
            f"--{name}", type=Path, nargs=2, required=True, help="manifests, train then test"
        )
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="CSV files: explained, coordinates"
    )
    run_step(main, parser)
