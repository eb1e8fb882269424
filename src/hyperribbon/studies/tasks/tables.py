"""What a study of tasks found, as tidy tables."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from hyperribbon.config import Configuration
from hyperribbon.numerics.blocks import submatrix
from hyperribbon.runtime.cluster import each
from hyperribbon.storage.dataset import SPLITS, Split, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.tasks.plan import TaskPlan
from hyperribbon.studies.tasks.reading import in_memory
from hyperribbon.studies.tasks.tree_tables import mean_of, tree_table, tree_tests
from hyperribbon.tasks import error_within
from hyperribbon.trajectories.class_progress import class_progress
from hyperribbon.trajectories.lengths import excursion, length_by_count

EXCURSION = ("largest", "final", "length", "backward_progress")
KEYS = ["stage", "seed"]  # of a training; `stage` is the name of what it learns


def main(
    predictions: list[Path],
    progress: tuple[Path, Path],
    distance: tuple[Path, Path],
    trajectories: tuple[Path, Path],
    means: list[Path],
    plan: TaskPlan,
    threads: int,
    output: list[Path],
    smoothing: float = 0.0,
) -> None:
    """Write the tables.

    Parameters
    ----------
    predictions : manifests
    progress, distance, trajectories : manifests, train then test
    means : manifests of the mean trajectories on the splits that are compared
    plan : groups and comparisons, JSON
    threads : trajectories worked on at once
    output : CSV files to write
    smoothing : of the labels of the truth
    """
    stores = list(map(store_path, predictions))
    models, learned = Models(stores), learned_tasks(stores)
    mean_stores = {path.stem: open_dataset(store_path(path)) for path in means}
    along = {
        split: models.open(store_path(path))["progress"].values
        for split, path in zip(SPLITS, progress, strict=True)
    }
    compared = {
        split: models.open(store_path(path))
        for split, path in zip(SPLITS, trajectories, strict=True)
    }
    found = {split: measure(models, split, plan, learned, threads, smoothing) for split in SPLITS}
    keys = models.training_keys()
    matrices = {
        split: models.distances(store_path(path))[1]
        for split, path in zip(SPLITS, distance, strict=True)
    }
    ends = {split: end_distances(models, matrix, plan) for split, matrix in matrices.items()}
    tables = {
        "task_trainings": training_table(plan, learned),
        "task_checkpoints": checkpoint_table(models, plan, along, found),
        "task_classes": class_table(keys, plan, learned, found["test"]),
        "task_distances": distance_table(mean_stores, plan),
        "task_lengths": length_table(keys, plan, found),
        "task_groups": group_table(models, plan, mean_stores, compared, ends),
        "task_excursions": excursion_table(keys, plan, learned, found["test"]),
        "task_tree": tree_table(mean_stores, ends, plan),
    }
    tables["task_tree_test"] = tree_tests(tables["task_tree"])
    for path in output:
        write_table(tables[path.stem], path)
        logger.info("%s: %d rows", path.name, len(tables[path.stem]))


def learned_tasks(stores: Iterable[Path]) -> dict[str, Configuration]:
    """The configuration of each training, by what its models have in the column `stage`."""
    found = {}
    for path in stores:
        attributes = open_dataset(path).attrs
        found[attributes["stage"]] = Configuration.model_validate_json(attributes["configuration"])
    return found


def own_classes(configuration: Configuration) -> list[tuple[int, ...]]:
    """The classes of the task, each as the classes of the data that it merges."""
    assert configuration.learning is not None
    return [group for task in configuration.learning.tasks for group in task.classes]


def measure(
    models: Models,
    split: Split,
    plan: TaskPlan,
    learned: dict[str, Configuration],
    threads: int,
    smoothing: float,
) -> list[dict[str, Any]]:
    """What one pass over each training's predictions gives, in the order of the trainings."""
    labels = models.labels(split)
    work = list(zip(models.trajectories(split), models.training_keys()["stage"], strict=True))
    of_training = partial(
        _of_training, labels=labels, plan=plan, learned=learned, smoothing=smoothing
    )
    return each(of_training, work, threads=threads, progress_bar=f"{split} trainings")


