"""Statistics of a study's tables, with bootstrap intervals over configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from hyperribbon.numerics.bootstrap import bootstrap_interval
from hyperribbon.reporting.claims import NotHere, Ours

Tables = Mapping[str, pd.DataFrame]


def over_configurations(
    statistic: Callable[[np.ndarray], float], table: pd.DataFrame, note: str = ""
) -> Ours:
    """A statistic with its interval, by resampling the configurations of a table.

    Parameters
    ----------
    statistic : function of the multiplicities of the table's rows
    table : rows with a column ``configuration``
    note : remark for the verdict

    Raises
    ------
    NotHere
        If the table has no rows.
    """
    if table.empty:
        raise NotHere("no models or trajectories to measure it on")
    value = float(statistic(np.ones(len(table))))
    low, high = bootstrap_interval(statistic, table["configuration"], value)
    return Ours(value, float(low), float(high), note)


def of_split(tables: Tables, name: str, split: str, **equal: object) -> pd.DataFrame:
    """A split's rows of a table, with given values in some columns and a new index."""
    table = tables[name]
    for column, value in {"split": split, **equal}.items():
        table = table[table[column] == value]
    return table.reset_index(drop=True)


def weighted_mean(values: pd.Series, weights: np.ndarray) -> float:
    """Weighted mean, or NaN if all weights are 0."""
    total = weights.sum()
    return float(values @ weights / total) if total else np.nan


def weighted_median(values: pd.Series, weights: np.ndarray) -> float:
    """Median of values that are repeated as often as their weights say."""
    return float(np.median(np.repeat(values.to_numpy(), weights.astype(int))))


def r_squared(x: pd.Series, y: pd.Series, weights: np.ndarray) -> float:
    """Coefficient of determination of a weighted linear regression of y on x."""
    covariance = np.cov(x, y, aweights=weights, bias=True)
    return float(covariance[0, 1] ** 2 / (covariance[0, 0] * covariance[1, 1]))


def with_less_without(
    table: pd.DataFrame, column: str, having: pd.Series, among: list[str], needs: str
) -> Ours:
    """Mean difference of a column between rows that have a property and rows that lack it.

    Parameters
    ----------
    table, column : the table, and its column to compare
    having : whether each row has the property
    among : columns in which compared rows agree; their groups are resampled for the interval
    needs : what a study must have for the comparison

    Raises
    ------
    NotHere
        If no rows can be compared.
    """
    means = table.groupby([*among, having.rename("having").astype(bool)])[column].mean()
    both = means.unstack("having").dropna() if len(means) else pd.DataFrame()
    if both.shape[1] < 2 or both.empty:
        raise NotHere(f"needs {needs}")
    less = both[True] - both[False]
    pairs = less.rename("less").reset_index()
    pairs["configuration"] = pairs[among].agg("-".join, axis=1)
    note = f"over {len(pairs)} pairs alike in {' and '.join(among)}"
    return over_configurations(lambda w: weighted_mean(pairs["less"], w), pairs, note)
