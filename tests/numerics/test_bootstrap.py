import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from hyperribbon.errors import DataError
from hyperribbon.numerics.bootstrap import bootstrap_draws, bootstrap_interval, jackknife


@given(st.lists(st.sampled_from("abcde"), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_a_group_is_drawn_whole(groups, seed):
    seen = []

    def statistic(weights):
        seen.append(weights)
        return weights.sum()

    bootstrap_interval(statistic, groups, seed=seed, draws=5)
    names = sorted(set(groups))
    for weights in seen[1:]:
        of_group = {g: {w for w, name in zip(weights, groups, strict=True) if name == g}
                    for g in names}  # fmt: skip
        assert all(len(values) == 1 for values in of_group.values())
        assert sum(values.pop() for values in of_group.values()) == len(names)


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        of_groups = rng.normal(size=12)
        values = np.repeat(of_groups, 5)  # five copies tell no more than one
        low, high = bootstrap_interval(
            lambda w, values=values: np.average(values, weights=w),
            np.repeat(range(12), 5),
            seed=seed,
        )
        covered += low <= 0 <= high
    assert 0.85 <= covered / 200 <= 0.98


def test_repetition_alone_does_not_move_the_interval():
    low, high = bootstrap_interval(lambda w: (w > 0).sum(), range(50))
    assert low < 50 < high


def test_one_group_has_no_interval_and_draws_that_fail_do_not_count():
    assert np.isnan(bootstrap_interval(lambda w: np.array([w.sum(), 1.0]), ["a"] * 3)).all()
    values = np.array([1.0, 2.0, 3.0])
    low, high = bootstrap_interval(
        lambda w: np.average(values, weights=w) if w[0] else np.nan, range(3)
    )
    assert low <= 2 <= high
    assert np.isnan(bootstrap_interval(lambda w: np.nan, range(3))).all()
    with pytest.raises(DataError, match="groups: empty"):
        bootstrap_interval(lambda w: 0.0, [])


def test_few_groups_have_wider_intervals():
    """That of Student's t, on average over what is measured."""
    rng, found = np.random.default_rng(0), {}
    for n in (3, 30):
        values = rng.normal(size=(200, n))
        low, high = bootstrap_interval(lambda w, v=values: v @ w / w.sum(), range(n), draws=200)
        half = (high - low) / 2 / values.std(axis=1, ddof=1) * np.sqrt(n)
        found[n] = np.median(half)
    assert found == pytest.approx({3: 4.3, 30: 2.05}, rel=0.15)


def test_draws_are_around_the_estimate_and_lose_their_bias_on_request():
    groups, values = range(40), np.random.default_rng(0).normal(size=40)

    def variance(w):
        return np.average((values - np.average(values, weights=w)) ** 2, weights=w)

    estimate = variance(np.ones(40))
    draws = bootstrap_draws(variance, groups, draws=300)
    assert draws.mean() == pytest.approx(estimate)
    without_bias = bootstrap_draws(variance, groups, draws=3000, unbiased=True).mean()
    assert without_bias == pytest.approx(estimate * (1 + 1 / 40), rel=0.02)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    values = np.random.default_rng(0).normal(size=12)
    without = [np.delete(values, k).mean() for k in range(12)]
    low, high, above = jackknife(values.mean(), without)
    expected = ttest_1samp(values, 0)
    assert (low, high) == pytest.approx(tuple(expected.confidence_interval(0.95)))
    assert above == pytest.approx(ttest_1samp(values, 0, alternative="less").pvalue)
    assert np.isnan(jackknife(1.0, [2.0])).all()
    assert np.isnan(jackknife(1.0, [2.0, np.nan, 3.0])).all()
    assert jackknife(1.0, [1.0, 1.0]) == (1.0, 1.0, 1.0)
