import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.probability import arc_length, geodesic, ignorance, truth

seeds = st.integers(0, 2**32 - 1)
alphas = st.floats(0, 1)


def test_geodesic_agrees_with_the_oracle(o1):
    n = o1["geodesic_100"].shape[1]
    start, end = ignorance(n, 10), truth(o1["labels"][:n], 10)
    points = geodesic(start, end, np.linspace(0, 1, 101)[1:])
    np.testing.assert_allclose(points, o1["geodesic_100"], rtol=1e-9, atol=1e-15)


@given(seed=seeds, alpha=alphas, spread=st.sampled_from([0.05, 0.5, 5.0]))
@settings(deadline=None, max_examples=40)
def test_a_geodesic_divides_its_arc(random_models, seed, alpha, spread):
    p, q = random_models(seed, 2, 6, 4, spread)
    r = geodesic(p, q, alpha)
    assert (r >= 0).all()
    np.testing.assert_allclose(r.sum(axis=-1), 1, atol=1e-14)
    whole = arc_length(p, q)
    assert arc_length(p, r) == pytest.approx(alpha * whole, abs=1e-9)
    assert arc_length(p, r) + arc_length(r, q) == pytest.approx(whole, abs=1e-9)
    np.testing.assert_allclose(r, geodesic(q, p, 1 - alpha), atol=1e-12)


def test_geodesic_ends(random_models):
    p, q = random_models(0, 2, 6, 4)
    np.testing.assert_allclose(geodesic(p, q, np.array([0.0, 1.0])), [p, q], atol=1e-15)


def test_geodesic_between_equal_and_almost_equal_models(random_models):
    p = random_models(0, 1, 6, 4, 0.05)[0]
    np.testing.assert_allclose(geodesic(p, p, 0.3), p, atol=1e-15)
    near = p + 1e-13 * (truth(np.zeros(6, dtype=int), 4) - p)
    np.testing.assert_allclose(geodesic(p, near, 0.5), p, atol=1e-12)
    assert arc_length(p, p) == 0


@given(seed=seeds, alpha=alphas)
@settings(deadline=None, max_examples=20)
def test_order_of_samples_and_names_of_classes_do_not_matter(random_models, seed, alpha):
    p, q = random_models(seed, 2, 6, 4)
    rng = np.random.default_rng(seed)
    n, c = rng.permutation(6), rng.permutation(4)
    found = geodesic(p[n][:, c], q[n][:, c], alpha)
    np.testing.assert_allclose(found, geodesic(p, q, alpha)[n][:, c], atol=1e-14)


def test_geodesic_between_models_without_a_class_in_common():
    p, q = truth([0, 1], 3), truth([1, 2], 3)
    alpha = np.array([0.0, 1 / 3, 0.5, 1.0])
    expected = [[np.cos(a * np.pi / 2) ** 2, np.sin(a * np.pi / 2) ** 2, 0] for a in alpha]
    np.testing.assert_allclose(geodesic(p, q, alpha)[:, 0], expected, atol=1e-15)


def test_alphas_are_broadcast(random_models):
    P, q = random_models(0, 3, 6, 4), random_models(1, 1, 6, 4)[0]
    each = geodesic(P, q, np.array([0.1, 0.2, 0.9]))
    np.testing.assert_allclose(each[2], geodesic(P[2], q, 0.9), atol=1e-15)
    table = geodesic(P, q, np.array([[0.1], [0.6]]))
    assert table.shape == (2, 3, 6, 4)
    np.testing.assert_allclose(table[1, 2], geodesic(P[2], q, 0.6), atol=1e-15)


def test_any_array_is_taken(random_models, holder):
    P, Q = random_models(0, 5, 6, 4), random_models(1, 5, 6, 4)
    expected = geodesic(P, Q, 0.3)
    np.testing.assert_allclose(geodesic(holder(P), holder(Q), 0.3), expected, rtol=1e-13)
    single = geodesic(P.astype(np.float32), Q.astype(np.float32), np.float32(0.3))
    np.testing.assert_allclose(single, expected, rtol=1e-5, atol=1e-9)


def test_what_geodesics_refuse(random_models, broken):
    P = random_models(0, 2, 6, 4)
    for alpha in (-0.1, 1.001, np.nan, [0.5, 2.0]):
        with pytest.raises(DataError, match=r"alpha: from .* expected all within \[0, 1\]"):
            geodesic(P, P, alpha)
    with pytest.raises(DataError, match=r"alpha: shape \(3,\), .* \(2,\) and \(2,\)"):
        geodesic(P, P, [0.1, 0.2, 0.3])
    with pytest.raises(DataError, match=r"p, q: shapes \(2, 6, 4\) and \(2, 5, 4\)"):
        geodesic(P, P[:, :5], 0.5)
    bad, words = broken
    with pytest.raises(DataError, match=f"^q: .*{words}"):
        geodesic(P, bad, 0.5)
