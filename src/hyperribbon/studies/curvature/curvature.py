"""Spectra, eigenspaces and reduced models of one configuration, of its first seed that ended."""

from collections.abc import Iterator
from pathlib import Path

import torch
import xarray as xr
from torch import nn

from hyperribbon.config import Configuration
from hyperribbon.curvature import Problem
from hyperribbon.curvature.over_training import Moment, survey_training
from hyperribbon.data import Dataset
from hyperribbon.runtime.device import own_gpu, resolve_device
from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.manifest import inputs_of
from hyperribbon.storage.predictions import load_weights
from hyperribbon.studies.grid.trained import build, chosen, open_trained
from hyperribbon.studies.step import logger, run_step


def main(
    predictions: Path,
    data: Path,
    samples: int,
    eigenvalues: int,
    threads: int,
    output: Path,
    gpus: int = 0,
    code: str = "",
) -> None:
    """Look at the curvature of one configuration.

    Parameters
    ----------
    predictions : manifest of the trainings
    data : manifest of the data
    samples : number of training samples, at most
    eigenvalues : number of leading eigenpairs
    threads : of torch
    output : Zarr store to publish
    gpus : number of GPUs that the job was given
    code : hash of the code
    """
    torch.set_num_threads(threads)
    trained = open_trained(predictions, data)
    configuration, dataset = trained.configuration, trained.dataset
    about = trained.about(code, samples=samples, eigenvalues=eigenvalues)
    if trained.seeds:
        seed = trained.seeds[0]
        wanted = "auto" if gpus else "cpu"
        with own_gpu(wanted, gpus):
            network = build(configuration, dataset).to(resolve_device(wanted))
            found = look(network, configuration, trained.store, dataset, seed, samples, eigenvalues)
        found = found.assign_attrs(about, seed=seed)
    else:
        logger.warning("%s: all seeds diverged, so there are no weights to look at", trained.path)
        found = xr.Dataset(attrs=about)
    write_dataset(found, output, inputs=inputs_of([trained.path]))


def look(
    network: nn.Module,
    configuration: Configuration,
    store: xr.Dataset,
    dataset: Dataset,
    seed: int,
    samples: int,
    eigenvalues: int,
) -> xr.Dataset:
    """Survey one training at the moments whose weights are kept."""
    label, noise = configuration.label, configuration.augmentation.random_labels
    steps_per_epoch = len(dataset.train_labels) // configuration.training.batch_size
    problem = Problem(network, *chosen(dataset, "train", samples, noise))
    test = Problem(network, *chosen(dataset, "test"))
    kept = moments(store, seed, steps_per_epoch)
    found = survey_training(problem, test, kept, eigenvalues, label=label)
    return found.assign_attrs(train_samples=len(dataset.train_labels))


def moments(store: xr.Dataset, seed: int, steps_per_epoch: int) -> Iterator[Moment]:
    """Read the weights of a training that are kept, one moment after the other."""
    for step in map(int, store["snapshot_step"].values):
        yield Moment(step, step / steps_per_epoch, load_weights(store, seed, step))


if __name__ == "__main__":
    run_step(main)
