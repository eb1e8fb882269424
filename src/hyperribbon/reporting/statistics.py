"""Statistics of a study's tables, each with its 95% interval and what it was drawn from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import betaincinv, ndtr, ndtri

from hyperribbon.numerics.bootstrap import LEVEL, jackknife, percentiles
from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.scales import OF_PAIRS, scaled_draws

Tables = Mapping[str, pd.DataFrame]
TRAINING = ["configuration", "seed"]
LEAST_PAIRS = 8  # as few of them vary too little when drawn with replacement
ROUNDING = 1e-12  # draws that differ by less agree
MOST_MISSING = 0.25  # of draws; 37% lack a side of a comparison on which there is one unit


def with_interval(
    statistic: Callable[[np.ndarray], float],
    table: pd.DataFrame,
    note: str = "",
    *,
    unit: str = "configuration",
    by: Sequence[str] = (),
    scale: str = "",
    bounds: tuple[float, float] | None = None,
) -> Ours:
    """A statistic with its interval, by drawing units of a table with replacement.

    The unit is what a repetition of the study would draw anew: configurations with all their seeds,
    trainings, networks, paths, draws of samples. If a table has one configuration only, its seeds
    are drawn.

    On made-up studies of 3 to 20 units, 95% intervals of means, medians and correlations cover 92
    to 99%, of a third quartile 87 to 94%, of means of very skewed values 81 to 89%, and of higher
    quantiles less; largest and least values have no honest interval. Correlations of one row per
    unit have none for fewer than eight units: see `rank_correlation`.

    Parameters
    ----------
    statistic : function of the multiplicities of the table's rows
    table : rows to draw from
    note : remark for the verdict
    unit : its name, in the singular
    by : columns that tell units apart; by default the column named as the unit, and of a
        "training" its configuration and seed
    scale : one of `hyperribbon.reporting.scales.SCALES`, on which the statistic is drawn, less its
        bias there: that of Fisher for a "correlation" r or a "determination" R^2, the logarithm
        for a positive "ratio"
    bounds : of the statistic, if it is a mean over units of values between these, such as shares;
        ends of intervals are not beyond them

    Returns
    -------
    Ours
        Value, interval, unit, sample, and the share of draws above 0. There is no interval if there
        is only one unit, also on one side of a comparison (then many draws are NaN), or if all
        draws agree. But if all units are at the same bound, the interval is that of Clopper and
        Pearson for as many trials, for other units might be at the other bound.

    Raises
    ------
    NotHere
        If the table has no rows.
    """
    if table.empty:
        raise NotHere("no models or trajectories to measure it on")
    unit, names = _units(table, unit, by)
    value = float(statistic(np.ones(len(table))))
    values = scaled_draws(statistic, names, value, scale)
    counted = values[~np.isnan(values)]
    low, high = percentiles(counted) if len(counted) else (np.nan, np.nan)
    first = float((counted > 0).mean()) if len(counted) else np.nan
    units = names.nunique()
    words = _drawn(units, unit)
    reason = ""
    if (scale in OF_PAIRS and len(table) == units < LEAST_PAIRS) or not len(counted):
        reason = f"{units} {_plural(unit)} are too few to draw from"
    elif np.isnan(values).mean() > MOST_MISSING:
        reason = f"too few {_plural(unit)} on one side of the comparison"
    elif np.ptp(counted) <= ROUNDING * max(1, abs(value)):
        reason = f"{units} {_plural(unit)} that all agree"
    if bounds and not reason:
        low, high = np.clip([low, high], *bounds)
    elif bounds and units > 1 and np.isclose(value, bounds, rtol=0, atol=ROUNDING).any():
        exact = share(units if value > np.mean(bounds) else 0, units, unit)
        low, high = (bounds[0] + (bounds[1] - bounds[0]) * end for end in (exact.low, exact.high))
        first, words = np.nan, f"{units} {_plural(unit)} that all agree (Clopper-Pearson)"
    elif units > 1 and reason:
        low = high = first = np.nan
        words = f"no interval: {reason}"
    return Ours(value, float(low), float(high), note, words, sample_of(table), first)


def _units(table: pd.DataFrame, unit: str, by: Sequence[str] = ()) -> tuple[str, pd.Series]:
    """What is drawn, and the name of the unit to which each row belongs; see `with_interval`."""
    by = list(by) or (TRAINING if unit == "training" else [unit])
    if by == ["configuration"] and "seed" in table and table["configuration"].nunique() == 1:
        unit, by = "seed", ["seed"]
    return unit, table[by].astype(str).agg("\n".join, axis=1)


def drawn_share(
    chosen: Sequence, table: pd.DataFrame, note: str = "", *, unit: str = "configuration"
) -> Ours:
    """The share of a table's rows that are chosen, with its interval, by drawing units of them.

    Parameters
    ----------
    chosen : (rows,) bool
    table, note, unit : as in `with_interval`

    Raises
    ------
    NotHere
        If the table has no rows.

    Examples
    --------
    >>> table = pd.DataFrame({"configuration": ["a", "a", "b", "c"], "seed": [0, 1, 0, 0]})
    >>> ours = drawn_share([True] * 4, table)
    >>> ours.value, round(ours.low, 2), ours.drawn
    (1.0, 0.29, '3 configurations that all agree (Clopper-Pearson)')
    """
    if table.empty:
        raise NotHere("no models or trainings to count")
    unit, names = _units(table, unit)
    rows = pd.Series(np.asarray(chosen, float)).groupby(names.to_numpy()).agg(["mean", "size"])
    rows = rows.rename_axis(unit).reset_index()
    size = rows["size"].to_numpy()
    ours = with_interval(
        lambda w: weighted_mean(rows["mean"], w * size), rows, note, unit=unit, by=[unit],
        bounds=(0, 1),
    )  # fmt: skip
    return ours._replace(sample=sample_of(table))


def of_step(
    value: float,
    ends: Sequence[float],
    table: pd.DataFrame,
    note: str = "",
    unit: str = "configuration",
    *,
    used: int | None = None,
    drawn_from: int | None = None,
) -> Ours:
    """A value whose interval a step has drawn.

    Parameters
    ----------
    value : float
    ends : of the interval; NaN if there is none
    table : rows that the step drew from, or of which it drew from evenly spaced ones
    note : remark for the verdict
    unit : name of what was drawn with replacement, in the singular, and of its column
    used : number of rows of which the value is, if not all
    drawn_from : number of rows of which the interval is, if the value is of more
    """
    low, high = map(float, ends)
    words = _drawn(table[unit].nunique(), unit)
    if drawn_from is not None and drawn_from < len(table):
        words += f", of {drawn_from:,} rows"
    return Ours(float(value), low, high, note, words, sample_of(table, used))


def without_groups(
    value: float, without: Sequence[float], unit: str, note: str = "", sample: str = ""
) -> Ours:
    """A value with its interval from values without one group of units after the other.

    Parameters
    ----------
    value : float
    without : values that leave a group out, see `hyperribbon.numerics.bootstrap.jackknife`
    unit : name of a unit, in the singular
    note : remark for the verdict
    sample : what was measured, in words
    """
    low, high, first = jackknife(value, without)
    words = f"{len(without)} groups of {_plural(unit)}, one after the other left out (jackknife)"
    if np.isnan(low):
        words = f"no interval: too few {_plural(unit)} to leave some out"
    return Ours(float(value), low, high, note, words, sample, first)


def _drawn(units: int, unit: str) -> str:
    if units == 1:
        return f"no interval: one {unit}"
    return f"{units} {_plural(unit)} drawn with replacement"


def _plural(unit: str) -> str:
    return f"{unit}es" if unit.endswith(("s", "ch")) else f"{unit}s"


def rank_correlation(x: Sequence[float], y: Sequence[float], unit: str, note: str = "") -> Ours:
    """Rank correlation of Spearman over independent units, each with one value of x and of y.

    Its interval is the one by Fisher's z with a standard error of sqrt(1.06 / (n - 3)) (Fieller,
    Hartley and Pearson 1957), because few units vary too little when drawn with replacement. A
    perfect correlation counts as half an exchange of neighbours less.

    Parameters
    ----------
    x, y : (n,)
    unit : name of a unit, in the singular
    note : remark for the verdict

    Raises
    ------
    NotHere
        If there are fewer than three units, or all values of x or of y are the same.

    Examples
    --------
    >>> ours = rank_correlation(pd.Series([1, 2, 3, 4, 5]), pd.Series([1, 2, 3, 5, 9]), "network")
    >>> round(ours.value, 2), round(ours.low, 2), ours.drawn
    (1.0, 0.38, '5 independent networks (Fisher z)')
    """
    both = np.asarray([x, y], dtype=float)
    ranks = [pd.Series(values).rank() for values in both[:, ~np.isnan(both).any(axis=0)]]
    n = len(ranks[0])
    if n < 3 or ranks[0].nunique() == 1 or ranks[1].nunique() == 1:
        raise NotHere(f"needs three {_plural(unit)} that differ")
    value, words = float(ranks[0].corr(ranks[1])), f"{n} {_plural(unit)}"
    if n == 3:
        return Ours(value, note=note, drawn=f"no interval: only {words}", sample=words)
    most = 1 - 6 / (n**3 - n)
    z, error = np.arctanh(np.clip(value, -most, most)), np.sqrt(1.06 / (n - 3))
    half = ndtri((1 + LEVEL) / 2) * error
    low, high = min(np.tanh(z - half), value), max(np.tanh(z + half), value)
    drawn, first = f"{n} independent {_plural(unit)} (Fisher z)", float(ndtr(z / error))
    return Ours(value, float(low), float(high), note, drawn, words, first)


def exactly(value: float, note: str = "", sample: str = "") -> Ours:
    """A value that no draw decides: a count, a theorem's check, a computation without training.

    >>> exactly(0).low
    0.0
    """
    value = float(value)
    return Ours(value, value, value, note, "exact: nothing is drawn", sample)


def share(successes: int, trials: int, unit: str, note: str = "") -> Ours:
    """A share of independent units, with its exact interval (Clopper and Pearson 1934).

    Parameters
    ----------
    successes, trials : int
    unit : name of what is counted, in the singular
    note : remark for the verdict

    Raises
    ------
    NotHere
        If there are no trials.

    Examples
    --------
    >>> ours = share(0, 10, "training")
    >>> ours.value, ours.low, round(ours.high, 2)
    (0.0, 0.0, 0.31)
    """
    if not trials:
        raise NotHere(f"no {unit} to count")
    tail, failures = (1 - LEVEL) / 2, trials - successes
    low = betaincinv(successes, failures + 1, tail) if successes else 0.0
    high = betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    words = f"{successes} of {trials} {_plural(unit)}"
    return Ours(
        successes / trials, float(low), float(high), note, f"{words} (Clopper-Pearson)", words
    )


def difference(first: Ours, second: Ours, note: str = "", digits: int = 3) -> Ours:
    """Difference of two measured values that were drawn independently.

    The distances of its ends are the root of the sum of squares of both (Zou and Donner 2008).

    Examples
    --------
    >>> difference(Ours(3.0, 2.0, 4.0), Ours(1.0, 1.0, 1.0)).low
    1.0
    """
    value = first.value - second.value
    low = value - np.hypot(first.value - first.low, second.high - second.value)
    high = value + np.hypot(first.high - first.value, second.value - second.low)
    words = f"{first.value:.{digits}f} less {second.value:.{digits}f}"
    unknown = [ours.drawn for ours in (first, second) if np.isnan(ours.low) and ours.drawn]
    if not unknown and first.drawn:
        drawn = f"both drawn independently: {first.drawn}"
    else:
        drawn = "".join(unknown[:1])
    sample = first.sample or second.sample
    note = f"{words}; {note}" if note else words
    return Ours(value, float(low), float(high), note, drawn, sample)


def sample_of(table: pd.DataFrame, used: int | None = None) -> str:
    """Numbers of configurations, trainings and models or other rows of a table, in words.

    ``used`` : number of rows that count, if not all

    >>> sample_of(pd.DataFrame({"configuration": ["a", "a", "b"], "seed": [0, 1, 0]}))
    '2 configurations, 3 trainings, 3 rows'
    """
    counts = {}
    if "configuration" in table:
        counts["configuration"] = table["configuration"].nunique()
        if "seed" in table:
            counts["training"] = len(table[TRAINING].drop_duplicates())
    counts["model" if "checkpoint" in table else "row"] = len(table)
    words = ", ".join(
        f"{count:,} {unit if count == 1 else _plural(unit)}" for unit, count in counts.items()
    )
    return words if used in (None, len(table)) else f"{words}, of which {used:,} count"


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
    """Median of values that are repeated as often as their weights say; NaN if none is."""
    return weighted_quantile(values, weights, 0.5)


def weighted_quantile(values: pd.Series, weights: np.ndarray, q: float) -> float:
    """Quantile of values that are repeated as often as their weights say; NaN if none is."""
    repeated = np.repeat(values.to_numpy(), weights.astype(int))
    return float(np.quantile(repeated, q)) if len(repeated) else np.nan


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
    among : columns in which compared rows agree; their groups are drawn for the interval
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
    pairs = (both[True] - both[False]).rename("less").reset_index()
    note = f"over {len(pairs)} pairs alike in {' and '.join(among)}"
    ours = with_interval(
        lambda w: weighted_mean(pairs["less"], w), pairs, note, unit="pair", by=among
    )
    return ours._replace(sample=sample_of(table))
