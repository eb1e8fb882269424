"""The GPU's paths: on a GPU where there is one, else Triton's interpreter on the CPU."""

import numpy as np
import pytest
import torch

from hyperribbon.pairwise import METRICS, pairwise_distance
from hyperribbon.pairwise.metrics import FLOOR_FLOAT32

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
needs_gpu = pytest.mark.skipif(DEVICE == "cpu", reason="needs a CUDA device")


@pytest.fixture
def triton_sums(monkeypatch):
    """Function (P, Q) to distances through the Triton kernel."""
    if DEVICE == "cpu":
        monkeypatch.setenv("TRITON_INTERPRET", "1")
    pytest.importorskip("triton", reason="Triton is not installed")
    from hyperribbon.pairwise.cuda import TritonKernel

    def distance(P, Q=None, floor=FLOOR_FLOAT32):
        kernel = TritonKernel(floor=floor, device=DEVICE, threads=2)
        A = kernel.pack(lambda part: P[part], P.shape, "P")
        B = None if Q is None else kernel.pack(lambda part: Q[part], Q.shape, "Q")
        sums = np.zeros((len(P), len(P if Q is None else Q)))
        kernel.add(A, B, sums)
        return -sums / P.shape[1]

    return distance


@pytest.mark.parametrize(
    ("m", "k", "n", "c"), [(1, 1, 1, 2), (5, 9, 11, 10), (140, 70, 9, 3), (4, 6, 10, 50)]
)
def test_the_kernel_agrees_with_the_cpu(triton_sums, random_models, m, k, n, c):
    P, Q = (random_models(seed, size, n, c).astype(np.float32) for seed, size in ((0, m), (1, k)))
    np.testing.assert_allclose(triton_sums(P, Q), pairwise_distance(P, Q), atol=1e-6)
    upper = np.triu(np.ones((m, m), dtype=bool), 1)
    np.testing.assert_allclose(triton_sums(P)[upper], pairwise_distance(P)[upper], atol=1e-6)


def test_the_kernel_sums_many_equal_entries(triton_sums):
    P = np.full((2, 9, 500), 1 / 500, dtype=np.float32)
    assert np.abs(triton_sums(P, P)).max() < 1e-6


def test_the_kernel_floors_disjoint_samples(triton_sums, random_models):
    P, Q = (random_models(seed, 3, 20, 4).astype(np.float32) for seed in (0, 1))
    P[0, 5], Q[1, 5] = [1, 0, 0, 0], [0, 1, 0, 0]
    P[0, 11], Q[1, 11] = [1, 0, 0, 0], [1e-20, 1, 0, 0]
    for floor in (1e-30, 1e-3):
        expected = pairwise_distance(P, Q, floor=floor)
        np.testing.assert_allclose(triton_sums(P, Q, floor), expected, rtol=1e-6, atol=1e-6)


@needs_gpu
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_gpu_agrees_with_the_cpu(random_models, metric, dtype):
    P, Q = (random_models(seed, size, 30, 7).astype(dtype) for seed, size in ((0, 50), (1, 9)))
    near = {"atol": 1e-6 if dtype == np.float32 else 1e-12, "rtol": 1e-6}
    for args in ((P,), (P, Q)):
        expected = pairwise_distance(*args, metric=metric)
        found = pairwise_distance(*args, metric=metric, device="cuda")
        np.testing.assert_allclose(found, expected, **near)
    on_device = torch.from_numpy(P).cuda()
    np.testing.assert_allclose(
        pairwise_distance(on_device, metric=metric), pairwise_distance(P, metric=metric), **near
    )
