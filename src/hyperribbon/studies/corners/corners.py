"""Trainings by a corner: how near to ignorance they come, and where they rejoin the manifold."""

import argparse
import math
from functools import partial
from itertools import compress
from pathlib import Path

import numpy as np
import pandas as pd

from hyperribbon.config import DIRECT
from hyperribbon.probability import bhattacharyya_distance, geodesic, ignorance, truth
from hyperribbon.runtime.cluster import each
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, TRAINING_KEYS, write_table
from hyperribbon.studies.step import logger, models_parser, run_step

REJOINED = 0.15  # nats to the nearest model that was trained directly (2.5.4)
ALIKE = ["network", "optimiser", "augmentation"]
GEODESIC_POINTS = 51  # with the middle, where it is nearest to ignorance


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    found = []
    for split, distance, progress in zip(SPLITS, args.distance, args.progress, strict=True):
        table = model_table(models, split, store_path(distance))
        table["progress"] = models.open(store_path(progress))["progress"].values
        found.append(table)
    found[0][["distance_to_corner", "error_on_corner_labels"]] = to_corners(
        models, args.smoothing, args.threads
    )
    table = pd.concat(found)
    by_corner = table[table["stage"].str.contains("corner")]
    corner = by_corner["stage"].str.extract(r"(\d+)$", expand=False).astype(int)
    by_corner = by_corner.assign(corner=corner).reset_index(drop=True)
    columns = ["split", *MODEL_KEYS, "corner", "progress", "error"]
    columns += ["distance_to_ignorance", "distance_to_manifold", "distance_to_corner"]
    columns += ["error_on_corner_labels"]
    write_table(by_corner[columns], args.output[0])
    curves = pd.concat(geodesics(models, s, args.smoothing, args.threads) for s in SPLITS)
    rejoining = rejoining_table(by_corner, curves)
    write_table(rejoining, args.output[1])
    for split, part in rejoining.groupby("split", sort=False):
        nearest, at = part["min_distance_to_ignorance"], part["rejoining_progress"]
        logger.info(
            "%s: %d trainings come within %.2f to %.2f nats of ignorance; %d rejoin the manifold, "
            "at progress %.2f +- %.2f",
            split, len(part), nearest.min(), nearest.max(), at.count(), at.mean(), at.std(),
        )  # fmt: skip


def model_table(models: Models, split: str, distance: Path) -> pd.DataFrame:
    """One row a model, with its distances to ignorance and to the models trained directly."""
    store, matrix = models.distances(distance)
    return models.table[MODEL_KEYS].assign(
        split=split,
        error=models.table[f"{split}_error"],
        distance_to_ignorance=store["geodesic_distance"].sel(alpha=0).values,
        distance_to_manifold=to_manifold(models.table, matrix),
    )


def to_manifold(table: pd.DataFrame, D) -> np.ndarray:
    """Of each model by a corner, the distance to the nearest trained directly and else alike.

    Parameters
    ----------
    table : one row a model, numbered from 0
    D : Zarr array (m, m); a training's rows are in memory at a time

    Returns
    -------
    (m,) nats; NaN of all other models, and if all that were trained directly diverged
    """
    found = np.full(len(table), np.nan)
    for _, alike in table.groupby(ALIKE, sort=False):
        direct = alike.index[alike["stage"] == DIRECT].to_numpy()
        by_corner = alike[alike["stage"].str.contains("corner")]
        for _, run in by_corner.groupby(["configuration", "seed"], sort=False):
            if len(direct):
                found[run.index] = D.oindex[run.index.to_numpy(), direct].min(axis=1)
    return found


def to_corners(models: Models, smoothing: float, threads: int) -> np.ndarray:
    """Each model's distance to its corner and its error on the corner's labels, (m, 2)."""
    trainings = list(zip(models.trajectories("train"), models.corner_labels(), strict=True))
    of_training = partial(to_corner, smoothing=smoothing)
    return np.concatenate(each(of_training, trainings, threads=threads, progress_bar="corners"))


