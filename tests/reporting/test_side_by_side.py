"""Claims of several studies side by side."""

import pandas as pd
import pytest

from hyperribbon.errors import DataError
from hyperribbon.reporting.side_by_side import (
    NEEDED,
    check_claims,
    claims_side_by_side,
    count_verdicts,
)
from hyperribbon.reporting.verdicts import VERDICTS


def claims(*rows) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=NEEDED)


A = claims(
    ("first", "Fig. 1", 0.51234, 0.4, 0.6, VERDICTS[0], "one"),
    ("second", "Fig. 2", None, None, None, VERDICTS[-1], None),
)
B = claims(
    ("third", "Fig. 3", 2.0, None, None, VERDICTS[1], None),
    ("second", "Fig. 2", -1e-4, -2e-4, 0, VERDICTS[0], None),
)


def test_every_claim_has_a_row_in_the_order_in_which_they_occur():
    found = claims_side_by_side({"a": A, "b": B})
    assert found.index.tolist() == [("first", "Fig. 1"), ("second", "Fig. 2"), ("third", "Fig. 3")]
    assert found["a"].iloc[0].tolist() == ["0.512", "0.4 to 0.6", VERDICTS[0], "one"]
    assert found["b"].iloc[0].tolist() == [""] * 4
    assert found["b"].iloc[1].tolist() == ["-0.0001", "-0.0002 to 0", VERDICTS[0], ""]
    assert list(found.columns.get_level_values(0).unique()) == ["a", "b"]


def test_equal_claims_with_other_rules_stay_apart():
    twice = claims(
        ("first", "Fig. 1", 1, None, None, VERDICTS[0], None),
        ("first", "Fig. 1", 2, None, None, VERDICTS[1], None),
    )
    found = claims_side_by_side({"a": A, "twice": twice})
    assert found["twice", "value"].tolist() == ["1", "", "2"]
    assert found["a", "value"].tolist() == ["0.512", "", ""]


def test_all_verdicts_are_counted():
    found = count_verdicts({"a": A, "b": B})
    assert list(found) == list(VERDICTS)
    assert found.loc["a"].sum() == 2
    assert found.loc["b", VERDICTS[0]] == 1


@pytest.mark.parametrize("column", NEEDED)
def test_a_table_without_a_column_is_refused(column):
    with pytest.raises(DataError, match=f"x.csv: no column {column}"):
        check_claims(A.drop(columns=column), "x.csv")


def test_a_verdict_of_another_version_is_refused():
    with pytest.raises(DataError, match="x.csv: verdict 'proven', expected one of"):
        check_claims(A.assign(verdict="proven"), "x.csv")
