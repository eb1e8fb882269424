"""Progress of every model towards the truth."""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr
from tqdm import tqdm

from hyperribbon.models import Models
from hyperribbon.probability import progress
from hyperribbon.provenance import derived_attributes
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.store import write_dataset


def main(args: argparse.Namespace) -> None:
    models = Models(args.predictions)
    labels = models.labels(args.split)
    n = len(models.training_keys())
    trajectories = tqdm(
        models.trajectories(args.split), desc="progress", total=n, leave=False, disable=None
    )
    values = np.concatenate([progress(P, labels) for P in trajectories])
    dataset = xr.Dataset(
        {"progress": ("model", values)},
        attrs=derived_attributes(args.split, models.data_sha256, "numpy"),
    )
    write_dataset(dataset, args.output)
    logger.info("%s progress of %d models, up to %.3f", args.split, len(values), values.max())


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="Zarr stores")
    parser.add_argument("--split", choices=["train", "test"], required=True)
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
