"""Bootstrap intervals, from configurations or other groups drawn with replacement."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import ndtri, stdtr, stdtrit

from hyperribbon.errors import DataError

DRAWS = 100
LEVEL = 0.95


def bootstrap_draws(
    statistic: Callable[[np.ndarray], np.ndarray | float],
    groups: Sequence,
    estimate: np.ndarray | float | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
    unbiased: bool = False,
) -> np.ndarray:
    """Values of a statistic, from groups drawn with replacement.

    Observations of one group (checkpoints of a training, seeds of a configuration) are not
    independent, so each draw takes as many groups as there are, and an observation counts as often
    as its group was drawn. Repeated groups alone increase explained stress, so the draws are the
    estimate plus their own deviations from their mean. Few groups vary less when drawn from
    themselves than from their population, so deviations are multiplied by
    ``sqrt(n / (n - 1)) * t / z`` for n groups, where t and z are the quantiles of Student's
    distribution with n - 1 degrees of freedom and of the normal one (Hesterberg 2015, "What
    teachers should know about the bootstrap", section 4.4).

    Parameters
    ----------
    statistic : function of multiplicities (m,), integers as floats; draws for which it returns NaN
        do not count
    groups : m labels
    estimate : centre of the draws; by default, the statistic of all observations
    draws : int, number of draws
    seed : int
    unbiased : whether to subtract the statistic's bias, which is estimated as that of the draws;
        not for statistics that repeated groups alone increase

    Returns
    -------
    (draws, ...), of the statistic's shape after the first axis; NaN if there is only one group, and
    where a draw does not count

    Raises
    ------
    DataError
        If there are no observations.

    Examples
    --------
    >>> values = np.array([1.0, 1.0, 3.0, 3.0])
    >>> mean = lambda w: np.average(values, weights=w)
    >>> bootstrap_draws(mean, ["a", "a", "b", "b"], draws=50).shape
    (50,)
    """
    if not len(groups):
        raise DataError("groups: empty, expected one label per observation")
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if estimate is None:
        estimate = statistic(np.ones(len(member)))
    estimate, n = np.asarray(estimate, dtype=float), len(names)
    if n == 1:
        return np.full((draws, *estimate.shape), np.nan)
    rng = np.random.default_rng(seed)
    drawn = [np.bincount(rng.integers(n, size=n), minlength=n) for _ in range(draws)]
    # Few groups are drawn alike again and again: four of them in 35 ways only.
    different, which = np.unique(drawn, axis=0, return_inverse=True)
    found = [np.asarray(statistic(times[member].astype(float)), float) for times in different]
    values = np.ma.masked_invalid(np.stack(found)[which])
    mean = values.mean(axis=0)
    centre = 2 * estimate - np.ma.filled(mean, np.nan) if unbiased else estimate
    return centre + few_groups(n) * (values - mean).filled(np.nan)


def few_groups(n: int) -> float:
    """Factor by which deviations of draws from n groups are too small.

    >>> [round(few_groups(n), 2) for n in (2, 3, 10, 100)]
    [9.17, 2.69, 1.22, 1.02]
    """
    upper = (1 + LEVEL) / 2
    return float(np.sqrt(n / (n - 1)) * stdtrit(n - 1, upper) / ndtri(upper))


def bootstrap_interval(
    statistic: Callable[[np.ndarray], np.ndarray | float],
    groups: Sequence,
    estimate: np.ndarray | float | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """A 95% bootstrap interval of a statistic: percentiles of `bootstrap_draws`.

    Parameters
    ----------
    statistic, groups, estimate, draws, seed
        As in `bootstrap_draws`.

    Returns
    -------
    low, high : of the statistic's shape; NaN if there is only one group, or no draw counts

    Raises
    ------
    DataError
        If there are no observations.

    Examples
    --------
    >>> values = np.array([1.0, 1.0, 2.0, 2.0, 3.0, 3.0])
    >>> mean = lambda w: np.average(values, weights=w)
    >>> low, high = bootstrap_interval(mean, ["a", "a", "b", "b", "c", "c"])
    >>> bool(low < 1 and high > 3)  # three groups tell little
    True
    """
    return percentiles(bootstrap_draws(statistic, groups, estimate, draws=draws, seed=seed))


def percentiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the middle 95% of draws, along the first axis; NaN where none counts."""
    tail = 100 * (1 - LEVEL) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # if all draws are NaN, so is the result
        low, high = np.nanpercentile(values, [tail, 100 - tail], axis=0)
    return low, high


def jackknife(estimate: float, without: Sequence[float]) -> tuple[float, float, float]:
    """A 95% interval of a statistic, from its values without one group of units after the other.

    For statistics that a unit drawn twice would distort. The standard error is that of a jackknife
    with groups left out (Kott 2001, "The delete-a-group jackknife"), and Student's distribution has
    one degree of freedom less than there are groups.

    Parameters
    ----------
    estimate : float, from all units
    without : (g,), from the units that are not in the first group, in the second, ..., which are of
        equal size

    Returns
    -------
    low, high : float; NaN if there is only one group, or a value is NaN
    above : float, probability that the statistic is above 0

    Examples
    --------
    >>> low, high, above = jackknife(1.0, [0.9, 1.1, 1.0, 1.2, 0.8])
    >>> round(low, 2), round(high, 2), round(above, 2)
    (0.21, 1.79, 0.99)
    """
    values, groups = np.asarray(without, dtype=float), len(without)
    if groups < 2 or np.isnan(values).any():
        return np.nan, np.nan, np.nan
    error = np.sqrt((groups - 1) * values.var())
    half = stdtrit(groups - 1, (1 + LEVEL) / 2) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        above = stdtr(groups - 1, estimate / error)
    return float(estimate - half), float(estimate + half), float(above)


def bootstrap_mean(values: np.ndarray, groups: Sequence) -> tuple[float, float, float]:
    """A mean with its 95% bootstrap interval, as by `bootstrap_interval`.

    Parameters
    ----------
    values : (m,)
    groups : m labels

    Returns
    -------
    mean, low, high : float; NaN for the interval if there is only one group

    Raises
    ------
    DataError
        If there are no values.

    Examples
    --------
    >>> mean, low, high = bootstrap_mean(np.array([1.0, 2.0, 3.0, 4.0]), ["a", "b", "c", "d"])
    >>> mean, bool(low < 1.5), bool(high > 3.5)
    (2.5, True, True)
    """

    def mean(weights: np.ndarray) -> float:
        return float(np.average(values, weights=weights))

    low, high = bootstrap_interval(mean, groups)
    return float(np.mean(values)), float(low), float(high)
