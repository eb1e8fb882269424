import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.analytic import gaussian_kl
from hyperribbon.pac_bayes.bound import (
    binary_kl,
    certificate,
    inverse_binary_kl,
    penalty,
    round_to_grid,
    sample_convergence_bound,
)

O3 = json.loads((Path(__file__).parents[1] / "data" / "o3_slice.json").read_text())
probabilities = st.floats(0, 1)
bounds = st.floats(1e-12, 3)


@pytest.mark.parametrize("key", [key for key in O3 if key.startswith("exact_invkl_")])
def test_the_oracle_of_the_inverse(key):
    """Its keys give the training accuracy, and the square root of half the bound (Pinsker's)."""
    accuracy, root = map(float, key.removeprefix("exact_invkl_").split("_"))
    assert inverse_binary_kl(1 - accuracy, 2 * root**2) == pytest.approx(O3[key], abs=1e-12)


def test_the_printed_chain_of_an_isotropic_posterior():
    """Of an author's notebook, which computed its square root in single precision."""
    o = O3["notebook_isotropic"]
    point = round_to_grid(800.0, c=1 / o["c"], b=o["b"])
    assert point == pytest.approx((o["eps"], o["j"]), rel=1e-12)
    assert penalty(point.j, o["n"], o["delta"]) == pytest.approx(o["penalty"], rel=1e-12)
    kl = gaussian_kl([point.epsilon], point.epsilon, o["norm_diff"] ** 2)
    assert kl == pytest.approx(o["KL"], rel=1e-5)  # norm_diff has five digits
    cost = (o["KL"] + o["penalty"]) / (o["n"] - 1)
    assert np.sqrt(cost / 2) == pytest.approx(o["sec"], rel=1e-7)
    assert inverse_binary_kl(o["train_err"], 2 * o["sec"] ** 2) == pytest.approx(
        o["bound"], abs=1e-8
    )
    # The same through `certificate`, of so many draws that they are as good as all of Q.
    errors = np.broadcast_to(o["train_err"], 10**7)
    found = certificate(errors, o["KL"], o["n"], point.j, classes=2, delta=o["delta"])
    assert found.error == pytest.approx(o["train_err"], rel=1e-12)
    assert 0 < found.error_limit - found.error < 5e-4
    assert found.bound == pytest.approx(0.54612, abs=1e-3)
    assert found.bound > o["bound"]
    assert not found.non_vacuous  # guessing between two classes is better


def test_the_penalty_without_j():
    assert penalty(1, 55_000, 0.025) == pytest.approx(O3["penalty_const"]["right"], rel=1e-12)


@given(probabilities, bounds)
def test_the_inverse_is_on_the_bound(q, bound):
    p = inverse_binary_kl(q, bound)
    assert q <= p <= 1
    if p < 1 - 1e-9:
        assert binary_kl(q, p) == pytest.approx(bound, rel=1e-6, abs=1e-15)


@given(st.floats(0.01, 0.9), st.floats(1e-3, 1))
def test_the_inverse_against_another_root_finder(q, bound):
    def excess(p):
        return q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)) - bound

    root = brentq(excess, q, 1 - 1e-16, xtol=1e-15, rtol=1e-14)
    assert inverse_binary_kl(q, bound) == pytest.approx(root, abs=1e-12)


@given(probabilities, probabilities, bounds, bounds)
def test_the_inverse_rises_with_both(q, r, a, b):
    q, r, a, b = *sorted([q, r]), *sorted([a, b])
    table = inverse_binary_kl([[q], [r]], [a, b])
    assert (np.diff(table, axis=0) >= -1e-15).all()
    assert (np.diff(table, axis=1) >= -1e-15).all()


@given(probabilities, bounds)
def test_the_inverse_between_the_classical_bounds(q, bound):
    """At most Pinsker's, and at least the chi-squared one, which is Wilson's score."""
    p = inverse_binary_kl(q, bound)
    assert p <= q + np.sqrt(bound / 2) + 1e-12
    # kl <= (p - q)^2 / (p (1 - p)), of which this is the larger root in p at the bound.
    chi = (2 * q + bound + np.sqrt(bound**2 + 4 * bound * q * (1 - q))) / (2 * (1 + bound))
    assert p >= min(chi, 1) - 1e-12


