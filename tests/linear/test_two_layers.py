import numpy as np
import pytest
import torch

from hyperribbon.errors import DataError
from hyperribbon.linear import train_two_layers, trajectory_covariance

X = np.array([[1.0, 0.2, 0.0, 0.1], [0.0, 0.5, 0.1, 0.0], [0.3, 0.0, 0.2, 0.1]])
Y = np.array([1.0, -0.5, 0.3])


def test_it_is_the_training_that_torch_does():
    steps, alpha, width = 7, 0.1, 5
    found = train_two_layers(X, Y, width=width, step_size=alpha, steps=steps, models=1)
    rng = np.random.default_rng(0)
    u = torch.tensor(rng.standard_normal((1, width))[0] / np.sqrt(width), requires_grad=True)
    v = torch.tensor(rng.standard_normal((1, width, 4))[0] / np.sqrt(width), requires_grad=True)
    x, y, points = torch.tensor(X), torch.tensor(Y), []
    optimiser = torch.optim.SGD([u, v], lr=alpha)
    for _ in range(steps):
        residuals = x @ v.T @ u - y
        points.append(residuals.detach().numpy())
        optimiser.zero_grad()
        (residuals.square().sum() / 2).backward()
        optimiser.step()
    np.testing.assert_allclose(found.covariance, np.cov(np.array(points).T, bias=True), rtol=1e-9)
    loss = (x @ v.T @ u - y).square().sum().item() / 2
    assert found.losses[0] == pytest.approx(loss)


@pytest.mark.parametrize("balanced", [False, True])
def test_small_steps_keep_the_balance_but_not_the_kernel(balanced):
    """Gradient flow conserves v v^T - u u^T; discrete steps do to the order of their size."""
    options = {"width": 6, "scale": 0.3, "balanced": balanced, "models": 4}
    coarse = train_two_layers(X, Y, step_size=0.02, steps=2000, **options)
    fine = train_two_layers(X, Y, step_size=0.002, steps=20000, **options)
    assert (fine.imbalance_change < 0.2 * coarse.imbalance_change).all()
    assert (fine.imbalance_change < 0.02).all()
    assert (fine.kernel_change > 1).all()  # whatever the thesis says of balanced ones


def test_wide_and_large_ones_are_linear_models():
    """In the lazy regime the kernel stays what it is, and the theory of linear models holds."""
    rng = np.random.default_rng(1)
    width, scale, steps = 3000, 10.0, 100
    K = 2 * scale**2 * X @ X.T  # v^T v and |u|^2 are near scale^2
    values, U = np.linalg.eigh(K)
    alpha = 0.5 / values[-1]
    found = train_two_layers(
        X, Y, width=width, step_size=alpha, steps=steps, scale=scale, models=100, random_state=rng
    )
    assert (found.kernel_change < 0.05).all()
    # Outputs at first have covariance scale^4 / width X X^T, which is scale^2 / (2 width) K.
    arguments = {"step_size": alpha, "steps": steps, "sigma_w": scale / np.sqrt(2 * width)}
    expected = U @ trajectory_covariance(values, U.T @ Y, **arguments).total @ U.T
    np.testing.assert_allclose(found.covariance, expected, atol=0.1 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.ones(2)}, r"X, y: shapes \(3, 4\) and \(2,\), expected finite"),
        ({"width": 0}, "width = 0: expected 1 or more"),
        ({"scale": 0.0}, "scale = 0.0: expected a number above 0"),
        ({"step_size": 50.0}, "step_size = 50.0: a training diverged at step"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_what_cannot_be_is_refused(changes, message):
    arguments = {"y": Y, "width": 3, "step_size": 0.1, "steps": 200} | changes
    with pytest.raises(DataError, match=message):
        train_two_layers(X, arguments.pop("y"), **arguments)