def to_corner(training: tuple, smoothing: float) -> np.ndarray:
    """The same of one training's models (K, N, C) and labels (N,); NaN if these are None."""
    P, labels = training
    found = np.full((len(P), 2), np.nan)
    if labels is None:
        return found
    corner = truth(labels, P.shape[2], smoothing)
    for k in range(len(P)):
        p = np.asarray(P[k])
        found[k] = bhattacharyya_distance(p, corner), (p.argmax(axis=1) != labels).mean()
    return found


def geodesics(models: Models, split: str, smoothing: float, threads: int) -> pd.DataFrame:
    """One row a training from a corner: how near geodesics to the truth come to ignorance.

    That from the corner; what it is expected to be, where 1/C of the random labels are true
    (2.5.4); and that from the model that the training starts from, which is not quite the corner.
    On the test samples there are no random labels, so there is only the last.
    """
    keys, labels = models.training_keys().assign(split=split), models.labels(split)
    chosen = keys["stage"].str.startswith("from")
    keys, trajectories = keys[chosen], compress(models.trajectories(split), chosen)
    n_classes = models.n_classes
    nearest = partial(nearest_to_ignorance, end=truth(labels, n_classes, smoothing))
    found = each(nearest, list(trajectories), threads=threads, progress_bar=f"{split} geodesics")
    keys = keys.assign(start_geodesic_distance_to_ignorance=found)
    if split == "test":
        return keys
    corners = dict(zip(keys["stage"], compress(models.corner_labels(), chosen), strict=True))
    found = {k: nearest(truth(corner, n_classes, smoothing)[None]) for k, corner in corners.items()}
    true = 1 / n_classes
    expected = (true * math.log(n_classes) + (1 - true) * math.log(n_classes / 2)) / 2
    return keys.assign(
        geodesic_distance_to_ignorance=keys["stage"].map(found),
        geodesic_distance_expected=expected,
    )


def nearest_to_ignorance(P, end: np.ndarray) -> float:
    """How near the geodesic from the first model of (K, N, C) to another, (N, C), comes to it."""
    start, middle = np.asarray(P[0]), ignorance(*end.shape)
    return min(
        bhattacharyya_distance(geodesic(start, end, alpha), middle)
        for alpha in np.linspace(0, 1, GEODESIC_POINTS)
    )


def rejoining_table(by_corner: pd.DataFrame, geodesics: pd.DataFrame) -> pd.DataFrame:
    """One row a training from a corner and split: nearest to ignorance, and first rejoined."""
    rows = []
    from_corner = by_corner[by_corner["stage"].str.startswith("from")]
    for _, run in from_corner.groupby(["split", "configuration", "seed"], sort=False):
        nearest = run.loc[run["distance_to_ignorance"].idxmin()]
        near = run[run["distance_to_manifold"] < REJOINED]
        rows.append(
            {
                **run[["split", *TRAINING_KEYS, "corner"]].iloc[0],
                "min_distance_to_ignorance": nearest["distance_to_ignorance"],
                "progress_at_min": nearest["progress"],
                "rejoining_progress": near["progress"].iloc[0] if len(near) else math.nan,
                "rejoining_epoch": near["epoch"].iloc[0] if len(near) else math.nan,
                "final_error": run["error"].iloc[-1],
            }
        )
    columns = ["split", *TRAINING_KEYS, "corner", "min_distance_to_ignorance", "progress_at_min"]
    columns += ["rejoining_progress", "rejoining_epoch", "final_error"]
    return pd.DataFrame(rows, columns=columns).merge(geodesics, how="left")


if __name__ == "__main__":
    parser = models_parser(__doc__, "distance", "progress")
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument(
        "--output", type=Path, nargs=2, required=True, help="CSV files: corners, rejoining"
    )
    run_step(main, parser)
