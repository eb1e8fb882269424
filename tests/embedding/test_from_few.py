"""Embeddings from few samples beside the one from all."""

import numpy as np
import pytest

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.from_few import embed_from_few
from hyperribbon.pairwise import pairwise_distance


def test_all_samples_give_the_original(random_models):
    D = pairwise_distance(random_models(0, 30, 12, 3))
    original = InPCA(5, metric="precomputed").fit(D)
    found = embed_from_few(D, D, original)
    np.testing.assert_allclose(found.rmsd, 0, atol=1e-6)
    np.testing.assert_allclose(found.explained_stress, original.explained_stress_, atol=1e-6)
    np.testing.assert_allclose(
        found.explained_pairwise_distance, original.explained_pairwise_distance_, atol=1e-6
    )
    np.testing.assert_allclose(found.coordinates, original.embedding_, atol=1e-5)


def test_few_samples_give_another(random_models):
    P = random_models(0, 30, 12, 3)
    D, few = pairwise_distance(P), pairwise_distance(P[:, :4])
    original = InPCA(5, metric="precomputed").fit(D)
    found = embed_from_few(few, D, original, aligned=2)
    own = InPCA(5, metric="precomputed").fit(few)
    np.testing.assert_allclose(found.explained_stress, own.explained_stress_, atol=1e-9)
    assert found.rmsd[0] > 0.1
    assert not np.allclose(found.coordinates[:, :2], own.transform(D)[:, :2])  # aligned
    np.testing.assert_allclose(found.coordinates[:, 2:], own.transform(D)[:, 2:], atol=1e-6)


@pytest.mark.filterwarnings("ignore:n_samples = 4")
def test_an_original_of_one_point_has_no_size():
    few = np.ones((4, 4)) - np.eye(4)
    original = InPCA(2, metric="precomputed").fit(np.zeros((4, 4)))
    assert np.isnan(embed_from_few(few, np.zeros((4, 4)), original).rmsd).all()
