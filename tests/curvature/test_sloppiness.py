import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.curvature.sloppiness import (
    effective_dimension,
    elbow,
    loose_bound,
    sloppy_factor,
    sloppy_slope,
    strength,
)
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.analytic import loose_objective

O3 = json.loads((Path(__file__).parents[1] / "data" / "o3_slice.json").read_text())
ORACLE = 3 * np.exp(-0.05 * np.arange(400))
spectra = st.lists(st.floats(1e-9, 1e3), min_size=2, max_size=30).map(np.array)
signed = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=30).map(np.array)
epsilons = st.floats(1e-3, 1e4)


def test_the_oracle_of_a_known_spectrum():
    o = O3["closed_form"]
    n, epsilon = o["n"], o["eps"]
    r = effective_dimension(ORACLE, n, epsilon)
    assert r == o["p_eff"]
    assert strength(ORACLE, n, epsilon) == pytest.approx(o["strength"], rel=1e-12)
    c = sloppy_factor(ORACLE, r)
    assert c == pytest.approx(o["c_sloppy"], rel=1e-9)
    bound = loose_bound(o["strength"], c, n, epsilon, o["norm2"])
    assert bound == pytest.approx(o["rhs_444"], rel=1e-9)
    assert bound > o["loose"]


def test_the_thesis_arithmetic():
    bound = loose_bound(6810, 1 / 2545, 55_000, 101.3, 8526 / 101.3)
    assert bound == pytest.approx(O3["thesis_444"], rel=1e-12)


def test_the_loose_bound_fails_where_the_spectrum_has_a_gap_at_the_threshold():
    """As its docstring says: a warning, not a wish."""
    n, epsilon = 1000, 25.0
    threshold = epsilon / (2 * (n - 1))
    spectrum = threshold * np.array([1000.0] + [0.9] * 200)
    s, c = strength(spectrum, n, epsilon), sloppy_factor(spectrum, 1)
    assert loose_bound(s, c, n, epsilon, 4.0) < loose_objective(spectrum, n, epsilon, 4.0)


@given(spectra, epsilons, st.integers(2, 10**5), st.floats(0, 10))
def test_the_loose_bound_holds_where_its_premise_does(spectrum, epsilon, n, squared_distance):
    threshold = epsilon / (2 * (n - 1))
    spectrum = np.append(spectrum, threshold)  # the r-th is at the threshold
    r = effective_dimension(spectrum, n, epsilon)
    s, c = strength(spectrum, n, epsilon), sloppy_factor(spectrum, r)
    objective = loose_objective(spectrum, n, epsilon, squared_distance)
    assert objective <= loose_bound(s, c, n, epsilon, squared_distance) * (1 + 1e-9)


@given(signed, epsilons, epsilons, st.integers(2, 10**5))
def test_effective_dimension_falls_with_epsilon(spectrum, a, b, n):
    small, large = sorted([a, b])
    counts = effective_dimension(spectrum, n, [small, large])
    assert counts[0] >= counts[1]
    assert counts[0] == (np.abs(spectrum) >= small / (2 * (n - 1))).sum()
    assert effective_dimension(-spectrum[::-1], n, large) == counts[1]


def test_effective_dimension_counts_what_is_at_the_threshold():
    assert effective_dimension([0.5, -0.5, 0.49], n=11, epsilon=10.0) == 2
    assert effective_dimension([0.1], n=11, epsilon=10.0) == 0


@given(spectra, epsilons, st.integers(2, 10**5))
def test_strength_is_the_dimension_and_the_logarithms_of_the_precisions(spectrum, epsilon, n):
    r = effective_dimension(spectrum, n, epsilon)
    stiff = np.sort(spectrum)[::-1][:r]
    logs = np.log((2 * (n - 1) * stiff + epsilon) / epsilon).sum()
    assert strength(spectrum, n, epsilon) == pytest.approx(r + logs, rel=1e-9, abs=1e-12)
    assert strength(spectrum, n, epsilon) >= r * (1 + np.log(2)) * (1 - 1e-12)


def test_strength_of_what_is_not_semi_definite():
    assert strength([1.0, -1e-17], n=11, epsilon=1.0) == strength([1.0], n=11, epsilon=1.0)
    with pytest.raises(DataError, match="semi-definite"):
        strength([1.0, -0.3], n=11, epsilon=1.0)


