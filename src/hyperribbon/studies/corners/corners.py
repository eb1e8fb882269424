"""Trainings by a corner: how near to ignorance they come, and where they rejoin the manifold."""

from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.config import DIRECT
from hyperribbon.probability import truth
from hyperribbon.runtime.cluster import each
from hyperribbon.storage.dataset import SPLITS, Split
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, TRAINING_KEYS, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.trajectories.corners import (
    approach_to_corner,
    distance_to_direct,
    expected_geodesic_distance,
    geodesic_distance_to_ignorance,
    rejoining,
)


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    progress: tuple[Path, Path],
    threads: int,
    output: tuple[Path, Path],
    smoothing: float = 0.0,
) -> None:
    """Tabulate the trainings that went by a corner.

    Parameters
    ----------
    predictions : manifests
    distance, progress : manifests, train then test
    threads : trainings worked on at once
    output : CSV files of the models, and of where trainings rejoin the manifold
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    found = []
    for k, split in enumerate(SPLITS):
        table = model_table(models, split, store_path(distance[k]))
        table["progress"] = models.open(store_path(progress[k]))["progress"].values
        found.append(table)
    found[0][["distance_to_corner", "error_on_corner_labels"]] = to_corners(
        models, smoothing, threads
    )
    table = pd.concat(found)
    by_corner = table[table["stage"].str.contains("corner")]
    corner = by_corner["stage"].str.extract(r"(\d+)$", expand=False).astype(int)
    by_corner = by_corner.assign(corner=corner).reset_index(drop=True)
    columns = ["split", *MODEL_KEYS, "corner", "progress", "error"]
    columns += ["distance_to_ignorance", "distance_to_manifold", "distance_to_corner"]
    columns += ["error_on_corner_labels"]
    write_table(by_corner[columns], output[0])
    curves = pd.concat(geodesics(models, s, smoothing, threads) for s in SPLITS)
    rejoined = rejoining_table(by_corner, curves)
    write_table(rejoined, output[1])
    for split, part in rejoined.groupby("split", sort=False):
        nearest, at = part["min_distance_to_ignorance"], part["rejoining_progress"]
        logger.info(
            "%s: %d trainings come within %.2f to %.2f nats of ignorance; %d rejoin the manifold, "
            "at progress %.2f +- %.2f",
            split, len(part), nearest.min(), nearest.max(), at.count(), at.mean(), at.std(),
        )  # fmt: skip


def model_table(models: Models, split: Split, distance: Path) -> pd.DataFrame:
    """One row per model: its distances to ignorance and to the models trained directly."""
    store, matrix = models.distances(distance)
    stage = models.table["stage"]
    direct, by_corner = (stage == DIRECT).to_numpy(), stage.str.contains("corner").to_numpy()
    return models.table[MODEL_KEYS].assign(
        split=split,
        error=models.table[f"{split}_error"],
        distance_to_ignorance=store["geodesic_distance"].sel(alpha=0).values,
        distance_to_manifold=distance_to_direct(models.table, matrix, direct, by_corner),
    )


def to_corners(models: Models, smoothing: float, threads: int) -> np.ndarray:
    """Each model's distance to its corner and its error on the corner's labels, (m, 2)."""
    trainings = list(zip(models.trajectories("train"), models.corner_labels(), strict=True))
    of_training = partial(_to_corner, smoothing=smoothing)
    return np.concatenate(each(of_training, trainings, threads=threads, progress_bar="corners"))


def _to_corner(training: tuple, smoothing: float) -> np.ndarray:
    """The same for one training's models (K, N, C) and labels (N,); NaN if these are None."""
    P, labels = training
    if labels is None:
        return np.full((len(P), 2), np.nan)
    return approach_to_corner(P, labels, smoothing)


def geodesics(models: Models, split: Split, smoothing: float, threads: int) -> pd.DataFrame:
    """One row per training from a corner: how near geodesics to the truth come to ignorance.

    There is the geodesic from the corner; what it is expected to be; and the one from the model
    that the training starts from, which is not quite the corner. On the test samples there are no
    random labels, so there is only the last.
    """
    keys, labels = models.training_keys().assign(split=split), models.labels(split)
    chosen = keys["stage"].str.startswith("from")
    keys, trajectories = keys[chosen], compress(models.trajectories(split), chosen)
    n_classes = models.n_classes
    end = truth(labels, n_classes, smoothing)
    found = each(
        partial(_from_first, end=end),
        list(trajectories),
        threads=threads,
        progress_bar=f"{split} geodesics",
    )
    keys = keys.assign(start_geodesic_distance_to_ignorance=found)
    if split == "test":
        return keys
    corners = dict(zip(keys["stage"], compress(models.corner_labels(), chosen), strict=True))
    from_corners = {
        stage: geodesic_distance_to_ignorance(truth(corner, n_classes, smoothing), end)
        for stage, corner in corners.items()
    }
    return keys.assign(
        geodesic_distance_to_ignorance=keys["stage"].map(from_corners),
        geodesic_distance_expected=expected_geodesic_distance(n_classes),
    )


def _from_first(P, end: np.ndarray) -> float:
    return geodesic_distance_to_ignorance(np.asarray(P[0]), end)


def rejoining_table(by_corner: pd.DataFrame, geodesics: pd.DataFrame) -> pd.DataFrame:
    """One row per training from a corner and split: nearest to ignorance, and first rejoined."""
    rows = []
    from_corner = by_corner[by_corner["stage"].str.startswith("from")]
    for _, run in from_corner.groupby(["split", "configuration", "seed"], sort=False):
        columns = ["distance_to_ignorance", "distance_to_manifold", "progress", "epoch"]
        rows.append(
            {
                **run[["split", *TRAINING_KEYS, "corner"]].iloc[0],
                **rejoining(*(run[column].to_numpy() for column in columns)),
                "final_error": run["error"].iloc[-1],
            }
        )
    columns = ["split", *TRAINING_KEYS, "corner", "min_distance_to_ignorance", "progress_at_min"]
    columns += ["rejoining_progress", "rejoining_epoch", "final_error"]
    return pd.DataFrame(rows, columns=columns).merge(geodesics, how="left")


if __name__ == "__main__":
    run_step(main)
