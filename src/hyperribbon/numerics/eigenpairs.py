"""Extreme eigenpairs of a symmetric matrix that is known through its products."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable

import numpy as np
from scipy.linalg import eigh, qr
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from hyperribbon.bars import bar_over
from hyperribbon.numerics.threads import one_blas_thread


def by_magnitude(
    eigenvalues: np.ndarray, vectors: np.ndarray, k: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Sort eigenpairs by decreasing magnitude, and keep the first k; all by default."""
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
    eigenvalues (m,), vectors (m, m), one per column
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
    progress_bar: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    r"""The k eigenpairs of largest magnitude or, on request, of the smallest eigenvalues.

    The method is block Lanczos with full reorthogonalisation and thick restarts. After j products
    with blocks of b columns, eigenpairs are approximated from :math:`V^T A V`, where V is an
    orthonormal basis of the block Krylov space :math:`[Q, AQ, ..., A^{j-1} Q]` of a random block Q.
    When the basis is full, it is reduced to the Ritz vectors of largest magnitude, and grows again.

    If the space is invariant (A has low rank, or few distinct eigenvalues), random directions
    orthogonal to it are added, so that the search continues in the complement.

    Parameters
    ----------
    product : function of (m, b), with contiguous columns, that returns the product with A, which
        is symmetric
    m : int, size of A
    k : int, 1 to m
    random_state : None, int or RandomState; seed of the first block
    tol : float. A pair has converged when ||A u - lambda u|| is below tol |lambda|, or below ten
        times the rounding error of the largest eigenvalue
    block_size : int, b; by default k, but at least 16 and at most 64
    basis_size : int, largest number of columns of V; 2 k + 8 b by default. Memory is
        O(m basis_size), and each step reads it four times
    max_products : int, largest number of products
    smallest : bool, find the smallest (most negative) eigenvalues instead of those of largest
        magnitude
    dtype : float32 or float64, the type of the products and the basis
    progress_bar : name of a counter of products to show; quiet when the output is not a terminal

    Returns
    -------
    eigenvalues : (k,) by decreasing magnitude, or increasing if ``smallest``
    vectors : (m, k) of ``dtype``

    Warns
    -----
    ConvergenceWarning
        If pairs have not converged after ``max_products`` products.

    Notes
    -----
    Every product reads the matrix once, so wide blocks need fewer reads. An eigenvalue may have
    multiplicity up to the block size; of more copies, some could be missed in favour of smaller
    eigenvalues.

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
    # Vectors are rows here, so that each vector and each block is contiguous.
    V = np.empty((size, m), dtype)
    T = np.zeros((size, size))
    # Decompositions of a few columns gain nothing from threads, and lose much if other processes
    # want the cores.
    ordered, noise = _ascending if smallest else by_magnitude, 10 * np.finfo(dtype).eps
    first = rng.standard_normal((m, b)).astype(dtype).T
    Q, p = _extended(np.ascontiguousarray(first), V[:0], b, rng)[0], 0
    for n_products in bar_over(itertools.count(1), progress_bar):
        start, p = p, p + len(Q)
        V[start:p] = Q
        basis = V[:p]
        Z = np.ascontiguousarray(np.asarray(product(Q.T), dtype).T)
        H = basis @ Z.T
        Z -= H.T @ basis
        T[start:p, :p] = H.T
        T[:p, start:p] = H
        T[start:p, start:p] = (H[start:] + H[start:].T) / 2
        with one_blas_thread():
            ritz, Y = ordered(*eigh(T[:p, :p], driver="evd", check_finite=False))
        largest = np.abs(ritz).max()
        if p == m:
            break
        Q, R = _extended(Z, basis, min(b, m - p), rng, noise * largest)
        if p < k:
            continue
        # The part of A times a Ritz vector outside the basis lies along the next block.
        residuals = np.linalg.norm(R @ Y[start:, :k], axis=0)
        if (residuals <= np.maximum(tol * np.abs(ritz[:k]), noise * largest)).all():
            break
        if n_products >= max_products:
            worst = (residuals / np.maximum(np.abs(ritz[:k]), np.finfo(float).tiny)).max()
            warnings.warn(
                f"leading eigenpairs: relative residual {worst:.1e} after {n_products} block "
                f"products, expected {tol:.0e}; a full decomposition would be exact",
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
    return ritz[:k], (Y[:, :k].T.astype(dtype) @ basis).T


def _extended(
    Z: np.ndarray,
    basis: np.ndarray,
    width: int,
    rng: np.random.RandomState,
    noise: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal rows Q (width, m), orthogonal to the basis, and R with Z^T = Q^T R up to signs.

    Directions of Z that are not above the noise are replaced by random ones, with rows of 0 in R.
    """
    with one_blas_thread():
        Q, R = qr(Z.T, mode="economic", check_finite=False)
        left, lengths, right = np.linalg.svd(R)
    rank = min(int((lengths > noise).sum()), width)
    Q = left.T @ Q.T
    Q[rank:] = rng.standard_normal((Q.shape[1], len(Q) - rank)).T
    Q = Q[:width]
    # Orthogonalise again: the first pass leaves rounding errors, which grow by the factor by which
    # it shortens Z. Random directions may lie almost entirely in the basis, and need two passes.
    for _ in range(1 if rank == width else 2):
        Q -= (basis @ Q.T).T @ basis
        with one_blas_thread():
            Q = np.ascontiguousarray(qr(Q.T, mode="economic", check_finite=False)[0].T)
    R = lengths[:, None] * right
    R[rank:] = 0
    return Q, R[:width]
