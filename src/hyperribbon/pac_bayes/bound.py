r"""PAC-Bayes certificates: bounds on new samples from a posterior's error on training samples.

With probability :math:`1 - \delta` over the n training samples, for every Q (Eq. 4.2.1),

.. math:: \mathrm{kl}(\hat e(Q) \| e(Q)) \le \frac{\mathrm{KL}(Q \| P) + \ln(n / \delta)}{n - 1}.

These functions take numbers: errors, KL and n. `hyperribbon.pac_bayes.analytic` has the analytic
posterior (Method 1); for optimised posteriors (Methods 2 to 4), pass their errors and their KL.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import rel_entr

from hyperribbon.curvature.checks import (
    check_count,
    check_nonnegative,
    check_positive,
    check_samples,
)
from hyperribbon.errors import DataError

_HALVINGS = 64  # halvings of an interval of at most 1 leave less than 1e-19


def binary_kl(q: float | np.ndarray, p: float | np.ndarray) -> float | np.ndarray:
    r"""Kullback-Leibler divergence of two Bernoulli distributions, in nats (4.2.1).

    .. math:: \mathrm{kl}(q \| p) = q \ln \frac{q}{p} + (1 - q) \ln \frac{1 - q}{1 - p}

    Parameters
    ----------
    q, p : probabilities, broadcast against each other

    Returns
    -------
    float, or an array of the broadcast shape; infinite where p is 0 or 1 and q is not

    Raises
    ------
    DataError
        If one is not between 0 and 1.

    Examples
    --------
    >>> binary_kl([0.0, 0.5, 0.5], [0.5, 0.5, 1.0]).round(4)
    array([0.6931, 0.    ,    inf])
    """
    q, p = _probabilities(q, "q"), _probabilities(p, "p")
    return _kl(q, p - q, p, 1 - p)[()]


def inverse_binary_kl(q: float | np.ndarray, bound: float | np.ndarray) -> float | np.ndarray:
    r"""The largest p whose divergence from q does not exceed a bound.

    .. math:: \mathrm{kl}^{-1}(q, B) = \max \{p : \mathrm{kl}(q \| p) \le B\}

    It is found by bisection, up to rounding. The upper end of the last interval is returned, so
    that a certificate errs upwards. The result is q where B is 0, 1 - exp(-B) where q is 0, and 1
    where q is 1.

    Parameters
    ----------
    q : probabilities
    bound : B, 0 or more, in nats, broadcast against q

    Raises
    ------
    DataError
        If an argument is outside its range.

    Examples
    --------
    >>> inverse_binary_kl([0.0, 0.1, 0.1], [np.log(2), 0.0, 0.05]).round(6)
    array([0.5     , 0.1     , 0.220079])
    """
    q, bound = np.broadcast_arrays(_probabilities(q, "q"), np.asarray(bound, dtype=np.float64))
    if not (bound >= 0).all():
        raise DataError(f"bound: {bound.min()}, expected 0 or more")
    # The unknown is the step p - q, which keeps its digits where p is close to q.
    low, high = np.zeros(q.shape), 1 - q
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        within = _kl(q, middle, q + middle, 1 - q - middle) <= bound
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    p = np.where(q == 0, -np.expm1(-bound), q + high)
    return np.where(bound == 0, q, np.minimum(p, 1))[()]


class GridPoint(NamedTuple):
    """A scale of the prior that the union bound covers; see `round_to_grid`."""

    epsilon: float
    """Inverse variance of the prior, c exp(j / b)."""
    j: int
    """Index of the scale on the grid, from 1."""


def round_to_grid(epsilon: float, *, c: float, b: float) -> GridPoint:
    r"""The scale :math:`\epsilon_j = c\, e^{j/b}`, j = 1, 2, ..., closest to epsilon in logarithm.

    Parameters
    ----------
    epsilon : inverse variance of the prior, above 0; below the grid, its first point is taken
    c, b : parameters of the grid, above 0, chosen before the training samples are seen; the c of
        the thesis is 1 / c here

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> round_to_grid(800.0, c=20.0, b=10.0)
    GridPoint(epsilon=808.946087201348, j=37)
    """
    epsilon = check_positive(epsilon, "epsilon")
    c, b = check_positive(c, "c"), check_positive(b, "b")
    j = max(1, round(b * float(np.log(epsilon / c))))
    return GridPoint(float(c * np.exp(j / b)), j)


def penalty(j: int, n: int, delta: float) -> float:
    r"""What the choice of the prior's scale from a grid adds to KL, in nats (4.7.3.1).

    .. math:: 2 \ln j + \ln \frac{\pi^2 n}{6 \delta} = \ln \frac{n}{\delta_j},
              \qquad \delta_j = \frac{6 \delta}{\pi^2 j^2}

    The :math:`\delta_j` add up to :math:`\delta`. The penalty replaces, and contains, the
    :math:`\ln(n / \delta)` of Eq. 4.2.1.

    Parameters
    ----------
    j : int, 1 or more; see `round_to_grid`
    n : int, number of training samples
    delta : probability that the bound fails, between 0 and 1

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> round(penalty(37, 55_000, 0.025), 4)
    22.3235
    """
    n, j = check_samples(n), check_count(j, "j")
    check_delta(delta, "delta")
    return float(2 * np.log(j) + np.log(np.pi**2 * n / (6 * delta)))


def sample_convergence_bound(mean_error: float, draws: int, delta: float) -> float:
    r"""Upper limit on the error of Q, from the errors of networks drawn from it.

    Langford and Caruana (2002): with probability :math:`1 - \delta` over the draws, the mean over
    all of Q is at most :math:`\mathrm{kl}^{-1}(\text{mean}, \ln(2 / \delta) / \text{draws})`.

    Parameters
    ----------
    mean_error : mean 0-1 error of the drawn networks
    draws : int, number of networks drawn independently
    delta : probability that the limit fails, between 0 and 1

    Raises
    ------
    DataError
        If an argument is outside its range.

    Examples
    --------
    >>> round(sample_convergence_bound(0.03, 1000, 0.01), 4)
    0.051
    """
    check_delta(delta, "delta")
    limit = np.log(2 / delta) / check_count(draws, "draws")
    return float(inverse_binary_kl(mean_error, limit))


class Certificate(NamedTuple):
    """A bound on the error of Q on new samples; see `certificate`."""

    error: float
    """Mean 0-1 error of the drawn networks on the training samples."""
    error_limit: float
    """Upper limit on the mean error of Q on the training samples."""
    kl: float
    """KL(Q || P), in nats."""
    penalty: float
    """Penalty of the union bound, including ln(n / delta), in nats."""
    bound: float
    """Upper limit on the error of Q on new samples."""
    non_vacuous: bool
    """Whether the bound is below the error of guessing, 1 - 1/C."""


def certificate(
    errors: np.ndarray,
    kl: float,
    n: int,
    j: int,
    classes: int,
    delta: float = 0.025,
    delta_draws: float = 0.01,
) -> Certificate:
    r"""Bound on the error of Q on new samples, from networks drawn from Q (Eq. 4.2.1).

    .. math:: \mathrm{kl}^{-1}\left(\hat e_+, \frac{\mathrm{KL} + \text{penalty}}{n - 1}\right)

    where :math:`\hat e_+` is the `sample_convergence_bound` of the errors. It holds with
    probability :math:`1 - \delta - \delta'`, 0.965 by default: 0.025 for the training samples, 0.01
    for the draws, as in Dziugaite and Roy (2017).

    Any finite KL gives a bound below 1, if only by one part in 10^9. A bound therefore counts as
    non-vacuous only if it is below the error of guessing among C balanced classes.

    Parameters
    ----------
    errors : (draws,) 0-1 errors on the n training samples, one per drawn network
    kl : KL(Q || P) for the prior with scale j, in nats
    n : int, number of training samples, none of which influenced the prior
    j : int, index of the prior's scale on its grid; see `round_to_grid`
    classes : int, number of classes C
    delta, delta_draws : probabilities that the bound, and the limit on which it builds, fail

    Raises
    ------
    DataError
        If an argument is outside its range.

    Examples
    --------
    >>> found = certificate(np.full(1000, 0.03), kl=5000.0, n=55_000, j=37, classes=10)
    >>> round(found.error_limit, 4), round(found.bound, 4), found.non_vacuous
    (0.051, 0.1988, True)
    """
    errors = _probabilities(errors, "errors")
    if errors.ndim != 1 or not errors.size:
        raise DataError(f"errors: shape {errors.shape}, expected (draws,), one or more")
    kl, classes = check_nonnegative(kl, "kl"), check_count(classes, "classes", 2)
    check_delta(delta_draws, "delta_draws")
    cost = penalty(j, n, delta)
    error = float(errors.mean())
    limit = sample_convergence_bound(error, len(errors), delta_draws)
    bound = float(inverse_binary_kl(limit, (kl + cost) / (n - 1)))
    return Certificate(error, limit, kl, cost, bound, bound < 1 - 1 / classes)


def _kl(q: np.ndarray, step: np.ndarray, p: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The divergence kl(q || p), where step is p - q and rest is 1 - p."""
    return _term(q, step, p) + _term(1 - q, -step, rest)


def _term(q: np.ndarray, step: np.ndarray, p: np.ndarray) -> np.ndarray:
    """The term q ln(q / p); where the step p - q is small compared with q, without cancellation."""
    small = np.abs(step) < q / 2
    ratio = np.divide(step, q, out=np.zeros(small.shape), where=small)
    return np.where(small, -q * np.log1p(ratio), rel_entr(q, np.maximum(p, 0)))


def _probabilities(values: float | np.ndarray, name: str) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    if not ((array >= 0) & (array <= 1)).all():
        raise DataError(f"{name}: from {array.min()} to {array.max()}, expected within 0 and 1")
    return array


def check_delta(delta: float, name: str) -> None:
    """Refuse a probability that is not between 0 and 1."""
    if not 0 < delta < 1:
        raise DataError(f"{name}: {delta}, expected between 0 and 1")
