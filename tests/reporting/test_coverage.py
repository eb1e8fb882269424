"""Intervals and verdicts on made-up studies of known truth, many at a time.

All studies of a test have the same design and are drawn alike, so that one bootstrap of a statistic
with one value per study judges all of them. What does not cover is here, too: `docs/claims.md`
says so.
"""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, rankdata

from hyperribbon.numerics.bootstrap import jackknife, percentiles
from hyperribbon.reporting import scales
from hyperribbon.reporting.claims import Ours, detectable
from hyperribbon.reporting.rules import SURE
from hyperribbon.reporting.scales import scaled_draws
from hyperribbon.reporting.statistics import difference, rank_correlation, share

STUDIES, SEEDS = 600, 3
UNITS = [3, 5, 10, 20]
VARIANCE = 1.25  # of the values below


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(scales, "DRAWS", 200)


def nested(units, seed=0, studies=STUDIES):
    """Normal values (studies, units * SEEDS): one for each unit, and one more for each seed."""
    rng = np.random.default_rng((units, seed))
    of_units = np.repeat(rng.normal(size=(studies, units)), SEEDS, axis=1)
    return of_units + 0.5 * rng.normal(size=of_units.shape)


def correlated(units, r):
    x, noise = nested(units, 1), nested(units, 2)
    return x, r * x + np.sqrt(1 - r**2) * noise


def drawn(statistic, units, scale=""):
    """Draws (draws, studies) of a statistic, of which every study has its own value."""
    value = statistic(np.ones(units * SEEDS))
    return scaled_draws(statistic, np.repeat(np.arange(units), SEEDS), value, scale)


def covered(statistic, truth, units, scale=""):
    """Share of the studies whose interval holds the truth."""
    low, high = percentiles(drawn(statistic, units, scale))
    return np.mean((low <= truth) & (truth <= high))


def mean_of(values):
    return lambda w: values @ w / w.sum()


def quantile_of(values, q):
    return lambda w: np.quantile(repeated(values, w), q, axis=1)


def repeated(values, w):
    return np.repeat(values, w.astype(int), axis=1)


def correlation_of(x, y, *, ranks=False):
    def correlation(w):
        a, b = (repeated(values, w) for values in (x, y))
        if ranks:
            a, b = rankdata(a, axis=1), rankdata(b, axis=1)
        a, b = (values - values.mean(axis=1, keepdims=True) for values in (a, b))
        return (a * b).sum(axis=1) / np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))

    return correlation


@pytest.mark.parametrize("units", UNITS)
def test_means_and_medians_are_covered(units):
    values = nested(units)
    assert 0.9 <= covered(mean_of(values), 0, units) <= 0.98
    assert 0.9 <= covered(quantile_of(values, 0.5), 0, units) <= 0.98


@pytest.mark.parametrize("units", UNITS[1:])
@pytest.mark.parametrize("r", [0.8, 0.95])
def test_correlations_are_covered(units, r):
    x, y = correlated(units, r)
    pearson = correlation_of(x, y)
    assert 0.9 <= covered(pearson, r, units, "correlation") <= 0.99
    assert 0.9 <= covered(lambda w: pearson(w) ** 2, r**2, units, "determination") <= 0.99
    if units < 20:  # is slow
        spearman = correlation_of(x, y, ranks=True)
        of_ranks = 6 / np.pi * np.arcsin(r / 2)
        assert 0.9 <= covered(spearman, of_ranks, units, "correlation") <= 0.99


@pytest.mark.parametrize("n", [4, 5, 8, 20])
@pytest.mark.parametrize("r", [0.0, 0.8])
def test_rank_correlations_of_few_units_are_covered(n, r):
    rng = np.random.default_rng(n)
    x, noise = rng.normal(size=(2, 200, n))
    y = r * x + np.sqrt(1 - r**2) * noise
    found = [
        rank_correlation(pd.Series(a), pd.Series(b), "network") for a, b in zip(x, y, strict=True)
    ]
    of_ranks = 6 / np.pi * np.arcsin(r / 2)
    assert np.mean([ours.low <= of_ranks <= ours.high for ours in found]) >= 0.9
    if r == 0:
        assert np.mean([ours.low > 0 for ours in found]) <= 0.05


