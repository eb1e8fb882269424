"""The tidy tables of a family of trainings; `split` is a column wherever there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from hyperribbon.embedding.neighbourhood import NEAR_GEODESIC, places
from hyperribbon.errors import DataError
from hyperribbon.storage.tables import MODEL_KEYS, coordinate_table
from hyperribbon.trajectories import configuration_distances

# All take a `hyperribbon.analysis.geometry.Geometry`, or what has its attributes.


def model_table(geometry: Any) -> pd.DataFrame:
    """One row per model: keys, time, loss, error, progress, where it is, InPCA coordinates.

    Where labels are not known, everything that needs them is left out.
    """
    models, split = geometry.models, geometry.split
    of_several = [name for name in ("study",) if name in models.table]
    table = models.table[[*of_several, *MODEL_KEYS]].copy()
    table.insert(0, "split", split)
    if geometry.labels is not None:
        table = table.assign(
            loss=models.table[f"{split}_loss"],
            error=models.table[f"{split}_error"],
            progress=geometry.progress,
        )
        where = places(
            models.table,
            geometry.distance,
            geometry.geodesic_distance,
            geometry.alpha,
            n_classes=models.n_classes,
            geodesic_radius=NEAR_GEODESIC[split],
        )
        table = table.join(where)
    return table.join(coordinate_table(geometry.coordinates))


def dimension_table(geometry: Any) -> pd.DataFrame:
    """One row per leading dimension: eigenvalue, kind, explained stress and pairwise distance."""
    return geometry.dimensions.assign(split=geometry.split)


def geodesic_table(geometry: Any) -> pd.DataFrame:
    """One row per point of the geodesic, from ignorance (0) to truth (1), with its coordinates."""
    table = coordinate_table(geometry.curve_coordinates)
    return table.assign(split=geometry.split, alpha=geometry.alpha)


def trajectory_table(geometry: Any) -> pd.DataFrame:
    """One row per training: its end, length, distances to geodesic and mean of the seeds."""
    models, split, found = geometry.models, geometry.split, geometry.comparison
    scores = models.table[["configuration", "seed"]].assign(
        loss=models.table[f"{split}_loss"],
        error=models.table[f"{split}_error"],
        progress=geometry.progress,
    )
    ends = scores.groupby(["configuration", "seed"], sort=False).last()
    ends = ends.add_prefix("final_").reset_index(drop=True)
    dims = ("trajectory", "progress")
    to_geodesic, to_mean = (xr.DataArray(x, dims=dims) for x in (found.to_geodesic, found.to_mean))
    return models.training_keys().assign(
        split=split,
        length=geometry.length,
        distance_to_geodesic=to_geodesic.mean("progress", skipna=True).values,
        median_distance_to_mean=to_mean.median("progress", skipna=True).values,
        max_distance_to_mean=to_mean.max("progress", skipna=True).values,
        **{name: ends[name] for name in ends},
    )


def distance_table(geometry: Any) -> pd.DataFrame:
    """One row per pair of configurations, averaged over seeds; a gap if never at equal progress."""
    found, groups = geometry.comparison, geometry.models.training_keys()["configuration"]
    D = configuration_distances(found.distance, groups)
    common = configuration_distances(found.common / len(geometry.grid), groups)
    names = groups.unique()
    i, j = np.triu_indices(len(names))
    pairs = {"split": geometry.split, "configuration": names[i], "other": names[j]}
    return pd.DataFrame(pairs | {"distance": D[i, j], "common": common[i, j]})


def tube_table(geometry: Any) -> pd.DataFrame:
    """One row per training and value of progress: distances to geodesic and tube's centre."""
    found, grid = geometry.comparison, geometry.grid
    keys = geometry.models.training_keys()
    table = keys.loc[keys.index.repeat(len(grid))].reset_index(drop=True)
    return table.assign(
        split=geometry.split,
        progress=np.tile(grid, len(keys)),
        to_geodesic=found.to_geodesic.ravel(),
        to_mean=found.to_mean.ravel(),
    ).dropna(subset="to_geodesic")


# The tables of each split, by their names in a study's results.
TABLES = {
    "models": model_table,
    "trajectories": trajectory_table,
    "explained_stress": dimension_table,
    "configuration_distances": distance_table,
    "tubes": tube_table,
    "geodesic": geodesic_table,
}
LABELLED = ("trajectories", "configuration_distances", "tubes", "geodesic")  # these need labels


class UnknownTable(DataError, KeyError):
    """A table that a study does not have."""

    def __str__(self) -> str:
        return DataError.__str__(self)


class Tables(Mapping):
    """Tables by name, made when they are first asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], pd.DataFrame]]):
        self._makers, self._made = dict(makers), dict[str, pd.DataFrame]()

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._makers:
            raise UnknownTable(f"table {name!r}: expected one of {', '.join(self._makers)}")
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers

    def __repr__(self) -> str:
        return f"Tables({', '.join(self._makers)})"
