"""Ensembles of a configuration's seeds: how good they are, and where they lie."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from hyperribbon.embedding.placing import mean_distances, place
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability.centroids import KINDS
from hyperribbon.probability.ensembles import Centroids, Score, checkpoint_scores
from hyperribbon.runtime.cluster import dask_client, each
from hyperribbon.storage.dataset import SPLITS, Split
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import Trajectory
from hyperribbon.storage.tables import write_table
from hyperribbon.studies.step import logger, run_step

KEYS = ["configuration", "network", "optimiser", "augmentation"]
TIME = ["checkpoint", "step", "epoch"]
SCORES = list(Score._fields)
COORDINATES = ["pc1", "pc2", "pc3"]
SINGLE = "single network"


def main(
    predictions: list[Path],
    progress: tuple[Path, Path],
    distance: tuple[Path, Path],
    embedding: tuple[Path, Path],
    threads: int,
    output: tuple[Path, Path],
    smoothing: float = 0.0,
) -> None:
    """Score the centroids of each configuration's seeds, and place those of one in the embedding.

    Parameters
    ----------
    predictions : manifests
    progress, distance, embedding : manifests, train then test
    threads : checkpoints worked on at once
    output : CSV files of scores and of places
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    # Empty ones, so that tables without rows have their columns.
    scores = [pd.DataFrame(columns=["split", *KEYS, "kind", "seeds", *TIME, *SCORES])]
    places = [pd.DataFrame(columns=["split", "configuration", "kind", "checkpoint", *COORDINATES])]
    chosen = configuration_of_most_seeds(models)
    if chosen is not None:
        for k, split in enumerate(SPLITS):
            values = models.open(store_path(progress[k]))["progress"].values
            with dask_client() as client:
                options = {"threads": threads, "client": client, "progress_bar": "ensembles"}
                scores.append(score_table(models, split, values, smoothing, **options))
            _, D = models.distances(store_path(distance[k]))
            store = models.open(store_path(embedding[k]))
            places.append(place_table(models, split, chosen, D, store, threads))
            logger.info("%s: %d centroids", split, (scores[-1]["kind"] != SINGLE).sum())
    for tables, path in zip((scores, places), output, strict=True):
        whole = pd.concat(tables[1:] or tables)
        write_table(whole[list(tables[0])], path)


def configuration_of_most_seeds(models: Models) -> str | None:
    """Choose a configuration of two seeds or more, recorded at the same steps.

    Among equals it is AllCNN (as in the thesis), or the first.
    """
    keys = models.training_keys()
    keys = keys[keys["configuration"].isin(at_same_steps(models.table))]
    if keys.empty:
        return None
    counts = keys.groupby(["configuration", "network"], sort=False).size().reset_index(name="seeds")
    counts["choice"] = counts["network"].str.contains("AllCNN")
    first = counts.sort_values(["seeds", "choice"], ascending=False, kind="stable").iloc[0]
    return first["configuration"] if first["seeds"] > 1 else None


def at_same_steps(table: pd.DataFrame) -> list[str]:
    """Configurations whose seeds were recorded at the same steps, so that checkpoints correspond.

    Examples
    --------
    >>> table = {"configuration": list("aaaabbb"), "seed": [0, 0, 1, 1, 0, 0, 1]}
    >>> table = pd.DataFrame(table | {"checkpoint": [0, 1] * 3 + [0], "step": [0, 9] * 3 + [0]})
    >>> at_same_steps(table)
    ['a']
    """
    names = []
    for name, found in table.groupby("configuration", sort=False):
        times = found.groupby("checkpoint")["step"].agg(["nunique", "size"])
        if (times["nunique"] == 1).all() and (times["size"] == found["seed"].nunique()).all():
            names.append(str(name))
    return names


def score_table(
    models: Models, split: Split, values: np.ndarray, smoothing: float, **options
) -> pd.DataFrame:
    """Loss, error and progress of each configuration's centroids and, on average, single networks.

    One checkpoint's models (seeds, N, C) per thread are in memory at a time.
    """
    models_of, labels = trajectories_of(models, split), models.labels(split)
    single = models.table[[*KEYS, *TIME]].assign(
        loss=models.table[f"{split}_loss"],
        error=models.table[f"{split}_error"],
        progress=values,
    )
    single = single.groupby([*KEYS, *TIME], sort=False, dropna=False)[SCORES].mean().reset_index()
    single["seeds"] = single["configuration"].map({name: len(P) for name, P in models_of.items()})
    alike = single["configuration"].isin(at_same_steps(models.table))
    single = single[(single["seeds"] > 1) & alike]
    items = [
        (models_of[configuration], checkpoint)
        for configuration, checkpoint in single[["configuration", "checkpoint"]].to_numpy()
    ]
    found = each(partial(_scores, labels=labels, smoothing=smoothing), items, **options)
    parts = [single.assign(kind=SINGLE)]
    for kind in KINDS:
        of_kind = pd.DataFrame([scores[kind] for scores in found], index=single.index)
        parts.append(single.assign(kind=kind, **of_kind))
    return pd.concat(parts).assign(split=split)


def _scores(
    item: tuple[list[Trajectory], int], labels: np.ndarray, smoothing: float
) -> dict[str, Score]:
    return checkpoint_scores(*item, labels, smoothing=smoothing)


def place_table(
    models: Models,
    split: Split,
    configuration: str,
    D: zarr.Array,
    embedding: xr.Dataset,
    threads: int,
) -> pd.DataFrame:
    """Where the centroids of a configuration lie in the embedding of all models."""
    seeds = trajectories_of(models, split)[configuration]
    centroids = [Centroids(seeds, kind) for kind in KINDS]
    every = list(models.trajectories(split))
    D_new = pairwise_distance(centroids, every, floor=FLOOR, threads=threads, progress_bar=True)
    X, eigenvalues = embedding["embedding"].values[:, :3], embedding["eigenvalue"].values[:3]
    table = pd.DataFrame(place(D_new, mean_distances(D), X, eigenvalues), columns=COORDINATES)
    return table.assign(
        split=split,
        configuration=configuration,
        kind=np.repeat(KINDS, len(centroids[0])),
        checkpoint=np.tile(np.arange(len(centroids[0])), len(KINDS)),
    )


def trajectories_of(models: Models, split: Split) -> dict[str, list[Trajectory]]:
    """The trajectories of each configuration, one per seed that did not diverge."""
    found: dict[str, list[Trajectory]] = {}
    names = models.training_keys()["configuration"]
    for name, P in zip(names, models.trajectories(split), strict=True):
        found.setdefault(name, []).append(P)
    return found


if __name__ == "__main__":
    run_step(main)
