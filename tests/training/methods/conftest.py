"""Shared by the tests of methods."""

from pathlib import Path

import numpy as np
import pytest
import torch
from task_trainings import colours

from hyperribbon.training.job import train_configuration

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def o10():
    """Slice of oracle 10, as tensors of float64."""
    with np.load(DATA / "o10_losses_slice.npz") as arrays:
        return {name: torch.from_numpy(array) for name, array in arrays.items()}


@pytest.fixture(scope="package")
def dataset():
    return colours()


@pytest.fixture(scope="package")
def train(dataset, tmp_path_factory):
    """Function training a configuration, once; where its store is."""
    folder, paths = tmp_path_factory.mktemp("trained"), {}

    def train(what, start=None):
        if what.id not in paths:
            path = folder / f"{what.id}.zarr"
            train_configuration(what, dataset, folder / "work", path, start=start)
            paths[what.id] = path
        return paths[what.id]

    return train
