import math

import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import KFAC, Problem
from hyperribbon.errors import DataError
from hyperribbon.networks import build_network
from hyperribbon.pac_bayes.bound import certificate, penalty, sample_convergence_bound
from hyperribbon.pac_bayes.certificate import certify
from hyperribbon.pac_bayes.methods import METHODS
from hyperribbon.pac_bayes.objective import objective
from hyperribbon.pac_bayes.optimised import certify_optimised
from hyperribbon.pac_bayes.prior import PriorWeights
from hyperribbon.pac_bayes.samples import BoundedSamples, PriorSamples, set_aside
from hyperribbon.pac_bayes.tighter import other_bounds

OPTIONS = {"epochs": 8, "learning_rate": 3e-3, "draws": 10}


class Learnt:
    """Blobs that overlap, 1,200 training samples, and a network that has overfitted them."""

    def __init__(self):
        rng = np.random.default_rng(0)
        labels = rng.integers(2, size=2200)
        inputs = rng.normal(size=(2200, 6)) + 1.2 * labels[:, None]
        torch.manual_seed(0)
        self.network = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 2))
        self.initial = self.flat()
        x, y = torch.tensor(inputs[:1200]).float(), torch.tensor(labels[:1200])
        optimiser = torch.optim.Adam(self.network.parameters(), 0.02)
        for _ in range(150):
            optimiser.zero_grad()
            nn.functional.cross_entropy(self.network(x), y).backward()
            optimiser.step()
        self.trained = self.flat()
        self.aside = set_aside(x, y, 200)
        self.test = inputs[1200:], labels[1200:]

    def flat(self):
        parts = [p.detach().flatten() for p in self.network.parameters()]
        return torch.cat(parts).double().numpy()

    def certify(self, method, **options):
        shaped = {"prior_samples": self.aside.prior} if method == "fisher_prior" else {}
        options = OPTIONS | shaped | options
        arguments = self.network, self.initial, self.trained, self.aside.bounded, self.test
        return certify_optimised(*arguments, method=method, **options)


@pytest.fixture(scope="module")
def learnt():
    return Learnt()


@pytest.fixture(scope="module")
def found(learnt):
    return {method: learnt.certify(method) for method in METHODS}


@pytest.mark.parametrize("method", METHODS)
def test_the_bound_holds_and_says_something(found, method):
    one = found[method]
    assert one.method == method
    assert one.certificate.error <= one.certificate.error_limit < one.certificate.bound < 0.35
    assert one.certificate.non_vacuous
    assert one.posterior_test_error < one.certificate.bound
    assert one.other_bounds["maurer"] < one.certificate.bound < one.other_bounds["pinsker"]
    assert (one.n_bounded, one.n_prior) == (1000, 200 if METHODS[method].shaped else 0)
    assert one.seconds > 0


@pytest.mark.parametrize("method", METHODS)
def test_it_is_made_of_the_parts_that_it_says(found, method):
    one = found[method]
    assert one.epsilon == pytest.approx(1e-3 * math.exp(one.j / 10))
    assert one.certificate.penalty == penalty(one.j, 1000, 0.025)
    limit = sample_convergence_bound(one.certificate.error, 10 * 1000, 0.01)
    assert one.certificate.error_limit == limit
    values, q, p = (one.scales[k] for k in ("eigenvalue", "posterior_scale", "prior_scale"))
    assert len(values) == 182 and (np.diff(values) <= 0).all()
    ratios = (q / p) ** 2
    assert one.effective_dimension == (ratios <= 0.5).sum()
    if not METHODS[method].shaped:
        np.testing.assert_allclose(p, one.epsilon**-0.5)
        kl = ((ratios - 1 - np.log(ratios)).sum() + one.epsilon * one.squared_distance) / 2
        assert one.certificate.kl == pytest.approx(kl)
    made = certificate(np.full(10_000, one.certificate.error), one.certificate.kl, 1000, one.j, 2)
    assert made.bound == pytest.approx(one.certificate.bound, abs=1e-12)
    given = one.certificate.error_limit, one.certificate.kl, 1000, one.j, 0.025
    assert one.other_bounds == other_bounds(*given)


