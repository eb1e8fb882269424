"""Bases of samples."""

import itertools
from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import nnls

from hyperribbon.embedding import explained_pairwise_distance
from hyperribbon.embedding.bases import SAMPLE_METHODS, SampleBasis, sample_loadings
from hyperribbon.embedding.bases.sample_methods import Choice, d_optimal, greedy
from hyperribbon.embedding.bases.sample_terms import pair_terms
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.pairwise.stack import Stack

METHODS = list(SAMPLE_METHODS)


def choice_of(P, weighted=True, seed=0) -> Choice:
    rng, stack = np.random.RandomState(seed), Stack(P, "P")
    return Choice(stack, pair_terms(stack, rng), weighted, rng)


def misfit(A: np.ndarray, y: np.ndarray, chosen, weighted=True) -> float:
    some = A[:, list(chosen)]
    return nnls(some, y)[1] if weighted else np.linalg.norm(some.mean(axis=1) - y)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weighted", [False, True])
def test_all_samples_give_the_distances_exactly(random_models, method, weighted):
    P = random_models(0, 8, 12, 3)
    basis = SampleBasis(12, method=method, weighted=weighted, random_state=0).fit(P)
    assert sorted(basis.indices_) == list(range(12))
    np.testing.assert_allclose(basis.pairwise_distances(P), pairwise_distance(P), atol=1e-9)
    assert basis.score(P) == pytest.approx(1, abs=1e-8)
    assert basis.misfit_ < 1e-8


def test_copies_of_samples_get_the_weight_of_their_number(random_models):
    copies = np.repeat([0, 1, 2, 3], [1, 4, 2, 3])
    P = random_models(3, 9, 4, 3)[:, copies]
    basis = SampleBasis(4).fit(P)
    assert sorted(copies[basis.indices_]) == [0, 1, 2, 3]
    expected = np.bincount(copies)[copies[basis.indices_]] / 10
    np.testing.assert_allclose(basis.weights_, expected, rtol=1e-9)
    more = SampleBasis(7).fit(P)  # than there are different ones
    assert sorted(set(copies[more.indices_[:4]])) == [0, 1, 2, 3]
    assert len(set(more.indices_)) == 7
    assert more.score(P) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("weighted", [False, True])
def test_a_smaller_basis_is_the_one_that_would_be_fitted(random_models, method, weighted):
    P = random_models(1, 8, 20, 3)
    options = {"method": method, "weighted": weighted, "random_state": 5}
    basis = SampleBasis(15, **options).fit(P)
    for k in (15, 7, 1):
        fitted, smaller = SampleBasis(k, **options).fit(P), basis.smaller(k)
        np.testing.assert_array_equal(smaller.indices_, fitted.indices_)
        np.testing.assert_allclose(smaller.weights_, fitted.weights_, atol=1e-9)
        assert smaller.misfit_ == pytest.approx(fitted.misfit_, abs=1e-9)
        assert smaller.get_params() == fitted.get_params()
    assert len(basis.indices_) == 15


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_those_of_least_squares_without_negative_ones(random_models, method):
    P = random_models(2, 9, 14, 4, 0.2)
    basis = SampleBasis(8, method=method, random_state=1).fit(P)
    choice = choice_of(P)
    for k in (1, 4, 8):
        few = basis.smaller(k)
        weights, rest = nnls(choice.terms[:, few.indices_], choice.target)
        np.testing.assert_allclose(few.weights_, weights, atol=1e-9)
        assert few.misfit_ == pytest.approx(rest / np.linalg.norm(choice.target), rel=1e-6)
    equal = SampleBasis(8, method=method, weighted=False, random_state=1).fit(P)
    np.testing.assert_allclose(equal.weights_, 1 / 8)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_greedy_without_weights_takes_the_best_sample_next(random_models, seed):
    choice = choice_of(random_models(seed, 5, 7, 3), weighted=False)
    A, y = choice.terms, choice.target
    order = list(greedy(choice, 4))
    for k in range(4):
        others = [n for n in range(7) if n not in order[:k]]
        best = min(misfit(A, y, [*order[:k], n], weighted=False) for n in others)
        assert misfit(A, y, order[: k + 1], weighted=False) == pytest.approx(best, abs=1e-12)


def test_greedy_with_weights_takes_the_best_sample_next(random_models):
    """By brute force, wherever least squares alone give no negative weights."""
    compared = 0
    for seed in range(15):
        choice = choice_of(random_models(seed, 5, 7, 3))
        A, y = choice.terms, choice.target
        order = list(greedy(choice, 4))
        for k in range(4):
            sets = [[*order[:k], n] for n in range(7) if n not in order[:k]]
            best = min(misfit(A, y, some) for some in sets)
            found = misfit(A, y, order[: k + 1])
            assert found <= (misfit(A, y, order[:k]) if k else np.linalg.norm(y))
            if all((np.linalg.lstsq(A[:, some], y)[0] >= 0).all() for some in sets):
                assert found == pytest.approx(best, rel=1e-6)
                compared += k > 0
    assert compared > 10


