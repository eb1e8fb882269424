"""On the CPU a distance is the same, to the last bit, wherever and with whatever it is computed."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance, tiles

METRICS = ["bhattacharyya", "geodesic", "hellinger"]
exactly = settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def models(seed: int, m: int, n: int, c: int, dtype) -> np.ndarray:
    """Ignorant ones to certain ones; some samples on which they have no class in common."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(m, n, c)) * rng.choice([0.1, 1, 8, 60], size=(m, 1, 1))
    P = np.exp(logits - logits.max(axis=2, keepdims=True))
    P /= P.sum(axis=2, keepdims=True)
    certain = rng.random((m, n)) < 0.05
    P[certain] = np.eye(c)[rng.integers(c, size=certain.sum())]
    return P.astype(dtype)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(
    seed=st.integers(0, 2**32 - 1),
    floor=st.sampled_from([None, 0, 1e-3, 0.3]),
    threads=st.integers(1, 3),
    memory=st.sampled_from([1, 10**5, 10**6, None]),
)
@exactly
def test_neither_the_others_nor_their_order_matter(metric, dtype, seed, floor, threads, memory):
    rng = np.random.default_rng(seed)
    P = models(seed, 140, 61, int(rng.integers(2, 40)), dtype)
    D = pairwise_distance(P, metric=metric, floor=floor, threads=1)
    some, others = (rng.permutation(140)[: rng.integers(1, 140)] for _ in range(2))
    options = {"metric": metric, "floor": floor, "threads": threads, "memory": memory}
    np.testing.assert_array_equal(pairwise_distance(P[some], **options), D[np.ix_(some, some)])
    across = pairwise_distance(P[some], P[others], **options)
    apart = some[:, None] != others  # a model from its copy is at 0 up to rounding
    np.testing.assert_array_equal(across[apart], D[np.ix_(some, others)][apart])


@pytest.mark.parametrize("metric", METRICS)
def test_the_samples_read_at_a_time_do_not_matter(monkeypatch, metric):
    monkeypatch.setattr(tiles, "_ENTRIES", 7 * 13)
    P = models(0, 70, 200, 7, "float64")
    D = pairwise_distance(P, metric=metric)
    model = P[0].nbytes
    spans = set()
    for room in (1, 10, 30, 60, 100, 150, 191, 300):  # models that fit
        kernel = type("", (), {"workers": 2, "entry_bytes": 8})
        spans.add(tiles.tiling_for(kernel, 64, (200, 7), room * model).span)
        np.testing.assert_array_equal(pairwise_distance(P, metric=metric, memory=room * model), D)
    assert len(spans) >= 4  # 13 samples to all


def test_a_row_on_the_edge_does_not_change_its_neighbours():
    """One whose sum is just what may be is packed as the others are."""
    rng = np.random.default_rng(0)
    P = rng.dirichlet(np.ones(100), size=(40, 3))
    D = pairwise_distance(P)
    edge = 1 + 1e-4 + 1e-16 * rng.integers(-20, 21, size=(40, 1, 1))
    checked = 0
    for p in P[:1] * edge:
        with suppress(DataError):  # the sum is more than what may be
            beside = pairwise_distance(np.concatenate([P, p[None]]))
            np.testing.assert_array_equal(beside[:40, :40], D)
            checked += 1
    assert 0 < checked < 40