@pytest.mark.parametrize("method", [name for name, m in METHODS.items() if m.optimised])
def test_the_history_descends_to_the_objective_of_what_is_certified(found, method):
    history = found[method].history
    np.testing.assert_array_equal(history["epoch"], np.arange(1, 9))
    assert history["objective"][-1] < history["objective"][0]
    last = history["surrogate_loss"][-1], history["kl"][-1], 1000, found[method].epsilon, 0.025
    assert history["objective"][-1] == pytest.approx(objective(*last), rel=0.03)


def test_optimised_posteriors_are_no_worse_than_the_analytic_one(found):
    """In the Hessian's basis, the analytic posterior is among those to choose from."""
    analytic = found["analytic"].certificate.bound
    assert not len(found["analytic"].history["epoch"])
    assert found["hessian"].certificate.bound <= analytic + 0.01
    assert found["baseline"].certificate.bound <= analytic + 0.01


def test_the_analytic_posterior_is_that_of_method_1(learnt, found):
    """The scale may be another point of the grid, as both are judged by draws of their own."""
    bounded = learnt.aside.bounded
    network = nn.Sequential(nn.Linear(6, 20), nn.ReLU(), nn.Linear(20, 2)).eval()
    nn.utils.vector_to_parameters(torch.tensor(learnt.trained).float(), network.parameters())
    problem = Problem(network, bounded.inputs, bounded.targets)
    test = Problem(network, *learnt.test)
    whole, ours = certify(problem, test, learnt.initial, draws=20), found["analytic"]
    assert ours.squared_distance == pytest.approx(whole.squared_distance, rel=1e-6)
    assert abs(math.log(ours.epsilon / whole.epsilon)) < 1.1
    values = np.sort(KFAC(problem).eigenvalues / math.log(2))[::-1]
    np.testing.assert_allclose(ours.scales["eigenvalue"], values, rtol=1e-3, atol=1e-5)
    expected = (2 * 999 * values + ours.epsilon) ** -0.5
    np.testing.assert_allclose(ours.scales["posterior_scale"], expected, rtol=1e-3)


def test_stiff_posteriors_are_the_prior_elsewhere(found):
    one = found["stiff"].scales
    same = one["posterior_scale"] == pytest.approx(one["prior_scale"])
    assert not same
    equal = np.isclose(one["posterior_scale"], one["prior_scale"], rtol=1e-6)
    assert 10 < equal.sum() < len(equal)


def test_sloppy_directions_are_the_spread_ones(found):
    """Remark 4.3.5: where eigenvalues are small, the posterior is nearly as wide as the prior."""
    one = found["hessian"].scales
    ratio = one["posterior_scale"] / one["prior_scale"]
    assert ratio[:10].mean() < 0.6 * ratio[-40:].mean()


def test_equal_seeds_give_equal_certificates(learnt, found):
    again = learnt.certify("fisher")
    assert again._replace(history={}, scales={}, seconds=0) == found["fisher"]._replace(
        history={}, scales={}, seconds=0
    )
    np.testing.assert_array_equal(again.history["objective"], found["fisher"].history["objective"])
    other = learnt.certify("fisher", seed=1)
    assert other.certificate != again.certificate


def test_a_prior_trained_on_samples_set_aside_costs_less(learnt, found):
    weights = PriorWeights(
        learnt.network, learnt.initial, learnt.aside.prior, epochs=40, learning_rate=0.01
    )
    one = learnt.certify("baseline", prior_weights=weights)
    assert one.n_prior == 200
    assert one.certificate.bound < found["baseline"].certificate.bound


