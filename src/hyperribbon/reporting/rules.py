"""The rules by which claims are judged.

A rule names the values for which a claim holds: a region, which a published value and a margin of
equivalence decide. The verdict depends on a study's whole 95% interval. If all of it lies in the
region, the claim is reproduced; if none of it does, contradicted; otherwise the study cannot tell.
So "reproduced" of a published value is a test of equivalence, and "contradicted" a test that the
difference exceeds the margin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.reporting.verdicts import CONTRADICTED, REPRODUCED, UNDECIDED

SURE = 0.95  # share of draws
_ABOVE_0 = float(np.nextafter(0, 1))


class Rule(NamedTuple):
    """When a claim counts as reproduced.

    Attributes
    ----------
    name : words that complete "reproduced if the whole interval is ..."
    region : function of the published value that returns the least and the largest value for which
        the claim holds
    margin : how far from the published value another one counts as equivalent; NaN if the claim is
        compared with none
    outside : whether the claim holds outside the region instead
    of_first : whether the share of draws decides in which the claimed one of several is first
    one_way : whether no value contradicts the claim, as no p-value shows that there is no effect
    """

    name: str
    region: Callable[[float], tuple[float, float]]
    margin: float = np.nan
    outside: bool = False
    of_first: bool = False
    one_way: bool = False

    def verdict(self, low: float, high: float, published: float = np.nan) -> str:
        """Verdict on an interval.

        Examples
        --------
        >>> about(0.05).verdict(0.93, 0.96, published=0.95)
        'reproduced'
        >>> about(0.05).verdict(0.85, 0.96, published=0.95)
        'undecided'
        >>> about(0.05).verdict(0.80, 0.85, published=0.95)
        'contradicted'
        """
        least, largest = self.region(published)
        inside = least <= low and high <= largest
        beside = high < least or low > largest
        if self.outside:
            inside, beside = beside, inside
        contradicted = beside and not self.one_way
        return REPRODUCED if inside else CONTRADICTED if contradicted else UNDECIDED


def about(margin: float) -> Rule:
    """The rule that a value is the published one, up to a margin."""
    return Rule(
        f"within {margin:g} of the published value",
        lambda value: (value - margin, value + margin),
        margin,
    )


def at_least(margin: float = 0.0) -> Rule:
    """The rule that a value is not smaller than the published one, up to a margin."""
    return Rule(
        f"at least the published value{_less(margin, 'less')}",
        lambda value: (value - margin, np.inf),
        margin,
    )


def at_most(margin: float = 0.0) -> Rule:
    """The rule that a value is not larger than the published one, up to a margin."""
    return Rule(
        f"at most the published value{_less(margin, 'plus')}",
        lambda value: (-np.inf, value + margin),
        margin,
    )


def _less(margin: float, word: str) -> str:
    return f" {word} {margin:g}" if margin else ""


def within_factor(factor: float) -> Rule:
    """The rule that a value is the published one, which is positive, up to a factor."""
    return Rule(
        f"within a factor of {factor:g} of the published value",
        lambda value: (value / factor, value * factor),
        factor,
    )


def between(least: float, largest: float) -> Rule:
    """The rule that a value is in a range that the source or we name."""
    return Rule(f"from {least:g} to {largest:g}", lambda value: (least, largest))


def outside(least: float, largest: float) -> Rule:
    """The rule that a value is not in a range."""
    words = f"below {least:g} or above {largest:g}"
    return Rule(words, lambda value: (least, largest), outside=True)


def not_worse(margin: float) -> Rule:
    """The rule that a difference is not much below 0."""
    return Rule(f"at least -{margin:g}", lambda value: (-margin, np.inf), margin)


AT_LEAST, AT_MOST = at_least(), at_most()
POSITIVE = Rule("above 0", lambda value: (_ABOVE_0, np.inf))
NEGATIVE = Rule("below 0", lambda value: (-np.inf, -_ABOVE_0))
ALIKE = between(0.5, 2)
AT_MOST_TWICE = Rule("at most 2", lambda value: (-np.inf, 2.0))
SIGNIFICANT = Rule(
    "at most 0.05 (a larger p-value shows nothing)", lambda value: (0.0, 0.05), one_way=True
)
FIRST = Rule(
    f"of draws in which the named one is first, at least {SURE:.0%} (contradicted: at most "
    f"{1 - SURE:.0%})",
    lambda value: (SURE, 1.0),
    of_first=True,
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
    'within 0.05 of the published value'
    """
    if isinstance(words, str) and words in RULES:
        return RULES[words]
    try:
        kind, margin = words.split()
        if kind == "within" and 0 <= float(margin) < np.inf:
            return about(float(margin))
    except (AttributeError, ValueError):
        pass
    raise DataError(f"rule = {words!r}: expected one of {', '.join(RULES)}, within 0.05")
