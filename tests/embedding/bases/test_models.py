"""`ModelBasis`: its methods, conventions of scikit-learn, bad input, bounded memory."""

import pickle
import tracemalloc
from itertools import combinations

import dask.array as da
import numpy as np
import pytest
import zarr
from scipy.optimize import nnls
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import get_tags

from hyperribbon.embedding.bases import MIXTURES, Mixtures, ModelBasis
from hyperribbon.embedding.bases.finding import METHODS
from hyperribbon.embedding.bases.reading import Roots, count_distinct
from hyperribbon.embedding.bases.selection import affinities, choose_greedily, choose_medoids
from hyperribbon.errors import DataError, UnreachedWarning
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import bhattacharyya_distance

NESTED = ("subset", "k_medoids", "random")
ALTERNATING = ("archetypes", "free")


@pytest.fixture(scope="module")
def trainings():
    """20 models on paths between five others, with some noise, and 8 more of the same kind."""
    rng = np.random.default_rng(0)
    ends = rng.dirichlet(np.ones(4), (5, 30))
    weights = rng.dirichlet(np.full(5, 0.5), 28)
    P = np.einsum("jk,knc->jnc", weights, ends)
    P = 0.9 * P + 0.1 * rng.dirichlet(np.ones(4), P.shape[:2])
    return P[:20], P[20:]


