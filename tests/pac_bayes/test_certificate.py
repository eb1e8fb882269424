import math

import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import KFAC, Problem
from hyperribbon.curvature.problem import error_of
from hyperribbon.pac_bayes.analytic import GaussianPosterior, analytic_precisions
from hyperribbon.pac_bayes.bound import certificate
from hyperribbon.pac_bayes.certificate import certify

from ..curvature.conftest import perceptron


@pytest.fixture(scope="module")
def learnt():
    """Two blobs, 2,000 training samples, a network that tells them apart; its first weights."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=4000)
    inputs = rng.normal(size=(4000, 4)) + 3 * labels[:, None]
    network = perceptron([4, 6, 2], nn.Tanh)
    train = inputs[:2000], labels[:2000]
    initial = Problem(network, *train).flat_weights()
    x, y = torch.from_numpy(train[0]), torch.from_numpy(train[1])
    optimiser = torch.optim.Adam(network.parameters(), 0.02)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimiser.step()
    return Problem(network, *train), Problem(network, inputs[2000:], labels[2000:]), initial


def test_the_bound_holds_and_says_something(learnt):
    problem, test, initial = learnt
    found = certify(problem, test, initial, draws=1000)
    assert found.certificate.non_vacuous
    assert found.certificate.error < found.certificate.error_limit < found.certificate.bound < 0.5
    assert found.posterior_test_error < found.certificate.bound
    assert found.train_error == error_of(problem) and found.test_error == error_of(test)
    assert found.squared_distance == pytest.approx(((problem.flat_weights() - initial) ** 2).sum())


def test_it_is_made_of_the_parts_that_it_says(learnt):
    problem, test, initial = learnt
    found = certify(problem, test, initial, draws=5, seed=3)
    kfac = KFAC(problem)
    precisions = analytic_precisions(kfac.eigenvalues / math.log(2), 2000, found.epsilon)
    posterior = GaussianPosterior(problem.flat_weights(), precisions, found.epsilon, kfac)
    rng = np.random.default_rng(3)
    errors = np.array([error_of(problem, posterior.sample(rng)) for _ in range(5)])
    assert found.certificate.error == pytest.approx(errors.mean())
    assert found.certificate.kl == pytest.approx(posterior.kl(initial))
    j = round(10 * math.log(found.epsilon / 1e-3))
    assert found.certificate == certificate(errors, posterior.kl(initial), 2000, j, classes=2)


def test_equal_seeds_give_equal_certificates(learnt):
    assert certify(*learnt, draws=4, seed=1) == certify(*learnt, draws=4, seed=1)
    assert certify(*learnt, draws=4, seed=1) != certify(*learnt, draws=4, seed=2)
