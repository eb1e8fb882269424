"""Matrices of distances, slices of the oracles, and what may hold a matrix."""

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch
import zarr

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="session")
def o1_weighted():
    with np.load(DATA / "o1_weighted_slice.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="session")
def o9_eigenvalues():
    with np.load(DATA / "o9_slice.npz") as arrays:
        return arrays["eigen_values"]


@pytest.fixture(scope="session")
def random_distances():
    """Function making distances, nonnegative and symmetric, but of no Euclidean space."""

    def make(seed: int, m: int) -> np.ndarray:
        upper = np.triu(np.random.default_rng(seed).uniform(0, 3, size=(m, m)), 1)
        return upper + upper.T

    return make


@pytest.fixture(scope="session")
def minkowski():
    """Function of coordinates (m, k) and signature (k,): their distances (m, m)."""

    def distances(X: np.ndarray, signature: np.ndarray) -> np.ndarray:
        return (signature * (X[:, None] - X) ** 2).sum(axis=-1)

    return distances


def _memmap(D: np.ndarray, folder: Path) -> np.memmap:
    np.save(folder / "D.npy", D)
    return np.load(folder / "D.npy", mmap_mode="r")


def _zarr(D: np.ndarray, folder: Path) -> zarr.Array:
    chunks = tuple(-(-n // 3) for n in D.shape)
    array = zarr.create_array(folder / "D.zarr", shape=D.shape, chunks=chunks, dtype=D.dtype)
    array[:] = D
    return array


HOLDERS = {
    "memmap": _memmap,
    "zarr": _zarr,
    "dask": lambda D, folder: da.from_array(D, chunks=tuple(-(-n // 4) for n in D.shape)),
    "torch": lambda D, folder: torch.tensor(D, requires_grad=True),
    "Fortran order": lambda D, folder: np.asfortranarray(D),
}


@pytest.fixture(params=HOLDERS)
def held(request, tmp_path_factory):
    """Function that puts an array where it may lie instead of in numpy's memory."""
    return lambda array: HOLDERS[request.param](array, tmp_path_factory.mktemp("held"))