def test_convolutions_draw_networks_for_equal_shares_of_the_samples():
    torch.manual_seed(0)
    network = build_network("lenet", (1, 8, 8), 2, widths=[2], hidden_width=5)
    n, p = 1_030, sum(one.numel() for one in network.parameters())
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=n + 50)
    images = rng.normal(size=(n + 50, 1, 8, 8)) + labels[:, None, None, None]
    initial = torch.cat([one.detach().flatten() for one in network.parameters()]).double().numpy()
    trained = PriorWeights(network, initial, PriorSamples(images, labels), epochs=5).weights
    bounded = BoundedSamples(images[:n], labels[:n])
    found = certify_optimised(
        network, initial, trained, bounded, (images[n:], labels[n:]), method="hessian", **OPTIONS
    )
    assert found.n_bounded == 1_000 and len(found.scales["eigenvalue"]) == p
    limit = sample_convergence_bound(found.certificate.error, 10 * 10, 0.01)
    assert found.certificate.error_limit == limit
    assert found.posterior_test_error < found.certificate.bound < 0.5


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"method": "hesian"}, "method = 'hesian': expected one of baseline, analytic, fisher, "),
        ({"method": "fisher_prior", "prior_samples": None}, "but method .* needs PriorSamples"),
        ({"method": "hessian", "prior_samples": 1}, 'method "hessian" makes no use of them'),
        ({"method": "baseline", "epochs": 0}, "epochs: 0"),
        ({"method": "baseline", "learning_rate": -1.0}, "learning_rate: -1"),
        ({"method": "baseline", "batch_size": 2.5}, "batch_size: 2.5"),
        ({"method": "baseline", "draws": 0}, "draws: 0"),
        ({"method": "baseline", "delta": 1.5}, "delta: 1.5"),
        ({"method": "baseline", "delta_draws": 0}, "delta_draws: 0"),
        ({"method": "baseline", "prior_weights": np.zeros(182)}, "expected PriorWeights"),
    ],
)
def test_refusals_of_options(learnt, changes, message):
    with pytest.raises(DataError, match=message) as refused:
        learnt.certify(**changes)
    assert "\n" not in str(refused.value)


def test_refusals_of_samples_and_networks(learnt):
    network, test, options = learnt.network, learnt.test, {"method": "baseline"} | OPTIONS
    bounded = learnt.aside.bounded
    weights = learnt.initial, learnt.trained
    overlapping = PriorSamples(bounded.inputs[:5], bounded.targets[:5])
    peeking = PriorWeights(network, learnt.initial, overlapping, epochs=1)
    batch_norm = nn.Sequential(nn.Linear(6, 2), nn.BatchNorm1d(2)).eval()
    layer_norm = nn.Sequential(nn.Linear(6, 2), nn.LayerNorm(2))
    few, short = BoundedSamples(test[0][:7], test[1][:7]), np.zeros(181)
    shaped = {"method": "fisher_prior", "prior_samples": overlapping}
    for arguments, changes, message in [
        ((network, *weights, learnt.aside.prior, test), {}, "bounded: PriorSamples, expected"),
        ((network, *weights, test, test), {}, "bounded: tuple, expected BoundedSamples"),
        ((network, *weights, bounded, test), shaped, "5 of the prior's 5 are among"),
        ((network, *weights, bounded, test), {"prior_weights": peeking}, "5 of the prior's 5"),
        ((network, weights[1], weights[1], bounded, test), {}, "equal to trained_weights"),
        ((network, short, weights[1], bounded, test), {}, "initial_weights: shape"),
        ((network, weights[0], short, bounded, test), {}, "trained_weights: shape"),
        ((batch_norm, *weights, bounded, test), {}, "is a BatchNorm1d"),
        ((layer_norm, np.zeros(18), np.ones(18), bounded, test), {}, "not of a linear layer"),
        ((network, *weights, few, test), {}, "bounded samples: 7"),
    ]:
        with pytest.raises(DataError, match=message) as refused:
            certify_optimised(*arguments, **(options | changes))
        assert "\n" not in str(refused.value)


def test_method_1_takes_no_other_loss_and_no_batch_norm():
    x = torch.randn(20, 3)
    regression = Problem(nn.Linear(3, 2).eval(), x, torch.zeros(20, 2), "squared_error")
    with pytest.raises(DataError, match="loss: SquaredError, expected CrossEntropy"):
        certify(regression, regression, np.zeros(8), draws=3)
    network = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2, affine=False)).eval()
    normalised = Problem(network, x, torch.zeros(20, dtype=torch.long))
    with pytest.raises(DataError, match="BatchNorm1d"):
        certify(normalised, normalised, np.zeros(8), draws=3)