def test_greedy_takes_no_sample_that_only_a_negative_weight_would_make_useful():
    compared = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        A, y = rng.exponential(size=(12, 6)), rng.exponential(size=12)
        order = list(greedy(SimpleNamespace(terms=A, target=y, weighted=True), 3))
        for k in range(3):
            before = misfit(A, y, order[:k]) if k else np.linalg.norm(y)
            sets = [[*order[:k], n] for n in range(6) if n not in order[:k]]
            if min(misfit(A, y, some) for some in sets) < 0.999 * before:
                assert misfit(A, y, order[: k + 1]) < before
                compared += 1
    assert compared > 20


def test_greedy_is_near_the_best_subset_there_is(random_models):
    found, best = [], []
    for seed in range(10):
        choice = choice_of(random_models(seed, 6, 8, 3))
        A, y = choice.terms, choice.target
        found.append(misfit(A, y, greedy(choice, 3)))
        best.append(min(misfit(A, y, some) for some in itertools.combinations(range(8), 3)))
    assert np.mean(found) < 1.25 * np.mean(best)
    assert all(f >= b - 1e-12 for f, b in zip(found, best, strict=True))


def test_d_optimal_takes_the_largest_determinant_next(random_models):
    choice = choice_of(random_models(4, 4, 12, 3))
    U, order = choice.whitened, list(d_optimal(choice, 10))
    assert U.shape == (12, 6)
    for k in range(10):

        def determinant(n, k=k):
            some = U[[*order[:k], n]]
            return np.linalg.slogdet(np.eye(U.shape[1]) / len(U) + some.T @ some)[1]

        best = max(determinant(n) for n in range(12) if n not in order[:k])
        assert determinant(order[k]) == pytest.approx(best, abs=1e-9)


def test_leverage_is_drawn_in_proportion(random_models):
    choice = choice_of(random_models(5, 4, 6, 3))
    expected, first = (choice.whitened**2).sum(axis=1), []
    for k in range(300):
        choice.rng = np.random.RandomState(k)
        first.append(SAMPLE_METHODS["leverage"](choice, 1, None)[0])
    counts = np.bincount(first, minlength=6) / 300
    np.testing.assert_allclose(counts, expected / expected.sum(), atol=0.1)


def test_pivoted_qr_takes_the_largest_loadings_first(random_models):
    P = random_models(6, 8, 10, 3)
    loadings, _ = sample_loadings(P)
    first = SampleBasis(1, method="pivoted_qr").fit(P).indices_[0]
    assert first == (loadings**2).sum(axis=(1, 2)).argmax()


@pytest.mark.parametrize("method", ["greedy", "d_optimal", "pivoted_qr"])
@pytest.mark.parametrize("weighted", [False, True])
@settings(max_examples=10)
@given(seed=st.integers(0, 10**6))
def test_the_order_of_samples_does_not_matter(random_models, method, weighted, seed):
    P = random_models(seed, 4, 9, 3)  # of fewer loadings than samples, so that none are equal
    moved = np.random.default_rng(seed).permutation(9)
    options = {"method": method, "weighted": weighted}
    here, there = SampleBasis(4, **options).fit(P), SampleBasis(4, **options).fit(P[:, moved])
    np.testing.assert_array_equal(moved[there.indices_], here.indices_)
    np.testing.assert_allclose(there.weights_, here.weights_, atol=1e-9)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 8), method=st.sampled_from(METHODS))
def test_what_holds_for_every_basis(random_models, seed, k, method):
    P = random_models(seed, 5, 9, 3)
    basis = SampleBasis(k, method=method, random_state=seed).fit(P)
    assert len(set(basis.indices_)) == k == len(basis.weights_)
    assert (basis.weights_ >= 0).all()
    assert 0 <= basis.misfit_ <= 1
    assert basis.n_pairs_ == 10
    if k > 1:  # misfits never grow with the basis
        assert basis.misfit_ <= basis.smaller(k - 1).misfit_ + 1e-9
    D = basis.pairwise_distances(P)
    np.testing.assert_array_equal(D, basis.pairwise_distances(basis.transform(P)))
    assert basis.score(P) <= 1


