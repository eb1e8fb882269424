import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.analytic import (
    GaussianPosterior,
    Subspace,
    analytic_precisions,
    best_epsilon,
    expected_rise,
    gaussian_kl,
    loose_objective,
)

O3 = json.loads((Path(__file__).parents[1] / "data" / "o3_slice.json").read_text())
spectra = st.lists(st.floats(-1, 1e2), min_size=1, max_size=20).map(np.array)
epsilons = st.floats(1e-2, 1e4)


def test_the_oracle_of_the_closed_form():
    o = O3["closed_form"]
    spectrum, n, epsilon = 3 * np.exp(-0.05 * np.arange(400)), o["n"], o["eps"]
    precisions = analytic_precisions(spectrum, n, epsilon)
    assert expected_rise(spectrum, precisions) == pytest.approx(o["gap"], rel=1e-9)
    assert gaussian_kl(precisions, epsilon, o["norm2"]) == pytest.approx(o["KL"], rel=1e-9)
    assert loose_objective(spectrum, n, epsilon, o["norm2"]) == pytest.approx(o["loose"], rel=1e-9)


@given(spectra, epsilons, st.integers(2, 10**5), st.floats(0, 100))
def test_the_objective_is_the_rise_and_the_divergence(spectrum, epsilon, n, squared_distance):
    precisions = analytic_precisions(spectrum, n, epsilon)
    kl = gaussian_kl(precisions, epsilon, squared_distance)
    total = expected_rise(spectrum, precisions) + kl / (2 * (n - 1))
    found = loose_objective(spectrum, n, epsilon, squared_distance)
    assert found == pytest.approx(total, rel=1e-9, abs=1e-15)


@given(spectra, epsilons, st.integers(2, 1000), st.integers(0, 2**31))
def test_no_other_precisions_have_a_lower_objective(spectrum, epsilon, n, seed):
    best = analytic_precisions(spectrum, n, epsilon)
    other = best * np.exp(0.3 * np.random.default_rng(seed).standard_normal(best.shape))

    def objective(precisions):
        return expected_rise(spectrum, precisions) + gaussian_kl(precisions, epsilon, 1.0) / (
            2 * (n - 1)
        )

    assert objective(best) <= objective(other) * (1 + 1e-12)


def test_precisions_of_negative_eigenvalues_are_the_priors():
    assert analytic_precisions([-5.0, 0.0, 1.0], 11, 2.0).tolist() == [2, 2, 22]
    assert expected_rise([-5.0, 1.0], [2.0, 22.0]) == pytest.approx(0.5 / 22)


@pytest.mark.parametrize("p, k", [(6, 3), (6, 6)])
def test_kl_of_dense_gaussians(p, k):
    rng = np.random.default_rng(p + k)
    V = np.linalg.qr(rng.standard_normal((p, k)))[0]
    precisions, epsilon = 2.0 + 10 * rng.random(k), 2.0
    w, w0 = rng.standard_normal((2, p))
    precision = epsilon * np.eye(p) + (V * (precisions - epsilon)) @ V.T
    covariance = np.linalg.inv(precision)
    kl = np.trace(epsilon * covariance) - p + epsilon * (w - w0) @ (w - w0)
    kl = (kl - p * np.log(epsilon) - np.linalg.slogdet(covariance)[1]) / 2
    posterior = GaussianPosterior(w, precisions, epsilon, Subspace(V))
    assert posterior.kl(w0) == pytest.approx(kl, rel=1e-12)


def test_kl_of_many_precisions_equal_to_the_priors():
    """A million directions add what they are worth, not a million roundings."""
    epsilon = 101.3
    assert gaussian_kl(np.full(10**6, epsilon), epsilon, 0.0) == 0
    many = np.full(10**6, epsilon * (1 + 1e-7))
    assert gaussian_kl(many, epsilon, 0.0) == pytest.approx(1e6 * 1e-14 / 4, abs=1e-10)
    one = gaussian_kl([5.0], epsilon, 1.0)
    assert gaussian_kl(np.append(many, 5.0), epsilon, 1.0) == pytest.approx(one, abs=1e-8)


@given(spectra, st.integers(2, 10**5), st.floats(1e-3, 1e3), st.floats(1, 20))
def test_the_best_epsilon_of_the_grid(spectrum, n, squared_distance, b):
    c = 0.05
    found = best_epsilon(spectrum, n, squared_distance, c=c, b=b)
    assert found.epsilon == pytest.approx(c * np.exp(found.j / b))
    everywhere = c * np.exp(np.arange(1, 40 * b) / b)
    values = loose_objective(spectrum, n, everywhere, squared_distance)
    best = loose_objective(spectrum, n, found.epsilon, squared_distance)
    assert best == pytest.approx(values.min(), rel=1e-12)


def test_the_best_epsilon_of_no_curvature_is_the_smallest():
    assert best_epsilon([0.0, -1.0], 100, 1.0, c=0.5, b=2.0).j == 1
    assert best_epsilon([1e-12], 100, 1e6, c=0.5, b=2.0).j == 1


