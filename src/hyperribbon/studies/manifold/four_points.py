"""All models in an embedding of four points: ignorance, truth, two averages (thesis 2.4)."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import zarr

from hyperribbon.embedding import InPCA, align_like_signs, explained_pairwise_distance
from hyperribbon.embedding.fidelity import kinds
from hyperribbon.embedding.four_points import DIMENSIONS, embed_four_points
from hyperribbon.embedding.intervals import (
    MODELS,
    explained_pairwise_distance_draws,
    rmsd_interval,
)
from hyperribbon.embedding.neighbourhood import is_away
from hyperribbon.numerics.blocks import evenly, submatrix
from hyperribbon.numerics.bootstrap import percentiles
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step

SHOWN = 0.2  # of the values of progress
ORIGINAL = 10  # dimensions of the original embedding to compare with
DIFFERENCE = "four less all"  # three dimensions of four points, less those of all models


class Embedding(NamedTuple):
    """The original embedding to compare with.

    Its dimensions, and the signs and coordinates of all models in as many of them as are known.
    """

    eigenvalues: np.ndarray
    explained: np.ndarray
    signature: np.ndarray
    X: np.ndarray


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    embedding: tuple[Path, Path],
    progress: tuple[Path, Path],
    threads: int,
    output: tuple[Path, Path],
    smoothing: float = 0.0,
) -> None:
    """Compare embeddings of four points with the original one.

    Parameters
    ----------
    predictions : manifests
    distance, embedding, progress : manifests, train then test
    threads : trajectories worked on at once
    output : CSV files of what is explained, and of coordinates
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    explained, coordinates = [], []
    for k, split in enumerate(SPLITS):
        store, matrix = models.distances(store_path(distance[k]))
        fours = embed_four_points(
            list(models.trajectories(split)),
            models.open(store_path(progress[k]))["progress"].values,
            models.labels(split),
            smoothing=smoothing,
            threads=threads,
        )
        near = ~is_away(store["geodesic_distance"].values[-1], models.n_classes)
        selections = {"all models": (np.ones(len(models)), stored(models, embedding[k]))}
        if near.sum() in range(ORIGINAL, len(models)):
            selections["near the manifold"] = near.astype(float), fitted(matrix, near)
        for selection, (weights, original) in selections.items():
            about = {"split": split, "selection": selection, "models": int(weights.sum())}
            chosen = weights > 0
            few = np.flatnonzero(chosen)
            few = few[evenly(len(few), MODELS)]
            D, configurations = submatrix(matrix, few), models.table["configuration"].iloc[few]
            original_draws = explained_pairwise_distance_draws(
                D, original.X[few], original.signature, configurations,
                original.explained[: len(original.signature)],
            )  # fmt: skip
            table = dimension_table(original.eigenvalues, original.explained)
            table = table.join(ends(original_draws).clip(upper=1))
            explained.append(table.assign(**about, points="all"))
            shown_signature = original.signature[:DIMENSIONS]
            shown_X = original.X[chosen, :DIMENSIONS]
            shown = {"all": shown_X}
            for s, (inpca, X) in fours.items():
                share = explained_pairwise_distance(matrix, X, inpca.signature_, weights)
                draws = explained_pairwise_distance_draws(
                    D, X[few], inpca.signature_, configurations, share
                )
                table = dimension_table(inpca.eigenvalues_, share)
                table = table.join(ends(draws).clip(upper=1)).assign(**about, points="four", s=s)
                laid = align_like_signs(X[chosen], inpca.signature_, shown_X, shown_signature)
                if laid is not None:
                    low, high = rmsd_interval(
                        laid.aligned, shown_X, shown_signature,
                        models.table["configuration"][chosen], laid.rmsd,
                    )  # fmt: skip
                    table = table.assign(rmsd=laid.rmsd, rmsd_low=low, rmsd_high=high)
                explained.append(table)
                # The same configurations were drawn, so that pairs of draws are compared.
                less = dimension_table(original.eigenvalues, share[-1] - original.explained)
                less = less.join(ends(draws[:, -1:] - original_draws))
                explained.append(less.assign(**about, points=DIFFERENCE, s=s))
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
    columns += ["explained_pairwise_distance", "low", "high", "rmsd", "rmsd_low", "rmsd_high"]
    write_table(pd.concat(explained).reindex(columns=columns), output[0])
    columns = ["split", "points", *MODEL_KEYS]
    write_table(pd.concat(coordinates).set_index(columns).reset_index(), output[1])


def stored(models: Models, manifest: Path) -> Embedding:
    """The embedding of all models, as it is stored."""
    store = models.open(store_path(manifest))
    return Embedding(
        store["eigenvalue"].values[:ORIGINAL],
        store["explained_pairwise_distance"].values[:ORIGINAL],
        store["signature"].values[:ORIGINAL],
        store["embedding"].values[:, :ORIGINAL],
    )


def fitted(matrix: zarr.Array, chosen: np.ndarray) -> Embedding:
    """Embed some models, and place the others among them."""
    inpca = InPCA(ORIGINAL, metric="precomputed", random_state=0)
    inpca.fit(matrix, sample_weight=chosen.astype(float))
    return Embedding(
        inpca.eigenvalues_,
        inpca.explained_pairwise_distance_,
        inpca.signature_,
        inpca.embedding_,
    )


def ends(draws: np.ndarray) -> pd.DataFrame:
    """Both ends of the interval of each dimension, from draws (draws, k)."""
    return pd.DataFrame(np.transpose(percentiles(draws)), columns=["low", "high"])


def dimension_table(eigenvalues: np.ndarray, share: np.ndarray) -> pd.DataFrame:
    """One row per dimension: its kind, and the share of pairwise distances explained."""
    return pd.DataFrame(
        {
            "dimension": np.arange(1, len(share) + 1),
            "kind": kinds(eigenvalues),
            "explained_pairwise_distance": share,
        }
    )


if __name__ == "__main__":
    run_step(main)
