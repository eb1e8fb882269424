"""How much of the distances a few dimensions of an embedding keep."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg.blas import dasum

from hyperribbon.embedding.operators import CentredDistances, check_square, to_float64
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.numerics.threads import over_blocks
from hyperribbon.probability.arrays import as_float64, sliceable

_ROWS = 16  # of a matrix worked on at a time, so that they stay in the processor's cache
_TILE = 128  # rows, times twice as many columns: a tile stays in the processor's cache


def explained_stress(eigenvalues: np.ndarray, rest: float = 0.0) -> np.ndarray:
    r"""Explained stress of the first d = 1..k dimensions (Eq. 2.2.8).

    .. math:: 1 - \sqrt{\sum_{j>d} \lambda_j^2 / \sum_j \lambda_j^2}

    Parameters
    ----------
    eigenvalues : (k,) in the order of the dimensions, by decreasing magnitude
    rest : float, sum of squares of the eigenvalues that are not given

    Returns
    -------
    (k,) float64, increasing, from 0 to 1; NaN if all eigenvalues are 0, because there is nothing
    to explain

    Examples
    --------
    >>> explained_stress([4.0, -3.0, 0.0])
    array([0.4, 1. , 1. ])
    """
    squares = as_float64(eigenvalues, "eigenvalues") ** 2
    # Summed from the small end; subtracting from the total would lose the last digits.
    left = np.append(squares, rest)[::-1].cumsum()[::-1]
    if not left[0] > 0:
        return np.full(len(squares), np.nan)
    return 1 - np.sqrt(left[1:] / left[0])


def explained_pairwise_distance(
    D, embedding: np.ndarray, signature: np.ndarray, sample_weight=None
) -> np.ndarray:
    r"""Explained pairwise distance of the first d = 1..k dimensions (Eq. 2.4.2).

    .. math:: 1 - \sum_{uv} w_u w_v |D_{uv} - \hat D_{uv}| / \sum_{uv} w_u w_v |D_{uv}|, \qquad
              \hat D_{uv} = \sum_{j \le d} \mathrm{sign}_j (X_{uj} - X_{vj})^2

    Parameters
    ----------
    D : (m, m) distances, symmetric; any sliceable array, read in blocks of rows
    embedding : (m, k) coordinates
    signature : (k,) +1 or -1
    sample_weight : (m,) multiplicities w, 1 by default; a weight w counts a point w times

    Returns
    -------
    (k,) float64, at most 1; below 0 if the embedding is worse than a single point, NaN if all
    distances are 0

    Raises
    ------
    DataError
        If shapes do not fit, or D is not a square matrix.

    Examples
    --------
    >>> x = np.array([[0.0], [1.0], [3.0]])
    >>> explained_pairwise_distance((x - x.T) ** 2, x, [1])
    array([1.])
    """
    D = sliceable(D, "D")
    check_square(D, "D")
    X = as_float64(embedding, "embedding")
    if X.ndim != 2 or len(X) != D.shape[0] or np.shape(signature) != X.shape[1:]:
        raise DataError(
            f"embedding, signature: shapes {X.shape} and {np.shape(signature)}, "
            f"expected ({D.shape[0]}, k) and (k,)"
        )
    root = None if sample_weight is None else np.sqrt(check_weights(sample_weight, len(X)))
    misfit, total = np.zeros(X.shape[1]), 0.0

    def compare(rows: slice) -> tuple[np.ndarray, float]:
        block = to_float64(D[rows])
        return _misfit(block, rows, X, signature, root), _magnitude(block, rows, root)

    for found in over_blocks(compare, slices(D)):
        misfit, total = misfit + found[0], total + found[1]
    return _share(misfit, total)


def explained_by(D, approximate) -> float:
    r"""Explained pairwise distance (Eq. 2.4.2) of distances that approximate others.

    .. math:: 1 - \sum_{uv} |D_{uv} - \hat D_{uv}| / \sum_{uv} |D_{uv}|

    Parameters
    ----------
    D : (m, m) distances; any sliceable array, read in blocks of rows
    approximate : (m, m) distances of the same models, likewise

    Returns
    -------
    float, at most 1; NaN if all distances are 0

    Raises
    ------
    DataError
        If D is not a square matrix, or the other is not of as many models.

    Examples
    --------
    >>> D = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> explained_by(D, 0.9 * D)
    0.9
    """
    D, approximate = sliceable(D, "D"), sliceable(approximate, "approximate")
    check_square(D, "D")
    if tuple(approximate.shape) != tuple(D.shape):
        raise DataError(
            f"D: distances of {D.shape[0]} models, expected {approximate.shape[0]}, as there are"
        )
    misfit = total = 0.0
    for rows in slices(D):
        block = to_float64(D[rows])
        misfit += np.abs(block - to_float64(approximate[rows])).sum()
        total += np.abs(block).sum()
    return float(1 - misfit / total) if total > 0 else float("nan")


def explained_stress_by(D, approximate) -> float:
    r"""Explained stress of distances that approximate others.

    .. math:: 1 - \|W - \hat W\|_F / \|W\|_F, \qquad W = -\tfrac12 L D L^T,
              \qquad L = I - 1 1^T / m

    It is Eq. 2.2.8 where the approximate distances are those in the first dimensions of InPCA.

    Parameters
    ----------
    D : (m, m) distances; any sliceable array, read in blocks of rows
    approximate : (m, m) distances of the same models, likewise

    Returns
    -------
    float, at most 1; NaN if all distances are 0

    Raises
    ------
    DataError
        If one is not a symmetric matrix, or the other is not of as many models.

    Examples
    --------
    >>> D = np.array([[0.0, 1.0], [1.0, 0.0]])
    >>> round(explained_stress_by(D, 0.9 * D), 6)
    0.9
    """
    D, approximate = sliceable(D, "D"), sliceable(approximate, "approximate")
    if tuple(approximate.shape) != tuple(D.shape):
        raise DataError(
            f"approximate: shape {tuple(approximate.shape)}, expected {tuple(D.shape)}, as of D"
        )
    weights = np.ones(D.shape[0])
    pair = CentredDistances(D, weights, "D"), CentredDistances(approximate, weights, "approximate")
    misfit = total = 0.0
    for rows in slices(D):
        W, found = (operator.rows(rows)[1] for operator in pair)
        misfit += ((W - found) ** 2).sum()
        total += (W**2).sum()
    return float(1 - np.sqrt(misfit / total)) if total > 0 else float("nan")


def _share(misfit: np.ndarray, total: float) -> np.ndarray:
    return 1 - misfit / total if total > 0 else np.full(len(misfit), np.nan)


def check_weights(sample_weight, m: int) -> np.ndarray:
    """Return multiplicities as (m,) float64, 1 by default.

    Raises
    ------
    DataError
        If they are not m finite numbers, 0 or more, and at least one above 0.
    """
    if sample_weight is None:
        return np.ones(m)
    weights = as_float64(sample_weight, "sample_weight")
    if weights.shape != (m,):
        raise DataError(f"sample_weight: shape {weights.shape}, expected one per model, ({m},)")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise DataError(
            f"sample_weight: from {weights.min():.3g} to {weights.max():.3g}, expected finite "
            "numbers, 0 or more"
        )
    if not weights.any():
        raise DataError("sample_weight: all weights are zero, expected one or more above 0")
    return weights


class Fidelity(NamedTuple):
    """How well an embedding fits the distances; see `measure`."""

    product: np.ndarray
    """(m, k) W diag(sqrt w) V."""
    rest: float
    """Sum of squares of the other eigenvalues of A, as a squared Frobenius norm."""
    explained_pairwise_distance: np.ndarray
    """(k,)"""


def measure(operator, V: np.ndarray, X: np.ndarray, signature: np.ndarray) -> Fidelity:
    """Compare an embedding with the distances, which are read once.

    Parameters
    ----------
    operator : CentredDistances or LogProducts, whose ``rows`` are blocks of the distances
    V : (m, k) eigenvectors of the operator
    X : (m, k) coordinates; those of points of weight 0 do not count
    signature : (k,) +1 or -1
    """
    weights = operator.weights
    root = None if (weights == 1).all() else operator.root
    Y = operator.root[:, None] * V
    product, misfit = np.empty_like(V), np.zeros(V.shape[1])
    rest = total = 0.0

    def compare(rows: slice) -> tuple[np.ndarray, float, float]:
        D, W = operator.rows(rows)
        product[rows] = W @ Y
        left = weights[rows] @ _left(W, X[rows] * signature, X, weights)
        return _misfit(D, rows, X, signature, root), _magnitude(D, rows, root), left

    for found in over_blocks(compare, operator.slices()):
        misfit, total, rest = misfit + found[0], total + found[1], rest + found[2]
    return Fidelity(product, rest, _share(misfit, total))


def _left(W: np.ndarray, X: np.ndarray, Y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums of squares, by row, of W - X Y^T; W is overwritten.

    Computed as a difference of two norms, the rest would be lost to rounding.
    """
    sums, tile = np.empty(len(W)), np.empty((min(_ROWS, len(W)), len(Y)))
    for start in range(0, len(W), _ROWS):
        rest = W[start : start + _ROWS]
        rest -= np.matmul(X[start : start + _ROWS], Y.T, out=tile[: len(rest)])
        rest *= rest
        sums[start : start + _ROWS] = rest @ weights
    return sums


