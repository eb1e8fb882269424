"""Each sample's own distances, and loadings."""

import numpy as np
import pytest

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.bases import sample_loadings, sample_terms
from hyperribbon.embedding.bases.sample_terms import WeightedDistances, pair_terms
from hyperribbon.numerics import blocks
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.pairwise.stack import Stack


def terms_of(P, seed=0):
    return pair_terms(Stack(P, "P"), np.random.RandomState(seed))


def distances_of_each(P) -> np.ndarray:
    """(N, m, m), the plain way."""
    roots = np.sqrt(P)
    return -np.log(np.clip(np.einsum("inc,jnc->nij", roots, roots), FLOOR, 1))


def test_few_models_give_all_their_pairs(random_models):
    P = random_models(0, 7, 5, 3)
    expected = distances_of_each(P)[:, *np.triu_indices(7, 1)].T
    np.testing.assert_allclose(terms_of(P), expected, rtol=1e-9, atol=1e-14)


def test_of_many_models_pairs_are_drawn_in_groups(random_models, monkeypatch):
    monkeypatch.setattr(sample_terms, "MODELS", 12)
    monkeypatch.setattr(sample_terms, "TOGETHER", 4)
    P = random_models(0, 30, 5, 3)
    terms = terms_of(P)
    assert terms.shape == (3 * 6, 5)
    of_all = distances_of_each(P)[:, *np.triu_indices(30, 1)].T
    for row in terms:
        assert np.abs(of_all - row).max(axis=1).min() < 1e-12
    assert not np.array_equal(terms, terms_of(P, seed=1))
    np.testing.assert_array_equal(terms, terms_of(P))


def test_groups_shrink_where_models_are_large(random_models, monkeypatch):
    monkeypatch.setattr(sample_terms, "_GROUP_BYTES", 8 * 5 * 3 * 3)  # of three models
    P = random_models(0, 6, 5, 3)
    assert terms_of(P).shape == (sample_terms.MODELS // 3 * 3, 5)


def test_blocks_of_samples_change_nothing(random_models, monkeypatch):
    P = random_models(0, 9, 11, 3)
    terms, (loadings, _) = terms_of(P), sample_loadings(P, n_components=3)
    monkeypatch.setattr(sample_terms, "_BLOCK_BYTES", 2 * 8 * 81)
    np.testing.assert_allclose(terms_of(P), terms, rtol=1e-12)
    np.testing.assert_allclose(sample_loadings(P, n_components=3)[0], loadings, atol=1e-13)


def test_models_without_a_common_class_are_69_nats_apart_on_that_sample():
    P = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
    np.testing.assert_allclose(terms_of(P), [[-np.log(FLOOR), 0]], atol=1e-14)


def test_loadings_are_quadratic_forms_of_each_samples_centred_matrix(random_models):
    P = random_models(1, 8, 6, 3)
    loadings, eigenvalues = sample_loadings(P, n_components=4)
    inpca = InPCA(4).fit(P)
    np.testing.assert_allclose(eigenvalues, inpca.eigenvalues_, rtol=1e-10)
    np.testing.assert_allclose(loadings.sum(axis=0), np.diag(eigenvalues), atol=1e-12)
    L = np.eye(8) - 1 / 8
    V = inpca.embedding_ / np.sqrt(np.abs(eigenvalues))
    for found, D in zip(loadings, distances_of_each(P), strict=True):
        W = -L @ D @ L.T / 2
        np.testing.assert_allclose(found, V.T @ W @ V / 6, atol=1e-12)


def test_loadings_have_as_many_components_as_there_are(random_models):
    loadings, eigenvalues = sample_loadings(random_models(0, 3, 4, 3))
    assert loadings.shape == (4, 2, 2)
    assert len(eigenvalues) == 2


def test_of_many_models_some_are_drawn_for_the_loadings(random_models, monkeypatch):
    P = random_models(0, 30, 5, 3)
    monkeypatch.setattr(sample_terms, "LOADING_MODELS", 12)
    loadings, eigenvalues = sample_loadings(P, random_state=0)
    drawn = np.sort(np.random.RandomState(0).choice(30, 12, replace=False))
    np.testing.assert_allclose(eigenvalues, InPCA(10).fit(P[drawn]).eigenvalues_, rtol=1e-9)
    np.testing.assert_allclose(loadings.sum(axis=0), np.diag(eigenvalues), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weighted_distances_are_weighted_sums(random_models, monkeypatch, dtype):
    P, w = random_models(2, 9, 4, 3).astype(dtype), np.array([0.2, 0.0, 1.5, 0.3])
    expected = np.tensordot(w, distances_of_each(P.astype(float)), axes=1)
    tolerance = 1e-12 if dtype == np.float64 else 3e-6
    for size in (2**25, 4 * 9 * 8):  # bytes of a block of rows
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        found = WeightedDistances(P, w)
        D = found.dense()
        np.testing.assert_allclose(D, expected, atol=tolerance)
        assert not np.diag(D).any()
        np.testing.assert_array_equal(D, D.T)
        np.testing.assert_allclose(found[2:5], D[2:5], atol=tolerance)
        assert not np.diag(found[:]).any()
    equal = WeightedDistances(P, np.full(4, 0.25)).dense()
    np.testing.assert_allclose(equal, pairwise_distance(P), atol=tolerance)
