"""PAC-Bayes certificates whose posterior is optimised by stochastic gradients (thesis 4.3.3)."""

from __future__ import annotations

import math
from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.curvature.checks import check_count, check_positive
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.bound import Certificate, certificate, check_delta
from hyperribbon.pac_bayes.certificate import DELTA
from hyperribbon.pac_bayes.methods import find_method
from hyperribbon.pac_bayes.prior import MOST, Prior, PriorWeights, with_weights
from hyperribbon.pac_bayes.samples import (
    BoundedSamples,
    PriorSamples,
    as_bounded_samples,
    refuse_overlap,
)
from hyperribbon.pac_bayes.search import Search
from hyperribbon.pac_bayes.tighter import other_bounds


class OptimisedCertificate(NamedTuple):
    """A certificate, its posterior in short, and how it was found.

    Attributes
    ----------
    method : name
    certificate : Certificate
    other_bounds : by name; see `hyperribbon.pac_bayes.tighter.other_bounds`
    epsilon, j : inverse variance of the prior, on its grid, and its index
    squared_distance : of the posterior's mean from the prior's centre
    effective_dimension : number of directions along which the posterior has half the prior's
        variance or less; for the analytic posterior, those of Eq. 4.4.1
    train_error, test_error : of the trained network, on the bounded samples and the test samples
    posterior_test_error : mean test error of the drawn networks
    n_bounded, n_prior : numbers of samples
    history : columns epoch, objective, surrogate_loss and kl; one row per epoch
    scales : columns eigenvalue, posterior_scale and prior_scale; one row per direction of the
        basis, by descending eigenvalue: the curvature of cross-entropy / ln 2 along the direction,
        Kronecker-factored, at the trained weights; and standard deviations
    seconds : of all
    """

    method: str
    certificate: Certificate
    other_bounds: dict[str, float]
    epsilon: float
    j: int
    squared_distance: float
    effective_dimension: int
    train_error: float
    test_error: float
    posterior_test_error: float
    n_bounded: int
    n_prior: int
    history: dict[str, np.ndarray]
    scales: dict[str, np.ndarray]
    seconds: float


