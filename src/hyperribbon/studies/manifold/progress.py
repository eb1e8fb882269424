"""Progress of every model towards the truth."""

from functools import partial
from pathlib import Path

import numpy as np
import xarray as xr

from hyperribbon.probability import progress
from hyperribbon.runtime.cluster import dask_client, each
from hyperribbon.storage.dataset import Split, write_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step


def main(
    predictions: list[Path],
    split: Split,
    threads: int,
    code: str,
    output: Path,
    smoothing: float = 0.0,
) -> None:
    """Find the progress of every model.

    Parameters
    ----------
    predictions : manifests
    split : of the samples
    threads : models worked on at once
    code : version of the code
    output : Zarr store to write
    smoothing : of the labels of the truth
    """
    models = Models(list(map(store_path, predictions)))
    of_training = partial(progress, labels=models.labels(split), smoothing=smoothing, threads=1)
    trajectories = list(models.trajectories(split))
    with dask_client() as client:
        found = each(
            of_training, trajectories, threads=threads, client=client, progress_bar="progress"
        )
    values = np.concatenate(found)
    dataset = xr.Dataset(
        {"progress": ("model", values)},
        models.coordinates(),
        derived_attributes(
            split, models.data_sha256, "numpy", "numba", code=code, smoothing=smoothing
        ),
    )
    write_dataset(dataset, output, inputs=models.inputs)
    logger.info("%s progress of %d models, up to %.3f", split, len(values), values.max())


if __name__ == "__main__":
    run_step(main)