def _of_training(
    work: tuple[Any, str],
    labels: np.ndarray,
    plan: TaskPlan,
    learned: dict[str, Configuration],
    smoothing: float,
) -> dict[str, Any]:
    P, stage = in_memory(work[0]), work[1]
    first, last = np.asarray(P[0]), np.asarray(P[len(P) - 1])
    counts = [count for count in plan.lengths if count <= len(P)]
    by_count = length_by_count(P, counts or [len(P)])
    predicted = last.argmax(axis=1)
    found = {
        "own_error": error_within(P, labels, own_classes(learned[stage])),
        "class_progress": class_progress(np.stack([first, last]), labels, smoothing=smoothing),
        "class_error": [float((predicted[labels == k] != k).mean()) for k in range(last.shape[1])],
        "lengths": by_count,
    }
    if learned[stage].start is not None:  # its first checkpoint is that from which it starts
        found["excursion"] = excursion(P, first, labels, smoothing=smoothing)
    return found


def training_table(plan: TaskPlan, learned: dict[str, Configuration]) -> pd.DataFrame:
    """One row per configuration: what it learned, how, from where, and how long."""
    rows = []
    for stage, configuration in learned.items():
        learning = configuration.learning
        assert learning is not None
        rows.append(
            {
                "stage": stage,
                "group": plan.groups[stage],
                "kind": plan.kinds[plan.groups[stage]],
                "configuration": configuration.id,
                "method": learning.method.name,
                "way": getattr(learning.method, "way", np.nan),
                "tasks": "+".join(task.name for task in learning.tasks),
                "classes": len(own_classes(configuration)),
                "start": configuration.start.stage if configuration.start else "",
                "start_epoch": learning.start_epoch,
                "epochs": configuration.training.epochs,
                "seeds": configuration.training.seeds,
            }
        )
    return pd.DataFrame(rows)


def checkpoint_table(
    models: Models,
    plan: TaskPlan,
    along: dict[Split, np.ndarray],
    found: dict[Split, list[dict[str, Any]]],
) -> pd.DataFrame:
    """One row per model and split: progress, loss and error on all classes, error on its own."""
    tables = []
    columns = ["configuration", "stage", "seed", "checkpoint", "step", "epoch"]
    for split in SPLITS:
        tables.append(
            models.table[columns].assign(
                split=split,
                group=models.table["stage"].map(plan.groups),
                progress=along[split],
                loss=models.table[f"{split}_loss"],
                error=models.table[f"{split}_error"],
                own_error=np.concatenate([one["own_error"] for one in found[split]]),
            )
        )
    return pd.concat(tables).set_index("split").reset_index()


def class_table(
    keys: pd.DataFrame,
    plan: TaskPlan,
    learned: dict[str, Configuration],
    found: list[dict[str, Any]],
) -> pd.DataFrame:
    """One row per training and class: progress and error at the end, and if it was trained on."""
    rows = []
    for key, one in zip(keys.itertuples(), found, strict=True):
        seen = {k for group in own_classes(learned[key.stage]) for k in group}
        about = {"group": plan.groups[key.stage], "stage": key.stage, "seed": key.seed}
        for k, (before, after, error) in enumerate(
            zip(*one["class_progress"], one["class_error"], strict=True)
        ):
            row = {"class": k, "seen": k in seen, "initial_progress": before}
            rows.append({**about, **row, "progress": after, "error": error})
    return pd.DataFrame(rows)


def distance_table(means: dict[str, xr.Dataset], plan: TaskPlan) -> pd.DataFrame:
    """One row per comparison, group, reference and value of progress: distances of the means."""
    rows = []
    for name, comparison in plan.comparisons.items():
        store = means[comparison.split]
        groups, progress = store["group"].values.tolist(), store["progress"].values
        distance, radius = store["distance"].values, store["radius"].values
        normalised = store["normalised"].values
        for reference in comparison.references:
            for group in comparison.groups:
                if reference == group or not {reference, group} <= {*groups}:
                    continue
                i, j = groups.index(group), groups.index(reference)
                rows.append(
                    pd.DataFrame(
                        {
                            "comparison": name,
                            "group": group,
                            "reference": reference,
                            "progress": progress,
                            "distance": distance[i, j],
                            "normalised": normalised[i, j],
                            "radius": radius[i],
                            "reference_radius": radius[j],
                        }
                    )
                )
    columns = ["comparison", "group", "reference", "progress", "distance", "normalised"]
    columns += ["radius", "reference_radius"]
    empty = pd.DataFrame(columns=columns)
    return pd.concat(rows).dropna(subset="distance") if rows else empty


