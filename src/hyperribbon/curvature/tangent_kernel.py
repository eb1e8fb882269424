"""What a network linearised in its weights learns first: the prediction of its tangent kernel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from hyperribbon.curvature.operators import jacobian_product, jacobian_transposed_product
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError
from hyperribbon.probability.tangent_space import root_velocity


class KernelTangent(NamedTuple):
    """Where a network is, and where gradient flow takes its predictions from there.

    predictions : (N, C) softmax of the outputs
    velocity : (N, C), of the outputs under gradient flow, per unit of time
    tangent : (N, C), of the square roots of the predictions, per unit of time
    """

    predictions: np.ndarray
    velocity: np.ndarray
    tangent: np.ndarray


def ntk_tangent(
    network: nn.Module, inputs, targets, *, at=None, batch_size: int | None = None
) -> KernelTangent:
    r"""The direction in which gradient flow takes predictions first, by the tangent kernel.

    Gradient flow of the mean cross-entropy over N samples moves the outputs f by

    .. math:: \dot f = \frac1N K \bigl(Y - \mathrm{softmax}(f)\bigr), \qquad K = J J^T,

    with the tangent kernel K, where J is the Jacobian of the outputs by the weights and Y one-hot
    targets. It is exact for the network as it is, and stays so while J does. The square roots of
    the predictions move as in `hyperribbon.probability.tangent_space.root_velocity`.

    Parameters
    ----------
    network : network in evaluation mode that maps (n, ...) to logits (n, C)
    inputs : (N, ...) samples to learn
    targets : (N,) their classes
    at : (M, ...) samples on which to follow predictions; by default, those to learn
    batch_size : int, samples in memory at a time

    Returns
    -------
    KernelTangent, of N or M samples

    Raises
    ------
    DataError
        If the network cannot be evaluated or differentiated, or targets do not fit.

    Notes
    -----
    The cost is one gradient of the loss and one product with the Jacobian: K is never formed.

    References
    ----------
    Jacot, Gabriel and Hongler (2018), arXiv:1806.07572.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> network = nn.Linear(3, 2).double().eval()
    >>> found = ntk_tangent(network, torch.eye(3, dtype=torch.float64), torch.tensor([0, 1, 0]))
    >>> found.velocity.shape, found.tangent.shape
    ((3, 2), (3, 2))
    """
    problem = Problem(network, inputs, targets, batch_size=batch_size)
    if problem.n_outputs < 2:
        raise DataError(f"network: {problem.n_outputs} output, expected one per class")
    outputs = problem.all_outputs()
    # Of the loss of each sample, not of their mean.
    slope = problem.loss.gradient(outputs, problem.targets).double().cpu().numpy()
    flow = -jacobian_transposed_product(problem, slope[..., None]) / problem.n_samples
    if at is not None:
        first = torch.zeros(len(at), dtype=torch.int64)
        problem = Problem(network, at, first, batch_size=batch_size)
        outputs = problem.all_outputs()
    velocity = jacobian_product(problem, flow)[..., 0]
    predictions = outputs.double().softmax(dim=1).cpu().numpy()
    return KernelTangent(predictions, velocity, root_velocity(predictions, velocity))
