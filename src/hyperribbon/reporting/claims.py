"""Claims, the rules by which they are judged, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.reporting.verdicts import NOT_COMPARABLE, NOT_REPRODUCED, REPRODUCED

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "claim", "source", "rule", "published", "ours", "low", "high", "verdict", "note", "study",
    "data",
]  # fmt: skip


class Ours(NamedTuple):
    """What a study measured, with a 95% interval where there is one."""

    value: float
    low: float = np.nan
    high: float = np.nan
    note: str = ""


class NotHere(Exception):
    """A study cannot judge a claim; the message is a sentence that says why."""


class Rule(NamedTuple):
    """When a claim counts as reproduced.

    Attributes
    ----------
    name : words that complete "reproduced if ..."
    holds : function of what was measured and of the published value
    """

    name: str
    holds: Callable[[Ours, float], bool]


def about(tolerance: float) -> Rule:
    """The rule that a value is near the published one."""
    return Rule(
        f"ours is within {tolerance:g} of the published value, or that is in our interval",
        lambda ours, value: abs(ours.value - value) <= tolerance or ours.low <= value <= ours.high,
    )


AT_LEAST = Rule(
    "ours, or the upper end of its interval, is at least the published value",
    lambda ours, value: np.fmax(ours.value, ours.high) >= value,
)
AT_MOST = Rule(
    "ours, or the lower end of its interval, is at most the published value",
    lambda ours, value: np.fmin(ours.value, ours.low) <= value,
)
POSITIVE = Rule(
    "ours, and all of its interval, is above 0",
    lambda ours, value: np.fmin(ours.value, ours.low) > 0,
)
NEGATIVE = Rule(
    "ours, and all of its interval, is below 0",
    lambda ours, value: np.fmax(ours.value, ours.high) < 0,
)

ALIKE = Rule("ours is from 0.5 to 2", lambda ours, value: 0.5 <= ours.value <= 2)
AT_MOST_TWICE = Rule("ours is at most 2", lambda ours, value: ours.value <= 2)


def not_worse(tolerance: float) -> Rule:
    """The rule that a difference is not much below 0."""
    return Rule(
        f"ours, a difference, is at least -{tolerance:g}",
        lambda ours, value: ours.value >= -tolerance,
    )


RULES = {"at least": AT_LEAST, "at most": AT_MOST, "positive": POSITIVE, "negative": NEGATIVE}


def rule_named(words: str) -> Rule:
    """A rule by its name: one of `RULES`, or ``within X`` of the published value.

    Raises
    ------
    DataError
        If there is no such rule.

    Examples
    --------
    >>> rule_named("within 0.05").name
    'ours is within 0.05 of the published value, or that is in our interval'
    """
    if isinstance(words, str) and words in RULES:
        return RULES[words]
    try:
        kind, tolerance = words.split()
        if kind == "within" and 0 <= float(tolerance) < np.inf:
            return about(float(tolerance))
    except (AttributeError, ValueError):
        pass
    raise DataError(f"rule = {words!r}: expected one of {', '.join(RULES)}, within 0.05")


class Claim(NamedTuple):
    """A claim of the dissertation that can be measured.

    Attributes
    ----------
    text : the claim, in a sentence
    source : figure, table or section
    rule : when the claim counts as reproduced
    measure : function that measures the value from a study's tables, by name; raises NotHere
    published : the published value, NaN if the source makes only a statement
    data : data sets for which that value was published; if empty, the claim holds for any
    check : function of the tables that raises NotHere if the claim is about another kind of study
    """

    text: str
    source: str
    rule: Rule
    measure: Callable[[Mapping[str, pd.DataFrame]], Ours]
    published: float = np.nan
    data: Sequence[str] = ()
    check: Callable[[Mapping[str, pd.DataFrame]], None] | None = None


def judge(
    claims: Sequence[Claim], tables: Mapping[str, pd.DataFrame], study: str, data: str
) -> pd.DataFrame:
    """Judge claims: one row per claim with published value, measured value and verdict.

    Parameters
    ----------
    claims : claims to judge
    tables : tables of the study, by name
    study, data : names of the study and of its data set

    Returns
    -------
    DataFrame with the columns ``COLUMNS``
    """
    import pandas as pd  # takes a while, and whoever only registers a claim needs none

    rows = []
    for claim in claims:
        row = {
            "claim": claim.text,
            "source": claim.source,
            "rule": claim.rule.name,
            "published": claim.published,
            "study": study,
            "data": data,
        }
        try:
            if claim.check is not None:
                claim.check(tables)
            ours = claim.measure(tables)
        except NotHere as reason:
            rows.append({**row, "verdict": NOT_COMPARABLE, "note": str(reason)})
            continue
        notes = [ours.note] if ours.note else []
        if np.isnan(ours.value):
            verdict = NOT_COMPARABLE
            notes.append("undefined in this study")
        elif claim.data and data not in claim.data:
            verdict = NOT_COMPARABLE
            notes.append(f"published for {' and '.join(claim.data)}")
        else:
            verdict = REPRODUCED if claim.rule.holds(ours, claim.published) else NOT_REPRODUCED
        row |= {"ours": ours.value, "low": ours.low, "high": ours.high}
        rows.append({**row, "verdict": verdict, "note": "; ".join(notes)})
    return pd.DataFrame(rows, columns=COLUMNS)
