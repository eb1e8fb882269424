import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import solve_discrete_lyapunov

from hyperribbon.errors import DataError
from hyperribbon.linear import sampled_covariance, trajectory_covariance
from hyperribbon.linear.covariance import StepSizeWarning

EPS = np.finfo(float).eps


def by_hand(eigenvalues, y, step_size, steps, sigma_w):
    """The parts of P(T) as sums over time of whole matrices (Eqs. 5.2.4, 5.2.5)."""
    K, Y = np.diag(eigenvalues), np.outer(y, y)
    power, first, second = np.eye(len(y)), np.zeros_like(Y), np.zeros_like(Y)
    mean = np.zeros(len(y))
    for _ in range(steps):
        first += power @ (sigma_w**2 * K) @ power
        second += power @ Y @ power
        mean += power @ y
        power = power @ (np.eye(len(y)) - step_size * K)
    return np.diag(first) / steps, second / steps, mean / steps


spectra = st.lists(st.floats(-30, 0), min_size=1, max_size=6).map(
    lambda logs: 10.0 ** np.array(logs)
)


@given(spectra, st.data())
def test_the_closed_form_is_the_sum(eigenvalues, data):
    n = len(eigenvalues)
    y = np.array(data.draw(st.lists(st.floats(-3, 3), min_size=n, max_size=n)))
    alpha = data.draw(st.floats(1e-3, 0.999)) / eigenvalues.max()
    steps, sigma_w = data.draw(st.integers(1, 200)), data.draw(st.floats(0.01, 10))
    found = trajectory_covariance(eigenvalues, y, step_size=alpha, steps=steps, sigma_w=sigma_w)
    for part, expected in zip(found, by_hand(eigenvalues, y, alpha, steps, sigma_w), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-10, atol=1e-290)
    first, targets, mean = by_hand(eigenvalues, y, alpha, steps, sigma_w)
    total = np.diag(first) + targets - np.outer(mean, mean)
    scale = np.abs(np.outer(y, y))
    np.testing.assert_array_less(
        np.abs(found.total - total), 1e-10 * np.abs(total) + 50 * EPS * scale + 1e-290
    )


