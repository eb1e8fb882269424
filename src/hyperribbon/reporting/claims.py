"""Claims, what a study measured of them, and the verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.reporting.rules import SURE, Rule
from hyperribbon.reporting.verdicts import CONTRADICTED, NOT_COMPARABLE, REPRODUCED, UNDECIDED

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = [
    "claim", "source", "rule", "published", "margin", "ours", "low", "high", "drawn", "sample",
    "detectable", "verdict", "note", "study", "data",
]  # fmt: skip
POWER = 0.8


class Ours(NamedTuple):
    """What a study measured, with its 95% interval.

    Attributes
    ----------
    value : what was measured, NaN if it is undefined in the study
    low, high : ends of the interval, NaN if there is none; both are the value if it is exact
    note : remark
    drawn : how the interval was found, or why there is none
    sample : configurations, trainings and models that it was measured on, in words
    first : share of draws in which the value is above 0, for the rule `FIRST`
    """

    value: float
    low: float = np.nan
    high: float = np.nan
    note: str = ""
    drawn: str = ""
    sample: str = ""
    first: float = np.nan


class NotHere(Exception):
    """A study cannot judge a claim; the message is a sentence that says why."""


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
    DataFrame with the columns ``COLUMNS``; ``detectable`` is how far from a rule's limit a value
    must be for a verdict in four of five such studies

    Raises
    ------
    DataError
        If a rule compares with a published value that a claim lacks.
    """
    import pandas as pd  # takes a while, and whoever only registers a claim needs none

    rows = []
    for claim in claims:
        row = {
            "claim": claim.text,
            "source": claim.source,
            "rule": claim.rule.name,
            "published": claim.published,
            "margin": claim.rule.margin,
            "study": study,
            "data": data,
        }
        if np.isnan(claim.rule.region(claim.published)).any():
            raise DataError(f"claim {claim.text!r}: the rule {claim.rule.name!r} needs a value")
        try:
            if claim.check is not None:
                claim.check(tables)
            ours = claim.measure(tables)
        except NotHere as reason:
            rows.append({**row, "verdict": NOT_COMPARABLE, "note": str(reason)})
            continue
        verdict, remark = _verdict(claim, ours, data)
        row |= {name: getattr(ours, name) for name in ("low", "high", "drawn", "sample")}
        row |= {"ours": ours.value, "detectable": detectable(ours), "verdict": verdict}
        rows.append({**row, "note": "; ".join(filter(None, (ours.note, remark)))})
    return pd.DataFrame(rows, columns=COLUMNS)


def _verdict(claim: Claim, ours: Ours, data: str) -> tuple[str, str]:
    """Verdict, and a remark that explains it."""
    rule = claim.rule
    if np.isnan(ours.value):
        return NOT_COMPARABLE, "undefined in this study"
    if claim.data and data not in claim.data:
        return NOT_COMPARABLE, f"published for {' and '.join(claim.data)}"
    if rule.of_first:
        if np.isnan(ours.first):
            return UNDECIDED, "no draws"
        words = f"first in {ours.first:.0%} of draws"
        sure = ours.first >= SURE, ours.first <= 1 - SURE
        return REPRODUCED if sure[0] else CONTRADICTED if sure[1] else UNDECIDED, words
    if np.isnan(ours.low) or np.isnan(ours.high):
        return UNDECIDED, "" if ours.drawn else "no interval"
    verdict = rule.verdict(ours.low, ours.high, claim.published)
    least, largest = rule.region(claim.published)
    if verdict == UNDECIDED and not rule.outside and ours.high - ours.low > largest - least:
        return verdict, "the interval is wider than the margin: a study of this size cannot agree"
    return verdict, ""


def detectable(ours: Ours) -> float:
    """How far from a rule's limit a value must be for a verdict in four of five such studies.

    That is (z_0.975 + z_0.8) standard errors, of which half an interval is z_0.975; of few units
    somewhat less would do.

    >>> round(detectable(Ours(0.5, low=0.4, high=0.6)), 3)
    0.143
    """
    half = NormalDist().inv_cdf(0.975)
    return (half + NormalDist().inv_cdf(POWER)) / half * (ours.high - ours.low) / 2