def test_score_is_the_explained_pairwise_distance(random_models):
    P, new = random_models(0, 9, 10, 3), random_models(1, 6, 10, 3)
    basis = SampleBasis(3).fit(P)
    D, found = pairwise_distance(new), basis.pairwise_distances(new)
    expected = 1 - np.abs(D - found).sum() / D.sum()
    assert basis.score(new) == pytest.approx(expected)
    assert basis.score(new, D=da.from_array(D, chunks=2)) == pytest.approx(expected)
    assert basis.score(basis.transform(new), D) == pytest.approx(expected)
    x = np.sqrt(np.arange(3.0))[:, None]  # of coordinates in one dimension, the same
    exact = explained_pairwise_distance((x - x.T) ** 2, x, [1])[0]
    assert exact == 1


def test_seeds_change_what_is_drawn(random_models):
    P = random_models(0, 9, 30, 3)
    for method in ("random", "leverage"):
        draws = [SampleBasis(5, method=method, random_state=k).fit(P).indices_ for k in (0, 0, 1)]
        np.testing.assert_array_equal(draws[0], draws[1])
        assert not np.array_equal(draws[0], draws[2])


@pytest.mark.parametrize("kind", ["float32", "zarr", "dask", "list", "trainings"])
def test_models_of_any_array(random_models, tmp_path, kind):
    P = random_models(0, 8, 9, 3)
    expected = SampleBasis(4).fit(P)
    given = {
        "float32": lambda: P.astype(np.float32),
        "zarr": lambda: zarr.create_array(tmp_path / "P.zarr", data=P, chunks=(1, 9, 3)),
        "dask": lambda: da.from_array(P, chunks=(3, 9, 3)),
        "list": lambda: [P[:3], P[3], P[4:]],
        "trainings": lambda: P.reshape(2, 4, 9, 3),
    }[kind]()
    found = SampleBasis(4).fit(given)
    np.testing.assert_array_equal(found.indices_, expected.indices_)
    np.testing.assert_allclose(found.weights_, expected.weights_, atol=1e-5)
    np.testing.assert_allclose(found.transform(given), P[:, expected.indices_], atol=1e-7)
    assert found.score(given) == pytest.approx(expected.score(P), abs=1e-5)


def test_arrays_on_disk_are_read_in_parts(random_models, tmp_path, monkeypatch):
    """Each model that is drawn is read once for the pairs, and none as a part of all."""
    P = random_models(0, 200, 6, 3)
    largest = 0

    class Watched:
        shape, dtype = P.shape, P.dtype

        def __getitem__(self, key):
            nonlocal largest
            block = P[key]
            largest = max(largest, len(block))
            return block

    basis = SampleBasis(3, random_state=0).fit(Watched())
    basis.transform(Watched())
    assert largest <= 16


BAD = {
    "more samples than there are": (lambda P: SampleBasis(7).fit(P), "n_basis = 7: more than"),
    "no sample": (lambda P: SampleBasis(0).fit(P), "n_basis = 0: expected an integer, 1 or more"),
    "half a sample": (lambda P: SampleBasis(2.5).fit(P), "n_basis = 2.5: expected an integer"),
    "unknown method": (
        lambda P: SampleBasis(2, method="best").fit(P),
        "method = 'best': expected one of greedy, leverage",
    ),
    "one model": (lambda P: SampleBasis(2).fit(P[:1]), "P: one model, expected two or more"),
    "identical models": (
        lambda P: SampleBasis(2).fit(np.repeat(P[:1], 4, axis=0)),
        "P: 4 models that are all the same",
    ),
    "identical models in single precision": (
        lambda P: SampleBasis(2).fit(np.repeat(P[:1], 4, axis=0).astype(np.float32)),
        "P: 4 models that are all the same",
    ),
    "no distributions": (lambda P: SampleBasis(2).fit(2 * P), "P: a row that sums to 2"),
    "not finite": (lambda P: SampleBasis(2).fit(P * np.nan), "P: entries that are not finite"),
    "other samples to transform": (
        lambda P: SampleBasis(2).fit(P).transform(P[:, :5]),
        "P: shape (5, 5, 3), expected (models, 6, classes), the samples that were fitted",
    ),
    "other samples to compare": (
        lambda P: SampleBasis(2).fit(P).pairwise_distances(P[:, :5]),
        "P: shape (5, 5, 3), expected 6 samples, or the 2 of the basis alone",
    ),
    "other samples to score": (lambda P: SampleBasis(2).fit(P).score(P[:, :5]), "P: shape (5, 5"),
    "score of few samples": (lambda P: SampleBasis(2).fit(P).score(P[:, :2]), "expected D, or all"),
    "distances of others": (
        lambda P: SampleBasis(2).fit(P).score(P, np.zeros((3, 3))),
        "D: distances of 3 models, expected 5",
    ),
    "larger than fitted": (
        lambda P: SampleBasis(2).fit(P).smaller(3),
        "n_basis = 3: expected 1 to 2, the size of this basis",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_clear_line(random_models, case):
    function, words = BAD[case]
    with pytest.raises(DataError) as caught:
        function(random_models(0, 5, 6, 3))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
