"""Trajectories as points: their InPCA embedding, and which factors make them differ."""

from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding.intervals import explained_stress_interval
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.storage.dataset import SPLITS, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import TRAINING_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.trajectories.embedding import (
    configuration_importance,
    embed_trajectories,
    importance_without,
)
from hyperribbon.trajectories.importance import COLUMNS

DIMENSIONS = 100  # whose explained stress is in the table, of as many trajectories


def main(
    predictions: list[Path],
    trajectories: tuple[Path, Path],
    permutations: int,
    threads: int,
    output: list[Path],
) -> None:
    """Embed the trajectories, and find the importance of the factors of configurations.

    Parameters
    ----------
    predictions : manifests
    trajectories : manifests, train then test
    permutations : of each factor
    threads : processes that fit forests
    output : CSV files, TABLE.csv
    """
    configurations = Models(list(map(store_path, predictions))).configurations
    points, dimensions, importance, without = [], [], [], []
    for split, manifest in zip(SPLITS, trajectories, strict=True):
        found = open_dataset(store_path(manifest))
        keys = pd.DataFrame({name: found[name].values for name in ("configuration", "seed")})
        keys = keys.merge(configurations, how="left")
        D = found["distance"].values
        coordinates, stress = embed(D, keys["configuration"].to_numpy())
        points.append(keys.join(coordinates, how="inner").assign(split=split))
        dimensions.append(stress.assign(split=split))
        to_geodesic = found["to_geodesic"].mean("progress", skipna=True).values
        table = configuration_importance(
            keys, D, to_geodesic, permutations=permutations, threads=threads
        )
        importance.append(table.assign(split=split))
        if not table.empty:
            left = importance_without(keys, D, to_geodesic, threads=threads)
            without.append(left.assign(split=split))
        logger.info(
            "%s: %d of %d trajectories embedded, importance of %d factors",
            split, len(coordinates), len(keys), len(table),
        )  # fmt: skip
    about = ["dimension", "eigenvalue", "kind", "explained_stress", "low", "high"]
    tables = {
        "importance": (importance, COLUMNS),
        "importance_without": (without, ["left_out", "factor", "importance"]),
        "trajectory_embedding": (points, [*TRAINING_KEYS, "pc1", "pc2", "pc3"]),
        "trajectory_stress": (dimensions, about),
    }
    for path in output:
        parts, columns = tables[path.stem]
        whole = pd.concat(parts) if parts else pd.DataFrame()
        write_table(whole.reindex(columns=["split", *columns]), path)


def embed(D: np.ndarray, configurations: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Coordinates, by position of the trajectory, and what each dimension explains.

    Both are empty if too few trajectories have a progress in common.
    """
    found = embed_trajectories(D, DIMENSIONS)
    if found is None:
        return pd.DataFrame(), pd.DataFrame()
    coordinates = coordinate_table(found.inpca.embedding_, 3).set_index(found.rows)
    table = dimension_table(found.inpca).drop(columns="explained_pairwise_distance")
    low, high = explained_stress_interval(
        found.distance, configurations[found.rows], found.inpca.explained_stress_
    )
    return coordinates, table.assign(low=low, high=high)


if __name__ == "__main__":
    run_step(main)