@pytest.mark.filterwarnings("ignore::hyperribbon.linear.covariance.StepSizeWarning")
@given(st.floats(1.0, 1.99), st.integers(1, 50))
def test_residuals_that_oscillate(rate, steps):
    eigenvalues, y = np.array([1.0, 0.7, 0.01]), np.array([1.0, -2.0, 0.5])
    found = trajectory_covariance(eigenvalues, y, step_size=rate, steps=steps, sigma_w=0.3)
    for part, expected in zip(found, by_hand(eigenvalues, y, rate, steps, 0.3), strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("steps", [1, 10, 10**6, 10**12])
def test_extremes_are_what_arithmetic_of_many_digits_gives(steps):
    mpmath = pytest.importorskip("mpmath")
    eigenvalues, y = np.array([1.0, 1e-3, 1e-12, 1e-20, 1e-30]), np.array([1.0, -0.5, 2, 1e-8, 1])
    found = trajectory_covariance(eigenvalues, y, step_size=0.9, steps=steps, sigma_w=0.1)
    with mpmath.workdps(80):
        rates = [mpmath.mpf(0.9) * mpmath.mpf(float(v)) for v in eigenvalues]

        def mean_power(q):
            return (1 - q**steps) / (steps * (1 - q))

        for i, r in enumerate(rates):
            mean = float(mpmath.mpf(float(y[i])) * mean_power(1 - r))
            assert found.mean[i] == pytest.approx(mean, rel=1e-13)
            first = float(
                mpmath.mpf(0.1) ** 2 * mpmath.mpf(float(eigenvalues[i])) * mean_power((1 - r) ** 2)
            )
            assert found.initialisation[i] == pytest.approx(first, rel=1e-13)
            for j, s in enumerate(rates):
                pair = float(
                    mpmath.mpf(float(y[i]))
                    * mpmath.mpf(float(y[j]))
                    * mean_power((1 - r) * (1 - s))
                )
                assert found.targets[i, j] == pytest.approx(pair, rel=1e-13)


def test_in_the_limit_the_targets_part_solves_the_lyapunov_equation():
    rng = np.random.default_rng(0)
    eigenvalues, y = np.geomspace(1, 0.01, 8), rng.normal(size=8)
    steps = 10**5
    found = trajectory_covariance(eigenvalues, y, step_size=0.5, steps=steps)
    P = solve_discrete_lyapunov(np.diag(1 - 0.5 * eigenvalues), np.outer(y, y))
    np.testing.assert_allclose(steps * found.targets, P, rtol=1e-10)


def test_of_one_step_targets_have_no_variance():
    found = trajectory_covariance([1.0, 0.1], [3.0, 2.0], step_size=0.5, steps=1, sigma_w=2.0)
    np.testing.assert_allclose(found.total, np.diag([4.0, 0.4]), atol=1e-14)


def test_many_at_once_are_each_alone():
    rng = np.random.default_rng(1)
    eigenvalues = np.exp(-np.arange(5) * np.array([0.1, 1.0])[:, None])  # (2, 5)
    y = rng.normal(size=(3, 1, 1, 5))  # draws
    steps = np.array([1, 7, 10**9])[:, None]  # (3, 1)
    found = trajectory_covariance(eigenvalues, y, step_size=1.0, steps=steps, sigma_w=0.5)
    assert found.total.shape == (3, 3, 2, 5, 5)
    alone = trajectory_covariance(eigenvalues[1], y[2, 0, 0], step_size=1.0, steps=7, sigma_w=0.5)
    np.testing.assert_allclose(found.total[2, 1, 1], alone.total, rtol=1e-14)
    np.testing.assert_allclose(
        found.first[2, 1, 1] - found.second[2, 1, 1], alone.total, rtol=1e-13
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eigenvalues": [1.0, 0.0]}, "eigenvalues: 0.0 among them, expected finite ones above"),
        ({"eigenvalues": [1.0, np.nan]}, "eigenvalues: nan among"),
        ({"y": [1.0]}, r"y: shape \(1,\), expected finite targets, one for each of the 2"),
        (
            {"step_size": 2.0},
            "step_size = 2.0: gradient descent diverges, expected less than 2 / lambda_1 = 2",
        ),
        ({"step_size": 0.0}, "step_size = 0.0: expected a number above 0"),
        ({"steps": 0}, "steps: 0 among them, expected integers from 1"),
        ({"steps": 1.5}, "steps: 1.5 among"),
        ({"steps": [3, np.inf]}, "steps: inf among"),
        ({"sigma_w": 0.0}, "sigma_w = 0.0: expected a number above 0"),
        ({"batch_size": 0}, "batch_size = 0: expected 1 or more, or None"),
        ({"weight_decay": -0.1}, "weight_decay = -0.1: expected 0 or more"),
        ({"weight_decay": 3.5}, "expected less than 2 / lambda_1 = 0.444"),
    ],
)
def test_what_cannot_be_is_refused(changes, message):
    arguments = {"eigenvalues": [1.0, 0.1], "y": [1.0, 1.0], "step_size": 0.5, "steps": 3}
    arguments |= {"sigma_w": 1.0, **changes}
    with pytest.raises(DataError, match=message):
        trajectory_covariance(arguments.pop("eigenvalues"), arguments.pop("y"), **arguments)


def test_steps_that_oscillate_are_warned_of_and_others_are_not(recwarn):
    trajectory_covariance([1.0], [1.0], step_size=1.0, steps=3)
    assert not recwarn
    with pytest.warns(StepSizeWarning, match=r"step_size = 1.5 is above 1 / lambda_1 = 1:"):
        trajectory_covariance([1.0], [1.0], step_size=1.5, steps=3)


