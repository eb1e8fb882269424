"""Extreme eigenpairs of a symmetric matrix known through its products."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from scipy.linalg import eigh, qr
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from threadpoolctl import ThreadpoolController
from tqdm import tqdm


def by_magnitude(
    eigenvalues: np.ndarray, vectors: np.ndarray, k: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The k eigenpairs of largest magnitude, largest first; all by default."""
    order = np.argsort(-np.abs(eigenvalues), kind="stable")[:k]
    return eigenvalues[order], vectors[:, order]


def _ascending(eigenvalues: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(eigenvalues)
    return eigenvalues[order], vectors[:, order]


def all_eigenpairs(A: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every eigenpair of a symmetric matrix, by decreasing magnitude; A is overwritten.

    Parameters
    ----------
    A : (m, m) float64, symmetric

    Returns
    -------
    eigenvalues (m,), vectors (m, m), one a column
    """
    return by_magnitude(*eigh(A, driver="evd", overwrite_a=True, check_finite=False))


def leading_eigenpairs(
    product: Callable[[np.ndarray], np.ndarray],
    m: int,
    k: int,
    *,
    random_state=None,
    tol: float = 1e-10,
    block_size: int | None = None,
    basis_size: int | None = None,
    max_products: int = 1000,
    smallest: bool = False,
    dtype: type[np.floating] = np.float64,
    progress: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""The k eigenpairs of largest magnitude, from both ends of the spectrum, or its bottom.

    Block Lanczos with full reorthogonalisation and thick restarts. After j products with blocks
    of b columns the eigenpairs are approximated from :math:`V^T A V`, V an orthonormal basis of
    the block Krylov space :math:`[Q, AQ, ..., A^{j-1} Q]` of a random block Q. When the basis is
    full, it is cut to the Ritz vectors of largest magnitude, and grows again.

    Where the space closes (A has low rank, or few different eigenvalues) random directions
    orthogonal to it are added, so that the search goes on in what is left.

    Parameters
    ----------
    product : function of (m, b), columns contiguous, that returns A times it; A symmetric
    m : int, size of A
    k : int, 1 to m
    random_state : of the first block: None, int or RandomState
    tol : a pair is found when ||A u - lambda u|| is below tol |lambda|, or below ten times the
        rounding error of the largest eigenvalue
    block_size : b; k within 16 and 64 by default
    basis_size : most columns of V; 2 k + 8 b by default. Memory is O(m basis_size), and a step
        reads it four times
    max_products : int
    smallest : bool, whether to find the smallest eigenvalues, the most negative ones if there are
        such, instead of those of largest magnitude
    dtype : float32 or float64: what the products are computed in, and the basis kept in
    progress : name of a counter of products to show; quiet when the output is not a terminal

    Returns
    -------
    eigenvalues (k,) by decreasing magnitude, or increasing; vectors (m, k) of ``dtype``

    Warns
    -----
    ConvergenceWarning
        If ``max_products`` were not enough.

    Notes
    -----
    Every product reads the matrix once: wide blocks need fewer. An eigenvalue may be repeated as
    often as the block is wide; of more copies, some could be passed over for smaller eigenvalues.

    References
    ----------
    Golub & Underwood (1977); Wu & Simon (2000), SIAM J. Matrix Anal. Appl. 22 (2), 602.

    Examples
    --------
    >>> import numpy as np
    >>> A = np.diag(np.concatenate([[-9.0, 5.0], np.linspace(0, 1, 98)]))
    >>> eigenvalues, vectors = leading_eigenpairs(A.__matmul__, 100, 2, random_state=0)
    >>> eigenvalues.round(6)
    array([-9.,  5.])
    """
    rng = check_random_state(random_state)
    b = min(block_size or min(max(k, 16), 64), m)
    size = min(max(basis_size or 2 * k + 8 * b, k + 2 * b), m)
    # Vectors are rows here, so that each of them, and what is multiplied with all, is contiguous.
    V = np.empty((size, m), dtype)
    T = np.zeros((size, size))
    # Decompositions of a few columns gain nothing from threads, and lose much to them where other
    # processes want the cores.
    alone = partial(ThreadpoolController().limit, limits=1, user_api="blas")
    ordered, noise = _ascending if smallest else by_magnitude, 10 * np.finfo(dtype).eps
    bar = tqdm(itertools.count(1), desc=progress, leave=False, disable=None if progress else True)
    first = rng.standard_normal((m, b)).astype(dtype).T
    Q, p = _extended(np.ascontiguousarray(first), V[:0], b, rng, alone)[0], 0
    for n_products in bar:
        start, p = p, p + len(Q)
        V[start:p] = Q
        basis = V[:p]
        Z = np.ascontiguousarray(np.asarray(product(Q.T), dtype).T)
        H = basis @ Z.T
        Z -= H.T @ basis
        T[start:p, :p] = H.T
        T[:p, start:p] = H
        T[start:p, start:p] = (H[start:] + H[start:].T) / 2
        with alone():
            ritz, Y = ordered(*eigh(T[:p, :p], driver="evd", check_finite=False))
        largest = np.abs(ritz).max()
        if p == m:
            break
        Q, R = _extended(Z, basis, min(b, m - p), rng, alone, noise * largest)
        if p < k:
            continue
        # What the basis lacks of A times a Ritz vector lies along the next block.
        residuals = np.linalg.norm(R @ Y[start:, :k], axis=0)
        if (residuals <= np.maximum(tol * np.abs(ritz[:k]), noise * largest)).all():
            break
        if n_products >= max_products:
            worst = (residuals / np.maximum(np.abs(ritz[:k]), np.finfo(float).tiny)).max()
            warnings.warn(
                f"leading eigenpairs: relative residual {worst:.1e} after {n_products} block "
                f"products, expected {tol:.0e}; all eigenpairs at once are exact",
                ConvergenceWarning,
                stacklevel=2,
            )
            break
        if p + len(Q) > size:
            kept = max(k, min(k + k // 2 + b, size - 2 * b))
            V[:kept] = Y[:, :kept].T.astype(dtype) @ basis
            T[:] = 0
            T[np.arange(kept), np.arange(kept)] = ritz[:kept]
            p = kept
    bar.close()
    return ritz[:k], (Y[:, :k].T.astype(dtype) @ basis).T


def _extended(
    Z: np.ndarray,
    basis: np.ndarray,
    width: int,
    rng: np.random.RandomState,
    alone: Callable,
    noise: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal rows Q (width, m) beside the basis, and R with Z^T = Q^T R but for signs.

    Directions of Z no longer than the noise are replaced by random ones, with rows of 0 in R.
    """
    with alone():
        Q, R = qr(Z.T, mode="economic", check_finite=False)
        left, lengths, right = np.linalg.svd(R)
    rank = min(int((lengths > noise).sum()), width)
    Q = left.T @ Q.T
    Q[rank:] = rng.standard_normal((Q.shape[1], len(Q) - rank)).T
    Q = Q[:width]
    # Again: once leaves rounding errors, which grow at every step by as much as it shortens Z.
    # Random directions may lie in the basis almost wholly, and need it twice.
    for _ in range(1 if rank == width else 2):
        Q -= (basis @ Q.T).T @ basis
        with alone():
            Q = np.ascontiguousarray(qr(Q.T, mode="economic", check_finite=False)[0].T)
    R = lengths[:, None] * right
    R[rank:] = 0
    return Q, R[:width]
