"""Samples, labels and predictions of a training that is not ours."""

import numpy as np
import pytest
import torch

N, C = 12, 3


@pytest.fixture
def labels():
    return np.arange(N) % C


@pytest.fixture
def inputs():
    return torch.from_numpy(np.random.default_rng(0).normal(size=(N, 4)).astype(np.float32))


@pytest.fixture(name="P")
def predictions(random_models):
    """Predictions (5, N, C)."""
    return random_models(1, 5, N, C)


@pytest.fixture
def listing():
    """Function giving the names of what lies in a folder."""
    return lambda folder: sorted(path.name for path in folder.iterdir())
