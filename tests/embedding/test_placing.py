"""Placing models in an embedding that was kept without its distances."""

import numpy as np
import pytest

from hyperribbon.embedding import InPCA, mean_distances, place
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance


@pytest.fixture(scope="module")
def kept(random_models):
    P = random_models(0, 30, 2, 3, spread=0.02)
    D = pairwise_distance(P)
    return P, D, InPCA(6, metric="precomputed").fit(D)


def test_fitted_models_return_to_their_own_coordinates(kept):
    _, D, inpca = kept
    assert -1 in inpca.signature_  # one that needs the sign
    found = place(D, mean_distances(D), inpca.embedding_, inpca.eigenvalues_)
    np.testing.assert_allclose(found, inpca.embedding_, atol=1e-10)


def test_new_models_lie_where_inpca_places_them(kept, random_models):
    P, D, inpca = kept
    D_new = pairwise_distance(random_models(1, 5, 2, 3), P)
    found = place(D_new, mean_distances(D), inpca.embedding_, inpca.eigenvalues_)
    np.testing.assert_allclose(found, inpca.transform(D_new), atol=1e-10)


def test_a_dimension_without_an_eigenvalue_is_0(kept):
    _, D, inpca = kept
    X = np.column_stack([inpca.embedding_[:, 0], np.zeros(len(D))])
    found = place(D[:2], mean_distances(D), X, [inpca.eigenvalues_[0], 0.0])
    np.testing.assert_array_equal(found[:, 1], 0)


def test_shapes_that_do_not_fit_are_refused(kept):
    _, D, inpca = kept
    with pytest.raises(DataError, match=r"D_new: shape \(30, 29\), expected"):
        place(D[:, 1:], mean_distances(D), inpca.embedding_, inpca.eigenvalues_)
