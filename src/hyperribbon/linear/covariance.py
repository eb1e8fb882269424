"""Covariance of the points on trajectories of gradient descent in closed form (Eq. 5.2.5)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_float64, as_numpy
from hyperribbon.probability.distributions import check_size


class StepSizeWarning(UserWarning):
    """The step size is stable, but above what chapter 5 assumes."""


class TrajectoryCovariance(NamedTuple):
    """P(T) in the eigenbasis of K, and its parts (Eq. 5.2.5).

    Attributes
    ----------
    initialisation : (..., n), the diagonal part of P1 that comes from the initial weights and noise
    targets : (..., n, n), the part of P1 that comes from the targets
    mean : (..., n), K_T y, the mean residual up to its sign; P2 is its outer product with itself
    """

    initialisation: np.ndarray
    targets: np.ndarray
    mean: np.ndarray

    @property
    def first(self) -> np.ndarray:
        """P1 (..., n, n), the sum of both parts."""
        return _add_diagonal(self.targets, self.initialisation)

    @property
    def second(self) -> np.ndarray:
        """P2 (..., n, n), of rank 1."""
        return self.mean[..., :, None] * self.mean[..., None, :]

    @property
    def total(self) -> np.ndarray:
        """P = P1 - P2 (..., n, n)."""
        return _add_diagonal(self.targets - self.second, self.initialisation)


def trajectory_covariance(
    eigenvalues: np.ndarray,
    y: np.ndarray,
    *,
    step_size: float,
    steps: int | Sequence[int] | np.ndarray,
    sigma_w: float = 1.0,
    batch_size: int | None = None,
    weight_decay: float = 0.0,
) -> TrajectoryCovariance:
    r"""Covariance of residuals r_0, ..., r_{T-1} over time and initial weights, in closed form.

    With :math:`a_i = 1 - \alpha \lambda_i`,

    .. math::
        T P_1 = \mathrm{diag}\Big(\sigma_w^2 \lambda_i \frac{1 - a_i^{2T}}{1 - a_i^2}\Big)
        + \Big[y_i y_j \frac{1 - (a_i a_j)^T}{1 - a_i a_j}\Big]_{ij}, \qquad
        P_2 = (K_T y)(K_T y)^T, \qquad
        (K_T y)_i = y_i \frac{1 - a_i^T}{T (1 - a_i)}

    and P = P1 - P2. There is no loop over time.

    Parameters
    ----------
    eigenvalues : (..., n), eigenvalues of K = X X^T, above 0
    y : (..., n), targets in the eigenbasis of K
    step_size : float, alpha, above 0 and below 2 / the largest eigenvalue
    steps : T, integers from 1, of any shape that broadcasts with the leading axes
    sigma_w : float above 0, standard deviation of each initial weight
    batch_size : int, b, of stochastic gradient descent, whose noise adds (alpha^2 / b) K^2 to the
        covariance of the residuals in each step (Eq. 5.3.1); None for gradient descent
    weight_decay : float, coefficient of the penalty ``weight_decay / 2 |w|^2``

    Returns
    -------
    TrajectoryCovariance; noise is part of its ``initialisation``

    Raises
    ------
    DataError
        If an argument is not as above, or the step size is 2 / lambda_1 (with weight decay,
        2 / (lambda_1 + weight_decay)) or more, where gradient descent diverges.

    Warns
    -----
    StepSizeWarning
        If alpha is above 1 / lambda_1, where residuals oscillate. The bounds of chapter 5 assume
        that they do not (iii); its figures take alpha = 1 / lambda_1 exactly.

    Notes
    -----
    Both parts of P1, and P2, are exact to rounding in each entry, for any T and any eigenvalue:
    :math:`1 - a^T` is computed as ``-expm1(T log1p(-alpha lambda))``. Their difference loses
    entries that are smaller than the rounding error of :math:`y_i y_j`, as where T alpha lambda is
    far below 1.

    With weight decay, residuals converge to :math:`-\lambda (K + \lambda)^{-1} y` instead of 0.
    Around this limit they follow the same recursion with :math:`K + \lambda`, from
    :math:`K (K + \lambda)^{-1} y` instead of y; the initial covariance is still
    :math:`\sigma_w^2 K`. The thesis (5.3) replaces K by K + lambda everywhere, which holds for
    the recursion only.

    Examples
    --------
    >>> found = trajectory_covariance([1.0, 0.1], [1.0, 0.5], step_size=0.5, steps=2)
    >>> found.total.round(4)
    array([[0.6875, 0.0031],
           [0.0031, 0.0953]])
    """
    eigenvalues, y = as_float64(eigenvalues, "eigenvalues"), as_float64(y, "y")
    steps = as_numpy(steps, "steps")
    _check(eigenvalues, y, step_size, steps, sigma_w, batch_size, weight_decay)
    steps = steps.astype(np.float64)[..., None]
    rate = step_size * (eigenvalues + weight_decay)  # 1 - a
    y = y * (eigenvalues / (eigenvalues + weight_decay))
    logs, negative = _log_magnitude(rate), rate > 1
    rates = rate[..., :, None] + rate[..., None, :] - rate[..., :, None] * rate[..., None, :]
    signs = negative[..., :, None] ^ negative[..., None, :]
    both = logs[..., :, None] + logs[..., None, :]
    pairs = _mean_power(both, rates, steps[..., None], signs)
    left = _mean_power(2 * logs, rate * (2 - rate), steps)
    initialisation = sigma_w**2 * eigenvalues * left
    if batch_size is not None:
        in_the_limit = (step_size * eigenvalues) ** 2 / (batch_size * rate * (2 - rate))
        initialisation = initialisation + in_the_limit * (1 - left)
    return TrajectoryCovariance(
        initialisation,
        y[..., :, None] * y[..., None, :] * pairs,
        y * _mean_power(logs, rate, steps, negative),
    )


def sampled_covariance(
    eigenvalues: np.ndarray,
    y: np.ndarray,
    *,
    step_size: float,
    steps: int,
    sigma_w: float = 1.0,
    models: int,
    random_state: int | np.random.Generator = 0,
) -> np.ndarray:
    r"""P(N, T) of N models from random initial weights, in the eigenbasis of K (Eq. 5.2.3).

    Parameters
    ----------
    eigenvalues, y : (n,), as in `trajectory_covariance`
    step_size, steps, sigma_w : as in `trajectory_covariance`
    models : int, N; initial residuals are :math:`\sigma_w X w - y` with standard normal w
    random_state : int or Generator, seed of the initial weights

    Returns
    -------
    (n, n); its expectation differs from the result of `trajectory_covariance` by O(1 / N)

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> arguments = {"step_size": 0.5, "steps": 9, "sigma_w": 0.1}
    >>> P = sampled_covariance([1.0, 0.1], [1.0, 0.5], models=4000, **arguments)
    >>> bool(np.allclose(P, trajectory_covariance([1.0, 0.1], [1.0, 0.5], **arguments).total, 0.02))
    True
    """
    eigenvalues = as_float64(eigenvalues, "eigenvalues")
    unit = trajectory_covariance(
        eigenvalues, np.ones_like(eigenvalues), step_size=step_size, steps=steps, sigma_w=sigma_w
    )
    check_size(models, "models")
    w = np.random.default_rng(random_state).standard_normal((models, len(eigenvalues)))
    start = sigma_w * np.sqrt(eigenvalues) * w - as_float64(y, "y")
    mean = unit.mean * start.mean(axis=0)
    return start.T @ start / models * unit.targets - np.outer(mean, mean)


def _mean_power(
    log: np.ndarray, rest: np.ndarray, steps: np.ndarray, negative: np.ndarray | bool = False
) -> np.ndarray:
    """Mean of q^t over t < T: (1 - q^T) / (T (1 - q)).

    log : ln |q|; rest : 1 - q; negative : where q is negative
    """
    falls = -np.expm1(steps * log)
    odd = negative & (steps % 2 == 1)
    return np.where(odd, 2 - falls, falls) / (steps * rest)


def _log_magnitude(rate: np.ndarray) -> np.ndarray:
    """Compute ln |1 - rate|, which is minus infinity where rate is 1."""
    with np.errstate(divide="ignore"):
        return np.where(rate > 1, np.log(np.abs(rate - 1)), np.log1p(-np.minimum(rate, 1)))


def _add_diagonal(matrix: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    n = matrix.shape[-1]
    found = np.array(
        np.broadcast_to(matrix, np.broadcast_shapes(matrix.shape, (*diagonal.shape, n)))
    )
    found[..., np.arange(n), np.arange(n)] += diagonal
    return found


def _check(
    eigenvalues: np.ndarray,
    y: np.ndarray,
    step_size: float,
    steps: np.ndarray,
    sigma_w: float,
    batch_size: int | None,
    weight_decay: float,
) -> None:
    if eigenvalues.ndim == 0 or not eigenvalues.size:
        raise DataError(f"eigenvalues: shape {eigenvalues.shape}, expected (..., n)")
    possible = np.isfinite(eigenvalues) & (eigenvalues > 0)
    if not possible.all():
        wrong = eigenvalues[~possible][0]
        raise DataError(f"eigenvalues: {wrong} among them, expected finite ones above 0")
    if y.shape[-1:] != eigenvalues.shape[-1:] or not np.isfinite(y).all():
        raise DataError(
            f"y: shape {y.shape}, expected finite targets, one for each of the "
            f"{eigenvalues.shape[-1]} eigenvalues"
        )
    if not sigma_w > 0 or not np.isfinite(sigma_w):
        raise DataError(f"sigma_w = {sigma_w}: expected a number above 0")
    possible = np.isfinite(steps) & (steps >= 1) & (steps == np.floor(steps))
    if not possible.all():
        wrong = steps[~possible].flat[0]
        raise DataError(f"steps: {wrong} among them, expected integers from 1")
    if batch_size is not None and not batch_size >= 1:
        raise DataError(f"batch_size = {batch_size}: expected 1 or more, or None")
    if not weight_decay >= 0 or not np.isfinite(weight_decay):
        raise DataError(f"weight_decay = {weight_decay}: expected 0 or more")
    check_step_size(step_size, float(eigenvalues.max()) + weight_decay)


def check_step_size(step_size: float, largest: float) -> None:
    """Refuse step sizes for which residuals diverge; warn of those for which they oscillate."""
    if not step_size > 0 or not np.isfinite(step_size):
        raise DataError(f"step_size = {step_size}: expected a number above 0")
    if step_size * largest >= 2:
        raise DataError(
            f"step_size = {step_size}: gradient descent diverges, expected less than "
            f"2 / lambda_1 = {2 / largest:g}"
        )
    if step_size * largest > 1:
        warnings.warn(
            f"step_size = {step_size} is above 1 / lambda_1 = {1 / largest:g}: residuals "
            "oscillate, and the bounds of chapter 5, which assume less (iii), need not hold",
            StepSizeWarning,
            stacklevel=4,
        )
