"""Values combined from others, on made-up ones of which the truth is known."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hyperribbon.reporting.claims import Claim, NotHere, Ours, judge
from hyperribbon.reporting.combining import largest_of, least_of, magnitude, ranked, ratio
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


@pytest.mark.parametrize("n", [4, 5, 6])
def test_a_perfect_order_of_few_is_judged_as_by_the_test_of_all_orders(n):
    x = np.arange(n)
    found = [spearmanr(x, order).statistic for order in permutations(x)]
    p = np.mean(np.abs(found) >= 1 - 1e-9)  # two-sided
    ours = ranked(x, x, "task")
    assert (ours.low > 0) == (p < 0.05)
    assert ranked(x, -x, "task")[:3] == pytest.approx((-1, -1, -ours.low))


@pytest.mark.parametrize("truth", [0.0, 0.6])
@pytest.mark.parametrize("n", [6, 20])
def test_intervals_of_rank_correlations_cover(n, truth):
    rng = np.random.default_rng(0)
    of_normal = 6 / np.pi * np.arcsin(truth / 2)  # Spearman's of the bivariate normal
    covered = []
    for _ in range(300):
        x = rng.standard_normal(n)
        y = truth * x + np.sqrt(1 - truth**2) * rng.standard_normal(n)
        ours = ranked(x, y, "task")
        covered.append(ours.low <= of_normal <= ours.high)
    assert 0.9 <= np.mean(covered) <= 0.99


def test_what_does_not_vary_has_no_rank_correlation():
    assert np.isnan(ranked([1, 2, 3], [4, 4, 4], "task").value)
    assert ranked([1, 2, 3], [4, 5, 6], "task").drawn == "no interval: 3 tasks"
    with pytest.raises(NotHere, match="needs three tasks"):
        ranked([1, 2], [1, 2], "task")
