"""Everything a study found, as tidy CSV tables; `split` is the first column where there is one."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
import zarr

from hyperribbon.embedding.fidelity import kinds
from hyperribbon.embedding.neighbourhood import NEAR_GEODESIC, places
from hyperribbon.probability import ignorance, truth
from hyperribbon.storage.dataset import SPLITS, Split
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table, write_table
from hyperribbon.studies.step import logger, run_step
from hyperribbon.trajectories import configuration_distances, trajectory_length


class Stores(NamedTuple):
    """What was computed from the models on one split."""

    distance: xr.Dataset
    matrix: zarr.Array
    embedding: xr.Dataset
    progress: xr.Dataset
    trajectories: xr.Dataset


def main(
    predictions: list[Path],
    distance: tuple[Path, Path],
    embedding: tuple[Path, Path],
    progress: tuple[Path, Path],
    trajectories: tuple[Path, Path],
    output: list[Path],
) -> None:
    """Write the tables of a study.

    Parameters
    ----------
    predictions : manifests
    distance, embedding, progress, trajectories : manifests, train then test
    output : CSV files, TABLE.csv
    """
    models = Models(list(map(store_path, predictions)))
    splits = {
        split: Stores(
            *models.distances(store_path(distance[k])),
            *(models.open(store_path(kind[k])) for kind in (embedding, progress, trajectories)),
        )
        for k, split in enumerate(SPLITS)
    }
    tables: dict[str, list[pd.DataFrame]] = {
        name: []
        for name in (
            "models",
            "trajectories",
            "explained_stress",
            "configuration_distances",
            "tubes",
            "geodesic",
            "away",
        )
    }
    for split, stores in splits.items():
        per_model = model_table(models, split, stores)
        tables["models"].append(per_model)
        tables["away"].append(away_table(per_model))
        tables["trajectories"].append(trajectory_table(models, split, stores, per_model))
        tables["explained_stress"].append(stress_table(split, stores.embedding))
        tables["configuration_distances"].append(distance_table(models, split, stores))
        tables["tubes"].append(tube_table(models, split, stores))
        tables["geodesic"].append(geodesic_table(split, stores.embedding))
    whole = {
        name: pd.concat(parts).set_index("split").reset_index() for name, parts in tables.items()
    }
    whole["configurations"] = models.configurations
    whole["diverged"] = models.trainings.query("diverged_step >= 0")
    whole["summary"] = summary_table(models, whole, geodesic_length(models, splits["train"]))
    for path in output:
        write_table(whole[path.stem], path)
        logger.info("%s: %d rows", path.name, len(whole[path.stem]))


def model_table(models: Models, split: Split, stores: Stores) -> pd.DataFrame:
    """One row per model: keys, time, loss, error, progress, where it is, InPCA coordinates."""
    table = models.table[MODEL_KEYS].assign(
        split=split,
        loss=models.table[f"{split}_loss"],
        error=models.table[f"{split}_error"],
        progress=stores.progress["progress"].values,
    )
    where = places(
        models.table,
        stores.matrix,
        stores.distance["geodesic_distance"].values,
        stores.distance["alpha"].values,
        n_classes=models.n_classes,
        geodesic_radius=NEAR_GEODESIC[split],
    )
    return table.join(where).join(coordinate_table(stores.embedding["embedding"].values))


def away_table(per_model: pd.DataFrame) -> pd.DataFrame:
    """One row per network, optimiser, augmentation and time: models, and those that are away."""
    strata = ["split", "network", "optimiser", "augmentation", "step", "epoch"]
    found = per_model.groupby(strata, sort=False, dropna=False)["away"]
    return found.agg(models="size", away="sum").reset_index()


def trajectory_table(
    models: Models, split: Split, stores: Stores, per_model: pd.DataFrame
) -> pd.DataFrame:
    """One row per training: its end, length, distances to geodesic and mean of the seeds."""
    last = per_model.groupby(["configuration", "seed"], sort=False)[["loss", "error", "progress"]]
    ends = last.last().add_prefix("final_").reset_index(drop=True)
    found = stores.trajectories
    return models.training_keys().assign(
        split=split,
        length=found["length"].values,
        distance_to_geodesic=found["to_geodesic"].mean("progress", skipna=True).values,
        median_distance_to_mean=found["to_mean"].median("progress", skipna=True).values,
        max_distance_to_mean=found["to_mean"].max("progress", skipna=True).values,
        **{name: ends[name] for name in ends},
    )


def stress_table(split: Split, embedding: xr.Dataset) -> pd.DataFrame:
    """One row per leading dimension: eigenvalue, kind, explained stress and pairwise distance."""
    names = ["eigenvalue", "explained_stress", "explained_pairwise_distance"]
    table = embedding[names].to_dataframe().reset_index()
    return table.assign(split=split, kind=kinds(table["eigenvalue"].to_numpy()))


def distance_table(models: Models, split: Split, stores: Stores) -> pd.DataFrame:
    """One row per pair of configurations, averaged over seeds; a gap if never at equal progress."""
    found, groups = stores.trajectories, models.training_keys()["configuration"]
    D = configuration_distances(found["distance"].values, groups)
    common = configuration_distances(found["common"].values / found.sizes["progress"], groups)
    names = groups.unique()
    i, j = np.triu_indices(len(names))
    pairs = {"split": split, "configuration": names[i], "other": names[j]}
    return pd.DataFrame(pairs | {"distance": D[i, j], "common": common[i, j]})


def tube_table(models: Models, split: Split, stores: Stores) -> pd.DataFrame:
    """One row per training and value of progress: distances to geodesic and tube's centre."""
    found = stores.trajectories
    keys = models.training_keys()
    n_points = found.sizes["progress"]
    table = keys.loc[keys.index.repeat(n_points)].reset_index(drop=True)
    return table.assign(
        split=split,
        progress=np.tile(found["progress"].values, len(keys)),
        to_geodesic=found["to_geodesic"].values.ravel(),
        to_mean=found["to_mean"].values.ravel(),
    ).dropna(subset="to_geodesic")


