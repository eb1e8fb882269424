"""A small classification, and what recordings of it hold."""

import json
import os

import numpy as np
import pytest
import xarray as xr

os.environ.setdefault("KERAS_BACKEND", "torch")

N, C = 24, 3


@pytest.fixture
def data():
    """Inputs (N, 4) float32 and their classes."""
    rng = np.random.default_rng(0)
    y = np.arange(N) % C
    return (rng.normal(size=(N, 4)) + np.eye(C, 4)[y]).astype(np.float32), y


@pytest.fixture
def read(tmp_path):
    """Function reading a published store; checks that it is whole."""

    def stored(name="net"):
        store = xr.open_zarr(tmp_path / f"{name}.zarr").load()
        assert not (tmp_path / f"{name}.recording").exists()
        assert json.loads(store.attrs["configuration"])["network_name"] == "Net"
        return store

    return stored


@pytest.fixture
def steps_of(read):
    """Function giving the steps of a published store."""
    return lambda name="net": read(name)["step"].values.tolist()
