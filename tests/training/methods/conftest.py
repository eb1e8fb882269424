"""Shared by the tests of methods."""

from pathlib import Path

import numpy as np
import pytest
import torch

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture(scope="session")
def o10():
    """Slice of oracle 10, as tensors of float64."""
    with np.load(DATA / "o10_losses_slice.npz") as arrays:
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
