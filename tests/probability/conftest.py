"""What may hold a set of models."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch
import zarr

HOLDERS = {
    "list": lambda P: P.tolist(),
    "torch": lambda P: torch.tensor(P, requires_grad=True),
    "dask": lambda P: da.from_array(P, chunks=(2, *P.shape[1:])),
    "zarr": lambda P: zarr.array(P, chunks=(3, *P.shape[1:])),
    "not contiguous": lambda P: np.asfortranarray(P),
}


@pytest.fixture(params=HOLDERS)
def holder(request):
    """Function putting an array of at least three dimensions in another kind of array."""
    return HOLDERS[request.param]


@pytest.fixture(params=["NaN", "negative", "sum"])
def broken(request, random_models):
    """Models (2, 6, 4), one row of which is no distribution, and words of the error."""
    P = random_models(0, 2, 6, 4)
    P[1, 4] = {"NaN": np.nan, "negative": [1.5, -0.5, 0, 0], "sum": 0.3}[request.param]
    words = {"NaN": "not finite", "negative": "down to -0.5", "sum": "a row that sums to 1.2"}
    return P, words[request.param]


@pytest.fixture(scope="session")
def data():
    """Folder of the slices of oracles."""
    return Path(__file__).parents[1] / "data"
