"""Means, and values combined from several measured ones, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.statistics import difference, weighted_mean, with_interval


def mean_over(
    table: pd.DataFrame,
    column: str,
    note: str = "",
    *,
    unit: str = "configuration",
    by: Sequence[str] = (),
    scale: str = "",
    bounds: tuple[float, float] | None = None,
) -> Ours:
    """Mean of a column over the rows that have a value; the rest is as for `with_interval`.

    Examples
    --------
    >>> table = pd.DataFrame({"seed": [0, 1, 2], "slope": [1.0, 2.0, np.nan]})
    >>> ours = mean_over(table, "slope", unit="seed")
    >>> ours.value, ours.drawn
    (1.5, '2 seeds drawn with replacement')
    """
    rows = table[np.isfinite(table[column].astype(float))].reset_index(drop=True)
    mean = partial(weighted_mean, rows[column].astype(float))
    return with_interval(mean, rows, note, unit=unit, by=by, scale=scale, bounds=bounds)


def least_of(found: Mapping[str, Ours], note: str = "", digits: int = 3) -> Ours:
    """The least of several values, for a claim that all of them are large enough.

    Its interval is from the least of the lower ends to the least of the upper ends, so that all
    intervals must agree for such a claim to be reproduced, and one suffices to contradict it
    (Berger 1982, "Multiparameter hypothesis testing and acceptance sampling").

    Parameters
    ----------
    found : values by name; those that are NaN do not count
    note : remark for the verdict, before the values
    digits : of the values in the note

    Returns
    -------
    Ours
        Without interval if one of them has none.

    Raises
    ------
    NotHere
        If there are no values.

    Examples
    --------
    >>> ours = least_of({"a": Ours(0.5, 0.4, 0.6), "b": Ours(0.3, -0.1, 0.7)})
    >>> ours.value, ours.low, ours.high, ours.note
    (0.3, -0.1, 0.6, 'a 0.500, b 0.300')
    """
    return _extreme(found, "least", note, digits)


def largest_of(found: Mapping[str, Ours], note: str = "", digits: int = 3) -> Ours:
    """The largest of several values, for a claim that all of them are small enough.

    Parameters, result and errors are those of `least_of`.

    >>> largest_of({"a": Ours(0.5, 0.4, 0.6), "b": Ours(0.3, -0.1, 0.7)}).high
    0.7
    """
    return _extreme(found, "largest", note, digits)


def _extreme(found: Mapping[str, Ours], which: str, note: str, digits: int) -> Ours:
    found = {name: ours for name, ours in found.items() if not np.isnan(ours.value)}
    if not found:
        raise NotHere("nothing to measure it on")
    reduce = np.min if which == "least" else np.max
    value, low, high = (
        float(reduce([getattr(ours, end) for ours in found.values()]))
        for end in ("value", "low", "high")
    )
    each = ", ".join(f"{name} {ours.value:.{digits}f}" for name, ours in found.items())
    # Words of one without interval, if there is one, or else of the one that is chosen.
    first = min(found.values(), key=lambda ours: (np.isfinite(ours.low), ours.value != value))
    drawn, sample = first.drawn, first.sample
    if len(found) > 1:
        drawn, sample = f"{which} of {len(found)}, each: {drawn}", f"each: {sample}"
    return Ours(value, low, high, f"{note}; {each}" if note else each, drawn, sample)


def magnitude(ours: Ours) -> Ours:
    """Absolute value of a measured one, for a claim that it is near 0.

    >>> magnitude(Ours(-0.1, -0.3, 0.1))[:3]
    (0.1, 0.0, 0.3)
    """
    ends = abs(ours.low), abs(ours.high)
    low = 0.0 if ours.low <= 0 <= ours.high else min(ends)
    return ours._replace(value=abs(ours.value), low=low, high=max(ends))


def ratio(first: Ours, second: Ours, note: str = "") -> Ours:
    """Ratio of two positive values that were drawn independently: `difference` of logarithms.

    Examples
    --------
    >>> round(ratio(Ours(6.0, 3.0, 12.0), Ours(2.0, 2.0, 2.0)).low, 6)
    1.5
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = [
            ours._replace(**{end: np.log(getattr(ours, end)) for end in ("value", "low", "high")})
            for ours in (first, second)
        ]
        less = difference(logs[0], logs[1])
    words = f"{first.value:.3g} over {second.value:.3g}"
    return less._replace(
        value=first.value / second.value,
        low=float(np.exp(less.low)),
        high=float(np.exp(less.high)),
        note=f"{words}; {note}" if note else words,
    )
