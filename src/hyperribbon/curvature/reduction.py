"""Models reduced to the stiff directions of their weights (Cowlagi & Chaudhari, Fig. 3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from hyperribbon.curvature.gram import FisherEigenpairs
from hyperribbon.errors import DataError


def reduced_weights(
    eigenpairs: FisherEigenpairs, fractions: Sequence[float]
) -> Iterator[tuple[int, np.ndarray]]:
    """The weights' projections on the first k Fisher eigenvectors: w_k = sum <w, e_i> e_i.

    Parameters
    ----------
    eigenpairs : of the model's Fisher matrix, those that are not 0; r of them
    fractions : of r that k is, each in (0, 1]; 1 is not the whole model, which also has the
        components that predictions on these samples do not depend on, to first order

    Yields
    ------
    k, (p,) weights

    Raises
    ------
    DataError
        If a fraction is outside (0, 1].

    Notes
    -----
    All components take one product with the outputs' Jacobian, and each k one with its transpose.
    """
    for fraction in fractions:
        if not 0 < fraction <= 1:
            raise DataError(f"fraction = {fraction}: expected above 0, at most 1")
    components = eigenpairs.components(eigenpairs.problem.flat_weights())
    for fraction in fractions:
        k = max(1, round(fraction * len(components)))
        yield k, eigenpairs.combine(components[:k, None])[:, 0]
