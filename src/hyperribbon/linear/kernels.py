"""Covariance of trajectories of kernel machines in closed form (thesis 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigh

from hyperribbon.errors import DataError
from hyperribbon.linear.covariance import trajectory_covariance
from hyperribbon.probability.arrays import as_float64

LEAST = 1e-30  # relative to the largest eigenvalue: smaller directions are never learnt


def kernels_covariance(
    kernels: Sequence[np.ndarray],
    y: np.ndarray,
    *,
    step_size: float,
    steps: int | Sequence[int] | np.ndarray,
    sigma_w: float = 1.0,
) -> np.ndarray:
    r"""Covariance P(M, T) of all points on the trajectories of M kernel machines.

    .. math:: P = \frac{1}{M} \sum_m P_1^{(m)} - (K_{T,M} y)(K_{T,M} y)^T

    Parameters
    ----------
    kernels : M matrices (n, n), k(x_i, x_j) or k(x_i, x_j) / n: symmetric and, to rounding,
        positive semidefinite
    y : (n,) targets
    step_size, sigma_w : as in `hyperribbon.linear.trajectory_covariance`
    steps : T, one integer or several, from 1

    Returns
    -------
    (n, n), covariance of the residuals of the n samples; (..., n, n) for several T

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> one = kernels_covariance([np.diag([1.0, 0.1])], [1.0, 0.5], step_size=0.5, steps=2)
    >>> one.round(4)
    array([[0.6875, 0.0031],
           [0.0031, 0.0953]])
    """
    if not len(kernels):
        raise DataError("kernels: none, expected at least one")
    y = as_float64(y, "y")
    first = mean = np.zeros(())
    for m, K in enumerate(kernels):
        values, U = _eigenpairs(as_float64(K, "K"), len(y), m)
        found = trajectory_covariance(
            values, U.T @ y, step_size=step_size, steps=steps, sigma_w=sigma_w
        )
        first = first + U @ found.first @ U.T / len(kernels)
        mean = mean + found.mean @ U.T / len(kernels)
    return first - mean[..., :, None] * mean[..., None, :]


def linearised_covariance(
    kernels: Sequence[np.ndarray],
    residuals: np.ndarray,
    *,
    step_size: float,
    steps: Sequence[int],
) -> np.ndarray:
    r"""Covariance of all points on the trajectories of M models that are linear in their weights.

    Model m follows :math:`r_{t+1} = (I - \alpha K^{(m)}) r_t` from its own initial residuals. Wide
    networks do so near their initial weights, where K is their tangent kernel.

    Parameters
    ----------
    kernels : M matrices (n, n), as in `kernels_covariance`
    residuals : (M, n), r_0 of each model
    step_size : float, alpha, as in `hyperribbon.linear.trajectory_covariance`
    steps : lengths of training T, integers from 1

    Returns
    -------
    (len(steps), n, n)

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> P = linearised_covariance([np.eye(1)] * 2, [[1.0], [3.0]], step_size=0.5, steps=[1, 2])
    >>> P[0], P[1]
    (array([[1.]]), array([[0.875]]))
    """
    residuals = as_float64(residuals, "residuals")
    if residuals.ndim != 2 or len(residuals) != len(kernels) or not np.isfinite(residuals).all():
        raise DataError(
            f"residuals: shape {residuals.shape}, expected finite ones, one row for each of the "
            f"{len(kernels)} kernels"
        )
    M, n = residuals.shape
    first, mean = np.zeros((len(steps), n, n)), np.zeros((len(steps), n))
    for m, (K, r) in enumerate(zip(kernels, residuals, strict=True)):
        values, U = _eigenpairs(as_float64(K, "K"), n, m)
        found = trajectory_covariance(values, U.T @ r, step_size=step_size, steps=steps)
        first += U @ found.targets @ U.T / M
        mean += found.mean @ U.T / M
    return first - mean[:, :, None] * mean[:, None, :]


def _eigenpairs(K: np.ndarray, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, made positive, and eigenvectors of a kernel; a DataError if it is none."""
    if K.shape != (n, n) or not np.isfinite(K).all():
        raise DataError(f"kernels[{m}]: shape {K.shape}, expected finite ({n}, {n}), as targets")
    scale = np.abs(K).max()
    if np.abs(K - K.T).max() > 1e-8 * scale:
        raise DataError(f"kernels[{m}]: not symmetric, expected a symmetric matrix")
    values, U = eigh((K + K.T) / 2)
    if not values[-1] > 0 or values[0] < -1e-8 * values[-1]:
        raise DataError(
            f"kernels[{m}]: eigenvalues from {values[0]:.3g} to {values[-1]:.3g}, expected none "
            "below 0, and some above"
        )
    return np.maximum(values, LEAST * values[-1]), U
