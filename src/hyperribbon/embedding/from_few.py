"""Embeddings from few samples or mixed classes, compared with the one from all (3.5.2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.embedding.alignment import align_like_signs
from hyperribbon.embedding.fidelity import explained_pairwise_distance
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.probability.arrays import as_numpy


class FromFew(NamedTuple):
    """What an embedding from few samples shows of all; see `embed_from_few`."""

    explained_stress: np.ndarray
    """(k,), of the distances on few samples (Eq. 2.2.8)."""
    explained_pairwise_distance: np.ndarray
    """(k,), of the distances on all samples (Eq. 2.4.2)."""
    rmsd: np.ndarray
    """(k,) from the original coordinates of the first 1, 2, ..., k dimensions, once aligned, in
    units of their own size; NaN where the dimensions have other signatures, or the original is
    one point."""
    coordinates: np.ndarray
    """(m, k) on all samples, in the axes that few have; the first dimensions are aligned with the
    original if that can be done."""


def embed_from_few(few_distance, distance, original: InPCA, aligned: int = 3) -> FromFew:
    """Embed models by their distances on few samples, and compare with the original embedding.

    The distances on all samples are placed in the axes from few by Eq. 2.3.1, and compared there.

    Parameters
    ----------
    few_distance : (m, m) distances on few samples, or of projected predictions
    distance : (m, m) distances of the same models on all samples, to which ``original`` is fitted
    original : InPCA of k dimensions
    aligned : number of leading dimensions whose coordinates are aligned with the original

    Raises
    ------
    DataError
        If a matrix is not one of distances, or shapes do not fit.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [3.0]])
    >>> D = (x - x.T) ** 2
    >>> original = InPCA(1, metric="precomputed").fit(D)
    >>> found = embed_from_few(2 * D, D, original)
    >>> found.explained_stress.round(3), found.rmsd.round(3)
    (array([1.]), array([0.293]))
    """
    k = len(original.eigenvalues_)
    inpca = InPCA(k, metric="precomputed", solver="block", random_state=0)
    X = inpca.fit(few_distance).transform(as_numpy(distance, "distance"))
    rmsd, coordinates = np.full(k, np.nan), X
    for d in range(1, k + 1):
        signature, B = original.signature_[:d], original.embedding_[:, :d]
        found = align_like_signs(X[:, :d], inpca.signature_[:d], B, signature)
        if found is not None:
            size = np.sqrt((B**2).sum(axis=1).mean())
            rmsd[d - 1] = found.rmsd / size if size > 0 else np.nan
            if d == aligned:
                coordinates = np.hstack([found.aligned, X[:, d:]])
    return FromFew(
        inpca.explained_stress_,
        explained_pairwise_distance(distance, X, inpca.signature_),
        rmsd,
        coordinates,
    )