@pytest.mark.parametrize("mixture", MIXTURES)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_with_every_mixture(method, mixture, trainings):
    P, new = trainings
    basis = ModelBasis(4, method=method, mixture=mixture, max_iter=20, random_state=0).fit(P)
    assert basis.basis_.shape == (4, 30, 4)
    np.testing.assert_allclose(basis.basis_.sum(axis=-1), 1, atol=1e-12)
    assert (basis.basis_ >= 0).all()
    assert basis.weights_.shape == (20, 4)
    np.testing.assert_allclose(basis.weights_.sum(axis=1), 1, atol=1e-12)
    assert (basis.weights_ >= 0).all()
    assert (np.diff(basis.objective_) <= 0).all()
    # The residuals are the distances from models to their mixtures, and the gaps certify them.
    mixtures = basis.inverse_transform(basis.weights_)
    np.testing.assert_allclose(bhattacharyya_distance(P, mixtures), basis.residuals_, atol=1e-12)
    assert basis.gaps_.max() < 1e-7
    assert not basis.unreached_.any()
    np.testing.assert_allclose(basis.residuals(P), basis.residuals_, atol=1e-12)
    np.testing.assert_allclose(basis.transform(P), basis.weights_, atol=1e-12)
    # Mixtures are kept by a projection onto mixtures.
    np.testing.assert_allclose(basis.residuals(mixtures), 0, atol=2e-9)
    # The score compares distances between mixtures, which are formed block by block.
    D, D_hat = pairwise_distance(P), pairwise_distance(mixtures)
    np.testing.assert_allclose(basis.pairwise_distances(), D_hat, atol=1e-10)
    explained = 1 - np.abs(D - D_hat).sum() / D.sum()
    assert basis.score(P) == pytest.approx(explained, abs=1e-9)
    assert basis.score(P, D) == pytest.approx(explained, abs=1e-9)
    of_new = pairwise_distance(basis.inverse_transform(basis.transform(new)))
    D = pairwise_distance(new)
    assert basis.score(new) == pytest.approx(1 - np.abs(D - of_new).sum() / D.sum(), abs=1e-9)
    if method in NESTED:
        assert len(set(basis.indices_)) == 4
        np.testing.assert_allclose(basis.basis_, P[basis.indices_], atol=1e-15)
        # Basis models are reproduced, by themselves alone.
        np.testing.assert_allclose(basis.weights_[basis.indices_], np.eye(4), atol=1e-3)
        assert basis.residuals_[basis.indices_].max() < 2e-9
    elif method == "archetypes":
        np.testing.assert_allclose(
            np.tensordot(basis.composition_, P, axes=1), basis.basis_, atol=1e-10
        )
        np.testing.assert_allclose(basis.composition_.sum(axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("method", ALTERNATING)
@pytest.mark.parametrize("mixture", MIXTURES)
def test_alternating_beats_the_subset_that_it_begins_with(method, mixture, trainings):
    P, _ = trainings
    subset = ModelBasis(4, mixture=mixture).fit(P)
    found = ModelBasis(4, method=method, mixture=mixture).fit(P)
    assert found.n_iter_ == len(found.objective_) - 1 > 2
    assert found.residuals_.mean() < subset.residuals_.mean()
    if method == "free":
        assert found.residuals_.mean() <= found.objective_[-1] + 1e-12
        assert found.objective_[-1] < 0.7 * found.objective_[0]


def test_as_many_basis_models_as_models_lose_nothing(trainings):
    P, _ = trainings
    basis = ModelBasis(20).fit(P)
    assert sorted(basis.indices_) == list(range(20))
    assert basis.residuals_.max() < 2e-9
    assert basis.score(P) == pytest.approx(1, abs=1e-4)


def test_free_models_reproduce_mixtures_of_as_many():
    """Mixtures of three models, none of which is given."""
    rng = np.random.default_rng(0)
    ends = rng.dirichlet(np.ones(4), (3, 40))
    P = Mixtures(ends, rng.dirichlet(np.ones(3), 30))[:]
    basis = ModelBasis(3, method="free", tol=1e-7, max_iter=400).fit(P)
    assert basis.residuals_.max() < 1e-4
    assert basis.score(P) > 0.98
    assert ModelBasis(3).fit(P).score(P) < basis.score(P)


@pytest.mark.parametrize("method", NESTED)
def test_smaller_bases_are_those_of_other_fits(method, trainings):
    P, _ = trainings
    large = ModelBasis(7, method=method, random_state=3).fit(P)
    for k in (1, 3, 7):
        small, fitted = large.smaller(k), ModelBasis(k, method=method, random_state=3).fit(P)
        assert small.get_params() == fitted.get_params()
        np.testing.assert_array_equal(small.indices_, fitted.indices_)
        np.testing.assert_allclose(small.weights_, fitted.weights_, atol=1e-12)
        np.testing.assert_array_equal(small.objective_, fitted.objective_)
        assert small.score(P) == pytest.approx(fitted.score(P))


def test_order_of_models_does_not_matter(trainings):
    P, _ = trainings
    order = np.random.default_rng(0).permutation(20)
    for method in ("subset", "k_medoids"):
        basis = ModelBasis(5, method=method).fit(P)
        turned = ModelBasis(5, method=method).fit(P[order])
        np.testing.assert_array_equal(order[turned.indices_], basis.indices_)
        np.testing.assert_allclose(turned.weights_, basis.weights_[order], atol=1e-6)


def test_greedy_choices_are_the_best_single_ones(trainings):
    P, _ = trainings
    G = affinities(Roots(P))
    roots = np.sqrt(P).reshape(20, -1)
    np.testing.assert_allclose(G, roots @ roots.T / 30, atol=1e-14)
    chosen, errors = choose_greedily(G, 6)
    assert chosen[0] == G.sum(axis=0).argmin()
    weights, rests = zip(*(nnls(roots[chosen].T, y) for y in roots), strict=True)
    squares = np.square(rests) / 30
    assert errors[-1] == pytest.approx(squares.mean(), abs=1e-10)
    # What the errors say of coefficients, for each sample.
    shares = np.array(weights) / np.sum(weights, axis=1, keepdims=True)
    mixtures = Mixtures(P[chosen], shares, "root")[:]
    coefficients = (np.sqrt(P) * np.sqrt(mixtures)).sum(axis=-1)
    assert ((1 - coefficients**2).mean(axis=1) <= squares + 1e-12).all()
    # The second choice, by least squares with both models free.
    gains = np.zeros(20)
    for i in range(20):
        if i != chosen[0]:
            pair = roots[[chosen[0], i]].T
            both = np.array([np.linalg.lstsq(pair, y)[0] for y in roots])
            rest = ((roots - both @ pair.T) ** 2).sum(axis=1) / 30
            before = 1 - G[chosen[0]] ** 2
            gains[i] = np.sum(np.where(both[:, 1] > 0, before - rest, 0) ** 2)
    assert chosen[1] == gains.argmax()


def test_medoids_reach_their_guarantee():
    """Against the best of all triples, of points where greedy is not optimal."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(14, 2))
    D = ((x[:, None] - x) ** 2).sum(axis=-1)
    chosen, distances = choose_medoids(D, 3)
    assert distances[-1] == pytest.approx(D[:, chosen].min(axis=1).mean())
    best = min(D[:, list(few)].min(axis=1).mean() for few in combinations(range(14), 3))
    reference = D.max(axis=1).mean()
    assert reference - distances[-1] >= (1 - 1 / np.e) * (reference - best)


def test_affinities_from_parts_of_samples_and_in_single_precision(trainings, monkeypatch):
    P, _ = trainings
    expected = affinities(Roots(P))
    monkeypatch.setattr("hyperribbon.numerics.blocks.BLOCK_BYTES", 3 * 8 * 30 * 4)
    monkeypatch.setattr("hyperribbon.embedding.bases.selection._SPAN_BYTES", 7 * 8 * 30 * 4)
    np.testing.assert_allclose(affinities(Roots(P)), expected, atol=1e-14)
    monkeypatch.setattr("hyperribbon.embedding.bases.selection._DOUBLE", 0)
    G = affinities(Roots(P))
    assert G.dtype == np.float32
    np.testing.assert_allclose(G, expected, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_conventions_of_scikit_learn(method, trainings):
    P, new = trainings
    basis = ModelBasis(3, method=method, max_iter=3, random_state=0)
    with pytest.raises(NotFittedError):
        basis.transform(P)
    tags = get_tags(basis).input_tags
    assert tags.three_d_array
    assert not tags.two_d_array
    np.testing.assert_array_equal(basis.fit_transform(P), basis.weights_)
    assert basis.n_features_in_ == 30
    copy = pickle.loads(pickle.dumps(basis))
    np.testing.assert_array_equal(copy.transform(new), basis.transform(new))
    fresh = clone(basis)
    assert fresh.get_params() == basis.get_params()
    assert not hasattr(fresh, "basis_")
    np.testing.assert_allclose(fresh.fit(P).basis_, basis.basis_, atol=1e-9)
    table = basis.set_output(transform="pandas").transform(new)
    assert table.columns.tolist() == ["modelbasis0", "modelbasis1", "modelbasis2"]


def test_models_of_any_kind_of_array(trainings, tmp_path):
    P, _ = trainings
    expected = ModelBasis(4).fit(P)
    stored = zarr.create_array(tmp_path / "P.zarr", shape=P.shape, chunks=(3, 30, 4), dtype="f8")
    stored[:] = P
    for held in (
        stored,
        da.from_array(P, chunks=(7, 30, 4)),
        [P[:8], P[8:]],
        P.reshape(2, 10, 30, 4),
    ):
        found = ModelBasis(4).fit(held)
        np.testing.assert_array_equal(found.indices_, expected.indices_)
        np.testing.assert_allclose(found.weights_, expected.weights_, atol=1e-12)
        assert found.score(held) == pytest.approx(expected.score(P))
    single = ModelBasis(4).fit(P.astype(np.float32))
    np.testing.assert_array_equal(single.indices_, expected.indices_)
    assert single.mixtures().dtype == np.float32
    assert single.score(P.astype(np.float32)) == pytest.approx(expected.score(P), abs=1e-5)


def test_distances_add_up_where_rests_are_orthogonal():
    """Each new model is a mixture, but for a part in a class of its own."""
    rng = np.random.default_rng(0)
    ends = np.concatenate([rng.dirichlet(np.ones(4), (3, 15)), np.zeros((3, 15, 6))], axis=-1)
    new = Mixtures(ends, rng.dirichlet(np.ones(3), 6))[:]
    own = rng.uniform(0.05, 0.3, (6, 15))
    new *= 1 - own[..., None]
    new[np.arange(6), :, 4 + np.arange(6)] = own
    basis = ModelBasis(3).fit(ends)
    assert basis.score(new, with_residuals=True) == pytest.approx(1, abs=1e-6)
    assert basis.score(new) < 0.9


def test_score_from_bands_of_rows(trainings, monkeypatch):
    P, _ = trainings
    basis, D = ModelBasis(4).fit(P), pairwise_distance(P)
    expected = basis.score(P)
    monkeypatch.setattr("hyperribbon.embedding.bases.models._BAND_BYTES", 6 * 8 * 20)
    assert basis.score(P) == pytest.approx(expected, abs=1e-12)
    assert basis.score(P, D) == pytest.approx(expected, abs=1e-12)
    r = basis.residuals_[:, None] + basis.residuals_
    off = np.abs(D - basis.pairwise_distances() - r + np.diag(np.diag(r))).sum()
    found = basis.score(P, D, with_residuals=True)
    assert found == pytest.approx(1 - off / D.sum(), abs=1e-12)


class Counted:
    """Models of float32 that are made where they are read; the largest slice is kept."""

    dtype = np.dtype(np.float32)

    def __init__(self, m, n, c):
        self.shape, self.largest = (m, n, c), 0
        rng = np.random.default_rng(0)
        self._ends = rng.dirichlet(np.ones(c), (4, n))
        self._weights = rng.dirichlet(np.ones(4), m)

    def __getitem__(self, key):
        models, *rest = key if isinstance(key, tuple) else (key,)
        weights = self._weights[models]
        self.largest = max(self.largest, len(weights))
        return np.tensordot(weights, self._ends, axes=1).astype(np.float32)[(slice(None), *rest)]


@pytest.mark.parametrize("method", ["subset", "free", "archetypes", "k_medoids"])
def test_models_are_read_in_blocks(method, monkeypatch):
    m, n, c = 300, 500, 4
    size = 8 * m * n * c  # 4.8 MB in float64
    monkeypatch.setattr("hyperribbon.numerics.blocks.BLOCK_BYTES", size // 30)
    monkeypatch.setattr("hyperribbon.embedding.bases.reading.KEPT_BYTES", 0)
    monkeypatch.setattr("hyperribbon.embedding.bases.selection._SPAN_BYTES", size // 20)
    basis = ModelBasis(3, method=method, max_iter=2)
    basis.fit(Counted(8, n, c))  # compile first
    P = Counted(m, n, c)
    tracemalloc.start()
    basis.fit(P)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert basis.residuals_.shape == (m,)
    if method != "k_medoids":  # the engine of distances has limits of its own
        assert P.largest <= m // 30
        # A matrix (m, m) and what is made of it, a few blocks per thread, and a few bases.
        assert peak < 3 * 8 * m * m + size / 2


def test_distinct_models_are_counted(random_models):
    P = random_models(0, 3, 5, 3)
    assert count_distinct(Roots(P[[0, 1, 0, 2, 2, 1]]), 6) == 3
    assert count_distinct(Roots(P[[0, 1, 0, 2, 2, 1]]), 2) >= 2


def test_the_fourth_of_three_different_models_is_refused(random_models):
    P = random_models(0, 3, 5, 3)[[0, 1, 2, 0, 1, 2, 2]]
    for method in METHODS:
        with pytest.raises(DataError, match="n_basis = 4: only 3 of 7 models are different"):
            ModelBasis(4, method=method).fit(P)
    basis = ModelBasis(3).fit(P)
    assert len({P[i].tobytes() for i in basis.indices_}) == 3
    assert basis.residuals_.max() < 2e-9


def test_nothing_left_to_reproduce_still_gives_different_models():
    """Mixtures of two models: after both, the others are copies of mixtures, not of models."""
    ends = np.random.default_rng(0).dirichlet(np.ones(3), (2, 8))
    w = np.linspace(0, 1, 9)[:, None, None]
    P = np.concatenate([(1 - w) * ends[0] + w * ends[1]] * 2)
    basis = ModelBasis(6).fit(P)
    assert len({P[i].tobytes() for i in basis.indices_}) == 6


def test_a_model_out_of_reach_is_named():
    P = np.array([[[1, 0, 0.0]] * 4, [[0.6, 0.4, 0]] * 4, [[0.5, 0.5, 0]] * 4])
    basis = ModelBasis(2).fit(P)
    new = np.array([[[0.6, 0.4, 0]] * 4, [[0, 0, 1]] + [[1, 0, 0]] * 3])
    with pytest.warns(UnreachedWarning) as caught:
        basis.transform(new)
    words = str(caught[0].message)
    assert words.startswith("X: 1 of 2 models share no class with the basis on some samples")
    assert "model 1, on 1 of 4 samples, with a residual of 17.3 nats" in words
    with pytest.warns(UnreachedWarning):
        assert basis.residuals(new)[1] == pytest.approx(-np.log(1e-30) / 4, abs=0.1)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"n_basis": 21}, "n_basis = 21: expected 1 to the number of models, n_samples = 20"),
        ({"n_basis": 0}, "n_basis = 0: expected an integer, 1 or more"),
        ({"n_basis": 2.5}, "n_basis = 2.5: expected an integer"),
        ({"n_basis": True}, "n_basis = True: expected an integer"),
        ({"method": "pca"}, "method = 'pca': expected one of subset, archetypes, free, k_medoids"),
        ({"mixture": "linear"}, "mixture = 'linear': expected one of probability, root, geometric"),
        ({"max_iter": 0}, "max_iter = 0: expected"),
        ({"tol": -1}, "tol = -1: expected a number, 0 or more"),
        ({"tol": "low"}, "tol = 'low': expected a number"),
        ({"tol": np.nan}, "tol = nan: expected"),
    ],
)
def test_impossible_parameters_are_refused(parameters, words, trainings):
    with pytest.raises(DataError) as error:
        ModelBasis(**parameters).fit(trainings[0])
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.ones((12, 3, 3)), "X: a row that sums to 3"),
        (np.full((12, 3, 3), np.nan), "X: entries that are not finite"),
        (np.full((12, 3), 1 / 3), "X: shape (12, 3), expected (models, samples, classes)"),
        (None, "X: NoneType, expected an array of models"),
        ([], "X: empty, expected models"),
    ],
)
def test_what_are_no_models_is_refused(X, words, trainings):
    with pytest.raises(DataError) as error:
        ModelBasis(2).fit(X)
    assert words in str(error.value)
    basis = ModelBasis(2).fit(trainings[0])
    with pytest.raises(DataError):
        basis.transform(X)


def test_what_does_not_fit_the_fit_is_refused(trainings):
    P, _ = trainings
    basis = ModelBasis(3).fit(P)
    for other in (P[:, :7], P.reshape(20, 60, 2) / P.reshape(20, 60, 2).sum(-1, keepdims=True)):
        for ask in (basis.transform, basis.residuals, basis.score):
            with pytest.raises(DataError, match=r"X: shape .*, expected \(models, 30, 4\), as fit"):
                ask(other)
    with pytest.raises(DataError, match=r"D: shape \(3, 3\), expected \(20, 20\), as of X"):
        basis.score(P, np.zeros((3, 3)))
    with pytest.raises(DataError, match=r"weights: shape \(1, 2\), expected \(models, 3\)"):
        basis.inverse_transform([[0.5, 0.5]])
    with pytest.raises(DataError, match="n_basis = 4: expected an integer, 1 to 3"):
        basis.smaller(4)
    free = ModelBasis(3, method="free", max_iter=1).fit(P)
    with pytest.raises(DataError, match="method = 'free': a smaller basis is not part of a larger"):
        free.smaller(2)
