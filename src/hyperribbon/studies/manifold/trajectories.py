"""Trajectories re-indexed by progress: their distances, tubes and lengths."""

from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.runtime.cluster import dask_client, each
from hyperribbon.storage.dataset import Split, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step
from hyperribbon.trajectories import compare_trajectories, trajectory_length
from hyperribbon.trajectories.means import reached_grid


def main(
    predictions: list[Path],
    progress: Path,
    split: Split,
    points: int,
    threads: int,
    code: str,
    output: Path,
    smoothing: float = 0.0,
    reached: bool = False,
) -> None:
    """Compare all trajectories at equal progress.

    Parameters
    ----------
    predictions : manifests
    progress : manifest of the models' progress
    split : of the samples
    points : number of values of progress
    threads : trajectories worked on at once
    code : version of the code
    output : Zarr store to write
    smoothing : of the labels of the truth
    reached : spread the values of progress from 0 to what is reached, not to 1
    """
    models = Models(list(map(store_path, predictions)))
    store = store_path(progress)
    values = models.open(store)["progress"].values
    keys = models.training_keys()
    trajectories = list(models.trajectories(split))
    bounds = np.cumsum([len(P) for P in trajectories])[:-1]
    along = np.split(values, bounds)
    groups = keys["configuration"].to_numpy(object)
    grid = reached_grid(along, groups, points) if reached else np.linspace(0, 1, points)
    with dask_client() as client:
        comparison = compare_trajectories(
            trajectories,
            along,
            models.labels(split),
            grid,
            groups,
            smoothing=smoothing,
            progress_bar=True,
            threads=threads,
            client=client,
        )
        length = each(trajectory_length, trajectories, threads=threads, client=client)
    both = ("trajectory", "other_trajectory")
    nats = {"units": "nats"}
    dataset = xr.Dataset(
        {
            "distance": (both, comparison.distance, nats),
            "common": (both, comparison.common, {"long_name": "values of progress both reach"}),
            "to_geodesic": (("trajectory", "progress"), comparison.to_geodesic, nats),
            "to_mean": (("trajectory", "progress"), comparison.to_mean, nats),
            "length": ("trajectory", length, {"units": "radians"}),
        },
        {
            "progress": grid,
            "configuration": ("trajectory", keys["configuration"].to_numpy(object)),
            "seed": ("trajectory", keys["seed"].to_numpy()),
        },
        derived_attributes(
            split,
            models.data_sha256,
            "numpy",
            "dask",
            "numba",
            "zarr",
            code=code,
            points=points,
            smoothing=smoothing,
            reached=reached,
        ),
    )
    write_dataset(dataset, output, inputs=models.inputs | inputs_of([store]))
    logger.info("%d trajectories at %d values of %s progress", len(keys), points, split)


if __name__ == "__main__":
    run_step(main)
