"""Stiff and sloppy eigenvalues: how many, how strong, and how fast the sloppy ones decay.

Every spectrum is an array (p,) of eigenvalues in any order. Indices follow the thesis: eigenvalues
descend, and the largest has index 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.curvature.checks import (
    check_epsilon,
    check_nonnegative,
    check_positive,
    check_samples,
    check_spectrum,
)
from hyperribbon.errors import DataError

AS_GOOD = 0.9  # as a fraction of the complete model's accuracy on test samples
STIFF = 0.95  # as a fraction of the inputs' variance; most spectra of inputs have no elbow
_BANDWIDTH = 0.2  # as a fraction of the number of points
# Kiefer and Vogelsang (2005), Table 1: Bartlett kernel, two-sided 95%, bandwidth a fraction b.
_CRITICAL = 1.96 + 2.9694 * _BANDWIDTH + 0.4160 * _BANDWIDTH**2 - 0.5324 * _BANDWIDTH**3


def effective_dimension(
    eigenvalues: np.ndarray, n: int, epsilon: float | np.ndarray
) -> int | np.ndarray:
    r"""Number of stiff eigenvalues (Eq. 4.4.1).

    .. math:: p(n, \epsilon) = \#\{i : |\lambda_i| \ge \epsilon / (2 (n - 1))\}

    Parameters
    ----------
    eigenvalues : (p,) eigenvalues of the Hessian of cross-entropy / ln 2, of any sign; those left
        out count as 0
    n : int, number of training samples, 2 or more
    epsilon : inverse variance of the prior, above 0, or an array of these

    Returns
    -------
    int, or an array of integers in the shape of epsilon

    Raises
    ------
    DataError
        If an argument is not as above.

    Examples
    --------
    >>> effective_dimension([-3.0, 0.1, 2.0], n=11, epsilon=20.0)
    2
    >>> effective_dimension([-3.0, 0.1, 2.0], n=11, epsilon=[2.0, 20.0, 60.0])
    array([3, 2, 1])
    """
    values, n, epsilon = check_spectrum(eigenvalues), check_samples(n), check_epsilon(epsilon)
    below = np.searchsorted(np.sort(np.abs(values)), epsilon / (2 * (n - 1)), side="left")
    counts = len(values) - below
    return int(counts) if epsilon.ndim == 0 else counts


def strength(eigenvalues: np.ndarray, n: int, epsilon: float) -> float:
    r"""Strength factor of the stiff eigenvalues (Eq. 4.4.2).

    .. math:: s(n, \epsilon) = \sum_{i \le p(n, \epsilon)} 1
              + \ln\left(\frac{2 (n - 1) \lambda_i}{\epsilon} + 1\right)

    It is defined for positive semi-definite matrices: a negative eigenvalue that would count as
    stiff is refused; smaller ones are rounding errors and do not enter.

    Parameters
    ----------
    eigenvalues, n, epsilon : as in `effective_dimension`, with epsilon a float

    Raises
    ------
    DataError
        If an argument is invalid.

    Examples
    --------
    >>> round(strength([9.0, 0.1], n=2, epsilon=2.0), 3)  # 1 + ln 10
    3.303
    """
    values = check_spectrum(eigenvalues)
    threshold = check_positive(epsilon, "epsilon") / (2 * (check_samples(n) - 1))
    if values.min() <= -threshold:
        raise DataError(
            f"eigenvalues: {values.min():.3g} is negative and stiff (threshold {threshold:.3g}), "
            "expected a positive semi-definite matrix; use the Gauss-Newton matrix or clip them"
        )
    stiff = values[values >= threshold]
    return float(len(stiff) + np.log1p(stiff / threshold).sum())


def sloppy_factor(eigenvalues: np.ndarray, r: int) -> float:
    r"""Sloppy factor at index r (Eq. 4.4.3).

    .. math:: c(A, r) = \min_{i > r,\ \lambda_i > 0} \frac{\ln(\lambda_r / \lambda_i)}{i - r}

    Eigenvalues that are 0, or negative by rounding, lie below every exponential and set no limit:
    if only such eigenvalues follow r, the factor is infinite. A tie with the r-th makes it 0.

    Parameters
    ----------
    eigenvalues : (p,) eigenvalues of a positive semi-definite matrix
    r : int, from 1 to the number of eigenvalues above 0; usually p(n, epsilon)

    Returns
    -------
    float, 0 or more, per index

    Raises
    ------
    DataError
        If r is outside its range.

    Examples
    --------
    >>> round(sloppy_factor(np.exp(-0.5 * np.arange(10)), 3), 12)
    0.5
    >>> sloppy_factor([2.0, 1.0, 0.0], 2)
    inf
    """
    values = check_spectrum(eigenvalues)
    logs = np.log(np.sort(values[values > 0])[::-1])
    if not 1 <= r <= len(logs):
        raise DataError(f"r: {r}, expected 1 to {len(logs)}, the number of eigenvalues above 0")
    drops = logs[r - 1] - logs[r:]
    return float((drops / np.arange(1, len(drops) + 1)).min(initial=np.inf))


def loose_bound(
    strength: float, sloppiness: float, n: int, epsilon: float, squared_distance: float
) -> float:
    r"""A bound on the error from strength and sloppiness, if training loss is near 0 (Eq. 4.4.4).

    .. math:: \frac{s + 2 / c + \epsilon |w - w_0|^2}{4 (n - 1)}

    The thesis derives it from :math:`\lambda_i \le t e^{-c (i - r)}`, t = epsilon / (2 (n - 1)),
    for i beyond r = p(n, epsilon). The sloppy factor alone does not imply this, because it starts
    from the r-th eigenvalue, which may lie far above t. The result can then be below the objective
    that it should bound (`hyperribbon.pac_bayes.analytic.loose_objective`, which is exact).

    Parameters
    ----------
    strength : s, see `strength`
    sloppiness : c, see `sloppy_factor`; 0 makes the bound infinite
    n : int, number of training samples
    epsilon : inverse variance of the prior
    squared_distance : squared distance of the weights from the centre of the prior

    Examples
    --------
    >>> round(loose_bound(6810, 1 / 2545, 55_000, epsilon=101.3, squared_distance=8526 / 101.3), 4)
    0.0928
    """
    check_nonnegative(strength, "strength")
    check_nonnegative(squared_distance, "squared_distance")
    if not sloppiness >= 0:  # it may be infinite
        raise DataError(f"sloppiness: {sloppiness}, expected 0 or more")
    epsilon = check_positive(epsilon, "epsilon")
    tail = 2 / sloppiness if sloppiness > 0 else np.inf
    return float((strength + tail + epsilon * squared_distance) / (4 * (check_samples(n) - 1)))


def elbow(eigenvalues: np.ndarray, floor: float | None = None) -> int:
    r"""Number of stiff eigenvalues without reference to epsilon: where two fitted lines meet.

    Two lines are fitted by least squares to :math:`\ln \lambda_i` against i, one to the first k
    eigenvalues and one to the others. The best k, by the Bayesian information criterion (BIC), is
    chosen among those for which the stiff eigenvalues lie above the continuation of the sloppy
    line, and k = 0, no break. That condition excludes breaks where a spectrum drops steeply at its
    end, as happens with few samples. The point furthest below the chord of the spectrum ("kneedle")
    needs no condition, but noise moves it more, the longer the spectrum: for 10 stiff eigenvalues
    out of 1000 its median is 17, while the two lines find 10 or 11.

    A spectrum that bends everywhere, such as a power law, has no elbow, but the best break of two
    lines is returned all the same. BIC assumes independent residuals, which those of sorted
    eigenvalues are not, so breaks are also found where there are none. For the spectrum
    exp(-0.05 i), i < 200, times noise, this happens in 1% of the draws if the noise is 0.02, in 27%
    if 0.05, and in 67% if 0.1; for sample covariances with such a spectrum of 100 eigenvalues, in
    17% with 1000 samples and in 28% with 200.

    Parameters
    ----------
    eigenvalues : (p,), of which those above the floor count
    floor : level of rounding errors, relative to the largest eigenvalue; smaller eigenvalues are
        left out; by default p times the epsilon of float64

    Returns
    -------
    int, k: eigenvalues 1 to k are stiff; 0 if none are

    Raises
    ------
    DataError
        If fewer than 4 eigenvalues are above the floor.

    Examples
    --------
    >>> elbow([1000.0, 700.0, 500.0, *np.exp(-0.1 * np.arange(40)), *np.full(50, 1e-17)])
    3
    """
    logs = _log_spectrum(eigenvalues, floor)
    m = len(logs)
    if m < 4:
        raise DataError(f"eigenvalues: {m} above the floor, expected 4 or more to find an elbow")
    logs = logs - logs.mean()  # else the prefix sums lose digits
    head, _ = _line_misfits(logs)
    tail, slopes = _line_misfits(logs[::-1])
    k = np.arange(1, m - 2)  # the second line has three points or more, so that it can misfit
    rest = m - k
    line = tail[rest - 1]
    # The sloppy line at the middle of the stiff eigenvalues; it was fitted in reverse order.
    means = np.cumsum(logs)[k - 1] / k
    continued = -means * k / rest + slopes[rest - 1] * m / 2
    misfit = np.append(tail[-1], np.where(means > continued, head[k - 1] + line, np.inf))
    # A line has 2 parameters, or 1 if it has one point; the break is one more.
    parameters = np.concatenate([[2], np.where(k == 1, 4, 5)])
    smallest = 1e-12 * logs @ logs  # misfits below this are rounding errors, hence equal
    bic = m * np.log(np.maximum(misfit, smallest) + np.finfo(float).tiny) + parameters * np.log(m)
    return int(np.argmin(bic))


class Slope(NamedTuple):
    """The line fitted to the sloppy eigenvalues; see `sloppy_slope`."""

    slope: float
    """Change of ln(lambda) per index; negative."""
    low: float
    """Lower end of the 95% interval of the slope."""
    high: float
    """Upper end of that interval."""
    r_squared: float
    """Coefficient of determination of the fit."""
    first: int
    """Index of the first eigenvalue in the range; the largest of all has index 1."""
    last: int
    """Index of the last eigenvalue in the range."""


def sloppy_slope(
    eigenvalues: np.ndarray,
    first: int | None = None,
    last: int | None = None,
    floor: float | None = None,
) -> Slope:
    r"""Slope of :math:`\ln \lambda_i` against i over the sloppy eigenvalues, by least squares.

    Residuals of sorted eigenvalues are correlated, so the interval uses Newey-West errors: Bartlett
    kernel, bandwidth a fifth of the points, with the critical value for so wide a bandwidth (2.57,
    Kiefer and Vogelsang 2005).

    Its coverage was simulated with covariances of N Gaussian inputs whose d population eigenvalues
    are exp(-c i), for d from 30 to 300, N from 2 d to 1000 d, and c d from 2 to 50. The interval
    contains the mean slope of such sample spectra in 90% (d = 30) to 100% (N = 2 d, or c d near 2)
    of the draws; the interval of ordinary least squares does in 97% to 74%. It is NOT an interval
    for c. Sample eigenvalues fall faster than those of the population, by 1 / N to 1.6 / N per
    index (3 / N where c d = 2), and the intervals are so narrow that for d = 100 this alone
    excludes c from nearly all of them (from 45% at N = 100 d), and even for d = 30 from a third (N
    = 33 d). Nor does it account for a range that is not a line: check R^2.

    Parameters
    ----------
    eigenvalues : (p,), of which those above the floor count
    first, last : first and last index of the range, inclusive; by default from after the `elbow` to
        the last eigenvalue above the floor
    floor : as in `elbow`

    Raises
    ------
    DataError
        If the range has fewer than 5 eigenvalues above the floor.

    Examples
    --------
    >>> line = sloppy_slope(np.exp(-0.1 * np.arange(40)), first=11)
    >>> round(line.slope, 6), round(line.r_squared, 6), line.first, line.last
    (-0.1, 1.0, 11, 40)
    """
    logs = _log_spectrum(eigenvalues, floor)
    last = len(logs) if last is None else last
    first = elbow(eigenvalues, floor) + 1 if first is None else first
    if not (first >= 1 and first + 4 <= last <= len(logs)):
        raise DataError(
            f"range: eigenvalues {first} to {last}, expected 5 or more of the {len(logs)} above "
            "the floor"
        )
    y = logs[first - 1 : last]
    m = len(y)
    x = np.arange(m) - (m - 1) / 2
    square = x @ x
    slope = x @ y / square
    y = y - y.mean()
    residuals = y - slope * x
    scores = x * residuals
    lags = np.arange(1, int(_BANDWIDTH * m) + 1)
    products = np.array([scores[lag:] @ scores[:-lag] for lag in lags])
    variance = scores @ scores + 2 * (1 - lags / (len(lags) + 1)) @ products
    half = _CRITICAL * np.sqrt(max(variance, 0.0) * m / (m - 2)) / square
    total = y @ y
    r_squared = 1 - residuals @ residuals / total if total > 0 else 1.0
    return Slope(
        float(slope), float(slope - half), float(slope + half), float(r_squared), first, last
    )


def critical_number(kept: np.ndarray, errors: np.ndarray) -> int:
    """The fewest eigenvectors with which a model predicts about as well as the complete one.

    That is, with nine tenths of its accuracy. Keeping more can be worse again: directions on which
    predictions hardly depend near the trained weights may matter far from them.

    Parameters
    ----------
    kept, errors : (M,), as in `hyperribbon.curvature.ReducedModels`; errors on the test samples

    Examples
    --------
    >>> critical_number(np.array([1, 10, 20, 100]), np.array([0.9, 0.5, 0.27, 0.2]))
    20
    """
    return int(kept[np.argmax(1 - errors >= AS_GOOD * (1 - errors[-1]))])


def stiff_fraction(eigenvalues: np.ndarray, dimensions: int) -> float:
    """Fraction of the inputs' dimensions that hold 95% of their variance.

    Parameters
    ----------
    eigenvalues : eigenvalues of the inputs' correlation matrix; those left out count as 0
    dimensions : number of dimensions of the inputs

    Examples
    --------
    >>> stiff_fraction(np.array([90.0, 8.0, 2.0]), 4)
    0.5
    """
    sums = np.sort(eigenvalues)[::-1].cumsum()
    return float(np.searchsorted(sums, STIFF * sums[-1]) + 1) / dimensions


def _log_spectrum(eigenvalues: np.ndarray, floor: float | None) -> np.ndarray:
    """Logarithms of the eigenvalues above the floor, descending."""
    values = check_spectrum(eigenvalues)
    floor = np.finfo(np.float64).eps * len(values) if floor is None else floor
    if not 0 <= floor < 1:
        raise DataError(f"floor: {floor}, expected 0 or more and below 1, relative to the largest")
    return np.log(np.sort(values[values > max(floor * values.max(), 0.0)])[::-1])


def _line_misfits(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of squared residuals, and slopes, of lines through the first 1, 2, ..., m points."""
    count = np.arange(1, len(y) + 1, dtype=np.float64)
    middle = (count - 1) / 2
    variance = count * (count**2 - 1) / 12  # of 0, 1, ..., times the number of points
    sums = np.cumsum(y)
    covariance = np.cumsum((count - 1) * y) - middle * sums
    slopes = np.divide(covariance, variance, out=np.zeros_like(y), where=variance > 0)
    return np.maximum(np.cumsum(y * y) - sums**2 / count - slopes * covariance, 0), slopes