class Whole:
    """All of the space: a rotation, as a Kronecker-factored eigenbasis is."""

    def __init__(self, A, B):
        self.A, self.B = A, B

    def to_basis(self, v):
        return (self.A.T @ v.reshape(len(self.A), len(self.B)) @ self.B).ravel()

    def from_basis(self, z):
        return (self.A @ z.reshape(len(self.A), len(self.B)) @ self.B.T).ravel()


def bases(rng):
    A, B = (np.linalg.qr(rng.standard_normal((d, d)))[0] for d in (2, 3))
    V = np.linalg.qr(rng.standard_normal((6, 2)))[0]
    return {
        "subspace": (Subspace(V), V),
        "single": (Subspace(V.astype(np.float32)), V),
        "kronecker": (Whole(A, B), np.kron(A, B)),
        "nothing": (Subspace(np.zeros((6, 0))), np.zeros((6, 0))),
    }


@pytest.mark.parametrize("kind", ["subspace", "single", "kronecker", "nothing"])
def test_samples_have_the_mean_and_the_covariance(kind):
    rng = np.random.default_rng(0)
    basis, U = bases(rng)[kind]
    epsilon, mean = 4.0, np.arange(6.0)
    precisions = np.geomspace(1, 100, U.shape[1])
    posterior = GaussianPosterior(mean, precisions, epsilon, basis)
    # Exactly: a draw is the mean and a linear map of z, whose square is the covariance.
    covariance = np.linalg.inv(epsilon * np.eye(6) + (U * (precisions - epsilon)) @ U.T)
    columns = [posterior.sample(Unit(i)) - mean for i in range(6)]
    np.testing.assert_allclose(np.array(columns).T @ np.array(columns), covariance, atol=1e-6)
    # And drawn.
    draws = np.array([posterior.sample(rng) for _ in range(20_000)])
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.03)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.03)


class Unit:
    """In place of a generator, the i-th unit vector."""

    def __init__(self, i):
        self.i = i

    def standard_normal(self, size):
        return np.eye(size)[self.i]


def test_the_rise_is_that_of_a_quadratic_loss():
    rng = np.random.default_rng(1)
    U = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    spectrum, w = np.geomspace(10, 1e-3, 6), rng.standard_normal(6)
    precisions = analytic_precisions(spectrum, 50, 3.0)
    posterior = GaussianPosterior(w, precisions, 3.0, Subspace(U))
    steps = np.array([posterior.sample(rng) for _ in range(20_000)]) - w
    losses = 0.5 * ((steps @ U) ** 2 @ spectrum)
    error = losses.std() / np.sqrt(len(losses))
    assert losses.mean() == pytest.approx(expected_rise(spectrum, precisions), abs=4 * error)


def test_draws_follow_the_generator():
    posterior = GaussianPosterior(np.zeros(5), [2.0], 1.0, Subspace(np.eye(5)[:, :1]))
    first, again, other = (posterior.sample(np.random.default_rng(s)) for s in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).all()


EYE = Subspace(np.eye(4)[:, :2])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: analytic_precisions([1.0], 1, 1.0), "n: 1"),
        (lambda: analytic_precisions([1.0], 10, -1.0), "epsilon: -1"),
        (lambda: expected_rise([1.0, 2.0], [1.0]), "precisions: shape"),
        (lambda: expected_rise([1.0], [0.0]), "precisions"),
        (lambda: gaussian_kl([1.0], 1.0, -1.0), "squared_distance: -1"),
        (lambda: gaussian_kl([np.inf], 1.0, 1.0), "precisions"),
        (lambda: loose_objective([1.0], 10, [0.0], 1.0), "epsilon"),
        (lambda: best_epsilon([1.0], 10, 0.0, c=1.0, b=1.0), "squared_distance: 0"),
        (lambda: best_epsilon([1.0], 10, 1.0, c=0.0, b=1.0), "c: 0"),
        (lambda: Subspace(np.ones((4, 2))), "expected orthonormal"),
        (lambda: Subspace(1.01 * np.eye(4)), "expected orthonormal"),
        (lambda: Subspace(np.eye(2).T[:, [0, 0]]), "expected orthonormal"),
        (lambda: Subspace(np.eye(4, dtype=int)), "floating-point"),
        (lambda: Subspace(np.array([[np.nan]])), "expected orthonormal"),
        (lambda: GaussianPosterior(np.zeros(5), [1.0, 1.0], 1.0, EYE), "mean: 5 weights"),
        (lambda: GaussianPosterior(np.zeros(4), [1.0], 1.0, EYE), "precisions: shape"),
        (lambda: GaussianPosterior(np.full(4, np.nan), [1.0, 1.0], 1.0, EYE), "mean"),
        (lambda: GaussianPosterior(np.zeros(4), [1.0, 1.0], 1.0, EYE).kl(np.zeros(3)), "centre"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(DataError, match=message):
        call()