def geodesic_table(split: Split, embedding: xr.Dataset) -> pd.DataFrame:
    """One row per point of the geodesic, from ignorance (0) to truth (1), with its coordinates."""
    table = coordinate_table(embedding["geodesic_embedding"].values)
    return table.assign(split=split, alpha=embedding["alpha"].values)


def geodesic_length(models: Models, stores: Stores) -> float:
    """Length of the geodesic from ignorance to truth, radians."""
    n_classes = next(models.trajectories("train")).shape[2]
    smoothing = json.loads(stores.trajectories.attrs["parameters"])["smoothing"]
    end = truth(np.zeros(1, int), n_classes, smoothing)
    return trajectory_length(np.stack([ignorance(1, n_classes), end]))


def summary_table(
    models: Models, tables: dict[str, pd.DataFrame], geodesic_length: float
) -> pd.DataFrame:
    """Sum up what was found in a few numbers."""
    diverged = tables["diverged"]
    names = [f"{row.configuration} seed {row.seed}" for row in diverged.itertuples()]
    rows: list[tuple[str, str, str]] = [
        ("configurations", str(models.trainings["configuration"].nunique()), ""),
        ("trainings", str(len(models.trainings)), ""),
        ("diverged trainings, left out", str(len(diverged)), "; ".join(names)),
        ("models", str(len(models)), "checkpoints of the trainings that did not diverge"),
        ("length of the geodesic", f"{geodesic_length:.4f}", "radians"),
    ]
    for split in SPLITS:
        stress = tables["explained_stress"].query("split == @split")
        for dimension in (1, 3, 10, 25, 50):
            found = stress.query("dimension == @dimension")
            if len(found):
                share = found["explained_stress"].iloc[0]
                value, note = ("", "all in one point") if np.isnan(share) else (f"{share:.3f}", "")
                rows.append((f"explained stress of {dimension} dimensions, {split}", value, note))
        per_model = tables["models"].query("split == @split")
        r = np.corrcoef(per_model["progress"], per_model["error"])[0, 1]
        rows.append((f"R^2 of progress and error, {split}", f"{r**2:.3f}", "linear regression"))
        widths = tables["tubes"].query("split == @split")["to_mean"].dropna()
        if len(widths):
            rows.append((f"median tube width, {split}", f"{widths.median():.4f}", "nats"))
        to_truth = tables["trajectories"].query("not stage.str.startswith('to corner')")
        final = to_truth.query("split == @split")["final_error"]
        value = f"{final.mean():.4f}"
        rows.append(
            (f"mean final error, {split}", value, f"{final.min():.4f} to {final.max():.4f}")
        )
    return pd.DataFrame(rows, columns=["quantity", "value", "note"])


if __name__ == "__main__":
    run_step(main)
