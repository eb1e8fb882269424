import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.bound import binary_kl, inverse_binary_kl, penalty
from hyperribbon.pac_bayes.tighter import (
    lambda_bound,
    maurer_cost,
    other_bounds,
    pinsker_bound,
    quadratic_bound,
)

errors, costs = st.floats(0, 0.9), st.floats(1e-8, 2)


@given(errors, costs)
def test_all_relax_the_inverse_of_kl(error, cost):
    exact = inverse_binary_kl(error, cost)
    assert exact <= quadratic_bound(error, cost) + 1e-12
    assert exact <= pinsker_bound(error, cost) + 1e-12
    if quadratic_bound(error, cost) <= 0.25:
        assert quadratic_bound(error, cost) <= pinsker_bound(error, cost) + 1e-12


@given(errors, costs, st.floats(1e-3, 1.999))
def test_the_best_lambda_gives_the_quadratic_bound(error, cost, weight):
    best = lambda_bound(error, cost)
    assert best == pytest.approx(quadratic_bound(error, cost), rel=1e-9)
    assert lambda_bound(error, cost, weight) >= best - 1e-12
    assert inverse_binary_kl(error, cost) <= lambda_bound(error, cost, weight) + 1e-12


@given(errors, costs)
def test_the_quadratic_bound_solves_its_inequality(error, cost):
    """It is the p with (p - q)^2 / (2 p) = B."""
    p = quadratic_bound(error, cost)
    if p < 1:
        assert (p - error) ** 2 / (2 * p) == pytest.approx(cost, rel=1e-6)


@given(st.integers(8, 10**6), st.floats(0, 1e4), st.integers(1, 500), st.floats(1e-6, 0.5))
def test_maurers_cost_is_below_that_of_the_thesis(n, kl, j, delta):
    cost = maurer_cost(kl, n, j, delta)
    assert cost < (kl + penalty(j, n, delta)) / (n - 1)
    share = 6 * delta / (np.pi * j) ** 2
    assert cost * n == pytest.approx(kl + np.log(2 * np.sqrt(n) / share), rel=1e-12, abs=1e-9)


def test_maurers_theorem_where_the_loss_is_a_coin():
    """It rests on E exp(n kl(mean || p)) <= 2 sqrt(n) for n coins."""
    from scipy.stats import binom

    for n in (8, 20, 100):
        for p in (0.01, 0.3, 0.5, 0.97):
            k = np.arange(n + 1)
            moment = (binom.pmf(k, n, p) * np.exp(n * binary_kl(k / n, p))).sum()
            assert np.sqrt(n) < moment < 2 * np.sqrt(n)


def test_other_bounds_are_ordered():
    found = other_bounds(0.03, kl=40.0, n=2000, j=5, delta=0.05)
    thesis = inverse_binary_kl(0.03, (40 + penalty(5, 2000, 0.05)) / 1999)
    assert found["maurer"] < thesis < found["pinsker"]
    assert found["maurer"] < found["quadratic"] == pytest.approx(found["lambda"])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: maurer_cost(1.0, 7, 1, 0.1), "n: 7, expected an integer, 8 or more"),
        (lambda: maurer_cost(-1.0, 10, 1, 0.1), "kl: -1"),
        (lambda: quadratic_bound(1.5, 0.1), "error: 1.5"),
        (lambda: pinsker_bound(0.1, -0.1), "cost: -0.1"),
        (lambda: lambda_bound(0.1, 0.1, 2.0), "weight: 2.0, expected between 0 and 2"),
        (lambda: lambda_bound(0.1, 0.1, 0.0), "weight: 0"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(DataError, match=message):
        call()


def test_without_cost_nothing_is_added():
    assert lambda_bound(0.2, 0.0) == pinsker_bound(0.2, 0.0) == 0.2
    assert quadratic_bound(0.2, 0.0) == pytest.approx(0.2)