def test_the_inverse_at_the_edges():
    bound = np.array([0.0, 1e-15, 0.3, 5.0, 50.0])
    np.testing.assert_allclose(inverse_binary_kl(0.0, bound), -np.expm1(-bound), rtol=1e-15)
    assert inverse_binary_kl(0.3, 0.0) == 0.3
    assert inverse_binary_kl(1.0, 0.0) == inverse_binary_kl(1.0, 2.0) == 1
    assert inverse_binary_kl(0.3, np.inf) == inverse_binary_kl(0.3, 800.0) == 1
    assert 0 < 1 - inverse_binary_kl(0.3, 20.0) < 1e-9


def test_the_inverse_keeps_its_digits_where_the_bound_is_small():
    """There p - q is sqrt(2 q (1 - q) B), to first order; kl itself would be all rounding."""
    step = inverse_binary_kl(0.3, 1e-20) - 0.3
    assert step == pytest.approx(np.sqrt(2 * 0.3 * 0.7 * 1e-20), rel=1e-5)


def test_binary_kl_of_certain_coins():
    assert binary_kl(0.0, 0.0) == binary_kl(1.0, 1.0) == binary_kl(0.4, 0.4) == 0
    assert binary_kl(0.2, 0.0) == binary_kl(0.2, 1.0) == np.inf
    assert binary_kl(0.0, 0.75) == pytest.approx(np.log(4))
    assert binary_kl(0.5, 1e-300) == pytest.approx(0.5 * np.log(0.25e300), rel=1e-12)
    assert binary_kl(0.5, [[0.5], [0.1]]).shape == (2, 1)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(1e-6, 1 - 1e-6))
def test_binary_kl_is_at_least_pinskers(q, p):
    assert binary_kl(q, p) >= 2 * (q - p) ** 2 - 1e-18
    assert binary_kl(1 - q, 1 - p) == pytest.approx(binary_kl(q, p), rel=1e-6, abs=1e-14)


def test_the_penalties_of_the_grid_share_delta():
    """Sum over j of n exp(-penalty) is delta: the union bound is spent, and ln n counted once."""
    n, delta, last = 1000, 0.025, 5000
    shares = [n * np.exp(-penalty(j, n, delta)) for j in range(1, last + 1)]
    assert sum(shares) < delta
    assert sum(shares) == pytest.approx(delta, rel=1 / last)


@given(st.floats(1e-3, 1e6), st.floats(1e-2, 1e2), st.floats(1, 100))
def test_the_closest_point_of_the_grid(epsilon, c, b):
    point = round_to_grid(epsilon, c=c, b=b)
    assert point.j >= 1
    assert point.epsilon == pytest.approx(c * np.exp(point.j / b))
    off = abs(np.log(point.epsilon / epsilon))
    assert off <= 0.5 / b + 1e-9 or (point.j == 1 and epsilon < point.epsilon)


def test_sample_convergence_holds_as_often_as_it_says():
    """Coins of known mean; the bound is loose, so the failures are fewer than delta."""
    limit = sample_convergence_bound(0.1, 50, 0.1)
    assert binary_kl(0.1, limit) == pytest.approx(np.log(20) / 50, rel=1e-12)
    rng = np.random.default_rng(0)
    means = rng.binomial(50, 0.1, size=2000) / 50
    limits = np.array([sample_convergence_bound(mean, 50, 0.1) for mean in np.unique(means)])
    failed = np.isin(means, np.unique(means)[limits < 0.1]).mean()
    assert 0 < failed <= 0.1


