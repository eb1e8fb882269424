"""Models that stay packed: the engine's distances, whatever the slots went through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.pairwise.packed import PackedModels


@settings(max_examples=25)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 40),
    st.integers(1, 5),
    st.sampled_from([(1, 2), (7, 3), (40, 10)]),
    st.lists(st.integers(0, 39), max_size=5),
)
def test_distances_are_those_of_the_engine_to_the_last_bit(seed, m, k, shape, replaced):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(shape[1], 0.3), size=(m + k + len(replaced), shape[0]))
    P = P.astype(np.float32)
    packed, slots = PackedModels(*shape), list(range(m))
    packed.put(range(m // 2), P[: m // 2])
    packed.put(range(m // 2, m), P[m // 2 : m])
    for other, slot in enumerate(replaced, start=m):
        if slot < m:
            packed.put([slot], P[other][None])
            slots[slot] = other
    new = P[-k:]
    assert packed.n_slots == m
    expected = pairwise_distance(new, P[slots], floor=FLOOR, threads=1)
    np.testing.assert_array_equal(packed.distances(new), expected)
    # Also of models with themselves, which the engine computes as a symmetric matrix.
    square = pairwise_distance(P[slots], floor=FLOOR, threads=1)
    np.testing.assert_array_equal(packed.distances(P[slots]), square)


def test_several_blocks(monkeypatch, random_models):
    monkeypatch.setattr("hyperribbon.pairwise.packed._BLOCK_BYTES", 1)
    P = random_models(0, 70, 6, 3).astype(np.float32)
    packed = PackedModels(6, 3)
    packed.put(range(70), P)
    np.testing.assert_array_equal(packed.distances(P), pairwise_distance(P, floor=FLOOR, threads=1))


def test_bad_models_and_slots_are_refused(random_models):
    packed = PackedModels(4, 3)
    P = random_models(0, 1, 4, 3)
    with pytest.raises(DataError, match="slot = 1: expected 0 to 0"):
        packed.put([1], P)
    with pytest.raises(DataError, match=r"models of shape \(4, 2\), expected \(4, 3\)"):
        packed.put([0], P[..., :2])
    with pytest.raises(DataError, match="P: "):
        packed.put([0], 2 * P)
    assert packed.n_slots == 0
