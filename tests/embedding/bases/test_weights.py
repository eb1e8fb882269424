"""Weights of the nearest mixtures: certificates, oracles, samples that no basis model reaches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize, nnls

from hyperribbon.embedding.bases import MIXTURES, Mixtures, nearest_mixtures
from hyperribbon.embedding.bases.kernels import derivatives, quadratic_programs
from hyperribbon.embedding.bases.mixtures import frame_of
from hyperribbon.errors import DataError
from hyperribbon.probability import bhattacharyya_distance
from hyperribbon.probability.distance import FLOOR


def distance(w, p, basis, mixture):
    return bhattacharyya_distance(p, Mixtures(basis, w[None], mixture)[0])


def by_scipy(p, basis, mixture, start, ftol=1e-12):
    """Least distance by a general solver with constraints, with numerical derivatives."""

    def objective(w):
        w = np.maximum(w, 0)
        return distance(w / w.sum(), p, basis, mixture)

    found = minimize(
        objective,
        start,
        method="SLSQP",
        bounds=[(0, 1)] * len(basis),
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": ftol, "maxiter": 300},
    )
    return found.fun


def derivatives_at(p, basis, w, mixture, curved=True):
    """Distance, gradient and curvature (K, K) of one model."""
    kind, K = MIXTURES[mixture], len(basis)
    A = np.ascontiguousarray(np.sqrt(p)[None].swapaxes(1, 2))
    f, g, H, lost = np.empty(1), np.empty((1, K)), np.zeros((1, K, K)), np.empty(1, np.int64)
    active = np.ones((1, K if curved else 0), bool)
    rows = np.zeros(1, np.int64)
    F = frame_of(basis, kind)
    derivatives(kind.kind, A, F, w[None], rows, active, f, g, H, lost, FLOOR)
    return f[0], g[0], H[0], lost[0]


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.parametrize("shape", [(7, 3), (700, 3), (5, 40)])  # one tile of samples, and several
def test_derivatives_are_those_of_the_distance(mixture, shape, random_models):
    P = random_models(1, 5, *shape)
    p, basis, w = P[0], P[1:], np.array([0.1, 0.2, 0.3, 0.4])
    f, g, H, lost = derivatives_at(p, basis, w, mixture)
    assert f == pytest.approx(distance(w, p, basis, mixture), rel=1e-12)
    assert lost == 0
    h = 1e-6
    for move in np.eye(4) - w:  # along the simplex, where all mixtures are defined
        near = [distance(w + s * h * move, p, basis, mixture) for s in (1, -1)]
        assert g @ move == pytest.approx((near[0] - near[1]) / (2 * h), abs=1e-7)
        gradients = [
            derivatives_at(p, basis, w + s * h * move, mixture, curved=False)[1] for s in (1, -1)
        ]
        numerical = (gradients[0] - gradients[1]) / (2 * h)
        if mixture == "probability":
            np.testing.assert_allclose(H @ move, numerical, atol=1e-6)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_curvature_is_exact_where_the_mixture_is_the_model(mixture, random_models):
    basis, w = random_models(2, 4, 30, 3), np.array([0.4, 0.3, 0.2, 0.1])
    p = Mixtures(basis, w[None], mixture)[0]
    _, g, H, _ = derivatives_at(p, basis, w, mixture)
    np.testing.assert_allclose((np.eye(4) - w) @ g, 0, atol=1e-12)
    h = 1e-6
    for move in np.eye(4) - w:
        near = [derivatives_at(p, basis, w + s * h * move, mixture)[1] for s in (1, -1)]
        for other in np.eye(4) - w:
            expected = other @ (near[0] - near[1]) / (2 * h)
            assert other @ H @ move == pytest.approx(expected, abs=1e-6)
    assert np.linalg.eigvalsh(H).min() >= -1e-12


@given(st.integers(0, 10**6), st.booleans())
@settings(max_examples=60)
def test_quadratic_programs_satisfy_their_conditions(seed, on_simplex):
    rng = np.random.default_rng(seed)
    K = int(rng.integers(1, 8))
    B = rng.normal(size=(int(rng.integers(1, 10)), K))  # some are singular
    H, c = np.tile(B.T @ B, (1, 1, 1)), rng.normal(size=(1, K)) * 3
    if not on_simplex:  # bounded from below
        c = -(B.T @ rng.normal(size=len(B)))[None]
    allowed = rng.random((1, K)) < 0.8
    allowed[0, rng.integers(K)] = True
    X = np.where(allowed, rng.random((1, K)), 0) if on_simplex else np.zeros((1, K))
    X /= X.sum() if on_simplex else 1
    quadratic_programs(H, c, X, allowed, on_simplex)
    x, slope = X[0], H[0] @ X[0] + c[0]
    assert (x >= -1e-12).all()
    assert not x[~allowed[0]].any()
    level = 0.0
    if on_simplex:
        assert x.sum() == pytest.approx(1)
        level = slope[allowed[0]].min()
    scale = max(1, np.abs(c).max())
    assert (slope[allowed[0]] >= level - 1e-5 * scale).all()
    assert (np.abs(slope - level)[x > 1e-7] <= 1e-5 * scale).all()


def test_programs_without_a_simplex_are_nonnegative_least_squares():
    rng = np.random.default_rng(0)
    B, y = rng.normal(size=(20, 6)), rng.normal(size=(30, 20))
    X = np.zeros((30, 6))
    quadratic_programs(np.tile(B.T @ B, (30, 1, 1)), -(y @ B), X, np.ones((30, 6), bool), False)
    np.testing.assert_allclose(X, [nnls(B, each)[0] for each in y], atol=1e-9)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_no_worse_than_a_general_solver(mixture, random_models):
    P = random_models(3, 11, 25, 4)
    basis, P = P[:5], 0.5 * P[5:] + 0.5 * P[:1]
    found = nearest_mixtures(P, basis, mixture)
    starts = [np.full(5, 0.2), *(0.2 * np.eye(5)[:2] + 0.16)]
    for p, w, residual in zip(P, found.weights, found.residuals, strict=True):
        assert residual == pytest.approx(distance(w, p, basis, mixture), rel=1e-12)
        best = min(by_scipy(p, basis, mixture, start) for start in starts)
        assert residual <= best + 1e-8
    if MIXTURES[mixture].convex:
        best = by_scipy(P[0], basis, mixture, starts[0])
        assert found.residuals[0] == pytest.approx(best, abs=1e-7)


def test_the_gap_bounds_what_other_mixtures_gain(random_models):
    """Of a poor solution, after a single step, too."""
    P = random_models(4, 30, 20, 3)
    basis, P = P[:6], P[6:]
    best = nearest_mixtures(P, basis)
    assert (best.gaps <= 1e-9).all()
    poor = nearest_mixtures(P, basis, max_iter=1)
    assert poor.gaps.max() > 1e-6
    assert (poor.residuals - best.residuals <= poor.gaps + 1e-12).all()
    assert (poor.residuals >= best.residuals - 1e-9).all()


@pytest.mark.parametrize("mixture", MIXTURES)
def test_mixtures_are_found_again(mixture, random_models):
    basis = random_models(5, 5, 40, 4)
    weights = np.random.default_rng(0).dirichlet(np.full(5, 0.5), 20)
    weights[0] = np.eye(5)[3]
    found = nearest_mixtures(Mixtures(basis, weights, mixture), basis, mixture)
    np.testing.assert_allclose(found.weights, weights, atol=2e-4)
    assert found.residuals.max() < 1e-9
    assert found.gaps.max() < 1e-9


@pytest.mark.parametrize("mixture", MIXTURES)
def test_weights_do_not_depend_on_order_neighbours_or_blocks(mixture, random_models, monkeypatch):
    P = random_models(6, 20, 15, 3)
    basis, P = P[:4], P[4:]
    found = nearest_mixtures(P, basis, mixture)
    order = np.random.default_rng(0).permutation(4)
    turned = nearest_mixtures(P[::-1], basis[order], mixture)
    np.testing.assert_allclose(turned.weights[::-1], found.weights[:, order], atol=1e-5)
    np.testing.assert_allclose(turned.residuals[::-1], found.residuals, atol=2e-9)
    monkeypatch.setattr("hyperribbon.numerics.blocks.BLOCK_BYTES", 3 * 8 * 15 * 3)
    np.testing.assert_array_equal(nearest_mixtures(P, basis, mixture).weights, found.weights)


def test_a_start_is_where_it_begins(random_models):
    P = random_models(7, 12, 10, 3)
    basis, P = P[:4], P[4:]
    found = nearest_mixtures(P, basis)
    again = nearest_mixtures(P, basis, start=found.weights)
    np.testing.assert_allclose(again.weights, found.weights, atol=1e-12)
    corner = np.tile(np.eye(4)[0], (8, 1))
    np.testing.assert_allclose(
        nearest_mixtures(P, basis, start=corner).residuals, found.residuals, atol=2e-9
    )


def test_certain_predictions_have_unbounded_slopes():
    """Basis models that are certain of classes: a weight of 0 is never the end."""
    rng = np.random.default_rng(0)
    basis = np.eye(4)[rng.integers(4, size=(6, 50))]
    P = rng.dirichlet(np.ones(4), (10, 50))
    found = nearest_mixtures(P, basis)
    assert (found.gaps < 1e-6).all()
    # A class that only one model predicts, where another predicts the more probable one.
    basis = np.array([[[1, 0.0], [1, 0]], [[1, 0], [0, 1]]])
    P = np.array([[[1.0, 0], [1 - 1e-6, 1e-6]]])
    found = nearest_mixtures(P, basis, start=np.array([[1.0, 0]]))
    np.testing.assert_allclose(found.weights, [[1 - 1e-6, 1e-6]], atol=1e-8)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_samples_out_of_reach_are_counted(mixture):
    basis = np.array([[[1, 0, 0.0]] * 4, [[0.5, 0.5, 0]] * 4])
    P = np.array([[[0, 0, 1.0]] + [[0.7, 0.3, 0]] * 3, [[0.7, 0.3, 0]] * 4, [[0, 0.5, 0.5]] * 4])
    found = nearest_mixtures(P, basis, mixture)
    assert found.unreached.tolist() == [1, 0, 0]
    if mixture != "geometric":
        # The weights are those of the samples within reach.
        np.testing.assert_allclose(found.weights[0], found.weights[1], atol=1e-3)
        far = -np.log(FLOOR) / 4 + 0.75 * found.residuals[1]
        assert found.residuals[0] == pytest.approx(far, rel=1e-6)
    else:
        assert found.residuals[0] > 8


def test_equal_basis_models_share_their_weight(random_models):
    basis = random_models(8, 3, 12, 3)
    twice = np.concatenate([basis, basis[:1]])
    P = random_models(9, 5, 12, 3)
    one, two = nearest_mixtures(P, basis), nearest_mixtures(P, twice)
    np.testing.assert_allclose(one.residuals, two.residuals, atol=1e-9)
    np.testing.assert_allclose(two.weights[:, 0] + two.weights[:, 3], one.weights[:, 0], atol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mixture": "mean"}, "mixture = 'mean': expected one of"),
        ({"basis": np.full((2, 3, 3), 1 / 3)}, "basis: shape (2, 3, 3), expected (models, 4, 3)"),
        ({"basis": np.full((4, 3), 1 / 3)}, "basis: shape (4, 3)"),
        ({"start": np.ones((5, 3))}, "start: shape (5, 3), expected (models, 2)"),
        ({"start": np.full((2, 2), 0.5)}, "start: 2 models, expected 5"),
        ({"P": np.ones((5, 4, 3))}, "P: a row that sums to 3"),
    ],
)
def test_impossible_arguments_are_refused(arguments, words, random_models):
    given = {"P": random_models(0, 5, 4, 3), "basis": np.full((2, 4, 3), 1 / 3), **arguments}
    with pytest.raises(DataError) as error:
        nearest_mixtures(**given)
    assert words in str(error.value)