def learn(rng, n: int, d: int):
    """Certificate and true error of Q on half-spaces, where one label in ten is flipped."""
    u = np.eye(d)[0]
    X = rng.standard_normal((n, d))
    y = np.sign(X @ u) * np.where(rng.random(n) < 0.1, -1, 1)
    w = y @ X / n
    point = round_to_grid(d / (w @ w), c=1.0, b=5.0)  # chosen of the samples, as the grid allows
    precisions = np.full(d, 4 * point.epsilon)
    drawn = w + rng.standard_normal((1000, d)) / np.sqrt(precisions)
    errors = (np.sign(drawn @ X.T) != y).mean(axis=1)
    kl = gaussian_kl(precisions, point.epsilon, w @ w)
    more = w + rng.standard_normal((4000, d)) / np.sqrt(precisions)
    angles = np.arccos(more @ u / np.linalg.norm(more, axis=1))
    return certificate(errors, kl, n, point.j, classes=2), (0.1 + 0.8 * angles / np.pi).mean()


def test_certificates_hold_where_the_error_is_known():
    rng = np.random.default_rng(0)
    found = [learn(rng, n=500, d=20) for _ in range(60)]
    bounds = np.array([(c.error_limit, c.bound, true) for c, true in found])
    assert (bounds[:, 1] >= bounds[:, 2]).all()
    assert bounds[:, 1].mean() < 0.5
    assert all(c.non_vacuous == (c.bound < 0.5) for c, _ in found)
    assert any(c.non_vacuous for c, _ in found)
    # KL is what makes them hold: of few samples, their own error does not.
    few = [learn(rng, n=100, d=40) for _ in range(20)]
    assert np.mean([c.error_limit < true for c, true in few]) > 0.5
    assert all(c.bound >= true for c, true in few)


def test_the_parts_of_a_certificate():
    errors = np.array([0.1, 0.2, 0.3, 0.2])
    found = certificate(errors, 3.0, 1001, 7, classes=10, delta=0.05, delta_draws=0.02)
    assert found.error == pytest.approx(0.2)
    assert found.error_limit == sample_convergence_bound(found.error, 4, 0.02)
    assert found.penalty == penalty(7, 1001, 0.05)
    cost = (3.0 + 2 * np.log(7) + np.log(np.pi**2 * 1001 / (6 * 0.05))) / 1000
    assert found.bound == pytest.approx(inverse_binary_kl(found.error_limit, cost), rel=1e-14)
    assert (
        certificate(errors, 30.0, 1001, 7, 10).bound > certificate(errors, 3.0, 1001, 7, 10).bound
    )


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: binary_kl(1.1, 0.5), "q: from 1.1"),
        (lambda: binary_kl(0.5, np.nan), "p: from nan"),
        (lambda: inverse_binary_kl(-0.1, 0.5), "q: from -0.1"),
        (lambda: inverse_binary_kl(0.1, -0.5), "bound: -0.5"),
        (lambda: inverse_binary_kl(0.1, np.nan), "bound: nan"),
        (lambda: round_to_grid(0.0, c=1.0, b=1.0), "epsilon: 0"),
        (lambda: round_to_grid(1.0, c=-1.0, b=1.0), "c: -1"),
        (lambda: round_to_grid(1.0, c=1.0, b=np.inf), "b: inf"),
        (lambda: penalty(0, 100, 0.1), "j: 0"),
        (lambda: penalty(1.5, 100, 0.1), "j: 1.5"),
        (lambda: penalty(1, 1, 0.1), "n: 1"),
        (lambda: penalty(1, 100, 0.0), "delta: 0"),
        (lambda: sample_convergence_bound(0.1, 0, 0.1), "draws: 0"),
        (lambda: sample_convergence_bound(0.1, 10, 1.0), "delta: 1"),
        (lambda: certificate([], 1.0, 100, 1, 2), "errors: shape"),
        (lambda: certificate([[0.1]], 1.0, 100, 1, 2), "errors: shape"),
        (lambda: certificate([12.0], 1.0, 100, 1, 2), "errors: from 12"),
        (lambda: certificate([0.1], np.inf, 100, 1, 2), "kl: inf"),
        (lambda: certificate([0.1], -1.0, 100, 1, 2), "kl: -1"),
        (lambda: certificate([0.1], 1.0, 100, 1, 1), "classes: 1"),
        (lambda: certificate([0.1], 1.0, 100, 1, 2, delta_draws=2.0), "delta_draws: 2"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(DataError, match=message):
        call()
