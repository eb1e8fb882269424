"""Distances of all models among themselves and from the geodesic between ignorance and truth."""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.models import Models
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.provenance import derived_attributes
from hyperribbon.steps import logger, run_step, step_parser
from hyperribbon.store import unfilled, write_dataset

CHUNK = 1024  # models a side of the matrix's chunks, 8 MB


def main(args: argparse.Namespace) -> None:
    models = Models(args.predictions)
    labels = models.labels(args.split)
    trajectories = list(models.trajectories(args.split))
    n_samples, n_classes = trajectories[0].shape[1:]
    alpha = np.linspace(0, 1, args.geodesic_points)
    curve = geodesic(ignorance(n_samples, n_classes), truth(labels, n_classes), alpha)
    # One floor for both, although predictions are float32 and the curve is float64.
    options = {"floor": FLOOR, "threads": args.threads, "progress": True}
    to_curve = pairwise_distance(curve, trajectories, **options)
    D = unfilled((len(models), len(models)), CHUNK)
    keys = models.table[["configuration", "seed", "checkpoint", "step"]]
    dataset = xr.Dataset(
        {
            "distance": (("model", "other_model"), D, {"units": "nats"}),
            "geodesic_distance": (("alpha", "model"), to_curve, {"units": "nats"}),
        },
        {
            "alpha": ("alpha", alpha, {"long_name": "on the geodesic from ignorance to truth"}),
            **{
                name: ("model", column.to_numpy(object if name == "configuration" else None))
                for name, column in keys.items()
            },
        },
        {"metric": "bhattacharyya", "floor": FLOOR}
        | derived_attributes(args.split, models.data_sha256, "numpy", "dask", "zarr"),
    )
    write_dataset(
        dataset,
        args.output,
        {"distance": lambda out: pairwise_distance(trajectories, out=out, **options)},
    )
    logger.info("%d models on %d %s samples", len(models), n_samples, args.split)


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="Zarr stores")
    parser.add_argument("--split", choices=["train", "test"], required=True)
    parser.add_argument("--geodesic-points", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
