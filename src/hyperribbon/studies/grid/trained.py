"""What steps that look at trained networks share: opening their store, networks and samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from torch import nn

from hyperribbon.config import Configuration
from hyperribbon.data import Dataset
from hyperribbon.errors import StoreError
from hyperribbon.networks import configured_network
from hyperribbon.numerics.blocks import evenly
from hyperribbon.storage.dataset import Split, open_dataset
from hyperribbon.storage.manifest import store_path
from hyperribbon.storage.provenance import derived_attributes
from hyperribbon.training.corners import partly_random_labels


class Trained(NamedTuple):
    """The trainings of one configuration, and their data."""

    path: Path
    store: xr.Dataset
    dataset: Dataset
    configuration: Configuration
    seeds: list[int]
    """Seeds that did not diverge."""

    def about(self, code: str, **parameters: object) -> dict[str, Any]:
        """Attributes of a store that was computed from them; parameters must be JSON."""
        configuration = self.configuration
        return derived_attributes(
            "train", self.dataset.sha256, "numpy", "scipy", "torch", "zarr", code=code, **parameters
        ) | {
            "configuration_id": configuration.id,
            "network": configuration.network_name,
            "optimiser": configuration.optimiser_name,
            "augmentation": configuration.augmentation_name,
        }


def open_trained(predictions: Path, data: Path) -> Trained:
    """Open the trainings of one configuration.

    Parameters
    ----------
    predictions : manifest of the trainings
    data : manifest of the data

    Raises
    ------
    StoreError
        If they were trained on other data.
    """
    path = store_path(predictions)
    store, dataset = open_dataset(path), Dataset.open(store_path(data))
    if store.attrs["data_sha256"] != dataset.sha256:
        raise StoreError(f"{path}: trained on other data than those in {store_path(data)}")
    configuration = Configuration.model_validate_json(store.attrs["configuration"])
    ended = np.flatnonzero(store["diverged_step"].values < 0)
    return Trained(path, store, dataset, configuration, store["seed"].values[ended].tolist())


def build(configuration: Configuration, dataset: Dataset) -> nn.Module:
    """Build the network in evaluation mode, float64."""
    network = configured_network(configuration.network, dataset.input_shape, dataset.n_classes)
    return network.double().eval()


def chosen(
    dataset: Dataset, split: Split, count: int | None = None, noise: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples as networks see them, evenly spread, all by default; and labels trained to."""
    images, labels, _ = dataset.split(split)
    labels = partly_random_labels(labels, dataset.n_classes, noise)
    rows = evenly(len(labels), count)
    return dataset.as_input(torch.from_numpy(images[rows])), torch.from_numpy(labels[rows])
