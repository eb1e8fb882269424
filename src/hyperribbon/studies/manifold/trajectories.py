"""Trajectories re-indexed by progress: their distances, tubes and lengths."""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.runtime.cluster import dask_client, each
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step, step_parser
from hyperribbon.trajectories import compare_trajectories, trajectory_length


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    store = store_path(args.progress)
    progress = models.open(store)["progress"].values
    keys = models.training_keys()
    trajectories = list(models.trajectories(args.split))
    bounds = np.cumsum([len(P) for P in trajectories])[:-1]
    grid = np.linspace(0, 1, args.points)
    with dask_client() as client:
        tasks = {"threads": args.threads, "client": client}
        comparison = compare_trajectories(
            trajectories,
            np.split(progress, bounds),
            models.labels(args.split),
            grid,
            keys["configuration"].to_numpy(object),
            smoothing=args.smoothing,
            progress_bar=True,
            **tasks,
        )
        length = each(trajectory_length, trajectories, **tasks)
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
            args.split,
            models.data_sha256,
            "numpy",
            "dask",
            "numba",
            "zarr",
            code=args.code,
            points=args.points,
            smoothing=args.smoothing,
        ),
    )
    write_dataset(dataset, args.output, inputs=models.inputs | inputs_of([store]))
    logger.info("%d trajectories at %d values of %s progress", len(keys), args.points, args.split)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="manifests")
    parser.add_argument("--progress", type=Path, required=True, help="manifest of progress")
    parser.add_argument("--split", choices=["train", "test"], required=True)
    parser.add_argument("--points", type=int, required=True, help="values of progress")
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--code", required=True, help="version of the code")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
