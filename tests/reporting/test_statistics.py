"""Statistics with their intervals: what is drawn, and what is said of it."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, spearmanr

from hyperribbon.numerics.bootstrap import bootstrap_interval
from hyperribbon.reporting.claims import NotHere, Ours
from hyperribbon.reporting.scales import DRAWS
from hyperribbon.reporting.statistics import (
    difference,
    drawn_share,
    exactly,
    of_step,
    rank_correlation,
    sample_of,
    share,
    weighted_mean,
    weighted_median,
    weighted_quantile,
    with_interval,
    with_less_without,
    without_groups,
)


def study(configurations=4, seeds=3, checkpoints=2):
    rows = [
        {"configuration": f"c{c}", "seed": s, "checkpoint": k, "value": c + 0.1 * s + 0.01 * k}
        for c in range(configurations) for s in range(seeds) for k in range(checkpoints)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def mean_of(table):
    return lambda w: weighted_mean(table["value"], w)


@pytest.mark.parametrize(
    ("options", "columns", "units"),
    [
        ({}, ["configuration"], 4),
        ({"unit": "training"}, ["configuration", "seed"], 12),
        ({"unit": "seed"}, ["seed"], 3),
        ({"unit": "state", "by": ["seed", "checkpoint"]}, ["seed", "checkpoint"], 6),
    ],
)
def test_units_are_drawn_whole(options, columns, units):
    table, seen = study(), []

    def statistic(weights):
        seen.append(weights)
        return weights @ table["value"]

    ours = with_interval(statistic, table, **options)
    assert (seen[0] == 1).all()
    assert 10 < len(seen) <= 1 + DRAWS
    assert len({tuple(weights) for weights in seen}) >= len(seen) - 1  # each draw is measured once
    for weights in seen[1:20]:
        of_unit = table.assign(w=weights).groupby(columns)["w"]
        assert (of_unit.nunique() == 1).all()
        assert of_unit.first().sum() == units
    assert ours.drawn == f"{units} {options.get('unit', 'configuration')}s drawn with replacement"
    assert ours.sample == "4 configurations, 12 trainings, 24 models"


def test_the_interval_is_that_of_the_bootstrap():
    table = study()
    ours = with_interval(mean_of(table), table, "a note")
    assert ours.value == pytest.approx(table["value"].mean())
    low, high = bootstrap_interval(mean_of(table), table["configuration"], ours.value, draws=DRAWS)
    assert (ours.low, ours.high) == (low, high)
    assert ours.note == "a note"
    # More independent units of the same values tell more.
    assert with_interval(mean_of(table), table, unit="training").high < high


def test_one_unit_has_no_interval():
    table = study(configurations=1).assign(network="ViT")
    ours = with_interval(mean_of(table), table, unit="network")
    assert np.isnan([ours.low, ours.high, ours.first]).all()
    assert ours.drawn == "no interval: one network"
    assert ours.sample == "1 configuration, 3 trainings, 6 models"
    with pytest.raises(NotHere, match="no models"):
        with_interval(mean_of(table), table[:0])


def test_units_that_all_agree_have_no_interval():
    """A width of 0 would say that the value is known."""
    table = study()
    ours = with_interval(lambda w: 3.0, table)
    assert np.isnan([ours.low, ours.high, ours.first]).all()
    assert ours.drawn == "no interval: 4 configurations that all agree"
    equal = pd.DataFrame({"configuration": list("abcdefg"), "value": 0.1})  # 0.7 / 7 is not 0.1
    assert with_interval(mean_of(equal), equal).drawn.endswith("7 configurations that all agree")


@pytest.mark.parametrize("own", [1, 2])
def test_one_unit_on_a_side_of_a_comparison_has_no_interval(own):
    table = study(configurations=10)
    side = table["configuration"].isin([f"c{k}" for k in range(own)]).to_numpy()

    def difference(w):
        return weighted_mean(table["value"], w * side) - weighted_mean(table["value"], w * ~side)

    ours = with_interval(difference, table)
    assert np.isfinite(ours.low) == (own > 1)
    if own == 1:
        assert ours.drawn == "no interval: too few configurations on one side of the comparison"


@pytest.mark.parametrize("value", [0, 1])
def test_a_share_of_units_that_agree_is_that_of_independent_units(value):
    """Checkpoints and seeds of one configuration are not independent trials."""
    table = study(configurations=6)
    ours = drawn_share([value] * len(table), table, "a note")
    exact = share(6 * value, 6, "configuration")
    assert (ours.value, ours.low, ours.high) == (value, exact.low, exact.high)
    assert ours.drawn == "6 configurations that all agree (Clopper-Pearson)"
    assert (ours.sample, ours.note) == ("6 configurations, 18 trainings, 36 models", "a note")
    one = study(configurations=1)
    of_seeds = drawn_share([value] * len(one), one)
    assert of_seeds.drawn == "3 seeds that all agree (Clopper-Pearson)"
    ranks = with_interval(lambda w: 2.0 * value - 1, table, bounds=(-1, 1))
    assert ranks[1:3] == pytest.approx((2 * exact.low - 1, 2 * exact.high - 1))
    with pytest.raises(NotHere, match="to count"):
        drawn_share([], table[:0])


def test_a_share_that_varies_is_drawn_and_stays_a_share():
    table = study(configurations=3)
    chosen = table["configuration"] == "c0"
    ours = drawn_share(chosen, table)
    assert ours.value == pytest.approx(1 / 3)
    assert (ours.low, ours.high) == (0, 1)  # drawn, the ends would be beyond
    rare = drawn_share(study(40)["configuration"].isin(["c0", "c1", "c2"]), study(40))
    drawn = with_interval(lambda w: w[:18].sum() / w.sum(), study(40))
    assert rare.value == drawn.value
    assert rare.high == pytest.approx(drawn.high)


def test_of_one_configuration_the_seeds_are_drawn():
    table = study(configurations=1)
    ours = with_interval(mean_of(table), table)
    assert ours.drawn == "3 seeds drawn with replacement"
    assert ours.low < ours.value < ours.high


def test_first_is_the_share_of_draws_above_0():
    table = study()
    for shift, first in ((10, 1), (-10, 0)):
        ours = with_interval(lambda w, s=shift: weighted_mean(table["value"] + s, w), table)
        assert ours.first == first
    assert (
        0.2 < with_interval(lambda w: weighted_mean(table["value"] - 1.605, w), table).first < 0.8
    )


def test_scales_keep_an_interval_where_it_belongs():
    table = study(configurations=3)
    plain, scaled = (
        with_interval(lambda w: 0.8 + 0.15 * w[0] / w.max(), table, scale=scale)
        for scale in ("", "correlation")
    )
    assert plain.high > 1 >= scaled.high
    ratio = with_interval(lambda w: 0.05 + w[0], study(configurations=3), scale="ratio")
    assert ratio.low > 0
    unknown = with_interval(lambda w: -1.0, table, scale="ratio")  # has no logarithm
    assert np.isnan([unknown.low, unknown.high]).all()
    assert unknown.drawn == "no interval: 3 configurations are too few to draw from"
    with pytest.raises(KeyError):
        with_interval(mean_of(table), table, scale="logarithm")


def test_few_units_of_one_row_have_no_correlation_to_draw():
    """Any two of them lie on a line."""
    table = pd.DataFrame({"network": range(7)})
    for n, known in ((7, False), (8, True)):
        table = pd.DataFrame({"network": range(n), "x": np.sin(range(n)), "y": np.cos(range(n))})

        def correlation(w, table=table):
            return np.cov(table["x"], table["y"], aweights=w)[0, 1] / 2

        ours = with_interval(correlation, table, unit="network", scale="correlation")
        assert np.isfinite(ours.low) == known


def test_a_perfect_correlation_counts_by_how_many_have_it():
    x = pd.Series(range(9), dtype=float)
    found = {n: rank_correlation(x[:n], x[:n] ** 2, "network") for n in (3, 4, 5, 9)}
    assert {n: ours.value for n, ours in found.items()} == dict.fromkeys(found, pytest.approx(1))
    assert np.isnan(found[3].low)  # one of six orders is perfect
    assert found[4].low < 0 < found[5].low < found[9].low
    assert rank_correlation(x[:5], -x[:5], "network").high < 0
    assert rank_correlation(x, x.where(x > 0), "network").sample == "8 networks"
    for values in (x * 0, x.where(x < 2)):
        with pytest.raises(NotHere, match="three networks"):
            rank_correlation(x, values, "network")


@given(st.integers(1, 40), st.data())
def test_a_share_has_the_exact_interval(trials, data):
    successes = data.draw(st.integers(0, trials))
    ours = share(successes, trials, "training")
    exact = binomtest(successes, trials).proportion_ci(0.95, "exact")
    assert ours[:3] == pytest.approx((successes / trials, exact.low, exact.high))
    assert ours.sample == f"{successes} of {trials} trainings"


def test_a_share_of_nothing_is_not_known():
    with pytest.raises(NotHere, match="no training to count"):
        share(0, 0, "training")


def test_what_is_exact_says_so():
    ours = exactly(3, "a note", "9 cases")
    assert ours == Ours(3.0, 3.0, 3.0, "a note", "exact: nothing is drawn", "9 cases")


def test_a_difference_of_independent_values():
    first, second = Ours(3.0, 2.0, 5.0, drawn="a"), Ours(1.0, -2.0, 1.5, drawn="b")
    ours = difference(first, second, "a note")
    assert ours.value == 2
    assert ours.low == pytest.approx(2 - np.hypot(1, 0.5))
    assert ours.high == pytest.approx(2 + np.hypot(2, 3))
    assert ours.note == "3.000 less 1.000; a note"
    assert "independently" in ours.drawn
    assert np.isnan(difference(first, Ours(1.0)).low)
    lacking = difference(first, Ours(1.0, drawn="no interval: one unit"))
    assert lacking.drawn == "no interval: one unit"


def test_a_step_s_interval_keeps_its_ends():
    ours = of_step(0.9, (0.8, 1.0), study(), "a note")
    assert ours[:4] == (0.9, 0.8, 1.0, "a note")
    assert ours.drawn == "4 configurations drawn with replacement"
    one = of_step(0.9, (np.nan, np.nan), study(configurations=1))
    assert one.drawn == "no interval: one configuration"
    some = of_step(0.9, (0.8, 1.0), study(), used=20, drawn_from=10)
    assert some.drawn == "4 configurations drawn with replacement, of 10 rows"
    assert some.sample == "4 configurations, 12 trainings, 24 models, of which 20 count"


def test_groups_left_out():
    ours = without_groups(1.0, [0.9, 1.1, 1.0, 1.2, 0.8], "configuration", "a note", "9 pairs")
    assert ours.low < 1 < ours.high and 0.9 < ours.first < 1
    assert ours.drawn.startswith("5 groups of configurations, one after the other left out")
    few = without_groups(1.0, [0.9, np.nan, 1.1], "configuration")
    assert np.isnan([few.low, few.high, few.first]).all()
    assert few.drawn.startswith("no interval: too few configurations")


def test_pairs_alike_are_compared():
    table = pd.DataFrame(
        {
            "network": list("AABBCC"),
            "augmented": [True, False] * 3,
            "value": [3.0, 1.0, 5.0, 2.0, 4.0, 3.5],
        }
    )
    ours = with_less_without(table, "value", table["augmented"], ["network"], "both kinds")
    assert ours.value == pytest.approx((2 + 3 + 0.5) / 3)
    assert ours.drawn == "3 pairs drawn with replacement"
    with pytest.raises(NotHere, match="needs both kinds"):
        with_less_without(table, "value", table["augmented"] | True, ["network"], "both kinds")


@given(st.lists(st.tuples(st.floats(-9, 9), st.integers(0, 4)), min_size=1, max_size=9))
def test_weights_are_multiplicities(rows):
    values, weights = pd.Series([v for v, _ in rows]), np.array([w for _, w in rows], float)
    repeated = [v for v, w in rows for _ in range(w)]
    if repeated:
        assert weighted_mean(values, weights) == pytest.approx(np.mean(repeated), abs=1e-9)
        assert weighted_median(values, weights) == pytest.approx(np.median(repeated))
        assert weighted_quantile(values, weights, 0.9) == pytest.approx(np.quantile(repeated, 0.9))
    else:
        assert np.isnan([weighted_mean(values, weights), weighted_median(values, weights)]).all()


def test_a_sample_in_words():
    assert sample_of(study()) == "4 configurations, 12 trainings, 24 models"
    assert sample_of(study()[["configuration"]]) == "4 configurations, 24 rows"
    assert sample_of(pd.DataFrame({"path": range(1200)})) == "1,200 rows"


@pytest.mark.parametrize("n", [4, 5, 6])
def test_a_perfect_order_of_few_is_judged_as_by_the_test_of_all_orders(n):
    x = np.arange(n)
    found = [spearmanr(x, order).statistic for order in permutations(x)]
    p = np.mean(np.abs(found) >= 1 - 1e-9)  # two-sided
    ours = rank_correlation(x, x, "task")
    assert (ours.low > 0) == (p < 0.05)
    assert rank_correlation(x, -x, "task")[:3] == pytest.approx((-1, -1, -ours.low))


@pytest.mark.parametrize("truth", [0.0, 0.6])
@pytest.mark.parametrize("n", [6, 20])
def test_intervals_of_rank_correlations_cover(n, truth):
    rng = np.random.default_rng(0)
    of_normal = 6 / np.pi * np.arcsin(truth / 2)  # Spearman's of the bivariate normal
    covered = []
    for _ in range(300):
        x = rng.standard_normal(n)
        y = truth * x + np.sqrt(1 - truth**2) * rng.standard_normal(n)
        ours = rank_correlation(x, y, "task")
        covered.append(ours.low <= of_normal <= ours.high)
    assert 0.9 <= np.mean(covered) <= 0.99
