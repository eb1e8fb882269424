"""The compiled kernel with the registers of processors other than this one."""

import importlib

import numpy as np
import pytest
from llvmlite import binding
from numba import njit

from hyperribbon.numerics import compiling
from hyperribbon.pairwise import cpu, pairwise_distance, vectors


@pytest.fixture(
    params=[
        pytest.param({}, id="16", marks=pytest.mark.slow),
        pytest.param({"avx": True}, id="32"),
        pytest.param({"avx": True, "avx512f": True}, id="64", marks=pytest.mark.slow),
    ]
)
def processor(request, monkeypatch):
    """Vector code for registers of 16, 32 and 64 bytes; LLVM runs all on any processor."""
    with monkeypatch.context() as patch:
        patch.setattr(binding, "get_host_cpu_features", lambda: request.param)
        patch.setattr(compiling, "compiled", njit)  # what is on disk is for this processor
        for module in (vectors, cpu):
            importlib.reload(module)
        yield request.param
    for module in (vectors, cpu):
        importlib.reload(module)


def test_any_width_of_registers(processor, random_models, brute_force):
    lanes = {0: 8, 1: 16, 2: 32}[len(processor)]
    assert vectors.lanes_of(4) == lanes
    for m in (1, lanes, lanes + 1, 70):
        P = random_models(m, m, 19, 5) * 0.999 + 0.0002
        expected = brute_force(P, P)
        np.testing.assert_allclose(pairwise_distance(P), expected, atol=1e-13)
        np.testing.assert_allclose(pairwise_distance(P.astype(np.float32)), expected, atol=1e-6)
        arcs = pairwise_distance(P, metric="geodesic")
        np.testing.assert_allclose(arcs, brute_force(P, P, "geodesic"), atol=1e-13)
        across = pairwise_distance(P, P[:3], floor=0.9)
        assert across.max() <= -np.log(0.9) * (1 + 1e-12)
        np.testing.assert_allclose(
            pairwise_distance(P.astype(np.float32), P[:3].astype(np.float32), floor=0.9),
            across,
            atol=1e-6,
        )
