"""How much of the explained stress is that of models that share nothing but how far they got."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import MODELS, explained_stress_interval
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability.shuffling import shuffled_within_classes
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models, Selection
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, models_parser, run_step

DIMENSIONS = 100  # whose explained stress is told, of as many models


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    found = []
    for split, manifest in zip(SPLITS, args.distance, strict=True):
        rows, parts = models.sample(split, args.models)
        D = models.distances(store_path(manifest))[1].oindex[rows, rows]
        about = {"split": split, "models": len(rows)}
        observed = stress_table(D)
        few = evenly(len(rows), MODELS)
        low, high = explained_stress_interval(
            D[np.ix_(few, few)],
            models.table["configuration"].iloc[rows[few]],
            observed["explained_stress"],
        )
        found.append(observed.assign(low=low, high=high, **about, kind="observed", draw=0))
        labels = models.labels(split)
        for draw in range(args.draws):
            for kind, shuffled in (
                ("shuffled by training", by_training(parts, labels, draw)),
                ("shuffled by model", by_model(parts, labels, draw)),
            ):
                D = pairwise_distance(shuffled, threads=args.threads, progress_bar=True)
                found.append(stress_table(D).assign(**about, kind=kind, draw=draw))
        logger.info("%s: %d models, %d draws", split, len(rows), args.draws)
    columns = ["split", "kind", "draw", "models", "dimension", "explained_stress", "low", "high"]
    write_table(pd.concat(found)[columns], args.output)


def by_training(parts: list, labels: np.ndarray, draw: int) -> list[Selection]:
    """All models of a training with the same exchange of samples."""
    return [
        Selection(P, samples=shuffled_within_classes(labels, (draw, k)))
        for k, P in enumerate(parts)
    ]


def by_model(parts: list, labels: np.ndarray, draw: int) -> list[Selection]:
    """Each model with an exchange of its own."""
    return [
        Selection(P, [i], shuffled_within_classes(labels, (draw, k, i)))
        for k, P in enumerate(parts)
        for i in range(len(P))
    ]


def stress_table(D: np.ndarray) -> pd.DataFrame:
    """Explained stress of the first dimensions of an InPCA."""
    k = min(DIMENSIONS, len(D))
    stress = InPCA(k, metric="precomputed", random_state=0).fit(D).explained_stress_
    return pd.DataFrame({"dimension": np.arange(1, k + 1), "explained_stress": stress})


if __name__ == "__main__":
    parser = models_parser(__doc__, "distance")
    parser.add_argument("--models", type=int, required=True, help="how many, at most")
    parser.add_argument("--draws", type=int, required=True, help="of each null")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="CSV to write")
    run_step(main, parser)
