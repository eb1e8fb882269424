"""Overlaps of sets: the oracle, the exact null, and what is no set."""

from math import comb
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations.conservation import conservation

DATA = Path(__file__).parents[1] / "data"


def test_it_agrees_with_the_oracle():
    o13 = np.load(DATA / "o13_slice.npz")
    found = conservation(o13["masks"])
    np.testing.assert_array_equal(found.overlap, o13["overlap"])
    np.testing.assert_allclose(found.mean, o13["null_mean"], rtol=1e-9)
    np.testing.assert_allclose(found.sd, o13["null_sd"], rtol=1e-9)
    np.testing.assert_allclose(found.z, o13["z"], rtol=1e-9)


@given(st.integers(2, 25), st.integers(0, 2**32 - 1))
def test_p_is_the_sum_over_all_larger_overlaps(N, seed):
    rng = np.random.default_rng(seed)
    sets = rng.random((2, N)) < rng.random((2, 1))
    found = conservation(sets)
    a, b, k = sets[0].sum(), sets[1].sum(), (sets[0] & sets[1]).sum()
    ways = sum(comb(a, j) * comb(N - a, b - j) for j in range(k, min(a, b) + 1) if b - j <= N - a)
    assert found.p[0, 1] == pytest.approx(ways / comb(N, b), rel=1e-9)
    np.testing.assert_array_equal(found.p, found.p.T)


def test_a_probability_too_small_for_a_float_has_a_logarithm():
    sets = np.zeros((2, 8192), dtype=bool)
    sets[:, :750] = True
    found = conservation(sets)
    assert found.p[0, 1] == 0
    # One of all sets of this size.
    exact = -sum(np.log((8192 - j) / (750 - j)) for j in range(750))
    assert found.log_p[0, 1] == pytest.approx(exact, rel=1e-9)


def test_random_sets_are_within_a_few_deviations_and_certain_overlaps_have_none():
    rng = np.random.default_rng(0)
    z = conservation(rng.random((20, 500)) < 0.3).z[np.triu_indices(20, 1)]
    assert abs(z.mean()) < 0.4 and 0.7 < z.std() < 1.3
    sets = np.array([[True] * 4, [False] * 4, [True, False, False, False]])
    found = conservation(sets)
    assert np.isnan(found.z[0]).all() and np.isnan(found.z[1]).all()
    np.testing.assert_allclose(found.p[:2], 1)


@pytest.mark.parametrize("sets", [np.ones((2, 3)), np.ones(3, bool), np.ones((2, 1), bool)])
def test_what_is_no_set_is_refused(sets):
    with pytest.raises(DataError, match="expected bool of shape"):
        conservation(sets)
