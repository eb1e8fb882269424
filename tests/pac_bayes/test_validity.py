"""Whether bounds hold as often as they say, where the true error of Q is known exactly.

Labels follow the sign of the first of d standard normal inputs, but three in ten are flipped. Q is
a Gaussian on the weights of a linear classifier, optimised on each of hundreds of draws of the
data: its error on a sample x with label y is the probability that y (w . x) < 0, which is
Phi(-y m . x / sqrt(v . x^2)), and its true error follows from a sample that is a thousand times as
large. The classifiers of all draws are optimised at once.
"""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from hyperribbon.pac_bayes.analytic import GRID
from hyperribbon.pac_bayes.bound import (
    binary_kl,
    inverse_binary_kl,
    penalty,
    round_to_grid,
    sample_convergence_bound,
)
from hyperribbon.pac_bayes.objective import diagonal_kl
from hyperribbon.pac_bayes.tighter import lambda_bound, maurer_cost, quadratic_bound

RUNS, N, D, DELTA, FLIPPED, MANY = 300, 60, 10, 0.05, 0.3, 10_000


def data(generator, *shape):
    x = torch.randn(*shape, D, generator=generator, dtype=torch.float64)
    flips = torch.rand(*shape, generator=generator, dtype=torch.float64) < FLIPPED
    return x, torch.sign(x[..., 0]) * torch.where(flips, -1.0, 1.0)


def margins(mean, log_variance, x, y):
    """Means and standard deviations of y w . x under each Q, (runs, n).

    Of the samples of each run, x (runs, n, D), or of the same for all, (n, D).
    """
    if x.ndim == 2:
        return y * (mean @ x.T), (log_variance.exp() @ (x * x).T).sqrt()
    spread = ((x * x) @ log_variance.exp()[..., None]).squeeze(-1).sqrt()
    return y * (x @ mean[..., None]).squeeze(-1), spread


def error(mean, log_variance, x, y):
    """Error of each Q on samples, (runs,)."""
    margin, spread = margins(mean, log_variance, x, y)
    return torch.special.ndtr(-margin / spread).mean(dim=1).numpy()


@pytest.fixture(scope="module")
def learnt():
    """Mean, log variance (runs, D) and epsilon (runs,); errors of Q on samples, and true ones."""
    generator = torch.Generator().manual_seed(0)
    x, y = data(generator, RUNS, N)
    mean = torch.zeros(RUNS, D, dtype=torch.float64, requires_grad=True)
    log_variance = torch.full((RUNS, D), -1.0, dtype=torch.float64, requires_grad=True)
    log_epsilon = torch.zeros(RUNS, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([mean, log_variance, log_epsilon], lr=0.1)
    for _ in range(40):
        noise = torch.randn(RUNS, N, generator=generator, dtype=torch.float64)
        margin, spread = margins(mean, log_variance, x, y)
        loss = torch.nn.functional.softplus(-margin - spread * noise).mean(dim=1) / math.log(2)
        variance = log_variance.exp()
        scaled = log_epsilon.exp()[:, None] * (variance + mean**2)
        kl = (scaled - 1 - log_variance - log_epsilon[:, None]).sum(dim=1) / 2
        cost = kl + penalty(20, N, DELTA)
        optimiser.zero_grad()
        (loss + (cost / (2 * (N - 1))).sqrt()).sum().backward()
        optimiser.step()
    mean, log_variance = mean.detach(), log_variance.detach()
    train = error(mean, log_variance, x, y)
    true = error(mean, log_variance, *data(generator, MANY))
    return mean.numpy(), log_variance.numpy(), log_epsilon.detach().exp().numpy(), train, true


def coverage(bounds, true):
    """The share of draws for which the bound holds, with its Clopper-Pearson interval (95%)."""
    found = binomtest(int((bounds >= true).sum()), len(true))
    return found.statistic, found.proportion_ci(0.95, method="exact")


def certified(learnt):
    """All bounds, by name; every Q has its own prior, on the grid."""
    mean, log_variance, epsilon, train, _ = learnt
    points, zeros = [round_to_grid(e, **GRID) for e in epsilon], np.zeros(D)
    kl = [
        diagonal_kl(m, v, zeros, zeros, point.epsilon)
        for m, v, point in zip(mean, log_variance, points, strict=True)
    ]
    costs = [
        (one + penalty(point.j, N, DELTA)) / (N - 1) for one, point in zip(kl, points, strict=True)
    ]
    tighter = [maurer_cost(one, N, point.j, DELTA) for one, point in zip(kl, points, strict=True)]
    both = list(zip(train, tighter, strict=True))
    return {
        "kl": inverse_binary_kl(train, np.array(costs)),
        "maurer": inverse_binary_kl(train, np.array(tighter)),
        "quadratic": np.array([quadratic_bound(*one) for one in both]),
        "lambda": np.array([lambda_bound(*one) for one in both]),
    }


def test_bounds_hold_at_least_as_often_as_they_say(learnt):
    bounds, true = certified(learnt), learnt[4]
    assert learnt[3].mean() < true.mean()  # the samples flatter Q
    for name, found in bounds.items():
        share, interval = coverage(found, true)
        assert share >= 1 - DELTA and interval.low >= 1 - DELTA, name
    assert bounds["maurer"].mean() < bounds["kl"].mean() < 0.8


def test_a_prior_that_peeks_is_found_out():
    """A prior that is Q itself, as if KL were 0: the same check fails, far below 1 - delta."""
    generator = torch.Generator().manual_seed(1)
    x, y = data(generator, RUNS, D)  # as few samples as there are weights
    mean = torch.linalg.solve(x, y)  # fit without an error
    log_variance = torch.full_like(mean, -8.0)
    train = error(mean, log_variance, x, y)
    true = error(mean, log_variance, *data(generator, MANY))
    cost = penalty(1, D, DELTA) / (D - 1)
    peeking = inverse_binary_kl(train, cost)
    _, interval = coverage(peeking, true)
    assert interval.high < 1 - DELTA
    zeros = np.zeros(D)
    kl = [diagonal_kl(m, v, zeros, zeros, 1.0) for m, v in zip(mean.numpy(), log_variance.numpy(),
                                                               strict=True)]  # fmt: skip
    honest = inverse_binary_kl(train, cost + np.array(kl) / (D - 1))
    assert coverage(honest, true)[1].low >= 1 - DELTA


def test_without_what_the_theorem_asks_for_the_bound_fails(learnt):
    """No KL and no ln(n / delta): the error on the samples themselves is no bound."""
    *_, train, true = learnt
    _, interval = coverage(train, true)
    assert interval.high < 1 - DELTA


def test_the_limit_of_draws_holds_where_each_sample_meets_its_own_networks():
    """Independent coins that are not alike: Hoeffding (1963), Theorem 1."""
    rng, delta, draws = np.random.default_rng(0), 0.1, 5
    chances = rng.beta(0.3, 3.0, size=40)
    means = rng.binomial(draws, chances, size=(4000, 40)).mean(axis=1) / draws
    values = np.unique(means)
    limits = np.array([sample_convergence_bound(v, 40 * draws, delta) for v in values])
    failed = np.isin(means, values[limits < chances.mean()]).mean()
    assert 0 < failed <= delta
    assert binary_kl(values[0], limits[0]) == pytest.approx(np.log(2 / delta) / 200, rel=1e-9)
    # Were the draws of one sample counted as so many of a whole network, it would fail.
    wrong = np.array([sample_convergence_bound(v, 4000 * draws, delta) for v in values])
    assert np.isin(means, values[wrong < chances.mean()]).mean() > delta