def certify_optimised(
    network: nn.Module,
    initial_weights: np.ndarray,
    trained_weights: np.ndarray,
    bounded: BoundedSamples,
    test: tuple[Tensor | np.ndarray, Tensor | np.ndarray],
    *,
    method: str,
    prior_samples: PriorSamples | None = None,
    prior_weights: PriorWeights | None = None,
    epochs: int = 100,
    batch_size: int = 100,
    learning_rate: float = 1e-3,
    draws: int = 20,
    seed: int = 0,
    delta: float = DELTA,
    delta_draws: float = 0.01,
    progress_bar: str | None = None,
) -> OptimisedCertificate:
    r"""Bound the error, on new samples, of networks drawn from a posterior that is optimised.

    The posterior Q and the prior P are Gaussian, with covariances that are diagonal in one basis;
    `hyperribbon.pac_bayes.methods.METHODS` says which. Means and log variances of Q minimise
    cross-entropy / ln 2 + :math:`\sqrt{(\mathrm{KL} + \text{penalty}) / (2 (n - 1))}` by Adam,
    together with the scale of P, whose best value is known in closed form; every batch meets new
    draws. They start from an analytic posterior, a quarter of the way from the centre of P to the
    trained weights; `hyperribbon.pac_bayes.search.Search.start` says at what scale. At the end P
    and Q widen together to that point of the grid of scales where the bound is least. Of this
    posterior and the analytic one with the least bound, the better is certified, judged by draws
    that do not count. The bound inverts kl, with the union bound over the grid and a limit on the
    error of Q on the samples that holds for so many draws (see
    `hyperribbon.pac_bayes.bound.certificate`).

    The bound holds with probability 1 - delta - delta_draws over the samples and the draws,
    whatever Q is: the trained weights and the basis of Q may depend on all samples. P may not: its
    centre is random, or `PriorWeights`, its covariance isotropic or from ``prior_samples``, and its
    scale is paid for.

    For linear layers every sample meets a network of its own, so that draws times n predictions are
    independent; the limit of Langford and Caruana (2002) holds for their mean by Hoeffding's
    inequality (1963, Theorem 1), and is far closer than that for so many whole networks. Where
    places share weights, as in convolutions, each network meets 100 samples; of 1,000 bounded
    samples or more, those beyond a multiple of 100 are then left out.

    Parameters
    ----------
    network : of linear layers and ungrouped convolutions, without BatchNorm
    initial_weights : (p,), drawn at random before any samples were seen
    trained_weights : (p,)
    bounded : BoundedSamples, the n samples on which the bound rests
    test : inputs and classes of other samples, for the test errors
    method : one of `hyperribbon.pac_bayes.methods.METHODS`
    prior_samples : PriorSamples, which "fisher_prior" needs and no other method takes
    prior_weights : PriorWeights, to be the prior's centre in place of the initial weights
    epochs, batch_size, learning_rate : of the optimisation; the rate is that of the means, it falls
        along a cosine, and that of the log variances is 10 times as large
    draws : int, predictions of each sample
    seed : of the order of samples and of all draws
    delta, delta_draws : probabilities that the bound, and the limit on which it builds, fail
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Raises
    ------
    DataError
        If an argument is not as above; if a sample is in the prior's and the bounded ones; if the
        trained weights are the prior's centre.

    Examples
    --------
    >>> x = torch.randn(200, 3, generator=torch.Generator().manual_seed(0))
    >>> y = (x[:, 0] > 0).long()
    >>> trained = np.array([-3.0, 0, 0, 3, 0, 0, 0, 0])
    >>> bounded = BoundedSamples(x[:150], y[:150])
    >>> found = certify_optimised(nn.Linear(3, 2), np.zeros(8), trained, bounded,
    ...                           (x[150:], y[150:]), method="baseline", epochs=20)
    >>> found.certificate.non_vacuous
    True

    Notes
    -----
    A batch of b samples costs, for a layer of I inputs and O outputs, 8 b I O operations forward
    and as many backward, and 2 b (I^2 + O^2) for the rotations in either direction, but for the
    first layer, whose inputs are rotated once. Layers of few outputs rotate their weights instead.
    """
    start_time = perf_counter()
    found = find_method(method, prior_samples)
    as_bounded_samples(bounded)
    check_count(len(bounded), "bounded samples", 8)
    epochs, size = check_count(epochs, "epochs"), check_count(batch_size, "batch_size")
    rate = check_positive(learning_rate, "learning_rate")
    draws = check_count(draws, "draws")
    check_delta(delta, "delta")
    check_delta(delta_draws, "delta_draws")
    if prior_weights is not None and not isinstance(prior_weights, PriorWeights):
        raise DataError(f"prior_weights: {type(prior_weights).__name__}, expected PriorWeights")
    trained = with_weights(network, trained_weights, "trained_weights")
    test_problem = Problem(trained, *test)
    centre = initial_weights if prior_weights is None else prior_weights
    prior = Prior(network, centre, prior_samples)
    for samples in prior.samples:
        refuse_overlap(samples, bounded)
    if (prior.centre == np.asarray(trained_weights, dtype=np.float64)).all():
        raise DataError("initial_weights: equal to trained_weights, expected those before training")

    at_trained = KFAC(Problem(trained, bounded.inputs[:MOST], bounded.targets[:MOST]))
    at_centre = prior.basis or KFAC(
        Problem(with_weights(network, prior.centre, "initial_weights"),
                bounded.inputs[:MOST], bounded.targets[:MOST])
    )  # fmt: skip
    bases = {"weights": at_trained.weights(), "initial": at_centre, "trained": at_trained}
    basis = bases[found.basis]
    curvatures = [k.diagonal(basis) / math.log(2) for k in (at_trained, at_centre)]
    search = Search(trained, basis, prior, found, bounded, trained_weights, delta, seed)
    best, start = search.start(curvatures)
    history: dict[str, list[float]] = {"epoch": [], "objective": [], "surrogate_loss": [], "kl": []}
    if found.optimised:
        free = search.stiff(curvatures, start.scale.epsilon) if found.stiff else None
        end = search.optimise(start, free, epochs, size, rate, history, progress_bar)
        best = min([best, end], key=search.judged)

    n = search.n
    errors = search.draw_errors(best, draws)
    on_test = test_problem.inputs, None, test_problem.targets
    test_errors = [float(search.wrong(*on_test).double().mean()) for _ in range(draws)]
    kl, classes = search.kl(best), test_problem.n_outputs
    proven = certificate(errors, kl, n, best.scale.j, classes, delta, delta_draws)
    precision = np.exp(search.log_shape - best.log_variance) / best.scale.epsilon
    order = np.argsort(-curvatures[0], kind="stable")
    scales = {
        "eigenvalue": curvatures[0],
        "posterior_scale": np.exp(best.log_variance / 2),
        "prior_scale": np.exp(search.log_shape / 2) / math.sqrt(best.scale.epsilon),
    }
    return OptimisedCertificate(
        method=method,
        certificate=proven,
        other_bounds=other_bounds(proven.error_limit, kl, n, best.scale.j, delta),
        epsilon=best.scale.epsilon,
        j=best.scale.j,
        squared_distance=float(((best.mean - search.centre) ** 2).sum()),
        effective_dimension=int((precision >= 2).sum()),
        train_error=_error(trained, bounded.inputs, bounded.targets),
        test_error=_error(trained, test_problem.inputs, test_problem.targets),
        posterior_test_error=float(np.mean(test_errors)),
        n_bounded=n,
        n_prior=len({h for samples in prior.samples for h in samples.hashes}),
        history={name: np.array(column) for name, column in history.items()},
        scales={name: column[order] for name, column in scales.items()},
        seconds=perf_counter() - start_time,
    )


@torch.no_grad()
def _error(network: nn.Module, inputs: Tensor, targets: Tensor) -> float:
    device = next(network.parameters()).device
    found = torch.cat([network(x.to(device)).argmax(dim=1).cpu() for x in inputs.split(1000)])
    return float((found != targets.cpu()).double().mean())