@pytest.mark.parametrize("units", UNITS[1:])
def test_differences_and_ratios_are_covered(units):
    pair = [drawn(mean_of(nested(units, seed)), units) for seed in (1, 2)]
    each = [mean_of(nested(units, seed))(np.ones(units * SEEDS)) for seed in (1, 2)]
    ends = [percentiles(draws) for draws in pair]
    found = [
        difference(*(Ours(each[j][k], ends[j][0][k], ends[j][1][k]) for j in (0, 1)))
        for k in range(STUDIES)
    ]
    assert 0.9 <= np.mean([ours.low <= 0 <= ours.high for ours in found]) <= 0.99
    positive = np.exp(0.5 * nested(units) / np.sqrt(VARIANCE))
    truth = np.exp(0.5**2 / 2)
    assert 0.9 <= covered(mean_of(positive), truth, units, "ratio") <= 0.98


@pytest.mark.parametrize("trials", [5, 12, 40])
@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
def test_shares_are_covered_however_few_there_are(trials, p):
    chance = binom.pmf(np.arange(trials + 1), trials, p)
    found = [share(k, trials, "training") for k in range(trials + 1)]
    held = [ours.low <= p <= ours.high for ours in found]
    assert chance @ held >= 0.95  # exactly: all possible studies


def test_values_without_some_units_are_covered():
    """Means of 10 units, of which two after two are left out."""
    values = nested(10)[:, ::SEEDS]
    without = [np.delete(values, [2 * k, 2 * k + 1], axis=1).mean(axis=1) for k in range(5)]
    found = [
        jackknife(*one) for one in zip(values.mean(axis=1), np.transpose(without), strict=True)
    ]
    assert 0.9 <= np.mean([low <= 0 <= high for low, high, _ in found]) <= 0.98


def ahead(units, lead, kinds=4):
    """Share of draws in which the first of several kinds, each of some units, is ahead."""
    values = nested(kinds * units)
    values[:, : units * SEEDS] += lead

    def less_next(w):
        means = [
            (values[:, k] @ w[k]) / w[k].sum() if w[k].any() else np.full(STUDIES, np.nan)
            for k in (slice(j * units * SEEDS, (j + 1) * units * SEEDS) for j in range(kinds))
        ]
        return means[0] - np.fmax.reduce(means[1:])

    draws = drawn(less_next, kinds * units)
    known = ~np.isnan(draws)
    return (np.where(known, draws, 0) > 0).sum(axis=0) / known.sum(axis=0)


@pytest.mark.parametrize("units", [2, 5])
def test_the_first_of_several_is_rarely_one_that_is_not(units):
    alike = ahead(units, 0.0)
    assert np.mean(alike >= SURE) <= 0.05
    behind, before = ahead(units, -1.5), ahead(units, 4.0)
    assert np.mean(behind >= SURE) <= 0.02
    assert np.mean(behind <= 1 - SURE) >= 0.3
    assert np.mean(before >= SURE) >= 0.9
    assert np.mean(before <= 1 - SURE) <= 0.02


def test_four_of_five_studies_find_what_is_detectable():
    units = 20
    values = nested(units)
    low, high = percentiles(drawn(mean_of(values), units))
    far = np.mean([detectable(Ours(0.0, *ends)) for ends in zip(low, high, strict=True)])
    low, _ = percentiles(drawn(mean_of(values + far), units))
    assert 0.75 <= np.mean(low > 0) <= 0.85
    assert np.mean(percentiles(drawn(mean_of(values + far / 2), units))[0] > 0) < 0.5


def test_extremes_and_means_of_very_skewed_values_are_covered_less():
    """Which is why no claim is judged by an extreme."""
    units, values = 10, nested(10)
    ninth = np.sqrt(VARIANCE) * 1.2816
    assert covered(quantile_of(values, 0.9), ninth, units) < 0.85
    assert covered(quantile_of(values, 0.75), np.sqrt(VARIANCE) * 0.6745, units) >= 0.88
    skewed, truth = np.exp(1.1 * values / np.sqrt(VARIANCE)), np.exp(1.1**2 / 2)
    plain, ratio = (covered(mean_of(skewed), truth, units, scale) for scale in ("", "ratio"))
    assert 0.75 < plain <= ratio < 0.92
    assert covered(quantile_of(skewed, 0.5), 1, units) >= 0.9
