"""Overlap of the spaces that two sets of vectors span, such as stiff ones of two matrices."""

from __future__ import annotations

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy


def overlaps(U: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Absolute inner products ``|u_i . v_j|`` (k, l) of orthonormal vectors (p, k) and (p, l).

    For random directions they are about sqrt(2 / (pi p)) (thesis Fig. 4.3).

    Raises
    ------
    DataError
        If the vectors do not have the same number of components.
    """
    U, V = _checked(U, V)
    return np.abs(U.T @ V)


def subspace_overlap(U: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Overlap (K,) of the spaces that the first 1, 2, ..., K vectors span, with K = min(k, l).

    The overlap is the mean squared cosine of the principal angles, ``|U_k^T V_k|_F^2 / k``: 1 for
    equal spaces, k / p for random ones (Gur-Ari, Roberts & Dyer 2018).

    Parameters
    ----------
    U, V : (p, k) and (p, l), orthonormal columns

    Raises
    ------
    DataError
        If the vectors do not have the same number of components.

    Examples
    --------
    >>> subspace_overlap(np.eye(4)[:, :3], np.eye(4)[:, [1, 0, 3]])
    array([0.        , 1.        , 0.66666667])
    """
    U, V = _checked(U, V)
    K = min(U.shape[1], V.shape[1])
    squares = (U[:, :K].T @ V[:, :K]) ** 2
    return np.diag(squares.cumsum(axis=0).cumsum(axis=1)) / np.arange(1, K + 1)


def _checked(U: np.ndarray, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    U, V = as_numpy(U, "U"), as_numpy(V, "V")
    if U.ndim != 2 or V.ndim != 2 or len(U) != len(V):
        raise DataError(f"vectors of shape {U.shape} and {V.shape}, expected (p, k) and (p, l)")
    return U, V
