"""Perceptrons that learn a regression, and the spectra that follow."""

import numpy as np
import pytest
import torch

from hyperribbon.curvature import JacobianGram, Problem, correlation_eigenvalues
from hyperribbon.errors import HyperribbonError
from hyperribbon.training.regression import standardised, train_regression


@pytest.fixture
def samples():
    """40 inputs of 5 columns of different scale, and a smooth function of them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 5)) * [9, 3, 1, 0.3, 0.1]
    return x, np.sin(x[:, :1]) + x[:, 2:3]


def train(samples, widths, seed=0, epochs=60, learning_rate=0.02):
    return list(
        train_regression(*samples, widths, seed=seed, epochs=epochs, learning_rate=learning_rate)
    )


def weights(moment):
    return torch.cat([p.detach().flatten() for p in moment.network.parameters()])


def test_the_fisher_matrix_of_a_linear_model_is_the_correlation_of_the_inputs(samples):
    """With a column of ones for the bias, whatever the weights."""
    x, y = samples
    expected = correlation_eigenvalues(np.hstack([x, np.ones((len(x), 1))]))
    for moment in train(samples, []):
        found = JacobianGram(Problem(moment.network, x, y, "squared_error")).fisher()
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_same_seed_gives_the_same_weights_bit_by_bit_and_another_gives_others(samples):
    first, again = train(samples, [7]), train(samples, [7])
    for one, other in zip(first, again, strict=True):
        assert torch.equal(weights(one), weights(other))
    assert not torch.equal(weights(first[0]), weights(train(samples, [7], seed=1)[0]))


def test_chance_elsewhere_is_left_as_it_was(samples):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    train(samples, [4])
    assert torch.equal(torch.rand(2), expected)


def test_the_loss_decreases_and_moments_keep_their_weights(samples):
    moments = train(samples, [20, 10], epochs=101)
    assert [(m.name, m.epoch) for m in moments] == [
        ("initialisation", 0),
        ("middle", 50),
        ("end", 101),
    ]
    errors = [moment.error for moment in moments]
    assert errors[0] > errors[1] > errors[2]
    x, y = map(torch.from_numpy, samples)
    for moment in moments:
        assert not moment.network.training
        assert weights(moment).dtype == torch.float64
        found = (moment.network(x) - y).square().mean().item()
        assert found == pytest.approx(moment.error, rel=1e-12)


def test_a_training_that_diverges_says_what_to_do(samples):
    with pytest.raises(
        HyperribbonError, match=r"\[4\], seed 0: .* lower the learning rate, 1e\+300"
    ):
        train(samples, [4], learning_rate=1e300)


def test_standardised_columns_have_mean_0_and_variance_1(samples):
    found = standardised(samples[0])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-15)
    np.testing.assert_allclose(found.var(axis=0), 1)
