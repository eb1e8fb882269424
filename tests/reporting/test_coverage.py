"""Intervals and verdicts on made-up studies of known truth, many at a time.

All studies of a test have the same design and are drawn alike, so that one bootstrap of a statistic
with one value per study judges all of them.
"""

from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import binom, rankdata

from hyperribbon.numerics.bootstrap import jackknife, percentiles
from hyperribbon.reporting import statistics
from hyperribbon.reporting.claims import POWER, Ours, detectable
from hyperribbon.reporting.rules import SURE
from hyperribbon.reporting.statistics import SCALES, scaled_draws, share

STUDIES, SEEDS = 600, 3


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    monkeypatch.setattr(statistics, "DRAWS", 200)


def nested(units, between, within=0.5, studies=STUDIES, seed=0):
    """Made-up values (studies, units * SEEDS): one per unit plus one of its own for each seed."""
    rng = np.random.default_rng((units, seed))
    of_units = between(rng, (studies, units))
    return np.repeat(of_units, SEEDS, axis=1) + within * rng.normal(size=(studies, units * SEEDS))


def normal(rng, shape):
    return rng.normal(size=shape)


def ends(statistic, units, scale="", seeds=SEEDS):
    """Both ends of the interval of each study, and the draws."""
    value = statistic(np.ones(units * seeds))
    draws = scaled_draws(statistic, np.repeat(np.arange(units), seeds), value, scale)
    return *percentiles(draws), draws


def covered(statistic, truth, units, scale=""):
    low, high, _ = ends(statistic, units, scale)
    return np.mean((low <= truth) & (truth <= high))


def mean_of(values):
    return lambda w: values @ w / w.sum()


def repeated(values, w):
    return np.repeat(values, w.astype(int), axis=1)


def r_of(x, y):
    """Correlation of each study's rows."""
    x, y = (a - a.mean(axis=1, keepdims=True) for a in (x, y))
    with np.errstate(invalid="ignore"):
        return (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))


UNITS = [3, 5, 10, 20]


@pytest.mark.parametrize("units", UNITS)
def test_means_are_covered(units):
    assert 0.9 <= covered(mean_of(nested(units, normal)), 0, units) <= 0.98


@pytest.mark.parametrize("units", UNITS)
def test_medians_are_covered(units):
    values = nested(units, normal)
    found = covered(lambda w: np.median(repeated(values, w), axis=1), 0, units)
    assert 0.9 <= found <= 0.98
