"""Verdicts on claims, from what a study measured."""

import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.reporting import rules
from hyperribbon.reporting.claims import COLUMNS, Claim, NotHere, Ours, judge
from hyperribbon.reporting.verdicts import (
    CONTRADICTED,
    NOT_COMPARABLE,
    REPRODUCED,
    UNDECIDED,
    VERDICTS,
)


def judged(rule, ours, published=np.nan, *, data=(), study_of="mnist", check=None):
    """The row of one claim."""

    def measure(tables):
        if isinstance(ours, Exception):
            raise ours
        return ours

    claim = Claim("Words.", "Fig. 1", rule, measure, published, data, check)
    (row,) = judge([claim], {}, "study", study_of).to_dict("records")
    return row


def test_a_row_shows_all_that_a_reader_needs():
    ours = Ours(0.93, 0.9, 0.96, "a note", "9 configurations drawn", "9 configurations")
    row = judged(rules.about(0.05), ours, 0.95)
    assert list(row) == COLUMNS
    expected = {
        "claim": "Words.", "source": "Fig. 1", "rule": "within 0.05 of the published value",
        "published": 0.95, "margin": 0.05, "ours": 0.93, "low": 0.9, "high": 0.96,
        "drawn": "9 configurations drawn", "sample": "9 configurations", "verdict": REPRODUCED,
        "note": "a note", "study": "study", "data": "mnist",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    assert row["detectable"] == pytest.approx(0.03 * (1.96 + 0.8416) / 1.96, rel=1e-3)


def test_a_value_without_interval_decides_nothing():
    row = judged(rules.POSITIVE, Ours(5.0))
    assert (row["verdict"], row["note"]) == (UNDECIDED, "no interval")
    why = judged(rules.POSITIVE, Ours(5.0, drawn="no interval: one network"))
    assert (why["verdict"], why["note"]) == (UNDECIDED, "")  # beside the words of `drawn`
    assert judged(rules.POSITIVE, Ours(5.0, 5.0, 5.0))["verdict"] == REPRODUCED
    assert judged(rules.POSITIVE, Ours(np.nan))["verdict"] == NOT_COMPARABLE


def test_an_interval_too_wide_to_agree_is_said():
    wide, clear = (judged(rules.about(0.05), Ours(0.9, a, 1.0), 0.95) for a in (0.8, 0.89))
    assert wide["verdict"] == clear["verdict"] == UNDECIDED
    assert wide["note"].endswith("a study of this size cannot agree")
    wide = judged(rules.about(0.01), Ours(0.5, 0.4, 0.6), 0.95)
    assert (wide["verdict"], wide["note"]) == (CONTRADICTED, "")


@pytest.mark.parametrize(
    ("first", "verdict"),
    [(0.96, REPRODUCED), (0.5, UNDECIDED), (0.04, CONTRADICTED), (np.nan, UNDECIDED)],
)
def test_of_the_first_of_several_the_share_of_draws_decides(first, verdict):
    row = judged(rules.FIRST, Ours(0.1, -0.2, 0.3, first=first))
    assert row["verdict"] == verdict
    assert row["note"] == ("no draws" if np.isnan(first) else f"first in {first:.0%} of draws")


def test_a_value_counts_only_for_the_data_that_it_was_published_for():
    ours = Ours(0.4, 0.3, 0.45)
    row = judged(rules.at_least(), ours, 0.5, data=("cifar10", "imagenet"))
    assert row["verdict"] == NOT_COMPARABLE
    assert row["note"] == "published for cifar10 and imagenet"
    assert (row["ours"], row["low"]) == (0.4, 0.3)  # shown, whatever the verdict
    row = judged(rules.at_least(), ours, 0.5, data=("cifar10",), study_of="cifar10")
    assert row["verdict"] == CONTRADICTED


def test_a_study_that_cannot_judge_a_claim_says_why():
    row = judged(rules.POSITIVE, NotHere("needs two seeds"))
    assert (row["verdict"], row["note"]) == (NOT_COMPARABLE, "needs two seeds")
    assert np.isnan(row["ours"])

    def check(tables):
        raise NotHere("is about other studies")

    row = judged(rules.POSITIVE, Ours(1.0, 1.0, 1.0), check=check)
    assert (row["verdict"], row["note"]) == (NOT_COMPARABLE, "is about other studies")


@pytest.mark.parametrize(
    "rule", [rules.about(0.1), rules.at_least(), rules.at_most(0.1), rules.within_factor(2)]
)
def test_a_rule_that_compares_needs_a_published_value(rule):
    with pytest.raises(DataError, match=r"claim 'Words.': the rule '.*' needs a value"):
        judged(rule, Ours(1.0, 1.0, 1.0))


def test_there_are_four_verdicts():
    assert VERDICTS == ("reproduced", "contradicted", "undecided", "not comparable here")
