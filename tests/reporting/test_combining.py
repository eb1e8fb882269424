"""Values combined from others, on made-up ones of which the truth is known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.reporting.claims import Claim, NotHere, Ours, judge
from hyperribbon.reporting.combining import largest_of, least_of, magnitude, ratio
from hyperribbon.reporting.rules import POSITIVE
from hyperribbon.reporting.statistics import exactly

ends = st.tuples(*[st.floats(-10, 10)] * 3).map(sorted)
measured = ends.map(lambda e: Ours(e[1], e[0], e[2], drawn="9 runs", sample="9 runs"))


@given(st.dictionaries(st.text("abc", min_size=1), measured, min_size=1))
def test_extremes_agree_with_all_intervals(found):
    least, largest = least_of(found), largest_of(found)
    assert least.low <= least.value <= least.high and largest.low <= largest.value <= largest.high
    # A lower limit is exceeded by the least exactly if all exceed it.
    assert (least.low > 0) == all(ours.low > 0 for ours in found.values())
    assert (least.high < 0) == any(ours.high < 0 for ours in found.values())
    mirrored = {name: Ours(-o.value, -o.high, -o.low) for name, o in found.items()}
    assert least_of(mirrored)[:3] == (-largest.value, -largest.high, -largest.low)


def test_one_without_interval_leaves_it_open_and_says_so():
    some = {"a": Ours(1, 0.5, 2, drawn="9 runs", sample="9 runs")}
    some["b"] = Ours(5, drawn="no interval: one run", sample="1 run")
    ours = least_of(some)
    assert ours.value == 1 and np.isnan(ours.low)
    assert ours.drawn == "least of 2, each: no interval: one run"
    [verdict] = judge([Claim("", "", POSITIVE, lambda tables: ours)], {}, "", "")["verdict"]
    assert verdict == "undecided"
    alone = least_of({"a": some["a"], "c": Ours(np.nan)})
    assert alone.drawn == "9 runs" and alone.low == 0.5
    with pytest.raises(NotHere):
        largest_of({"c": Ours(np.nan)})


@given(measured)
def test_magnitudes_are_those_of_the_whole_interval(ours):
    found = magnitude(ours)
    assert found.low <= found.value <= found.high
    nearest = np.clip(0, ours.low, ours.high)
    assert found.low == abs(nearest) and found.high == max(abs(ours.low), abs(ours.high))
    assert np.isnan(magnitude(Ours(-1.0)).low) and magnitude(Ours(-1.0)).value == 1


def test_ratios_of_what_is_exact_are_exact_and_others_are_wider_than_either():
    assert ratio(exactly(6), exactly(3))[:3] == pytest.approx((2, 2, 2))
    first, second = Ours(6.0, 3.0, 12.0, drawn="9 runs"), Ours(2.0, 1.0, 4.0)
    ours = ratio(first, second)
    assert ours.value == 3 and ours.low == pytest.approx(3 / 2 ** np.sqrt(2))
    assert "9 runs" in ours.drawn and ours.note == "6 over 2"
    assert np.isnan(ratio(Ours(0.0, -1.0, 1.0), second).low)
