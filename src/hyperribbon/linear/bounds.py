"""Bounds on the eigenvalues of P1(T) (thesis Lemmas 5.2.1 to 5.2.3, Eqs. 5.2.10 and 5.3.2).

All assume that the step size is at most 1 / lambda_1 (assumption iii). Eigenvalues of K and of P1
are in descending order, numbered from 1. Where the thesis has 4 rho^-(i - 1), its own Lemma 5.2.1
proves this for odd i only; an even i has the bound of the odd number before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.linear.covariance import check_step_size, trajectory_covariance
from hyperribbon.probability.arrays import as_float64


def decay_base(condition: float) -> float:
    """Base rho > 1 of the exponential decay in Lemma 5.2.1.

    Parameters
    ----------
    condition : float, lambda_1 / lambda_n, at least 1

    Raises
    ------
    DataError
        If the condition number is below 1.

    Examples
    --------
    >>> round(decay_base(100.0), 4)
    2.0934
    """
    if not condition >= 1:
        raise DataError(f"condition = {condition}: expected lambda_1 / lambda_n, at least 1")
    return float(np.exp(np.pi**2 / (2 * np.log(8 * condition - 4))))


def targets_decay(eigenvalues: np.ndarray) -> np.ndarray:
    """Upper bounds (n,) on lambda_i / lambda_1 of P1 from the targets, for any T (Lemma 5.2.1).

    Parameters
    ----------
    eigenvalues : (n,) eigenvalues of K, descending and above 0

    Raises
    ------
    DataError
        If eigenvalues are not as above.

    Examples
    --------
    >>> targets_decay(np.exp(-2.0 * np.arange(5))).round(3)
    array([1.   , 1.   , 1.   , 1.   , 0.543])
    """
    eigenvalues = _descending(eigenvalues)
    exponent = 2 * (np.arange(len(eigenvalues)) // 2)  # 2 i of the odd index 1 + 2 i
    small = decay_base(eigenvalues[0] / eigenvalues[-1]) ** -exponent.astype(float)
    return np.minimum(4 * small / (1 + small**2) ** 2, 1.0)


def targets_largest(
    eigenvalues: np.ndarray, y: np.ndarray, step_size: float, steps: int
) -> tuple[float, float]:
    """Lower and upper bound on the largest eigenvalue of T P1 from the targets (Lemma 5.2.2).

    Parameters
    ----------
    eigenvalues : (n,) eigenvalues of K, descending and above 0
    y : (n,) targets
    step_size, steps : alpha and T

    Raises
    ------
    DataError
        If eigenvalues are not as above, or the step size diverges.
    """
    eigenvalues = _descending(eigenvalues)
    check_step_size(step_size, eigenvalues[0])
    last = eigenvalues[-1:]
    slowest = trajectory_covariance(last, np.ones(1), step_size=step_size, steps=steps).targets
    square = float(np.sum(np.square(y)))
    return square, steps * slowest.item() * square


def initialisation_bound(
    eigenvalues: np.ndarray, step_size: float, steps: int, sigma_w: float = 1.0
) -> np.ndarray:
    """Upper bounds (n,) on the eigenvalues of T P1 from the initial weights (Eq. 5.2.10).

    Parameters
    ----------
    eigenvalues : (n,) eigenvalues of K, descending and above 0
    step_size, steps, sigma_w : alpha, T, and the standard deviation of each initial weight

    Raises
    ------
    DataError
        If eigenvalues are not as above, or the step size diverges.

    Examples
    --------
    >>> initialisation_bound(np.array([1.0, 0.01]), 1.0, 10)
    array([1.        , 0.10050251])
    """
    eigenvalues = _descending(eigenvalues)
    check_step_size(step_size, eigenvalues[0])
    rate = step_size * eigenvalues
    return sigma_w**2 / step_size * np.minimum(1, 2 * steps * rate) / (2 - rate)


def decay_bound(
    eigenvalues: np.ndarray, y: np.ndarray, step_size: float, steps: int, sigma_w: float = 1.0
) -> np.ndarray:
    """Upper bounds (n,) on lambda_i / lambda_1 of P1 (Lemma 5.2.3).

    The head ends at i = 2 k*, where k* is half the number of eigenvalues above 1 / (2 T alpha). For
    eigenvalues exp(-c (i - 1)) this number is ln(2 T alpha) / c, as in the lemma.

    Parameters
    ----------
    eigenvalues : (n,) eigenvalues of K, descending and above 0
    y : (n,) targets
    step_size, steps, sigma_w : alpha, T, and the standard deviation of each initial weight

    Raises
    ------
    DataError
        If eigenvalues are not as above, or the step size diverges.
    """
    return kernels_decay_bound([eigenvalues], y, step_size, steps, sigma_w)


def kernels_decay_bound(
    spectra: Sequence[np.ndarray],
    y: np.ndarray,
    step_size: float,
    steps: int,
    sigma_w: float = 1.0,
) -> np.ndarray:
    """Upper bounds (n,) on lambda_i / lambda_1 of P1 of several kernels together (Eq. 5.3.2).

    The printed equation has the mean over kernels of the contributions of the targets. Its proof
    divides each kernel's largest eigenvalue by that of the sum, which is at least as large, but not
    necessarily M times as large. So this function takes the sum over kernels. (None of 20,000
    random cases violates the mean.)

    Parameters
    ----------
    spectra : M arrays (n,), the eigenvalues of each kernel, descending, above 0 and at most
        1 / alpha
    y : (n,) targets
    step_size, steps, sigma_w : alpha, T, and the standard deviation of each initial weight

    Raises
    ------
    DataError
        If eigenvalues are not as above, or the step size diverges.
    """
    spectra = [_descending(values) for values in spectra]
    n, M = len(spectra[0]), len(spectra)
    for values in spectra:
        check_step_size(step_size, values[0])
    noise = sigma_w**2 / (M * step_size * float(np.sum(np.square(y))))
    beyond = min(int((2 * steps * step_size * values > 1).sum()) for values in spectra)
    head = max(beyond // 2, 1)  # k*
    each = np.arange(n) // M + 1  # number in each kernel, for the i-th eigenvalue of the sum
    split = np.minimum(head, each)
    found = np.zeros(n)
    for values in spectra:
        decay = targets_decay(values)
        tail = np.minimum(1, 2 * step_size * steps * values)
        in_tail = decay[split - 1] + noise * tail[each - split]
        found += np.where(each <= 2 * head, decay[each - 1] + noise, in_tail)
    # The bound on an earlier eigenvalue also holds for later ones, and may be tighter.
    return np.minimum.accumulate(np.minimum(found, 1.0))


def _descending(eigenvalues: np.ndarray) -> np.ndarray:
    eigenvalues = as_float64(eigenvalues, "eigenvalues")
    if eigenvalues.ndim != 1 or not len(eigenvalues) or not (np.diff(eigenvalues) <= 0).all():
        raise DataError(
            f"eigenvalues: shape {eigenvalues.shape}, expected (n,) in descending order"
        )
    if not eigenvalues[-1] > 0 or not np.isfinite(eigenvalues[0]):
        raise DataError(f"eigenvalues: the last is {eigenvalues[-1]}, expected finite ones above 0")
    return eigenvalues