@given(st.floats(0.01, 3), st.integers(1, 9), st.floats(1e-3, 1e3))
def test_sloppy_factor_of_an_exponential_is_its_rate(c, r, scale):
    spectrum = scale * np.exp(-c * np.arange(10))
    assert sloppy_factor(spectrum[::-1], r) == pytest.approx(c, rel=1e-9)


@given(spectra, st.data())
def test_sloppy_factor_is_the_largest_exponential_above(spectrum, data):
    r = data.draw(st.integers(1, len(spectrum) - 1))
    values = np.sort(spectrum)[::-1]
    c, i = sloppy_factor(spectrum, r), np.arange(r, len(values) + 1)
    logs = np.log(values[r - 1 :])
    assert c >= 0
    assert (logs <= logs[0] - c * (i - r) + 1e-9).all()
    assert (logs[1:] >= (logs[0] - (c + 1e-6) * (i - r))[1:]).any()


def test_zeros_set_no_limit_to_the_sloppy_factor():
    assert sloppy_factor([4.0, 2.0, 1.0, 0.0, -1e-18], 1) == pytest.approx(np.log(2))
    assert sloppy_factor([4.0, 2.0, 0.0], 2) == np.inf
    assert sloppy_factor([2.0, 2.0, 1.0], 1) == 0
    assert loose_bound(1.0, 0.0, 10, 1.0, 1.0) == np.inf
    assert loose_bound(1.0, np.inf, 2, 1.0, 3.0) == 1.0


