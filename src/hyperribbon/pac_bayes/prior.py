"""Priors of PAC-Bayes bounds, which depend on no samples or on those that were set aside."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from hyperribbon.bars import bar_over
from hyperribbon.curvature.checks import check_count, check_positive
from hyperribbon.curvature.given import as_network
from hyperribbon.curvature.kfac import KFAC
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.samples import PriorSamples, as_prior_samples
from hyperribbon.probability.distributions import as_numpy

MOST = 5_000  # samples from which a basis of the weights is computed


class PriorWeights:
    """Weights trained on samples that were set aside, as the centre of a prior.

    The bound that such a prior gives holds for the other samples, by the same theorem: given the
    samples set aside, the prior is fixed (Ambroladze, Parrado-Hernandez & Shawe-Taylor 2007). The
    weights come from no other place than from here, and know their samples.

    Parameters
    ----------
    network : maps inputs to outputs (n, C); it is left as it is
    initial_weights : (p,), drawn at random before any samples were seen
    samples : PriorSamples
    epochs, batch_size : of Adam
    learning_rate : at first; it falls to 0 along a cosine
    seed : of the order of the samples
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Attributes
    ----------
    weights : (p,) float64
    samples : PriorSamples

    Raises
    ------
    DataError
        If the samples are not `PriorSamples`, or an argument is not as above.

    Examples
    --------
    >>> x, y = torch.eye(4), torch.tensor([0, 1, 0, 1])
    >>> network = nn.Linear(4, 2)
    >>> PriorWeights(network, np.zeros(10), PriorSamples(x, y), epochs=3).weights.shape
    (10,)
    """

    def __init__(
        self,
        network: nn.Module,
        initial_weights: np.ndarray,
        samples: PriorSamples,
        *,
        epochs: int = 30,
        batch_size: int = 100,
        learning_rate: float = 1e-3,
        seed: int = 0,
        progress_bar: str | None = None,
    ):
        self.samples = as_prior_samples(samples)
        epochs, size = check_count(epochs, "epochs"), check_count(batch_size, "batch_size")
        network = with_weights(network, initial_weights, "initial_weights")
        device = next(network.parameters()).device
        inputs, targets = samples.inputs.to(device), samples.targets.to(device)
        rate = check_positive(learning_rate, "learning_rate")
        optimiser = torch.optim.Adam(network.parameters(), rate, fused=True)
        steps = epochs * -(-len(samples) // size)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        order = torch.Generator().manual_seed(seed)
        for _ in bar_over(range(epochs), progress_bar):
            for rows in torch.randperm(len(samples), generator=order).split(size):
                optimiser.zero_grad()
                cross_entropy(network(inputs[rows]), targets[rows]).backward()
                optimiser.step()
                schedule.step()
        self.weights = parameters_to_vector(network.parameters()).detach().double().cpu().numpy()


class Prior:
    r"""A Gaussian prior, up to its scale: :math:`N(w_0, B S B^T / \epsilon)` in a basis B.

    Parameters
    ----------
    network : whose weights are meant
    centre : weights w_0, (p,) drawn at random before any samples were seen, or `PriorWeights`
    samples : PriorSamples, if the covariance shall follow from the Fisher matrix at the centre: S
        then has the eigenvalues of its Kronecker-factored approximation, plus their mean, divided
        by twice the mean; so the prior allows weights to move where the network is stiff, and
        hardly where it is sloppy (thesis 4.2.2). By default S is the identity

    Attributes
    ----------
    centre : (p,)
    basis : KFAC in whose eigenbasis S is diagonal, or None where S is the identity
    log_shape : (p,) logarithms of the diagonal of S
    samples : list of PriorSamples on which the prior depends

    Raises
    ------
    DataError
        If the samples are not `PriorSamples`, or the weights not those of the network.

    Examples
    --------
    >>> Prior(nn.Linear(4, 2), np.zeros(10)).samples
    []
    """

    def __init__(
        self,
        network: nn.Module,
        centre: np.ndarray | PriorWeights,
        samples: PriorSamples | None = None,
    ):
        self.samples: list[PriorSamples] = []
        if isinstance(centre, PriorWeights):
            self.samples.append(centre.samples)
            centre = centre.weights
        network = with_weights(network, centre, "initial_weights")
        self.centre = np.asarray(centre, dtype=np.float64)
        self.log_shape = np.zeros(len(self.centre))
        self.basis: KFAC | None = None
        if samples is not None:
            self.samples.append(as_prior_samples(samples))
            self.basis = KFAC(Problem(network, samples.inputs[:MOST], samples.targets[:MOST]))
            values = self.basis.eigenvalues
            if not values.any():
                raise DataError("prior_samples: the Fisher matrix vanishes on them; expected "
                                "samples on which the outputs depend on the weights")  # fmt: skip
            self.log_shape = np.log((values / values.mean() + 1) / 2)


def with_weights(network: nn.Module, weights: np.ndarray, name: str) -> nn.Module:
    """A copy of the network in float32, in evaluation mode, with flat weights (p,).

    Raises
    ------
    DataError
        If the network has BatchNorm, or these are not p finite numbers.
    """
    network = deepcopy(as_network(network)).float().eval().requires_grad_()
    refuse_batch_norm(network)
    array = as_numpy(weights, name).astype(np.float64)
    p = sum(parameter.numel() for parameter in network.parameters())
    if array.shape != (p,) or not np.isfinite(array).all():
        raise DataError(f"{name}: shape {array.shape}, expected ({p},) finite numbers, one for "
                        "each weight of the network")  # fmt: skip
    first = next(network.parameters())
    vector_to_parameters(torch.from_numpy(array).to(first), network.parameters())
    return network


def refuse_batch_norm(network: nn.Module) -> None:
    """Refuse a network whose BatchNorm statistics would be part of the prior and saw the samples.

    Raises
    ------
    DataError
        If a layer is one.
    """
    for name, layer in network.named_modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            raise DataError(
                f"network: {name or 'it'} is a {type(layer).__name__}, whose running statistics "
                "depend on the samples; expected a network without BatchNorm for a certificate"
            )
