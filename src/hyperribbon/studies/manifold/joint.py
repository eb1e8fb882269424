"""Train and test models in one embedding (thesis 2.3.1, Fig. 2.5a)."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.embedding import explained_pairwise_distance, joint_embedding
from hyperribbon.embedding.intervals import MODELS, explained_pairwise_distance_interval
from hyperribbon.numerics.blocks import evenly
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, models_parser, run_step

DIMENSIONS = 10
SHOWN = 3


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    train, test = (models.distances(store_path(manifest)) for manifest in args.distance)
    k = min(DIMENSIONS, len(models))
    joint = joint_embedding(train[1], test[1], k, random_state=0)
    curve = joint.inpca.transform(train[0]["geodesic_distance"].values)
    placed = explained_pairwise_distance(test[1], joint.test, joint.inpca.signature_)
    stores = [models.open(store_path(manifest)) for manifest in args.embedding]
    own = [store["explained_pairwise_distance"].values[:k] for store in stores]
    few = evenly(len(models), MODELS)
    configurations = models.table["configuration"].iloc[few]
    tables = []
    for split, axes, values, (_, D), X, signature in (
        ("train", "train", own[0], train, joint.train, joint.inpca.signature_),
        ("test", "test", own[1], test, *leading(stores[1], k)),
        ("test", "train", placed, test, joint.test, joint.inpca.signature_),
    ):
        low, high = explained_pairwise_distance_interval(
            D.oindex[few, few], X[few], signature, configurations, values[: len(signature)]
        )
        table = pd.DataFrame(
            {
                "split": split,
                "axes": axes,
                "dimension": np.arange(1, k + 1),
                "explained_pairwise_distance": values,
            }
        )
        bounds = pd.DataFrame({"low": low, "high": high})
        tables.append(table.join(bounds))
    explained = pd.concat(tables)
    keys = models.table[MODEL_KEYS]
    coordinates = [
        keys.join(coordinate_table(X, SHOWN)).assign(split=split)
        for split, X in zip(SPLITS, (joint.train, joint.test), strict=True)
    ]
    geodesic = coordinate_table(curve, SHOWN).assign(split="train", alpha=train[0]["alpha"].values)
    write_table(pd.concat(coordinates).set_index("split").reset_index(), args.output[0])
    write_table(explained, args.output[1])
    write_table(geodesic, args.output[2])
    logger.info(
        "explained pairwise distance of %d dimensions on test: %.3f in the axes of train, %.3f "
        "in its own", k, placed[-1], own[1][-1],
    )  # fmt: skip


def leading(store: xr.Dataset, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The first coordinates of an embedding, as many as are stored, and their signs."""
    return store["embedding"].values[:, :k], store["signature"].values[:k]


if __name__ == "__main__":
    parser = models_parser(__doc__, "distance", "embedding")
    parser.add_argument(
        "--output",
        type=Path,
        nargs=3,
        required=True,
        help="CSV files: coordinates, explained, geodesic",
    )
    run_step(main, parser)