def length_table(
    keys: pd.DataFrame, plan: TaskPlan, found: dict[Split, list[dict[str, Any]]]
) -> pd.DataFrame:
    """One row per training, split and number of checkpoints: Riemannian length (radians)."""
    rows = []
    for split in SPLITS:
        for key, one in zip(keys.itertuples(), found[split], strict=True):
            lengths = one["lengths"]
            for count, length in zip(lengths.counts, lengths.length, strict=True):
                rows.append(
                    {
                        "split": split,
                        "group": plan.groups[key.stage],
                        "stage": key.stage,
                        "seed": key.seed,
                        "checkpoints": count,
                        "length": length,
                        "displacement": lengths.displacement,
                    }
                )
    return pd.DataFrame(rows)


def end_distances(
    models: Models, matrix: zarr.Array, plan: TaskPlan
) -> dict[tuple[str, str], float]:
    """Mean distance of the last models of trainings of two groups, or of one, over pairs."""
    last = models.table.groupby(KEYS, sort=False).tail(1)
    group = last["stage"].map(plan.groups)
    D = submatrix(matrix, last.index.to_numpy())
    names = list(dict.fromkeys(group))
    np.fill_diagonal(D, np.nan)  # of a training from itself
    return {(a, b): mean_of(D[np.ix_(group == a, group == b)]) for a in names for b in names}


def group_table(
    models: Models,
    plan: TaskPlan,
    means: dict[str, xr.Dataset],
    compared: dict[Split, xr.Dataset],
    ends: dict[Split, dict[tuple[str, str], float]],
) -> pd.DataFrame:
    """One row per group and split: how far its trainings are apart, and from the truth."""
    keys = models.training_keys()
    groups = keys["stage"].map(plan.groups).to_numpy(object)
    last = models.table.groupby(KEYS, sort=False).last()
    rows = []
    order = list(keys[KEYS].itertuples(index=False, name=None))
    for split in SPLITS:
        apart = compared[split]["distance"].values
        to_truth = last[f"{split}_loss"].loc[order].to_numpy() / 2
        for group in dict.fromkeys(groups):
            inside = np.flatnonzero(groups == group)
            pairs = apart[np.ix_(inside, inside)][np.triu_indices(len(inside), 1)]
            radius = np.array([np.nan])
            if split in means and group in means[split]["group"].values:
                radius = means[split]["radius"].sel(group=group).values
            kept = radius[np.isfinite(radius)]
            rows.append(
                {
                    "split": split,
                    "group": group,
                    "trainings": len(inside),
                    "mean_distance_apart": mean_of(pairs),
                    "end_distance_apart": ends[split][group, group],
                    "mean_radius": mean_of(kept),
                    "max_radius": kept.max() if kept.size else np.nan,
                    "distance_to_truth": to_truth[inside].mean(),
                }
            )
    return pd.DataFrame(rows)


def excursion_table(
    keys: pd.DataFrame,
    plan: TaskPlan,
    learned: dict[str, Configuration],
    found: list[dict[str, Any]],
) -> pd.DataFrame:
    """One row per fine-tuned training: where it departed, and how far it went."""
    rows = []
    for key, one in zip(keys.itertuples(), found, strict=True):
        if "excursion" not in one:
            continue
        configuration = learned[key.stage]
        assert configuration.learning is not None
        rows.append(
            {
                "group": plan.groups[key.stage],
                "tasks": "+".join(task.name for task in configuration.learning.tasks),
                "seed": key.seed,
                "start_epoch": configuration.learning.start_epoch,
                **{name: getattr(one["excursion"], name) for name in EXCURSION},
            }
        )
    columns = ["group", "tasks", "seed", "start_epoch", *EXCURSION]
    return pd.DataFrame(rows) if rows else pd.DataFrame(columns=columns)


if __name__ == "__main__":
    run_step(main)
