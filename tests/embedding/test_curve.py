"""The geodesic among embedded models."""

import numpy as np

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.curve import embed_geodesic
from hyperribbon.pairwise import pairwise_distance


def test_the_geodesic_begins_at_ignorance_and_ends_at_the_truth(random_models):
    labels = np.arange(20) % 3
    P = random_models(0, 30, 20, 3)
    P[0], P[1] = 1 / 3, np.eye(3)[labels]
    inpca = InPCA(3, metric="precomputed").fit(pairwise_distance(P))
    X = embed_geodesic(inpca, P, labels, np.linspace(0, 1, 5))
    assert X.shape == (5, 3)
    np.testing.assert_allclose(X[[0, -1]], inpca.embedding_[:2], atol=1e-6)
