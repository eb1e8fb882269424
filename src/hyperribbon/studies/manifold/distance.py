"""Distances of all models among themselves and from the geodesic between ignorance and truth."""

from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.pairwise import FLOOR
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.probability.views import Projected
from hyperribbon.runtime.cluster import dask_client
from hyperribbon.storage.dataset import Split, write_dataset
from hyperribbon.storage.digest import digest
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
from hyperribbon.studies.step import logger, run_step

# Bytes of Python and its libraries, and of tiles in the making per thread: twice what was measured.
BASE, THREAD = 5 * 10**8, 5 * 10**7


def main(
    predictions: list[Path],
    split: Split,
    geodesic_points: int,
    threads: int,
    memory: int,
    work: Path,
    code: str,
    output: Path,
    smoothing: float = 0.0,
    classes: int | None = None,
) -> None:
    """Find the distances of all models among themselves and from the geodesic.

    Parameters
    ----------
    predictions : manifests
    split : of the samples
    geodesic_points : number of points from ignorance to truth, both included
    threads : tiles worked on at once
    memory : MB that this process may take
    work : folder that the matrix grows in
    code : version of the code
    output : Zarr store to write
    smoothing : of the labels of the truth
    classes : number to which the classes are mixed at random; none to leave them as they are
    """
    models = Models(list(map(store_path, predictions)))
    labels, digests = models.labels(split), models.digests(split)
    trajectories: list = list(models.trajectories(split))
    n_samples, n_classes = trajectories[0].shape[1:]
    alpha = np.linspace(0, 1, geodesic_points)
    curve = geodesic(ignorance(n_samples, n_classes), truth(labels, n_classes, smoothing), alpha)
    if classes is not None:
        curve = Projected(curve, classes)[:]
        trajectories = [Projected(P, classes) for P in trajectories]
        digests = [digest([sha256, classes]) for sha256 in digests]
    folder = work / split
    with dask_client() as client, locked(folder):
        # One floor for both, although predictions are float32 and the curve is float64.
        options = {
            "code": code,
            "floor": FLOOR,
            "threads": threads,
            "memory": memory_of_models(memory, threads),
            "progress_bar": True,
            "client": client,
        }
        to_curve = grow_across(folder / "geodesic.npz", curve, trajectories, digests, **options)
        matrix = grow(folder, trajectories, digests, **options)
        dataset = xr.Dataset(
            {"geodesic_distance": (("alpha", "model"), to_curve, {"units": "nats"})},
            {
                "alpha": ("alpha", alpha, {"long_name": "on the geodesic from ignorance to truth"}),
                **models.coordinates(),
            },
            {"metric": "bhattacharyya", "floor": FLOOR}
            | derived_attributes(
                split,
                models.data_sha256,
                "numpy",
                "dask",
                "numba",
                "zarr",
                code=code,
                geodesic_points=geodesic_points,
                smoothing=smoothing,
                classes=classes,
            ),
        )
        # The matrix stays in the folder of work, from which it grows; links take no space.
        write_dataset(dataset, output, {ARRAY: matrix / ARRAY}, models.inputs)
        keep_manifest(matrix, manifest_path(output))
    logger.info("%d models on %d %s samples", len(models), n_samples, split)


def memory_of_models(memory: int, threads: int) -> int:
    """Bytes that models may take where the whole process may take ``memory`` MB."""
    left = memory * 10**6 - BASE - threads * THREAD
    return max(left, 10**8) * 3 // 4  # the rest for what is being read


if __name__ == "__main__":
    run_step(main)
