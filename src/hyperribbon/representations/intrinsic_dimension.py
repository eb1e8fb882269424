"""The intrinsic dimension of data, from distances of nearest neighbours."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from hyperribbon.errors import DataError


def intrinsic_dimension(x: np.ndarray) -> float:
    """The intrinsic dimension of samples by their two nearest neighbours (TwoNN).

    If density is constant up to the second neighbour, the ratio mu of the second distance to the
    first has the density d mu^-(d + 1), for any density. The estimate is the unbiased one by
    maximum likelihood, d = (n - 1) / sum log mu. Samples that equal another are left out.

    Parameters
    ----------
    x : array of shape (N, ...)
        Samples.

    Raises
    ------
    DataError
        If a value is not finite, or fewer than 3 samples have two distinct neighbours.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio, "Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information", Scientific Reports 7, 12140 (2017).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> plane = rng.uniform(size=(2000, 2)) @ rng.standard_normal((2, 50))
    >>> round(intrinsic_dimension(plane), 1)
    2.0
    """
    x = np.asarray(x, dtype=float).reshape(len(x), -1)
    if not np.isfinite(x).all():
        raise DataError("x: not all values are finite")
    x = np.unique(x, axis=0)
    if len(x) < 3:
        raise DataError(f"x: {len(x)} distinct samples, expected at least 3")
    x = x - x.mean(axis=0)
    near = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(x).kneighbors(x)[1]
    # By their differences: those of the search are from inner products, and lose half the digits.
    distances = np.sort([np.linalg.norm(x[of] - x, axis=1) for of in near.T], axis=0)
    first, second = distances[1], distances[2]
    apart = first > 0
    logs = np.log(second[apart] / first[apart])
    if apart.sum() < 3 or not logs.sum() > 0:
        raise DataError("x: fewer than 3 samples have two neighbours at different distances")
    return float((len(logs) - 1) / logs.sum())
