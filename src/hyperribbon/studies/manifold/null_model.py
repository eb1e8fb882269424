"""How much of the explained stress is that of models that share nothing but how far they got."""

from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import explained_stress_interval
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.numerics.blocks import submatrix
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability.shuffling import NULLS
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step

DIMENSIONS = 100  # whose explained stress is in the table, of as many models


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    models: int,
    draws: int,
    threads: int,
    output: Path,
) -> None:
    """Compare the explained stress of models with that of null models.

    Parameters
    ----------
    predictions : manifests
    distance : manifests, train then test
    models : number of models, at most
    draws : of each null model
    threads : tiles of distances worked on at once
    output : CSV file to write
    """
    all_models = Models(list(map(store_path, predictions)))
    found = []
    for split, manifest in zip(SPLITS, distance, strict=True):
        rows, parts = all_models.sample(split, models)
        D = submatrix(all_models.distances(store_path(manifest))[1], rows)
        about = {"split": split, "models": len(rows)}
        observed = stress_table(D)
        configurations = all_models.table["configuration"].iloc[rows]
        low, high = explained_stress_interval(D, configurations, observed["explained_stress"])
        found.append(observed.assign(low=low, high=high, **about, kind="observed", draw=0))
        labels = all_models.labels(split)
        for draw in range(draws):
            for kind, shuffled in NULLS.items():
                D = pairwise_distance(
                    shuffled(parts, labels, draw), threads=threads, progress_bar=True
                )
                found.append(stress_table(D).assign(**about, kind=kind, draw=draw))
        logger.info("%s: %d models, %d draws", split, len(rows), draws)
    columns = ["split", "kind", "draw", "models", "dimension", "explained_stress", "low", "high"]
    write_table(pd.concat(found)[columns], output)


def stress_table(D: np.ndarray) -> pd.DataFrame:
    """Explained stress of the first dimensions of an InPCA of distances (m, m)."""
    inpca = InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0)
    return dimension_table(inpca.fit(D))[["dimension", "explained_stress"]]


if __name__ == "__main__":
    run_step(main)
