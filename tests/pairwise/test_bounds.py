"""The true distance lies between those of coarse-grained models and of what is kept alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hyperribbon as hr
from hyperribbon.errors import DataError


def coarse(P, top):
    """Models (m, N, k + 1), whose last class is all that are not kept."""
    kept = np.take_along_axis(P, np.repeat(top[None], len(P), 0), axis=2)
    others = P.copy()  # 1 minus what is kept would lose all digits of a small remainder
    np.put_along_axis(others, np.repeat(top[None], len(P), 0), 0, axis=2)
    return np.concatenate([kept, others.sum(-1, keepdims=True)], axis=2)


@given(
    seed=st.integers(0, 2**32 - 1),
    concentration=st.sampled_from([0.01, 0.3, 10.0]),
    k=st.integers(1, 8),
)
@settings(deadline=None, max_examples=40)
def test_the_true_distance_is_always_within(seed, concentration, k):
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.full(9, concentration), size=(6, 5))
    P = (P + 1e-12) / (P + 1e-12).sum(-1, keepdims=True)
    top = rng.permuted(np.tile(np.arange(9), (5, 1)), axis=1)[:, :k]
    bounds, D = hr.distance_bounds(coarse(P, top), threads=1), hr.pairwise_distance(P, threads=1)
    near = 1e-9 * (1 + D)
    assert (bounds.lower <= D + near).all()
    assert (bounds.upper + near >= D).all()
    finer = np.column_stack([top, [np.setdiff1d(np.arange(9), row)[0] for row in top]])
    if k < 8:  # a finer partition of the classes never brings models closer
        more = hr.distance_bounds(coarse(P, finer), threads=1)
        assert (more.lower >= bounds.lower - near).all()
        assert (more.upper <= bounds.upper + near).all()


def test_bounds_are_the_formula_and_both_are_attained():
    rng = np.random.default_rng(0)
    kept, r = rng.dirichlet(np.ones(4), size=(3, 6)), rng.uniform(0.1, 0.9, (3, 6, 1))
    P = np.concatenate([(1 - r) * kept, r], axis=2)
    roots = np.sqrt(P)
    products = np.einsum("inc,jnc->ijnc", roots, roots)
    bounds = hr.distance_bounds(P)
    off = ~np.eye(3, dtype=bool)
    lower, upper = (-np.log(x.sum(-1)).mean(-1) for x in (products, products[..., :-1]))
    np.testing.assert_allclose(bounds.lower[off], lower[off], rtol=1e-12)
    np.testing.assert_allclose(bounds.upper[off], upper[off], rtol=1e-12)
    shares = np.array([0.2, 0.3, 0.5])
    alike = np.concatenate([P[..., :-1], r * shares], axis=2)
    np.testing.assert_allclose(hr.pairwise_distance(alike), bounds.lower, atol=1e-12)
    apart = np.concatenate([P[..., :-1], r * np.eye(3)[:, None]], axis=2)
    np.testing.assert_allclose(hr.pairwise_distance(apart), bounds.upper, atol=1e-12)


def test_between_two_sets_and_where_nothing_is_kept():
    P = np.array([[[0.5, 0.2, 0.3]], [[0.0, 0.0, 1.0]]])
    own, across = hr.distance_bounds(P), hr.distance_bounds(P, P)
    np.testing.assert_array_equal(own.lower, across.lower)
    assert own.upper[0, 1] == across.upper[1, 0] == np.inf
    assert own.upper[0, 0] == 0 < across.upper[0, 0]  # a copy may have another remainder


def test_what_has_no_remainder_is_refused():
    with pytest.raises(DataError, match="P: one class"):
        hr.distance_bounds(np.ones((2, 3, 1)))
    with pytest.raises(DataError, match="Q: .*negative"):
        hr.distance_bounds(np.full((1, 1, 2), 0.5), np.array([[[-0.5, 1.5]]]))
