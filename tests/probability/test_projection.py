import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.numerics import blocks
from hyperribbon.probability import bhattacharyya_distance, random_stochastic_projection, truth

seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, c=st.integers(2, 8), k=st.integers(2, 8), spread=st.sampled_from([0.05, 1.0]))
@settings(deadline=None, max_examples=40)
def test_distances_cannot_grow(random_models, seed, c, k, spread):
    P, Q = random_models(seed, 2, 6, c, spread)
    shrunk = [random_stochastic_projection(model, k, seed) for model in (P, Q)]
    # Data-processing inequality, sample by sample.
    for n in range(6):
        before = bhattacharyya_distance(P[[n]], Q[[n]])
        after = bhattacharyya_distance(shrunk[0][[n]], shrunk[1][[n]])
        assert after <= before + 1e-12


def test_rows_of_the_matrix_are_uniform_on_the_simplex():
    every = truth(np.arange(1000), 1000)[None]
    R = np.concatenate([random_stochastic_projection(every, 3, seed)[0] for seed in range(20)])
    assert (R >= 0).all()
    np.testing.assert_allclose(R.sum(axis=1), 1, atol=1e-14)
    # Any one of three uniform parts has density 2 (1 - x): mean 1/3, second moment 1/6.
    np.testing.assert_allclose(R.mean(axis=0), 1 / 3, atol=0.01)
    np.testing.assert_allclose((R**2).mean(axis=0), 1 / 6, atol=0.01)
    np.testing.assert_allclose((R < 0.5).mean(axis=0), 3 / 4, atol=0.02)


def test_it_is_linear_and_the_same_for_all_models_and_samples(random_models, monkeypatch):
    P = random_models(0, 10, 3, 5).reshape(2, 5, 3, 5)
    R = random_stochastic_projection(np.eye(5), 4, seed=3)
    found = random_stochastic_projection(P, 4, seed=3)
    np.testing.assert_allclose(found, P @ R, atol=1e-15)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", P[0].nbytes)
    np.testing.assert_allclose(random_stochastic_projection(P, 4, seed=3), found, atol=1e-15)
    assert not np.allclose(random_stochastic_projection(P, 4, seed=4), found)


def test_any_array_is_taken(random_models, holder):
    P = random_models(0, 7, 6, 4)
    expected = random_stochastic_projection(P, 2, 0)
    np.testing.assert_allclose(random_stochastic_projection(holder(P), 2, 0), expected, rtol=1e-13)
    single = random_stochastic_projection(holder(P.astype(np.float32)), 2, 0)
    np.testing.assert_allclose(single, expected, rtol=1e-5)


def test_what_it_refuses(random_models, broken):
    P = random_models(0, 2, 6, 4)
    for n_classes in (1, 0, 2.5, "3", True):
        with pytest.raises(DataError, match="n_classes = .* expected an integer, 2 or more"):
            random_stochastic_projection(P, n_classes, 0)
    for seed in (-1, None, 0.5):
        with pytest.raises(DataError, match="seed = .* expected an integer, 0 or more"):
            random_stochastic_projection(P, 2, seed)
    with pytest.raises(DataError, match=r"P: shape \(4,\)"):
        random_stochastic_projection(P[0, 0], 2, 0)
    bad, words = broken
    with pytest.raises(DataError, match=words):
        random_stochastic_projection(bad, 2, 0)
