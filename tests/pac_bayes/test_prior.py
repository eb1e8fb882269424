import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import KFAC, Problem
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.prior import Prior, PriorWeights, with_weights
from hyperribbon.pac_bayes.samples import BoundedSamples, PriorSamples

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
SAMPLES = PriorSamples(X, (X[:, 0] > 0).astype(int))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 2))


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()]).double().numpy()


def test_weights_trained_on_samples_set_aside(network):
    before = flat(network)
    found = PriorWeights(network, before, SAMPLES, epochs=40, batch_size=10, learning_rate=0.02)
    assert found.samples is SAMPLES
    np.testing.assert_array_equal(flat(network), before)
    with torch.no_grad():
        z = with_weights(network, found.weights, "w")(SAMPLES.inputs)
    assert (z.argmax(dim=1) == SAMPLES.targets).double().mean() > 0.95
    again = PriorWeights(network, before, SAMPLES, epochs=40, batch_size=10, learning_rate=0.02)
    np.testing.assert_array_equal(found.weights, again.weights)


def test_what_a_prior_depends_on(network):
    weights = flat(network)
    trained = PriorWeights(network, weights, SAMPLES, epochs=1)
    others = PriorSamples(X + 1, SAMPLES.targets)
    assert Prior(network, weights).samples == []
    assert Prior(network, trained).samples == [SAMPLES]
    assert Prior(network, trained, others).samples == [SAMPLES, others]


def test_the_shape_of_the_prior_is_that_of_the_fisher_matrix(network):
    weights = flat(network)
    prior = Prior(network, weights, SAMPLES)
    values = KFAC(Problem(network.eval(), X, SAMPLES.targets)).eigenvalues
    shape = np.exp(prior.log_shape)
    assert shape.mean() == pytest.approx(1)
    assert shape.min() >= 0.5 - 1e-12
    np.testing.assert_allclose(shape, (values / values.mean() + 1) / 2, rtol=1e-4)
    isotropic = Prior(network, weights)
    assert isotropic.basis is None and not isotropic.log_shape.any()


@pytest.mark.parametrize("peeking", [BoundedSamples(X, SAMPLES.targets), (X, SAMPLES.targets)])
def test_no_prior_from_other_samples(network, peeking):
    weights = flat(network)
    for make in (
        lambda: PriorWeights(network, weights, peeking),
        lambda: Prior(network, weights, peeking),
    ):
        with pytest.raises(DataError, match="prior_samples: .*, expected PriorSamples") as refused:
            make()
        assert "\n" not in str(refused.value)


def test_refusals(network):
    for weights in (np.zeros(3), np.full(44, np.nan), np.zeros((44, 1))):
        with pytest.raises(DataError, match=r"initial_weights: shape .*, expected \(44,\)"):
            Prior(network, weights)
    normalised = nn.Sequential(nn.Linear(4, 2), nn.BatchNorm1d(2, affine=False)).eval()
    with pytest.raises(DataError, match="1 is a BatchNorm1d, whose running statistics"):
        Prior(normalised, np.zeros(10))
    with pytest.raises(DataError, match="epochs: 0"):
        PriorWeights(network, flat(network), SAMPLES, epochs=0)


def test_frozen_weights_are_drawn_too(network):
    """The frozen ones may have seen any samples."""
    network[0].requires_grad_(False)
    assert all(p.requires_grad for p in with_weights(network, flat(network), "w").parameters())
