"""Models trained step by step, and what the closed form says of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.linear import linearised_covariance, train_linear, trajectory_covariance
from hyperribbon.linear.simulation import PointCovariance


def test_points_that_come_in_parts_have_the_covariance_of_all():
    points = np.random.default_rng(0).normal(3, 2, size=(30, 4))
    found = PointCovariance(4)
    for part in np.split(points, [1, 7, 20]):
        found.add(part)
    np.testing.assert_allclose(found.covariance(), np.cov(points.T, bias=True), rtol=1e-12)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 5))
def test_trained_models_are_as_the_closed_form_has_it_from_where_they_start(seed, models, n):
    rng, d, steps = np.random.default_rng(seed), 3, [1, 2, 9]
    X, y, sigma_w = rng.normal(size=(n, d)), rng.normal(size=n), 0.7
    K = X @ X.T
    alpha = 0.9 / np.linalg.eigvalsh(K)[-1]
    trained = train_linear(
        X, y, step_size=alpha, steps=steps, sigma_w=sigma_w, models=models, random_state=seed
    )
    w = sigma_w * np.random.default_rng(seed).standard_normal((models, d))
    closed = linearised_covariance([K] * models, w @ X.T - y, step_size=alpha, steps=steps)
    np.testing.assert_allclose(trained, closed, atol=1e-10 * (1 + np.abs(closed).max()))


def test_many_models_tend_to_the_closed_form():
    eigenvalues, y = np.array([1.0, 0.3, 0.05]), np.array([1.0, -2.0, 0.5])
    settings = {"step_size": 0.9, "sigma_w": 0.5}
    limit = trajectory_covariance(eigenvalues, y, steps=20, **settings).total
    apart = []
    for models in (100, 10_000):
        P = train_linear(np.diag(np.sqrt(eigenvalues)), y, steps=[20], models=models, **settings)[0]
        apart.append(np.linalg.norm(P - limit) / np.linalg.norm(limit))
    assert apart[1] < 0.02
    assert apart[1] < apart[0] / 3  # as the root of the number, 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": []}, r"steps = \[\]: expected increasing integers from 1"),
        ({"steps": [0, 3]}, r"steps = \[0, 3\]: "),
        ({"steps": [3, 3]}, r"steps = \[3, 3\]: "),
        ({"steps": [1.5]}, r"steps = \[1.5\]: "),
        ({"y": np.zeros(3)}, r"X, y: shapes \(2, 2\) and \(3,\)"),
        ({"y": np.array([1.0, np.nan])}, "expected finite"),
        ({"step_size": 1e6, "steps": [200]}, "step_size = 1000000.0: training diverged at step"),
    ],
)
def test_what_cannot_be_trained_is_refused(changes, message):
    arguments = {"X": np.eye(2), "y": np.ones(2), "step_size": 0.5, "steps": [1], **changes}
    X, y = arguments.pop("X"), arguments.pop("y")
    with pytest.raises(DataError, match=message):
        train_linear(X, y, **arguments)


def test_absurd_numbers_of_steps():
    """Closed forms take them; what goes step by step refuses them at once."""
    with pytest.raises(DataError, match="steps: 1000+, taken one by one, expected at most"):
        train_linear(np.eye(2), [1.0, 2.0], step_size=0.5, steps=[10**20], models=2)
    with pytest.raises(DataError, match="more than 300 digits"):
        train_linear(np.eye(2), [1.0, 2.0], step_size=0.5, steps=[10**400], models=2)
