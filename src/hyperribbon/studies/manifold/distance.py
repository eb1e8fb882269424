"""Distances of all models among themselves and from the geodesic between ignorance and truth."""

import argparse
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.pairwise import FLOOR
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.runtime.cluster import dask_client
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.locks import locked
from hyperribbon.storage.manifest import manifest_path, store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.manifold.incremental_distance import (
    ARRAY,
    grow,
    grow_across,
    keep_manifest,
)
from hyperribbon.studies.step import logger, run_step, step_parser

# Bytes of Python and its libraries, and of tiles in the making, a thread: twice what was measured.
BASE, THREAD = 5 * 10**8, 5 * 10**7


def main(args: argparse.Namespace) -> None:
    models = Models(list(map(store_path, args.predictions)))
    labels, digests = models.labels(args.split), models.digests(args.split)
    trajectories = list(models.trajectories(args.split))
    n_samples, n_classes = trajectories[0].shape[1:]
    alpha = np.linspace(0, 1, args.geodesic_points)
    curve = geodesic(
        ignorance(n_samples, n_classes), truth(labels, n_classes, args.smoothing), alpha
    )
    work = args.work / args.split
    with dask_client() as client, locked(work):
        # One floor for both, although predictions are float32 and the curve is float64.
        options = {
            "code": args.code,
            "floor": FLOOR,
            "threads": args.threads,
            "memory": memory_of_models(args.memory, args.threads),
            "progress_bar": True,
            "client": client,
        }
        to_curve = grow_across(work / "geodesic.npz", curve, trajectories, digests, **options)
        matrix = grow(work, trajectories, digests, **options)
        dataset = xr.Dataset(
            {"geodesic_distance": (("alpha", "model"), to_curve, {"units": "nats"})},
            {
                "alpha": ("alpha", alpha, {"long_name": "on the geodesic from ignorance to truth"}),
                **models.coordinates(),
            },
            {"metric": "bhattacharyya", "floor": FLOOR}
            | derived_attributes(
                args.split,
                models.data_sha256,
                "numpy",
                "dask",
                "numba",
                "zarr",
                code=args.code,
                geodesic_points=args.geodesic_points,
                smoothing=args.smoothing,
            ),
        )
        # The matrix stays in the folder of work, from which it grows; links take no space.
        write_dataset(dataset, args.output, {ARRAY: matrix / ARRAY}, models.inputs)
        keep_manifest(matrix, manifest_path(args.output))
    logger.info("%d models on %d %s samples", len(models), n_samples, args.split)


def memory_of_models(memory: int, threads: int) -> int:
    """Bytes that models may take where the whole process may take ``memory`` MB."""
    left = memory * 10**6 - BASE - threads * THREAD
    return max(left, 10**8) * 3 // 4  # the rest for what is being read


if __name__ == "__main__":
    parser = step_parser(__doc__)
    parser.add_argument("--predictions", type=Path, nargs="+", required=True, help="manifests")
    parser.add_argument("--split", choices=["train", "test"], required=True)
    parser.add_argument("--geodesic-points", type=int, required=True)
    parser.add_argument("--smoothing", type=float, default=0.0, help="of the truth's labels")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True, help="MB that this process may take")
    parser.add_argument("--work", type=Path, required=True, help="folder that the matrix grows in")
    parser.add_argument("--code", required=True, help="version of the code")
    parser.add_argument("--output", type=Path, required=True, help="Zarr store to write")
    run_step(main, parser)