def test_sampled_ones_are_those_of_the_trajectories():
    """Gradient descent itself, step by step, from the same random weights."""
    eigenvalues, y, N, T = np.array([1.0, 0.3, 0.02]), np.array([1.0, -1.0, 2.0]), 7, 11
    found = sampled_covariance(
        eigenvalues, y, step_size=0.7, steps=T, sigma_w=0.5, models=N, random_state=3
    )
    w = 0.5 * np.random.default_rng(3).standard_normal((N, 3))
    X, points = np.diag(np.sqrt(eigenvalues)), []
    for _ in range(T):
        residuals = w @ X.T - y
        points.append(residuals)
        w = w - 0.7 * residuals @ X
    points = np.concatenate(points)
    np.testing.assert_allclose(found, np.cov(points.T, bias=True), rtol=1e-10)


def test_sampled_ones_converge_at_the_monte_carlo_rate():
    eigenvalues, y = np.exp(-0.5 * np.arange(6)), np.ones(6)
    arguments = {"step_size": 1.0, "steps": 50, "sigma_w": 0.5}
    exact = trajectory_covariance(eigenvalues, y, **arguments).total
    errors = [
        np.sqrt(np.mean([
            np.sum((sampled_covariance(eigenvalues, y, models=N, random_state=k, **arguments)
                    - exact) ** 2)
            for k in range(40)
        ]))
        for N in (100, 10_000)
    ]  # fmt: skip
    assert 7 < errors[0] / errors[1] < 14  # sqrt(100), give or take a fifth of each


def descent(X, y, w, *, step_size, steps, weight_decay=0.0, noise=None):
    """Residuals (T, N, n) of gradient descent from weights (N, d), step by step."""
    points = []
    for _ in range(steps):
        residuals = w @ X.T - y
        points.append(residuals)
        w = (1 - step_size * weight_decay) * w - step_size * residuals @ X
        if noise is not None:
            w = w + noise(w.shape)
    return np.stack(points)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0, 0.9))
def test_with_weight_decay_it_is_that_of_gradient_descent(seed, steps, weight_decay):
    """From weights whose mean and covariance are exactly those of the Gaussian."""
    rng = np.random.default_rng(seed)
    U, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    eigenvalues, y = np.array([1.0, 0.5, 0.1, 0.01]), rng.normal(size=4)
    X = U * np.sqrt(eigenvalues)  # X X^T = U diag(eigenvalues) U^T
    sigma_w, w = 0.7, np.sqrt(4) * np.concatenate([np.eye(4), -np.eye(4)])
    points = descent(X, y, sigma_w * w, step_size=0.5, steps=steps, weight_decay=weight_decay)
    found = trajectory_covariance(
        eigenvalues, U.T @ y, step_size=0.5, steps=steps, sigma_w=sigma_w, weight_decay=weight_decay
    ).total
    expected = np.cov(points.reshape(-1, 4).T, bias=True)
    np.testing.assert_allclose(U @ found @ U.T, expected, atol=1e-12)


def test_the_noise_of_sgd_is_that_of_its_steps():
    eigenvalues, y, b = np.array([1.0, 0.3, 0.02]), np.array([1.0, -1.0, 2.0]), 4
    X, rng, N = np.diag(np.sqrt(eigenvalues)), np.random.default_rng(0), 100_000
    scale = 0.8 / np.sqrt(b) * np.sqrt(eigenvalues)  # xi has covariance X^T X
    points = descent(
        X, y, 0.1 * rng.standard_normal((N, 3)), step_size=0.8, steps=12,
        noise=lambda shape: scale * rng.standard_normal(shape),
    )  # fmt: skip
    arguments = {"step_size": 0.8, "steps": 12, "sigma_w": 0.1}
    found = trajectory_covariance(eigenvalues, y, batch_size=b, **arguments)
    expected = np.cov(points.reshape(-1, 3).T, bias=True)
    np.testing.assert_allclose(found.total, expected, rtol=0.02, atol=2e-4)
    without = trajectory_covariance(eigenvalues, y, **arguments)
    assert (found.initialisation > 1.5 * without.initialisation)[:2].all()
    large = trajectory_covariance(eigenvalues, y, batch_size=10**9, **arguments)
    np.testing.assert_allclose(large.total, without.total, rtol=1e-6)