def broken(rng, k: int, p: int, c: float, gap: float, noise: float = 0.1) -> np.ndarray:
    """k stiff eigenvalues, exp(gap) above exp(-c i), and a floor of rounding."""
    logs = np.append(gap + 0.3 * np.arange(k), -c * np.arange(1, p - k + 1))
    values = np.exp(logs + noise * rng.standard_normal(p))
    floor = values.max() * 1e-17 * rng.random(p // 2)
    return rng.permutation(np.concatenate([values, floor, -floor]))


@pytest.mark.parametrize(
    "k, p, c", [(10, 200, 0.05), (10, 1000, 0.01), (1, 100, 0.1), (3, 300, 0.02), (50, 2000, 0.005)]
)
def test_elbow_of_stiff_eigenvalues_above_an_exponential(k, p, c):
    rng = np.random.default_rng(k)
    found = [elbow(broken(rng, k, p, c, gap=3)) for _ in range(20)]
    assert np.abs(np.array(found) - k).max() <= 2
    assert np.median(found) == k
    found = [elbow(broken(rng, k, p, c, gap=1)) for _ in range(20)]
    assert np.median(np.abs(np.array(found) - k)) <= 1


def test_elbow_is_not_where_a_spectrum_of_few_samples_dives():
    rng = np.random.default_rng(0)
    spectrum = np.exp(-0.05 * np.arange(100))
    spectrum[:10] *= 30
    for _ in range(10):
        X = rng.standard_normal((101, 100)) * np.sqrt(spectrum)
        assert abs(elbow(np.linalg.eigvalsh(X.T @ X / 101)) - 10) <= 1


def test_no_elbow():
    assert elbow(np.exp(-0.1 * np.arange(100))) == 0
    assert elbow(np.ones(20)) == 0
    concave = np.exp(-(np.arange(30) ** 2) / 50)
    assert elbow(concave) == 0


def test_elbow_has_the_least_misfit_of_all_breaks():
    """The prefix sums against a fit at every break."""
    rng = np.random.default_rng(3)
    logs = np.sort(np.append(4 + 0.5 * np.arange(6), -0.1 * np.arange(40)))[::-1]
    logs = np.sort(logs + 0.05 * rng.standard_normal(46))[::-1]
    i = np.arange(46.0)

    def misfit(part):
        line = np.polynomial.Polynomial.fit(i[part], logs[part], 1)
        return ((logs[part] - line(i[part])) ** 2).sum()

    breaks = range(2, 43)
    totals = [misfit(slice(0, k)) + misfit(slice(k, None)) for k in breaks]
    assert elbow(np.exp(logs)) == breaks[int(np.argmin(totals))]


@given(st.floats(0.01, 1), st.floats(-3, 3))
def test_slope_of_an_exponential(c, offset):
    line = sloppy_slope(np.exp(offset - c * np.arange(30)), first=6, last=25)
    assert line.slope == pytest.approx(-c, rel=1e-9)
    assert line.low <= line.slope <= line.high
    assert line.high - line.low < 1e-9
    assert (line.first, line.last) == (6, 25)


def test_slope_from_the_elbow_to_the_floor():
    spectrum = broken(np.random.default_rng(1), 10, 200, 0.05, gap=3)
    line = sloppy_slope(spectrum)
    assert (line.first, line.last) == (elbow(spectrum) + 1, 200)
    assert line.slope == pytest.approx(-0.05, rel=0.01)
    assert 0.99 < line.r_squared < 1
    assert sloppy_slope(spectrum, floor=1e-3).last < 200


def covariance_slopes(d: int, c: float, N: int, draws: int) -> np.ndarray:
    """(draws, 4): slope, low, high, half of an ordinary least-squares interval."""
    rng = np.random.default_rng(d + N)
    x = np.arange(d) - (d - 1) / 2
    rows = []
    for _ in range(draws):
        X = rng.standard_normal((N, d)) * np.exp(-c * np.arange(d) / 2)
        values = np.linalg.svd(np.linalg.qr(X, mode="r"), compute_uv=False) ** 2 / N
        line = sloppy_slope(values, first=1, floor=0.0)
        unexplained = (1 - line.r_squared) * np.log(values).var() * d
        ordinary = 1.96 * np.sqrt(unexplained / (d - 2) / (x @ x))
        rows.append([line.slope, line.low, line.high, ordinary])
    return np.array(rows)


def test_coverage_where_there_are_few_samples():
    """N = 2 d: the bend of the spectrum makes neighbours' residuals agree."""
    slope, low, high, ordinary = covariance_slopes(100, 0.1, 200, draws=100).T
    mean = slope.mean()
    assert ((low <= mean) & (mean <= high)).mean() >= 0.93
    assert (np.abs(slope - mean) <= ordinary).mean() <= 0.85
    # Not an interval of c, which it leaves out: the bias is known and many times as large.
    assert -2 / 200 < mean + 0.1 < -1 / 200
    assert ((low <= -0.1) & (high >= -0.1)).mean() < 0.05


def test_coverage_where_there_are_many_samples():
    slope, low, high, _ = covariance_slopes(30, 0.5, 1000, draws=200).T
    mean = slope.mean()
    covered = ((low <= mean) & (mean <= high)).mean()
    assert 0.83 <= covered <= 0.98
    assert ((low <= -0.5) & (high >= -0.5)).mean() < covered


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: effective_dimension([], 10, 1.0), "eigenvalues: shape"),
        (lambda: effective_dimension([np.nan], 10, 1.0), "eigenvalues"),
        (lambda: effective_dimension([[1.0]], 10, 1.0), "eigenvalues"),
        (lambda: effective_dimension([1.0], 1, 1.0), "n: 1"),
        (lambda: effective_dimension([1.0], 2.5, 1.0), "n: 2.5"),
        (lambda: effective_dimension([1.0], 10, [1.0, 0.0]), "epsilon"),
        (lambda: strength([1.0], 10, [1.0, 2.0]), "epsilon"),
        (lambda: strength([1.0], 10, np.inf), "epsilon"),
        (lambda: sloppy_factor([1.0, 0.0], 2), "r: 2, expected 1 to"),
        (lambda: sloppy_factor([1.0], 0), "r: 0"),
        (lambda: loose_bound(-1.0, 1.0, 10, 1.0, 1.0), "strength: -1"),
        (lambda: loose_bound(1.0, np.nan, 10, 1.0, 1.0), "sloppiness: nan"),
        (lambda: loose_bound(1.0, 1.0, 10, 1.0, -1.0), "squared_distance"),
        (lambda: elbow([3.0, 2.0, 1.0]), "3 above the floor"),
        (lambda: elbow([0.0, -1.0, 0.0, 0.0]), "0 above the floor"),
        (lambda: elbow(np.arange(10.0), floor=1.0), "floor: 1"),
        (lambda: sloppy_slope(np.arange(1.0, 11), first=7), "range: eigenvalues 7 to 10"),
        (lambda: sloppy_slope(np.arange(1.0, 11), first=0), "range"),
        (lambda: sloppy_slope(np.arange(1.0, 11), 1, 11), "range"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(DataError, match=message):
        call()
