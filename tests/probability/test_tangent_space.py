"""Tangent vectors of the product of spheres."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.probability import geodesic, ignorance, truth
from hyperribbon.probability.distance import arcs
from hyperribbon.probability.tangent_space import exp_map, log_map, root_velocity, transport


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), spread=st.sampled_from([0.05, 1.0, 50.0]))
def test_maps_are_inverse_and_keep_lengths(random_models, seed, spread):
    p, q, r = random_models(seed, 3, 4, 5, spread)
    v = log_map(p, q)
    np.testing.assert_allclose((v * np.sqrt(p)).sum(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(np.linalg.norm(v, axis=1), arcs(np.sqrt(p), np.sqrt(q)), atol=1e-14)
    np.testing.assert_allclose(exp_map(p, v), q, atol=1e-13)
    np.testing.assert_allclose(exp_map(p, v / 3), geodesic(p, q, 1 / 3), atol=1e-13)
    np.testing.assert_allclose(transport(p, q, v), -log_map(q, p), atol=1e-13)
    w = log_map(p, r)
    moved = transport(p, q, w)
    np.testing.assert_allclose((moved * np.sqrt(q)).sum(axis=1), 0, atol=1e-14)
    np.testing.assert_allclose((moved**2).sum(), (w**2).sum())
    np.testing.assert_allclose((moved * -log_map(q, p)).sum(), (w * v).sum(), atol=1e-13)
    np.testing.assert_allclose(transport(q, p, moved), w, atol=1e-13)


def test_models_that_coincide_or_nearly(random_models):
    p = random_models(0, 1, 4, 3)[0]
    assert not log_map(p, p).any()
    np.testing.assert_allclose(exp_map(p, np.zeros_like(p)), p)
    near = geodesic(p, random_models(1, 1, 4, 3)[0], 1e-7)
    np.testing.assert_allclose(exp_map(p, log_map(p, near)), near, rtol=1e-14)


def test_negative_roots_count_as_zero():
    p, labels = ignorance(1, 3), np.array([0])
    v = log_map(p, truth(labels, 3))
    np.testing.assert_allclose(exp_map(p, 1.2 * v), [[1, 0, 0]])
    np.testing.assert_allclose(exp_map(p, -v), [[0, 0.5, 0.5]])
    np.testing.assert_allclose(exp_map(p, 4 * v), p)  # all of them are negative


def test_velocity_of_roots_is_a_derivative():
    rng = np.random.default_rng(0)
    f, v, h = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), 1e-5

    def softmax(f):
        return np.exp(f) / np.exp(f).sum(axis=-1, keepdims=True)

    expected = (np.sqrt(softmax(f + h * v)) - np.sqrt(softmax(f - h * v))) / (2 * h)
    np.testing.assert_allclose(root_velocity(softmax(f), v), expected, atol=1e-9)


@pytest.mark.parametrize("function", [exp_map, root_velocity, lambda p, v: transport(p, p, v)])
def test_vectors_of_other_samples_are_refused(function):
    with pytest.raises(DataError, match=r"shape \(2, 3\), expected \(..., 4, 3\), as that of p"):
        function(ignorance(4, 3), np.zeros((2, 3)))
