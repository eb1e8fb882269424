"""Agreement of two matrices of distances, such as between tasks and in a tree of classes."""

from __future__ import annotations

from itertools import permutations as all_orders
from math import factorial
from typing import NamedTuple

import numpy as np
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from hyperribbon.errors import ConfigError, DataError
from hyperribbon.numerics.blocks import BLOCK_BYTES
from hyperribbon.probability.arrays import as_float64
from hyperribbon.probability.distributions import check_size

EXACT = 7  # matrices of so many rows have 5,040 orders, which are all tried
CORRELATIONS = ("pearson", "spearman")
LINKAGES = ("single", "complete", "average", "weighted")


class Mantel(NamedTuple):
    """Result of a Mantel test; see `mantel`."""

    r: float
    """Correlation of the distances."""
    p: float
    """Share of the orders of the rows whose correlation is at least as large."""
    orders: int
    """Number of orders that were compared, with the given one."""


def mantel(
    D, E, *, permutations: int = 9999, seed: int = 0, correlation: str = "pearson"
) -> Mantel:
    """Mantel test: whether two matrices of distances agree more than by chance (Mantel 1967).

    The distances of n objects are not independent, so their correlation is compared with those of
    the same matrices after the rows, and the columns with them, of one are put in another order.
    The test is one-sided: a negative correlation is no agreement.

    Parameters
    ----------
    D, E : (n, n) symmetric with a zero diagonal, of the same objects, 3 or more
    permutations : int
        Number of random orders. Of up to 7 objects all n! orders are tried instead, so that the
        result is exact.
    seed : int
        Seed of the random orders.
    correlation : {"pearson", "spearman"}
        Correlation of the distances above the diagonal, or of their ranks.

    Returns
    -------
    Mantel
        With random orders, p counts the given one among them, so it is at least
        1 / (permutations + 1). Otherwise it is at least 1 / n!, and no test of 3 objects gives less
        than 1/6.

    Raises
    ------
    ConfigError
        If the correlation is unknown.
    DataError
        If a matrix is not one of distances, they differ in shape, or all distances of one are
        equal.

    Notes
    -----
    The cost is n^2 / 2 multiplications per order; memory is that of one block of 32 MB.

    Examples
    --------
    The matrices of scikit-bio's documentation:

    >>> found = mantel([[0, 1, 2], [1, 0, 3], [2, 3, 0]], [[0, 2, 7], [2, 0, 6], [7, 6, 0]])
    >>> round(found.r, 4), round(found.p, 4), found.orders
    (0.7559, 0.3333, 6)
    """
    if correlation not in CORRELATIONS:
        raise ConfigError(f"correlation = {correlation!r}: expected one of {list(CORRELATIONS)}")
    permutations = check_size(permutations, "permutations")
    x, y = _distances(D, "D"), _distances(E, "E")
    if len(x) != len(y):
        n, m = (len(squareform(z)) for z in (x, y))
        raise DataError(f"D, E: of {n} and {m} objects, expected the same")
    if correlation == "spearman":
        x, y = rankdata(x), rankdata(y)
    x, y = (_standardised(z, name) for z, name in ((x, "D"), (y, "E")))
    square, r = squareform(x, checks=False), float(x @ y)
    n = len(square)
    upper, lower = np.triu_indices(n, 1)
    exact = n <= EXACT
    rng = np.random.default_rng(check_size(seed, "seed", 0, None))
    total = factorial(n) if exact else permutations
    orders = np.array(list(all_orders(range(n)))) if exact else None
    size, count = max(1, BLOCK_BYTES // (8 * len(x))), 0
    for start in range(0, total, size):
        stop = min(start + size, total)
        if orders is None:
            block = rng.permuted(np.tile(np.arange(n), (stop - start, 1)), axis=1)
        else:
            block = orders[start:stop]
        # Equal correlations may differ by rounding.
        count += int((square[block[:, upper], block[:, lower]] @ y >= r - 1e-12).sum())
    if exact:
        return Mantel(r, count / total, total)
    return Mantel(r, (count + 1) / (total + 1), total + 1)


def cophenetic(D, tree=None, *, method: str = "average") -> float:
    """Correlation of the distances in a dendrogram with those that it was made from, or others.

    D is clustered hierarchically; the cophenetic distance of two objects is the height at which
    they come together. Their Pearson correlation with D says how much D is like a tree, and that
    with distances in a tree of classes, how much it is like this one.

    Parameters
    ----------
    D : (n, n) symmetric with a zero diagonal, of 3 objects or more
    tree : (n, n), optional
        Distances of the same objects in a tree, as of `ClassTree.distances`; D by default.
    method : {"average", "complete", "single", "weighted"}
        Linkage, as of `scipy.cluster.hierarchy.linkage`.

    Returns
    -------
    float, from -1 to 1; NaN if all cophenetic distances are equal

    Raises
    ------
    ConfigError
        If the linkage is unknown.
    DataError
        If a matrix is not one of distances, they differ in shape, or all distances of one are
        equal.

    Examples
    --------
    >>> D = np.array([[0, 1, 5, 6], [1, 0, 6, 5], [5, 6, 0, 2], [6, 5, 2, 0]])
    >>> round(cophenetic(D), 3), round(cophenetic(D, 2 * D), 3)
    (0.978, 0.978)
    """
    if method not in LINKAGES:
        raise ConfigError(f"method = {method!r}: expected one of {list(LINKAGES)}")
    x, y = _distances(D, "D"), _distances(D if tree is None else tree, "tree")
    if len(x) != len(y):
        n, m = (len(squareform(z)) for z in (x, y))
        raise DataError(f"D, tree: of {n} and {m} objects, expected the same")
    y = _standardised(y, "tree")
    _standardised(x, "D")
    heights = cophenet(linkage(x, method))
    heights = heights - heights.mean()
    size = np.sqrt(heights @ heights)
    return float(heights @ y / size) if size > 0 else float("nan")


def _distances(D, name: str) -> np.ndarray:
    """Distances above the diagonal of a symmetric matrix, row by row."""
    D = as_float64(D, name)
    if D.ndim != 2 or D.shape[0] != D.shape[1] or len(D) < 3:
        raise DataError(f"{name}: shape {D.shape}, expected (n, n) with n of 3 or more")
    if not np.isfinite(D).all():
        raise DataError(f"{name}: {(~np.isfinite(D)).sum()} distances are NaN or infinite")
    scale = np.abs(D).max()
    if np.abs(D - D.T).max() > 1e-8 * scale or np.abs(np.diag(D)).max() > 1e-8 * scale:
        raise DataError(f"{name}: expected distances, symmetric with a zero diagonal")
    return squareform(D, checks=False)


def _standardised(distances: np.ndarray, name: str) -> np.ndarray:
    """Distances less their mean, scaled so that their squares sum to 1."""
    centred = distances - distances.mean()
    size = np.sqrt(centred @ centred)
    if size <= 1e-12 * np.abs(distances).max():
        raise DataError(f"{name}: all distances are equal, so nothing can correlate with them")
    return centred / size
