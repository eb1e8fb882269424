"""Bootstrap intervals, from configurations or other groups drawn with replacement."""

import warnings
from collections.abc import Callable, Sequence

import numpy as np

from hyperribbon.errors import DataError

DRAWS = 100
LEVEL = 0.95


def bootstrap_interval(
    statistic: Callable[[np.ndarray], np.ndarray | float],
    groups: Sequence,
    estimate: np.ndarray | float | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """A 95% bootstrap interval of a statistic, from groups drawn with replacement.

    Observations of one group (checkpoints of a training, seeds of a configuration) are not
    independent, so each draw takes as many groups as there are, and an observation counts as often
    as its group was drawn. Repeated groups alone increase explained stress, so the interval is the
    estimate plus the percentiles of the draws' deviations from their mean.

    Parameters
    ----------
    statistic : function of multiplicities (m,), integers as floats; draws for which it returns NaN
        do not count
    groups : m labels
    estimate : centre of the interval; by default, the statistic of all observations
    draws : int, number of draws
    seed : int

    Returns
    -------
    low, high : of the statistic's shape; NaN if there is only one group, or no draw counts

    Raises
    ------
    DataError
        If there are no observations.

    Examples
    --------
    >>> values = np.array([1.0, 1.0, 3.0, 3.0])
    >>> mean = lambda w: np.average(values, weights=w)
    >>> low, high = bootstrap_interval(mean, ["a", "a", "b", "b"])
    >>> round(float(low)), round(float(high))
    (1, 3)
    """
    if not len(groups):
        raise DataError("groups: empty, expected one label per observation")
    names, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if estimate is None:
        estimate = statistic(np.ones(len(member)))
    estimate = np.asarray(estimate, dtype=float)
    if len(names) == 1:
        return np.full(estimate.shape, np.nan), np.full(estimate.shape, np.nan)
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        drawn = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))
        found.append(np.asarray(statistic(drawn[member].astype(float)), dtype=float))
    values = np.ma.masked_invalid(np.stack(found))
    deviations = (values - values.mean(axis=0)).filled(np.nan)
    tail = 100 * (1 - LEVEL) / 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # if all draws are NaN, so is the result
        low, high = estimate + np.nanpercentile(deviations, [tail, 100 - tail], axis=0)
    return low, high


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
    >>> mean, low, high = bootstrap_mean(np.array([1.0, 1.0, 3.0, 3.0]), ["a", "a", "b", "b"])
    >>> mean, round(low), round(high)
    (2.0, 1, 3)
    """

    def mean(weights: np.ndarray) -> float:
        return float(np.average(values, weights=weights))

    low, high = bootstrap_interval(mean, groups)
    return float(np.mean(values)), float(low), float(high)
