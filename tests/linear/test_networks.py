"""Tangent kernels, and that wide networks follow theirs."""

import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.errors import DataError
from hyperribbon.linear import linearised_covariance, ribbon_dimension
from hyperribbon.linear.networks import neural_tangent_kernel, train_lazily


def test_a_kernel_is_of_the_gradients_of_the_output():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double().eval()
    x = torch.randn(4, 3, dtype=torch.float64)
    rows = []
    for sample in x:
        output = network(sample[None]).squeeze()
        gradients = torch.autograd.grad(output, list(network.parameters()))
        rows.append(torch.cat([g.flatten() for g in gradients]))
    J = torch.stack(rows).numpy()
    np.testing.assert_allclose(neural_tangent_kernel(network, x), J @ J.T, rtol=1e-10)


def test_of_two_outputs_there_is_no_kernel():
    with pytest.raises(
        DataError, match=r"outputs of shape \(1, 2\) for one sample, expected \(1, 1\)"
    ):
        neural_tangent_kernel(nn.Linear(3, 2).eval(), torch.zeros(4, 3))


@pytest.mark.parametrize("n", [10, 40])
@pytest.mark.parametrize("widths", [(1,), (4,), (64, 64)])
def test_kernels_of_few_samples_and_of_few_weights_are_kernels(n, widths):
    X = np.random.default_rng(1).standard_normal((n, 5))
    found = train_lazily(X, np.sign(X[:, 0]), widths, steps=[2], models=2)
    np.testing.assert_allclose(found.kernels, found.kernels.transpose(0, 2, 1), rtol=1e-10)
    linearised_covariance(found.kernels, found.residuals, step_size=found.step_size, steps=[2])


def test_seeds_beyond_the_largest_begin_anew():
    X = np.random.default_rng(1).standard_normal((5, 3))
    found = train_lazily(X, X[:, 0], [4], steps=[1], models=2, random_state=2**32 - 1)
    other = train_lazily(X, X[:, 0], [4], steps=[1], models=2, random_state=0)
    assert np.array_equal(found.residuals[1], other.residuals[0])


def trainings(width, steps=(1, 10, 60)):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((15, 6))
    return train_lazily(X, np.sign(X[:, 0]), [width], steps=steps, models=4)


def test_the_wider_networks_are_the_nearer_they_stay_to_their_kernel():
    apart, moved = [], []
    for width in (8, 128, 2048):
        found = trainings(width)
        P = linearised_covariance(
            found.kernels, found.residuals, step_size=found.step_size, steps=[1, 10, 60]
        )
        difference = np.linalg.norm(found.covariances - P, axis=(1, 2))
        apart.append(difference[-1] / np.linalg.norm(P[-1]))
        moved.append(found.kernel_change.mean())
        assert difference[0] < 1e-6  # before the first step they are where they begin
    assert apart[0] > 5 * apart[1] > 5 * apart[2]
    assert moved[0] > 2 * moved[1] > 4 * moved[2]
    assert ribbon_dimension(found.covariances).tolist() == ribbon_dimension(P).tolist()


def test_the_same_seed_trains_the_same_networks():
    one, other = trainings(8, [1, 5]), trainings(8, [1, 5])
    assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_training_that_diverges_says_so(monkeypatch):
    monkeypatch.setattr("hyperribbon.linear.networks.SHARE", 1e6)
    with pytest.raises(DataError, match=r"networks of \[8\] units diverged at step"):
        trainings(8)
