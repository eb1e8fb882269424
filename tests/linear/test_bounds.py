import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.linear import bounds, trajectory_covariance

SLACK = 1 + 1e-9


@st.composite
def regressions(draw):
    """Eigenvalues, exponential or of any kind; targets, step size, steps, sigma_w."""
    n, rng = draw(st.integers(2, 40)), np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        eigenvalues = np.exp(-draw(st.floats(0.01, 3)) * np.arange(n))
    else:
        eigenvalues = np.sort(10 ** -rng.uniform(0, draw(st.floats(0.1, 8)), n))[::-1]
    y = rng.normal(size=n) * draw(st.sampled_from([1.0, np.sqrt(eigenvalues)]))
    y *= 10 ** draw(st.floats(-2, 2))
    alpha = draw(st.floats(0.01, 1.0)) / eigenvalues[0]
    return eigenvalues, y, alpha, int(10 ** draw(st.floats(0, 9))), 10 ** draw(st.floats(-2, 2))


def descending(P):
    return np.linalg.eigvalsh(P)[::-1]


@given(regressions())
def test_no_bound_is_violated(regression):
    eigenvalues, y, alpha, steps, sigma_w = regression
    found = trajectory_covariance(eigenvalues, y, step_size=alpha, steps=steps, sigma_w=sigma_w)
    targets = descending(found.targets)
    rounding = 1e-13 * targets[0]
    assert (targets <= SLACK * bounds.targets_decay(eigenvalues) * targets[0] + rounding).all()
    low, high = bounds.targets_largest(eigenvalues, y, alpha, steps)
    assert low <= SLACK * steps * targets[0] <= SLACK**2 * high
    initial = bounds.initialisation_bound(eigenvalues, alpha, steps, sigma_w)
    assert (steps * found.initialisation <= SLACK * initial).all()
    first = descending(found.first)
    limit = bounds.decay_bound(eigenvalues, y, alpha, steps, sigma_w)
    assert (first <= SLACK * limit * first[0] + 1e-13 * first[0]).all()


@given(regressions(), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_nor_is_that_of_several_kernels(regression, M, seed):
    eigenvalues, y, alpha, steps, sigma_w = regression
    rng, n = np.random.default_rng(seed), len(eigenvalues)
    spectra, total = [], np.zeros((n, n))
    for _ in range(M):
        values = eigenvalues ** rng.uniform(0.2, 2)
        values *= min(1.0, eigenvalues[0] / values[0])
        U = np.linalg.qr(rng.normal(size=(n, n)))[0]
        part = trajectory_covariance(
            values, U.T @ y, step_size=alpha, steps=steps, sigma_w=sigma_w
        ).first
        total += U @ part @ U.T
        spectra.append(values)
    found = descending(total)
    limit = bounds.kernels_decay_bound(spectra, y, alpha, steps, sigma_w)
    assert (found <= SLACK * limit * found[0] + 1e-12 * found[0]).all()


def test_in_the_tail_the_bound_falls_with_the_inputs():
    eigenvalues, y = np.exp(-0.1 * np.arange(50)), np.full(50, 1.0)
    bound = bounds.decay_bound(eigenvalues, y, 1.0, 10, 5.0)
    assert (np.diff(bound)[-6:] < 0).all()
    assert 0 < bound[-1] < bound[3] == 1


@pytest.mark.parametrize("slope", [0.1, 0.2, 0.5])
@pytest.mark.parametrize("steps", [10, 10**4, 10**6])
def test_no_later_eigenvalue_has_a_larger_bound(slope, steps):
    bound = bounds.decay_bound(np.exp(-slope * np.arange(50)), np.ones(50), 1.0, steps, 0.1)
    assert (np.diff(bound) <= 0).all()


def test_of_spectra_that_do_not_descend_there_is_no_bound():
    with pytest.raises(DataError, match="in descending order"):
        bounds.targets_decay([0.1, 1.0])
    with pytest.raises(DataError, match="the last is 0.0"):
        bounds.targets_decay([1.0, 0.0])
    with pytest.raises(DataError, match="condition = 0.5"):
        bounds.decay_base(0.5)