def _magnitude(D: np.ndarray, rows: slice, root: np.ndarray | None) -> float:
    sums = np.abs(D).sum(axis=1) if root is None else np.abs(D) @ root**2
    return sums.sum() if root is None else sums @ root[rows] ** 2


def _misfit(
    D: np.ndarray, rows: slice, X: np.ndarray, signature: np.ndarray, root: np.ndarray | None
) -> np.ndarray:
    """Sum w_u w_v |D - Dhat_d|, d = 1..k, over u in rows and v beyond; pairs v > u count twice.

    Added up over all blocks of rows of a symmetric D, this is the sum over all u and v.
    """
    sums = np.zeros(X.shape[1])
    columns_of = np.ascontiguousarray(X.T)
    for start in range(rows.start, rows.stop, _TILE):
        u = slice(start, min(start + _TILE, rows.stop))
        beyond = range(u.stop, len(X), 2 * _TILE)
        for v, count in [(u, 1), *((slice(j, min(j + 2 * _TILE, len(X))), 2) for j in beyond)]:
            rest = _aligned(D[u.start - rows.start : u.stop - rows.start, v])
            pairs = None if root is None else np.multiply.outer(root[u], root[v])
            if pairs is not None:
                rest *= pairs**2
            square = np.empty_like(rest)
            flat = rest.ravel()
            for d, x in enumerate(columns_of):
                np.subtract.outer(x[u], x[v], out=square)
                if pairs is not None:
                    square *= pairs
                square *= square
                (np.subtract if signature[d] > 0 else np.add)(rest, square, out=rest)
                sums[d] += count * dasum(flat)
    return sums


def _aligned(A: np.ndarray) -> np.ndarray:
    """Copy to an address divisible by 64: rounding in `dasum` depends on the alignment."""
    buffer = np.empty(A.size + 8)
    start = -buffer.ctypes.data % 64 // 8
    copy = buffer[start : start + A.size].reshape(A.shape)
    copy[...] = A
    return copy


def kinds(eigenvalues: np.ndarray) -> np.ndarray:
    """Name the dimensions of eigenvalues (k,): ``time-like`` below 0, otherwise ``space-like``.

    Examples
    --------
    >>> kinds(np.array([2.0, -1.0, 0.0])).tolist()
    ['space-like', 'time-like', 'space-like']
    """
    return np.where(eigenvalues < 0, "time-like", "space-like")
