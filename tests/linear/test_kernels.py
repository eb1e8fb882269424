import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.linear import kernels_covariance, linearised_covariance


def kernel(rng, n, rank):
    G = rng.normal(size=(n, rank)) / np.sqrt(n * rank)
    return G @ G.T


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 40), st.integers(1, 5))
def test_it_is_that_of_functional_gradient_descent(seed, M, steps, rank):
    """From residuals whose mean and covariance are exactly -y and sigma_w^2 K, of each kernel."""
    rng, n, sigma_w = np.random.default_rng(seed), 4, 0.6
    kernels, y = [kernel(rng, n, rank) for _ in range(M)], rng.normal(size=n)
    alpha = 0.9 / max(np.linalg.eigvalsh(K)[-1] for K in kernels)
    points = []
    for K in kernels:
        values, U = np.linalg.eigh(K)
        root = U * np.sqrt(np.maximum(values, 0)) * np.sqrt(n)
        residuals = sigma_w * np.concatenate([root.T, -root.T]) - y
        for _ in range(steps):
            points.append(residuals)
            residuals = residuals - alpha * residuals @ K
    expected = np.cov(np.concatenate(points).T, bias=True)
    found = kernels_covariance(kernels, y, step_size=alpha, steps=steps, sigma_w=sigma_w)
    np.testing.assert_allclose(found, expected, atol=1e-11 * (1 + np.abs(expected).max()))


@pytest.mark.parametrize(
    ("K", "message"),
    [
        (np.eye(3), r"kernels\[0\]: shape \(3, 3\), expected finite \(2, 2\)"),
        (
            np.array([[1.0, 2.0], [0.0, 1.0]]),
            r"kernels\[0\]: not symmetric, expected a symmetric matrix",
        ),
        (np.diag([1.0, -1.0]), "eigenvalues from -1 to 1, expected none below 0"),
        (np.zeros((2, 2)), "expected none below 0, and some above"),
        (np.eye(2) * 9, "expected less than 2 / lambda_1 = 0.222"),
    ],
)
def test_what_is_no_kernel_is_refused(K, message):
    with pytest.raises(DataError, match=message):
        kernels_covariance([K], [1.0, 2.0], step_size=0.5, steps=3)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 3))
def test_linearised_models_follow_their_own_kernels(seed, M, rank):
    rng, n, steps = np.random.default_rng(seed), 4, [1, 3, 17]
    kernels, starts = [kernel(rng, n, rank) for _ in range(M)], rng.normal(size=(M, n))
    alpha = 0.9 / max(np.linalg.eigvalsh(K)[-1] for K in kernels)
    found = linearised_covariance(kernels, starts, step_size=alpha, steps=steps)
    points = []
    residuals = starts.copy()
    for t in range(1, steps[-1] + 1):
        points.append(residuals)
        residuals = np.stack([r - alpha * K @ r for K, r in zip(kernels, residuals, strict=True)])
        if t in steps:
            expected = np.cov(np.concatenate(points).T, bias=True)
            np.testing.assert_allclose(found[steps.index(t)], expected, atol=1e-10)


def test_several_lengths_are_each_alone():
    rng, settings = np.random.default_rng(0), {"step_size": 0.5, "sigma_w": 0.3}
    kernels, y = [kernel(rng, 4, 2) for _ in range(2)], rng.normal(size=4)
    both = kernels_covariance(kernels, y, steps=np.array([3, 50]), **settings)
    for k, T in enumerate((3, 50)):
        found = kernels_covariance(kernels, y, steps=T, **settings)
        np.testing.assert_allclose(both[k], found, rtol=1e-12)


def test_residuals_of_other_kernels_are_refused():
    with pytest.raises(DataError, match=r"residuals: shape \(1, 2\), expected .* of the 2 ker"):
        linearised_covariance([np.eye(2)] * 2, np.ones((1, 2)), step_size=0.5, steps=[1])
