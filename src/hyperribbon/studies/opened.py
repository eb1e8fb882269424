"""A finished study, or one that is not finished yet, as one lazy object."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import zarr

from hyperribbon.analysis.study import Study, find_stores
from hyperribbon.errors import StoreError
from hyperribbon.storage.dataset import SPLITS, read_dataset
from hyperribbon.storage.manifest import Manifest, manifest_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.tables import read_tables
from hyperribbon.studies.manifold.stored import KINDS, StoredGeometry

logger = logging.getLogger(__name__)

STUDY = "study.json"  # in the folder of every study's results
CLAIMS = "claims.csv"  # in that of every finished one


def open_study(results: str | Path, *, prior=None) -> Study:
    """Open the results of a study.

    What the study has stored is read when it is asked for: its tables, distances, embedding,
    progress and trajectories. Anything else is computed, such as distances in another metric; also
    what a study that was interrupted has not computed yet.

    Parameters
    ----------
    results : path
        Folder of the study's results, such as ``results/mnist5k``.
    prior : optional
        Of ignorance, as in `hyperribbon.ignorance`. What depends on it is then computed, not read.

    Returns
    -------
    hyperribbon.Study

    Raises
    ------
    StoreError
        If there is no study, none of its trainings is finished, or a store is damaged.

    Examples
    --------
    >>> open_study("nowhere")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.StoreError: nowhere: no study is there; expected the folder of its results, \
such as results/mnist5k
    """
    folder = Path(results).expanduser()
    if not is_study(folder):
        raise StoreError(
            f"{results}: no study is there; expected the folder of its results, such as "
            "results/mnist5k"
        )
    models = Models(_stores(folder))
    stored = {} if prior is not None else _geometries(folder, models)
    found = sorted((folder / "tables").glob("*.csv"))
    claims = folder / CLAIMS
    tables = {path.stem: partial(_table, path) for path in [*found, *[claims][: claims.exists()]]}
    if prior is not None or set(stored) != set(SPLITS):
        for name in ("models", "geodesic", "tubes", "trajectories", "configuration_distances"):
            tables.pop(name, None)
    return Study(
        models,
        json.loads((folder / STUDY).read_text())["study"],
        images=_images(folder),
        class_names=models.class_names(),
        prior=prior,
        stored=stored,
        tables=tables,
    )


class NoPredictions(StoreError):
    """No training of a study is finished yet, or it has none."""


def is_study(folder: str | Path) -> bool:
    """Whether a folder holds the results of a study."""
    return Path(folder, STUDY).is_file()


def _stores(folder: Path) -> list[Path]:
    """The study's predictions stores: in the order of its distances, if it has them."""
    distances = folder / "distance" / "train.zarr"
    if not manifest_path(distances).exists():
        there = folder / "predictions"
        finished = [path for path in sorted(there.glob("*.zarr")) if manifest_path(path).exists()]
        if not finished:
            raise NoPredictions(f"{there}: no training is finished yet")
        return finished
    found = []
    for name in Manifest.read(manifest_path(distances)).inputs:
        # A recording is named by its path, relative to where the study was run.
        places = [folder / f"{name}.zarr", Path(f"{name}.zarr"), folder.parents[1] / f"{name}.zarr"]
        path = next(filter(Path.exists, places), None)
        if path is None:
            raise StoreError(f"{name}.zarr: missing; {folder} was computed from it")
        found.append(path)
    found_in = read_dataset(distances)
    models = zip(
        *(found_in[name].values.tolist() for name in ("configuration", "seed")), strict=True
    )
    order = {key: k for k, key in enumerate(dict.fromkeys(models))}

    def place(path: Path) -> int:
        store = read_dataset(path)
        trainings = [(store.attrs.get("configuration_id"), int(seed)) for seed in store["seed"]]
        # All trainings of a store may have diverged: then it has no models.
        return min((order[key] for key in trainings if key in order), default=len(order))

    return sorted(found, key=place)


def _geometries(folder: Path, models: Models) -> dict[str, StoredGeometry]:
    """What the study stored about each split on which all is there."""
    found: dict[str, StoredGeometry] = {}
    for split in SPLITS:
        stores = {kind: folder / kind / f"{split}.zarr" for kind in KINDS}
        if all(manifest_path(path).exists() for path in stores.values()):
            try:
                found[split] = StoredGeometry(models, split, stores)
            except StoreError as error:
                logger.warning("%s; computed again in memory", error)
    return found


def _images(folder: Path) -> Mapping[str, zarr.Array]:
    """Raw images of the samples, by split, if the study's data are images."""
    places = {split: folder / "data.zarr" / f"{split}_images" for split in SPLITS}
    return {s: zarr.open_array(path, mode="r") for s, path in places.items() if path.exists()}


def _table(path: Path) -> pd.DataFrame:
    return read_tables([path])[path.stem]


def open_any(paths: Sequence[str | Path], *, prior=None) -> Study:
    """Open a study, recordings, or any mix of both.

    Parameters
    ----------
    paths : sequence of path
        Folders of studies' results, stores, patterns and folders of stores. One folder of a study
        alone is opened by `open_study`; otherwise all stores are put together.

    Raises
    ------
    StoreError
        If a path finds nothing, or the stores are not of the same samples in the same order.
    """
    if len(paths) == 1 and is_study(Path(paths[0]).expanduser()):
        return open_study(paths[0], prior=prior)
    stores: list[Path] = []
    for path in paths:
        folder = Path(path).expanduser()
        stores += _stores(folder) if is_study(folder) else find_stores(path)
    return Study.from_runs(stores, prior=prior)
