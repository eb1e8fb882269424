"""Each comparison's embedding: its models and the mean trajectories of its groups, together."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import zarr

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.intervals import explained_stress_interval
from hyperribbon.embedding.projection_change import ProjectionChange, projection_change
from hyperribbon.embedding.tables import dimension_table
from hyperribbon.numerics.blocks import submatrix
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability.shuffling import shuffled_by_training
from hyperribbon.probability.views import Projected, Selection
from hyperribbon.storage.dataset import SPLITS, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import Trajectory
from hyperribbon.storage.tables import coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.tasks.names import MEANS
from hyperribbon.studies.tasks.plan import Compared, TaskPlan
from hyperribbon.studies.tasks.reading import all_in_memory

# To which classes are mixed at random, of at most as many models, to see what that changes.
CLASSES, MIXED = (2, 5, 10, 20, 50, 100), 200
DIMENSIONS = 50  # whose explained stress is in the table, of as many models
COORDINATES = 3


class Points(NamedTuple):
    """What is embedded: models, then points of mean trajectories."""

    about: pd.DataFrame
    """One row per model or point: group, configuration, seed, checkpoint, epoch, progress, kind."""
    models: list
    """The models (b, N, C) of each training, as their distances see them."""
    whole: list
    """The same, with all classes."""
    distance: np.ndarray
    """(m, m) distances, nats."""


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    progress: tuple[Path, Path],
    means: list[Path],
    plan: TaskPlan,
    draws: int,
    threads: int,
    output: list[Path],
    classes: int | None = None,
) -> None:
    """Embed the models of each comparison, and find how much of the stress is shared learning.

    Parameters
    ----------
    predictions : manifests
    distance, progress : manifests, train then test
    means : manifests of the mean trajectories on the splits that are compared
    plan : groups and comparisons, JSON
    draws : of the null model
    threads : tiles of distances worked on at once
    output : CSV files to write
    classes : number to which the classes were mixed at random for the distances
    """
    models = Models(list(map(store_path, predictions)))
    mean_stores = {path.stem: store_path(path) for path in means}
    tables: dict[str, list[pd.DataFrame]] = {
        "task_embedding": [],
        "task_stress": [],
        "task_projection": [],
    }
    for name, comparison in plan.comparisons.items():
        k = SPLITS.index(comparison.split)
        along = models.open(store_path(progress[k]))["progress"].values
        matrix = models.distances(store_path(distance[k]))[1]
        points = gather(
            models, matrix, along, mean_stores[comparison.split], plan, comparison, threads, classes
        )
        coordinates, stress = embed(points, models.labels(comparison.split), draws, threads)
        tables["task_embedding"].append(coordinates.assign(comparison=name))
        tables["task_stress"].append(stress.assign(comparison=name))
        change = mixing_table(points.whole, draws, threads)
        tables["task_projection"].append(change.assign(comparison=name))
        logger.info("%s: %d models and points", name, len(points.about))
    for path in output:
        table = pd.concat(tables[path.stem]).set_index("comparison").reset_index()
        write_table(table, path)


def gather(
    models: Models,
    matrix: zarr.Array,
    progress: np.ndarray,
    means: Path,
    plan: TaskPlan,
    comparison: Compared,
    threads: int,
    classes: int | None,
) -> Points:
    """The models of a comparison and the points of its mean trajectories, with distances."""
    group = models.table["stage"].map(plan.groups)
    rows = np.flatnonzero(group.isin(comparison.groups))
    keys = models.table.iloc[rows][["configuration", "seed", "checkpoint", "epoch"]]
    about = keys.assign(group=group.iloc[rows], progress=progress[rows], kind="model")
    parts: list = all_in_memory(models.selections(comparison.split, rows))
    whole = parts
    store, stored = open_dataset(means), zarr.open_array(means / MEANS, mode="r")
    names = store["group"].values.tolist()
    mean_parts: list = []
    mean_rows = []
    for name in comparison.groups:
        if name not in names:  # all its trainings diverged
            continue
        k = names.index(name)
        reached = np.flatnonzero(np.isfinite(store["distance"].values[k, k]))
        if len(reached):
            mean_parts.append(Selection(Trajectory(stored, k), reached))
            values = store["progress"].values[reached]
            mean_rows.append(pd.DataFrame({"group": name, "progress": values, "kind": "mean"}))
    D = np.asarray(submatrix(matrix, rows), dtype=np.float64)
    mean_parts = all_in_memory(mean_parts)
    if classes is not None:
        parts, mean_parts = ([Projected(P, classes) for P in some] for some in (parts, mean_parts))
    if mean_parts:
        across = pairwise_distance(mean_parts, parts, floor=FLOOR, threads=threads)
        within = pairwise_distance(mean_parts, floor=FLOOR, threads=threads)
        D = np.block([[D, across.T], [across, within]])
    return Points(pd.concat([about, *mean_rows], ignore_index=True), parts, whole, D)


def embed(
    points: Points, labels: np.ndarray, draws: int, threads: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Coordinates of all points, and explained stress as observed, without means, and shuffled."""
    inpca = fitted(points.distance)
    coordinates = points.about.join(coordinate_table(inpca.embedding_, COORDINATES))
    alone = (points.about["kind"] == "model").to_numpy()
    D = points.distance[np.ix_(alone, alone)]
    observed = stress_table(fitted(D))
    low, high = explained_stress_interval(
        D, points.about["configuration"][alone], observed["explained_stress"]
    )
    found = [
        stress_table(inpca).assign(kind="with means"),
        observed.assign(kind="models", low=low, high=high),
    ]
    for draw in range(draws):
        shuffled = pairwise_distance(
            shuffled_by_training(points.models, labels, draw), threads=threads
        )
        found.append(stress_table(fitted(shuffled)).assign(kind="shuffled", draw=draw))
    columns = ["kind", "draw", "models", "dimension", "eigenvalue", "axis"]
    columns += ["explained_stress", "low", "high", "configurations"]
    counts = {"with means": len(points.about), "models": len(D), "shuffled": len(D)}
    stress = pd.concat(found)
    configurations = points.about["configuration"][alone].nunique()
    stress = stress.assign(models=stress["kind"].map(counts), configurations=configurations)
    return coordinates, stress[columns]


def mixing_table(parts: list, draws: int, threads: int) -> pd.DataFrame:
    """How a random mixture of the classes changes distances and embedding (3.5.2)."""
    columns = ProjectionChange._fields
    sizes = [size for size in CLASSES if size < parts[0].shape[2]]
    total = sum(map(len, parts))
    if total < 4:
        return pd.DataFrame(columns=columns)
    step = -(-total // MIXED)  # of every training, so that none is left out
    few = [Selection(P, range(0, len(P), step)) for P in parts]
    found = projection_change(few, sizes, draws, threads=threads)
    return pd.DataFrame(found, columns=columns).assign(models=sum(map(len, few)))


def fitted(D: np.ndarray) -> InPCA:
    """InPCA of distances (m, m)."""
    return InPCA(min(DIMENSIONS, len(D)), metric="precomputed", random_state=0).fit(D)


def stress_table(inpca: InPCA) -> pd.DataFrame:
    """What each dimension explains; `kind` says something else here, so the axis is `axis`."""
    return dimension_table(inpca).rename(columns={"kind": "axis"})


if __name__ == "__main__":
    run_step(main)
