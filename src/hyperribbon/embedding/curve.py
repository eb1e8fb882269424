"""The geodesic from ignorance to the truth among embedded models."""

from __future__ import annotations

import numpy as np

from hyperribbon.embedding.inpca import InPCA
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.probability.distributions import ignorance, truth
from hyperribbon.probability.geodesic import geodesic


def embed_geodesic(
    inpca: InPCA, P, labels: np.ndarray, alpha: np.ndarray, *, threads: int | None = None
) -> np.ndarray:
    """Place points of the geodesic from ignorance to the truth in an InPCA (Eq. 2.2.9).

    Parameters
    ----------
    inpca : fitted to the Bhattacharyya distances of P
    P : (m, N, C) models
    labels : (N,) true classes
    alpha : (G,) from 0, ignorance, to 1, the truth
    threads : int, all cores by default

    Returns
    -------
    (G, n_components)

    Examples
    --------
    >>> P = np.linspace(0.5, 1, 9)[:, None, None] * [1, -1] + [0, 1]
    >>> inpca = InPCA(1, metric="precomputed").fit(pairwise_distance(P, floor=FLOOR))
    >>> X = embed_geodesic(inpca, P, np.array([0]), np.array([0.0, 1.0]))
    >>> bool(np.allclose(X, inpca.embedding_[[0, -1]], atol=1e-6))
    True
    """
    curve = geodesic(ignorance(*P.shape[1:]), truth(labels, P.shape[2]), alpha)
    # One floor for both, although predictions may be float32 and the curve is float64.
    return inpca.transform(pairwise_distance(curve, P, floor=FLOOR, threads=threads))
