"""Progress of every model towards the truth."""

import argparse
from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.probability import progress
from hyperribbon.runtime.cluster import dask_client, each
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step, step_parser


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    of_training = partial(
        progress, labels=models.labels(args.split), smoothing=args.smoothing, threads=1
    )
    trajectories = list(models.trajectories(args.split))
    with dask_client() as client:
        tasks = {"threads": args.threads, "client": client, "progress_bar": "progress"}
        values = np.concatenate(each(of_training, trajectories, **tasks))
    dataset = xr.Dataset(
        {"progress": ("model", values)},
        models.coordinates(),
        derived_attributes(
            args.split,
            models.data_sha256,
            "numpy",
            "numba",
            code=args.code,
            smoothing=args.smoothing,
        ),
    )
    write_dataset(dataset, args.output, inputs=models.inputs)
    logger.info("%s progress of %d models, up to %.3f", args.split, len(values), values.max())


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="manifests")
    parser.add_argument("--split", choices=["train", "test"], required=True)
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--code", required=True, help="version of the code")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
