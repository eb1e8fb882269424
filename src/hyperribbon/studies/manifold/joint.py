"""Train and test models in one embedding (thesis 2.3.1, Fig. 2.5a)."""

from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import explained_pairwise_distance, joint_embedding
from hyperribbon.embedding.intervals import explained_pairwise_distance_draws
from hyperribbon.numerics.bootstrap import percentiles
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step

DIMENSIONS = 10
SHOWN = 3
LESS = ["less_own_low", "less_own_high"]


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    embedding: tuple[Path, Path],
    output: tuple[Path, Path, Path],
) -> None:
    """Place the test models in the axes of the train embedding.

    Parameters
    ----------
    predictions : manifests
    distance, embedding : manifests, train then test
    output : CSV files of coordinates, of what is explained, and of the geodesic
    """
    models = Models(list(map(store_path, predictions)))
    train, test = (models.distances(store_path(manifest)) for manifest in distance)
    k = min(DIMENSIONS, len(models))
    joint = joint_embedding(train[1], test[1], k, random_state=0)
    curve = joint.inpca.transform(train[0]["geodesic_distance"].values)
    placed = explained_pairwise_distance(test[1], joint.test, joint.inpca.signature_)
    stores = [models.open(store_path(manifest)) for manifest in embedding]
    own = [store["explained_pairwise_distance"].values[:k] for store in stores]
    # Of the test embedding, as many coordinates as are stored.
    own_test = stores[1]["embedding"].values[:, :k], stores[1]["signature"].values[:k]
    tables, in_own_axes = [], {}
    for split, axes, values, (_, D), X, signature in (
        ("train", "train", own[0], train, joint.train, joint.inpca.signature_),
        ("test", "test", own[1], test, *own_test),
        ("test", "train", placed, test, joint.test, joint.inpca.signature_),
    ):
        draws = explained_pairwise_distance_draws(
            D, X, signature, models.table["configuration"], values[: len(signature)]
        )
        table = pd.DataFrame(
            {
                "split": split,
                "axes": axes,
                "dimension": np.arange(1, k + 1),
                "explained_pairwise_distance": values,
            }
        )
        bounds = pd.DataFrame(np.transpose(percentiles(draws)), columns=["low", "high"])
        table = table.join(bounds.clip(upper=1))
        if split == axes:
            in_own_axes[split] = draws
        else:  # the same configurations were drawn
            both = min(draws.shape[1], in_own_axes[split].shape[1])
            less = percentiles(draws[:, :both] - in_own_axes[split][:, :both])
            table = table.join(pd.DataFrame(np.transpose(less), columns=LESS))
        tables.append(table)
    keys = models.table[MODEL_KEYS]
    coordinates = [
        keys.join(coordinate_table(X, SHOWN)).assign(split=split)
        for split, X in zip(SPLITS, (joint.train, joint.test), strict=True)
    ]
    geodesic = coordinate_table(curve, SHOWN).assign(split="train", alpha=train[0]["alpha"].values)
    write_table(pd.concat(coordinates).set_index("split").reset_index(), output[0])
    write_table(pd.concat(tables), output[1])
    write_table(geodesic, output[2])
    logger.info(
        "explained pairwise distance of %d dimensions on test: %.3f in the axes of train, %.3f "
        "in its own", k, placed[-1], own[1][-1],
    )  # fmt: skip


if __name__ == "__main__":
    run_step(main)
