"""Shared by the tests of data sets: an invented source, and sections as a study would give them."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from hyperribbon.config import DataConfig
from hyperribbon.data.parts import Part


@pytest.fixture(scope="session")
def section():
    """Function making a data section."""
    return TypeAdapter(DataConfig).validate_python


@pytest.fixture(scope="session")
def pool():
    """120 images of 8 x 8 pixels: classes of 60, 40 and 20."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 40, 20]).astype(np.uint8)
    return Part(rng.integers(0, 256, size=(120, 2, 8, 8), dtype=np.uint8), labels)


@pytest.fixture(scope="session")
def own(section):
    """Function making the section of that source; keywords change it."""

    def make(**changes):
        settings = {"name": "npz", "path": "own.npz", "shape": [2, 8, 8], "classes": 3}
        return section({**settings, "train_size": 60, "test_size": 30, **changes})

    return make
