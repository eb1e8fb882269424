import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import KFAC, Problem
from hyperribbon.networks import build_network
from hyperribbon.pac_bayes.analytic import GaussianPosterior
from hyperribbon.pac_bayes.objective import Objective
from hyperribbon.pac_bayes.stochastic import StochasticNetwork

from ..curvature.conftest import perceptron

DRAWS = 600


def stochastic(network, inputs, classes=3, seed=0):
    """A network in its own Kronecker eigenbasis, float64, with random spread; and its problem."""
    network = network.double().eval()
    problem = Problem(network, inputs, np.arange(len(inputs)) % classes)
    basis = KFAC(problem)
    drawn = StochasticNetwork(network, basis, seed)
    log_variance = np.random.default_rng(1).normal(size=problem.n_parameters) - 3
    drawn.assign(basis.to_basis(problem.flat_weights()), log_variance)
    return drawn, problem, basis, log_variance


@pytest.mark.parametrize("eigenbasis", [True, False])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("architecture", ["fully_connected", "lenet"])
def test_without_spread_it_is_the_network(architecture, descending, eigenbasis):
    torch.manual_seed(0)
    options = {"lenet": {"widths": [2], "hidden_width": 5},
               "fully_connected": {"widths": [6, 5], "batchnorm": False}}  # fmt: skip
    network = build_network(architecture, (1, 8, 8), 3, **options[architecture]).double().eval()
    problem = Problem(network, torch.randn(9, 1, 8, 8), torch.arange(9) % 3)
    kfac = KFAC(problem)
    basis = kfac if eigenbasis else kfac.weights()
    drawn = StochasticNetwork(network, basis, seed=0)
    weights = problem.flat_weights()
    drawn.assign(basis.to_basis(weights), np.full(len(weights), -200.0))
    drawn.descending(descending)
    entered = drawn.entered(problem.inputs, batch=4)
    assert (entered is None) == (architecture == "lenet") == (not drawn.independent)
    for known in (None, entered):
        z = drawn.outputs(problem.inputs, known).detach()
        torch.testing.assert_close(z, problem.all_outputs(), rtol=1e-9, atol=1e-9)


def test_moments_of_a_linear_network():
    """Mean and covariance of the outputs of one sample, from those of the weights."""
    torch.manual_seed(0)
    x = torch.randn(6, 4, dtype=torch.float64)
    drawn, problem, basis, log_variance = stochastic(nn.Linear(4, 3), x)
    z = drawn.outputs(x[:1].expand(60_000, 4)).detach().numpy()
    p = problem.n_parameters
    spread = basis.from_basis(np.eye(p)) * np.exp(log_variance / 2)
    jacobian = problem.linearised(x[:1]).along(problem.unflatten(spread))[:, 0].numpy()
    expected = jacobian.T @ jacobian
    np.testing.assert_allclose(np.cov(z.T), expected, atol=0.03 * expected.max())
    np.testing.assert_allclose(
        z.mean(axis=0), problem.all_outputs()[0], atol=5 * np.sqrt(expected.max() / 60_000)
    )


@pytest.mark.parametrize("descending", [True, False])
def test_its_predictions_are_those_of_networks_drawn_whole(descending):
    """For two layers: how often each class is predicted, by either way."""
    x = np.random.default_rng(3).normal(size=(5, 4))
    drawn, problem, basis, log_variance = stochastic(perceptron([4, 6, 3], nn.ReLU), x)
    drawn.descending(descending)
    epsilon = 1.0
    posterior = GaussianPosterior(problem.flat_weights(), np.exp(-log_variance), epsilon, basis)
    rng, whole = np.random.default_rng(0), np.zeros((5, 3))
    for _ in range(DRAWS):
        whole[np.arange(5), problem.all_outputs(posterior.sample(rng)).argmax(dim=1)] += 1 / DRAWS
    ours = np.zeros((5, 3))
    with torch.no_grad():
        for _ in range(DRAWS if descending else 1):
            x = problem.inputs if descending else problem.inputs.repeat(DRAWS, 1)
            found = drawn.outputs(x).argmax(dim=1)
            np.add.at(ours, (np.arange(len(x)) % 5, found.numpy()), 1 / DRAWS)
    assert np.abs(ours - whole).max() < 5 * np.sqrt(0.5 / DRAWS)
    assert whole.max() < 0.99


def test_samples_meet_networks_of_their_own_but_not_in_a_descent():
    x = torch.randn(1, 4, dtype=torch.float64).expand(50, 4)
    drawn, *_ = stochastic(nn.Linear(4, 3), torch.randn(6, 4))
    assert len(drawn.outputs(x).unique(dim=0)) == 50
    drawn.descending(True)
    assert len(drawn.outputs(x).unique(dim=0)) == 1


