"""Mean trajectories of all groups of trainings: stored, and compared with each other."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
import zarr

from hyperribbon.runtime.cluster import dask_client
from hyperribbon.storage.dataset import CODECS, Split, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step
from hyperribbon.studies.tasks.names import MEANS
from hyperribbon.trajectories.means import compare_means, reached_grid


def main(
    predictions: list[Path],
    progress: Path,
    split: Split,
    groups: str,
    points: int,
    threads: int,
    code: str,
    output: Path,
) -> None:
    """Average the trainings of each group at equal progress, and compare these means.

    Parameters
    ----------
    predictions : manifests
    progress : manifest of the models' progress
    split : of the samples
    groups : group of each training, by the training's name, JSON
    points : number of values of progress, from 0 to the largest that a whole group reaches
    threads : trajectories worked on at once
    code : version of the code
    output : Zarr store to write
    """
    models = Models(list(map(store_path, predictions)))
    store = store_path(progress)
    values = models.open(store)["progress"].values
    trajectories = list(models.trajectories(split))
    bounds = np.cumsum([len(P) for P in trajectories])[:-1]
    along = np.split(values, bounds)
    group = models.training_keys()["stage"].map(json.loads(groups)).to_numpy(object)
    names = list(dict.fromkeys(group))
    grid = reached_grid(along, group, points)
    n_samples, n_classes = trajectories[0].shape[1:]
    with tempfile.TemporaryDirectory(dir=output.parent) as folder, dask_client() as client:
        means = zarr.create_array(
            Path(folder, MEANS),
            shape=(len(names), points, n_samples, n_classes),
            chunks=(1, 1, n_samples, n_classes),
            dtype="float32",
            fill_value=np.nan,
            compressors=CODECS,
            dimension_names=("group", "progress", "sample", "class"),
        )

        def keep(g: int, group: object, mean: np.ndarray) -> None:
            means[names.index(group), g] = mean

        found = compare_means(
            trajectories,
            along,
            models.labels(split),
            grid,
            group,
            threads=threads,
            client=client,
            progress_bar=True,
            keep=keep,
        )
        nats = {"units": "nats"}
        dataset = xr.Dataset(
            {
                "distance": (("group", "other_group", "progress"), found.distance, nats),
                "radius": (("group", "progress"), found.radius, nats),
                "normalised": (("group", "other_group", "progress"), found.normalised()),
            },
            {"progress": grid, "group": np.array(names, object)},
            derived_attributes(
                split, models.data_sha256, "numpy", "dask", "numba", "zarr",
                code=code, points=points,
            ),
        )  # fmt: skip
        inputs = models.inputs | inputs_of([store])
        write_dataset(dataset, output, {MEANS: Path(folder, MEANS)}, inputs)
    logger.info("%d groups at %d values of progress up to %.3f", len(names), points, grid[-1])


if __name__ == "__main__":
    run_step(main)
