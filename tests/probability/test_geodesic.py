import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from hyperribbon.errors import DataError
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.probability.geodesic import arc_length

seeds = st.integers(0, 2**32 - 1)
alphas = st.floats(0, 1)


def test_geodesic_agrees_with_the_oracle(o1):
    n = o1["geodesic_100"].shape[1]
    start, end = ignorance(n, 10), truth(o1["labels"][:n], 10)
    points = geodesic(start, end, np.linspace(0, 1, 101)[1:])
    np.testing.assert_allclose(points, o1["geodesic_100"], rtol=1e-9, atol=1e-15)


def test_progress_agrees_with_the_oracle(o1):
    found = progress(o1["P"], o1["labels"])
    np.testing.assert_allclose(found, o1["progress"], atol=1e-5)  # its tolerance


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


def test_arcs_are_exact_where_models_nearly_coincide():
    # arccos of the coefficient, 1 - 1e-18 / 8, would give 0.
    p, q = np.array([[0.5, 0.5]]), np.array([[0.5 + 5e-10, 0.5 - 5e-10]])
    assert arc_length(p, q) == pytest.approx(5e-10, rel=1e-6)


@pytest.mark.parametrize("c", [2, 3, 10])
def test_arc_from_ignorance_to_truth(c):
    labels = np.arange(7) % c
    arc = arc_length(ignorance(7, c), truth(labels, c))
    assert arc == pytest.approx(np.arccos(1 / np.sqrt(c)), abs=1e-14)


def test_arc_length_agrees_with_its_definition(random_models):
    P, Q = random_models(1, 5, 8, 3), random_models(2, 5, 8, 3)
    np.testing.assert_allclose(
        arc_length(P, Q), np.arccos(np.sqrt(P * Q).sum(axis=-1)).mean(axis=-1), atol=1e-12
    )


@given(alpha=alphas, c=st.integers(2, 12), seed=seeds)
@settings(deadline=None, max_examples=60)
def test_progress_of_a_point_of_the_geodesic(alpha, c, seed):
    labels = np.random.default_rng(seed).integers(c, size=9)
    point = geodesic(ignorance(9, c), truth(labels, c), alpha)
    assert progress(point, labels) == pytest.approx(alpha, abs=2e-6)


@pytest.mark.parametrize("c", [2, 3, 10])
def test_progress_of_the_ends(c):
    labels = np.arange(9) % c
    assert progress(ignorance(9, c), labels) == 0
    assert progress(truth(labels, c), labels) == 1


@given(seed=seeds, c=st.integers(2, 6), n=st.integers(1, 12), spread=st.floats(0.1, 3))
@settings(deadline=None, max_examples=30)
def test_progress_agrees_with_a_search(random_models, seed, c, n, spread):
    p = random_models(seed, 1, n, c, spread)[0]
    labels = np.random.default_rng(seed).integers(c, size=n)
    start, end = ignorance(n, c), truth(labels, c)

    def distance(alpha):
        coefficients = (np.sqrt(p) * np.sqrt(geodesic(start, end, alpha))).sum(axis=-1)
        return np.arccos(np.minimum(coefficients, 1)).mean()

    best = minimize_scalar(distance, bounds=(0, 1), method="bounded", options={"xatol": 1e-8})
    found = progress(p, labels)
    if c == 2:
        # Every model is on the geodesic's great circle: the arcs have kinks, their mean can be
        # flat, and the best alpha is one of many.
        assert distance(found) == pytest.approx(best.fun, abs=2e-6)
    else:
        assert found == pytest.approx(best.x, abs=5e-6)


@pytest.mark.parametrize("c", [2, 3, 4, 5, 10])
@pytest.mark.parametrize("alpha", [0.25, 0.5, 0.75])
def test_progress_with_one_sample_exactly_on_the_geodesic(c, alpha):
    """The arc of such a sample has a kink where the search lands exactly."""
    labels = np.arange(10) % c
    start, end = ignorance(10, c), truth(labels, c)
    P = geodesic(start, end, 0.9)
    P[0] = geodesic(start, end, alpha)[0]
    assert progress(P, labels) == pytest.approx(0.9, abs=2e-6)
    P = geodesic(start, end, 0.1)
    P[0] = geodesic(start, end, alpha)[0]
    assert progress(P, labels) == pytest.approx(0.1, abs=2e-6)


def test_progress_of_the_wrong_corner_is_at_the_end():
    labels = np.arange(9) % 3
    assert progress(truth((labels + 1) % 3, 3), labels) == 0


def test_progress_of_one_model_is_that_of_a_set_of_one(random_models):
    P, labels = random_models(5, 2, 7, 3), np.arange(7) % 3
    both = progress(P, labels)
    assert both.shape == (2,)
    assert isinstance(progress(P[1], labels), float)
    assert progress(P[1], labels) == both[1]


def test_what_progress_refuses(random_models):
    P = random_models(0, 2, 3, 4)
    with pytest.raises(DataError, match="labels: 2, expected one a sample, 3"):
        progress(P, np.array([0, 1]))
    with pytest.raises(DataError, match="labels: from 0 to 4"):
        progress(P, np.array([0, 1, 4]))
    with pytest.raises(DataError, match="one class"):
        progress(np.ones((2, 3, 1)), np.array([0, 0, 0]))
    P[1, 1] = np.nan
    with pytest.raises(DataError, match="not finite"):
        progress(P, np.array([0, 1, 2]))
    with pytest.raises(DataError, match="^q: "):
        geodesic(ignorance(3, 4), P[1], 0.5)