class OverPlaces(nn.Module):
    """The same linear layer at each of several places of a sample."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x):
        return self.linear(x).sum(dim=1)


def test_places_share_weights():
    """Their outputs add up with full correlation: the variance is that of the summed inputs."""
    torch.manual_seed(0)
    x = torch.randn(4, 5, 3, dtype=torch.float64)
    network = OverPlaces().double().eval()
    problem = Problem(network, x, torch.arange(4) % 2)
    basis = KFAC(problem).weights()
    drawn = StochasticNetwork(network, basis, seed=0)
    drawn.assign(np.zeros(8), np.zeros(8))
    assert not drawn.independent and drawn.entered(x) is None
    with torch.no_grad():
        z = torch.stack([drawn.outputs(x) for _ in range(4000)])
    expected = x.sum(dim=1).square().sum(dim=1) + 25
    torch.testing.assert_close(z.var(dim=0).mean(dim=1), expected, rtol=0.1, atol=0)


class Value(torch.autograd.Function):
    """The objective as a function of means and log variances, with the gradients it leaves."""

    @staticmethod
    def forward(ctx, mean, log_variance, drawn, goal, batch):
        drawn.generator.manual_seed(7)
        drawn.assign(mean.numpy(), log_variance.numpy())
        with torch.enable_grad():
            goal.evaluate(*batch)
        goal.add_those_of_kl()
        ctx.gradients = [
            torch.cat([getattr(layer.gradients, name).flatten() for layer in drawn.layers])
            for name in ("mean", "log_variance")
        ]
        return torch.tensor(goal.value, dtype=torch.float64)

    @staticmethod
    def backward(ctx, g):
        return *(g * part for part in ctx.gradients), None, None, None


@pytest.mark.parametrize("case", ["perceptron", "descending", "shaped", "lenet", "cached"])
def test_gradients(case):
    torch.manual_seed(0)
    if case == "lenet":
        network = build_network("lenet", (1, 8, 8), 3, widths=[2], hidden_width=4)
        x = torch.randn(6, 1, 8, 8, dtype=torch.float64)
    else:
        network, x = perceptron([4, 5, 3]), torch.randn(6, 4, dtype=torch.float64)
    drawn, problem, basis, log_variance = stochastic(network, x)
    drawn.descending(case == "descending")
    mean = basis.to_basis(problem.flat_weights())
    p, rng = len(mean), np.random.default_rng(2)
    shape = rng.normal(size=p) if case == "shaped" else np.zeros(p)
    goal = Objective(drawn, rng.normal(size=p), shape, 50, 0.7, 0.05, free=np.ones(p, bool))
    entered = drawn.entered(problem.inputs) if case == "cached" else None
    batch = problem.inputs, entered, problem.targets
    arguments = [torch.tensor(a, requires_grad=True) for a in (mean, log_variance)]
    assert torch.autograd.gradcheck(
        lambda m, v: Value.apply(m, v, drawn, goal, batch), arguments, eps=1e-6, atol=1e-7
    )


def test_only_free_directions_have_gradients():
    x = torch.randn(6, 4, dtype=torch.float64)
    drawn, problem, _, _ = stochastic(perceptron([4, 5, 3]), x)
    free = np.arange(problem.n_parameters) % 3 == 0
    zeros = np.zeros(len(free))
    goal = Objective(drawn, zeros, zeros, 50, 0.7, 0.05, free)
    goal.evaluate(problem.inputs, None, problem.targets)
    goal.add_those_of_kl()
    for name in ("mean", "log_variance"):
        found = torch.cat([getattr(one.gradients, name).flatten() for one in drawn.layers])
        np.testing.assert_array_equal(found.numpy() != 0, free)


def test_confident_predictions_do_not_slow_products_down():
    """Gradients below 1e-30, subnormal numbers in single precision, do not reach the products."""
    torch.manual_seed(0)
    network = nn.Linear(4, 2).eval()
    problem = Problem(network, torch.randn(6, 4), torch.zeros(6, dtype=torch.long))
    drawn = StochasticNetwork(network, KFAC(problem).weights(), seed=0)
    mean = np.zeros(10)
    mean[4::5] = 80.0, 0.0  # biases, so that the other class has a probability of exp(-80)
    drawn.assign(mean, np.full(10, -20.0))
    loss = nn.functional.cross_entropy(drawn.outputs(problem.inputs), problem.targets)
    loss.backward()
    assert not drawn.layers[0].gradients.mean.any()
