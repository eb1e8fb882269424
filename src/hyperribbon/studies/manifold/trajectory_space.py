"""Trajectories as points: their InPCA embedding, and which factors make them differ."""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import MODELS, explained_stress_interval
from hyperribbon.numerics.blocks import evenly
from hyperribbon.storage.dataset import SPLITS, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import TRAINING_KEYS, write_table
from hyperribbon.studies.step import logger, models_parser, run_step
from hyperribbon.trajectories import comparable, configuration_distances
from hyperribbon.trajectories.factors import separate_factors
from hyperribbon.trajectories.importance import COLUMNS, variable_importance

DIMENSIONS = 100  # whose explained stress is told, of as many trajectories


def main(args: argparse.Namespace) -> None:
    configurations = Models(list(map(store_path, args.predictions))).configurations
    points, dimensions, importance = [], [], []
    for split, manifest in zip(SPLITS, args.trajectories, strict=True):
        found = open_dataset(store_path(manifest))
        keys = pd.DataFrame({name: found[name].values for name in ("configuration", "seed")})
        keys = keys.merge(configurations, how="left")
        D = found["distance"].values
        embedding, stress = embed(D, keys["configuration"].to_numpy())
        points.append(keys.join(embedding, how="inner").assign(split=split))
        dimensions.append(stress.assign(split=split))
        to_geodesic = found["to_geodesic"].mean("progress", skipna=True).values
        table = importance_table(keys, D, to_geodesic, args)
        importance.append(table.assign(split=split))
        logger.info(
            "%s: %d of %d trajectories embedded, importance of %d factors",
            split, len(embedding), len(keys), len(table),
        )  # fmt: skip
    coordinates = ["pc1", "pc2", "pc3"]
    about = ["dimension", "eigenvalue", "kind", "explained_stress", "low", "high"]
    tables = {
        "importance": (importance, COLUMNS),
        "trajectory_embedding": (points, [*TRAINING_KEYS, *coordinates]),
        "trajectory_stress": (dimensions, about),
    }
    for path in args.output:
        parts, columns = tables[path.stem]
        write_table(pd.concat(parts).reindex(columns=["split", *columns]), path)


def embed(D: np.ndarray, configurations: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Coordinates, by position of the trajectory, and what each dimension explains.

    Without rows if there are fewer than four trajectories with a progress in common.
    """
    rows = comparable(D)
    if len(rows) < 4:
        return pd.DataFrame(), pd.DataFrame()
    k = min(DIMENSIONS, len(rows))
    inpca = InPCA(k, metric="precomputed", random_state=0).fit(D[np.ix_(rows, rows)])
    few = rows[evenly(len(rows), MODELS)]
    low, high = explained_stress_interval(
        D[np.ix_(few, few)], configurations[few], inpca.explained_stress_
    )
    coordinates = pd.DataFrame(inpca.embedding_[:, :3], rows, ["pc1", "pc2", "pc3"])
    return coordinates, pd.DataFrame(
        {
            "dimension": np.arange(1, k + 1),
            "eigenvalue": inpca.eigenvalues_,
            "kind": np.where(inpca.eigenvalues_ < 0, "time-like", "space-like"),
            "explained_stress": inpca.explained_stress_,
            "low": low,
            "high": high,
        }
    )


def importance_table(keys: pd.DataFrame, D: np.ndarray, to_geodesic: np.ndarray, args):
    """Importance of the factors of configurations, averaged over seeds."""
    about = keys.drop_duplicates("configuration", ignore_index=True)
    means = pd.Series(to_geodesic).groupby(keys["configuration"], sort=False).mean()
    between = configuration_distances(D, keys["configuration"])
    return variable_importance(
        between, separate_factors(about), means.to_numpy(),
        permutations=args.permutations, threads=args.threads,
    )  # fmt: skip


if __name__ == "__main__":
    parser = models_parser(__doc__, "trajectories")
    parser.add_argument("--permutations", type=int, required=True, help="of each factor")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, nargs="+", required=True, help="TABLE.csv, ...")
    run_step(main, parser)
