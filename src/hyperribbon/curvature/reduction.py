"""Models reduced to the stiff directions of their weights (Cowlagi & Chaudhari, Fig. 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hyperribbon.curvature.gram import FisherEigenpairs
from hyperribbon.curvature.spectrum import WholeEigenpairs
from hyperribbon.errors import DataError


def reduced_weights(
    eigenpairs: FisherEigenpairs | WholeEigenpairs, counts: Sequence[int]
) -> Iterator[np.ndarray]:
    """The weights' projections on the first k Fisher eigenvectors: w_k = sum <w, e_i> e_i.

    Parameters
    ----------
    eigenpairs : of the model's Fisher matrix, all p of them, or the r that are not 0
    counts : of eigenvectors that are kept, each from 1 to r. All r of them are not the whole model,
        unless r is p: it also has components on which predictions of these samples do not depend,
        to first order

    Yields
    ------
    (p,) weights, for each count

    Raises
    ------
    DataError
        If a count is outside 1 to r.

    Notes
    -----
    Of those that are not 0 all components take one product with the outputs' Jacobian, and each
    model one with its transpose.
    """
    rank = len(eigenpairs.eigenvalues)
    for k in counts:
        if not 1 <= k <= rank:
            raise DataError(f"eigenvectors = {k}: expected 1 to the {rank} that are known")
    components = eigenpairs.components(eigenpairs.problem.flat_weights())
    for k in counts:
        yield eigenpairs.combine(components[:k, None])[:, 0]
