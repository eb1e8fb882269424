"""Spectra, eigenspaces and reduced models of one configuration, of its first seed that ended."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from torch import nn

from hyperribbon.config import Configuration
from hyperribbon.curvature import Problem
from hyperribbon.curvature.over_training import Moment, put_weights, survey_training
from hyperribbon.data import Dataset
from hyperribbon.errors import StoreError
from hyperribbon.networks import configured_network
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pac_bayes.certificate import certify
from hyperribbon.runtime.device import own_gpu, resolve_device
from hyperribbon.storage.dataset import Split, open_dataset, write_dataset
from hyperribbon.storage.manifest import inputs_of, store_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.studies.step import logger, run_step
from hyperribbon.training.corners import partly_random_labels


def main(
    predictions: Path,
    data: Path,
    samples: int,
    eigenvalues: int,
    threads: int,
    output: Path,
    draws: int = 0,
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
    draws : number of networks drawn for a certificate
    gpus : number of GPUs that the job was given
    code : hash of the code
    """
    torch.set_num_threads(threads)
    path = store_path(predictions)
    store, dataset = open_dataset(path), Dataset.open(store_path(data))
    if store.attrs["data_sha256"] != dataset.sha256:
        raise StoreError(f"{path}: trained on other data than those in {store_path(data)}")
    configuration = Configuration.model_validate_json(store.attrs["configuration"])
    ended = np.flatnonzero(store["diverged_step"].values < 0)
    about = derived_attributes(
        "train", dataset.sha256, "numpy", "scipy", "torch", "zarr",
        code=code, samples=samples, eigenvalues=eigenvalues, draws=draws,
    ) | {"configuration_id": configuration.id, "network": configuration.network_name,
         "optimiser": configuration.optimiser_name,
         "augmentation": configuration.augmentation_name}  # fmt: skip
    if len(ended):
        seed = int(store["seed"][ended[0]])
        wanted = "auto" if gpus else "cpu"
        with own_gpu(wanted, gpus):
            network = build(configuration, dataset).to(resolve_device(wanted))
            found = look(network, configuration, store, dataset, seed, samples, eigenvalues, draws)
        found = found.assign_attrs(about, seed=seed)
    else:
        logger.warning("%s: all seeds diverged, so there are no weights to look at", path)
        found = xr.Dataset(attrs=about)
    write_dataset(found, output, inputs=inputs_of([path]))


def look(
    network: nn.Module,
    configuration: Configuration,
    store: xr.Dataset,
    dataset: Dataset,
    seed: int,
    samples: int,
    eigenvalues: int,
    draws: int,
) -> xr.Dataset:
    """Survey one training at the moments whose weights are kept, with a certificate if wanted."""
    label, noise = configuration.label, configuration.augmentation.random_labels
    steps_per_epoch = len(dataset.train_labels) // configuration.training.batch_size
    problem = Problem(network, *chosen(dataset, "train", samples, noise))
    test = Problem(network, *chosen(dataset, "test"))
    put_weights(network, next(moments(store, seed, steps_per_epoch)).weights)
    initial = problem.flat_weights()
    kept = moments(store, seed, steps_per_epoch)
    found = survey_training(problem, test, kept, eigenvalues, label=label)
    if draws:
        everything = Problem(network, *chosen(dataset, "train", noise=noise))
        bar = f"{label}, certificate"
        certified = certify(everything, test, initial, draws, seed=seed, progress_bar=bar)
        values = certified._asdict()
        values |= values.pop("certificate")._asdict()
        found = found.assign({f"certified_{name}": value for name, value in values.items()})
    return found.assign_attrs(train_samples=len(dataset.train_labels))


def build(configuration: Configuration, dataset: Dataset) -> nn.Module:
    """Build the network in evaluation mode, float64."""
    network = configured_network(configuration.network, dataset.input_shape, dataset.n_classes)
    return network.double().eval()


def moments(store: xr.Dataset, seed: int, steps_per_epoch: int) -> Iterator[Moment]:
    """Read the weights of a training that are kept, one moment after the other."""
    for step in map(int, store["snapshot_step"].values):
        yield Moment(step, step / steps_per_epoch, load_weights(store, seed, step))


def chosen(
    dataset: Dataset, split: Split, count: int | None = None, noise: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples as networks see them, evenly spread, all by default; and labels trained to."""
    images, labels, _ = dataset.split(split)
    labels = partly_random_labels(labels, dataset.n_classes, noise)
    rows = evenly(len(labels), count)
    return dataset.as_input(torch.from_numpy(images[rows])), torch.from_numpy(labels[rows])


if __name__ == "__main__":
    run_step(main)
