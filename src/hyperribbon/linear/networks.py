"""Wide networks, which follow their tangent kernel, trained step by step (thesis 5.3)."""

from __future__ import annotations

from hyperribbon.extras import needs

needs("torch", "torch", "hyperribbon.linear.networks")

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from hyperribbon.bars import bar_over
from hyperribbon.curvature import JacobianGram, Problem
from hyperribbon.errors import DataError
from hyperribbon.linear.simulation import PointCovariance, check_samples, check_steps
from hyperribbon.training.stacked import StackedFullyConnected, seeded_network

SHARE = (
    0.5  # step size relative to 1 / the largest eigenvalue of any initial kernel, which may grow
)


class LazyTrainings(NamedTuple):
    """Initial state and results of the trainings of M networks.

    Attributes
    ----------
    kernels : (M, n, n), tangent kernels at the initial weights
    residuals : (M, n), residuals at the initial weights
    step_size : float, alpha
    covariances : (len(steps), n, n), P(M, T) of all residuals
    kernel_change : (M,), Frobenius norm of the kernel's change relative to that of the initial
        kernel; 0 for a linear model
    """

    kernels: np.ndarray
    residuals: np.ndarray
    step_size: float
    covariances: np.ndarray
    kernel_change: np.ndarray


def neural_tangent_kernel(network: nn.Module, inputs: torch.Tensor | np.ndarray) -> np.ndarray:
    """Inner products of the gradients of a network's output by its weights, at its weights.

    Parameters
    ----------
    network : module in evaluation mode that maps (n, ...) to (n, 1); computed with in float64
    inputs : (n, ...)

    Returns
    -------
    (n, n) float64, symmetric

    Raises
    ------
    DataError
        If the network has more than one output, or its output depends on the batch or is random.

    Examples
    --------
    >>> network = nn.Linear(2, 1, bias=False).double().eval()
    >>> neural_tangent_kernel(network, np.array([[1.0, 0.0], [1.0, 2.0]]))
    array([[1., 1.],
           [1., 5.]])
    """
    network, inputs = deepcopy(network).double(), torch.as_tensor(inputs).double()
    with torch.no_grad():
        shape = tuple(network(inputs[:1]).shape)
    if shape != (1, 1):
        raise DataError(f"network: outputs of shape {shape} for one sample, expected (1, 1)")
    targets = torch.zeros(len(inputs), 1).double()
    return JacobianGram(Problem(network, inputs, targets, "squared_error")).gram[:, 0, :, 0]


def train_lazily(
    X: np.ndarray,
    y: np.ndarray,
    widths: Sequence[int],
    *,
    steps: Sequence[int],
    models: int,
    random_state: int = 0,
    progress_bar: str | None = None,
) -> LazyTrainings:
    """Train fully-connected ReLU networks without BatchNorm on half the squared residuals.

    Trains by gradient descent on all samples. The step size is half of 1 / lambda, where lambda is
    the largest eigenvalue of any initial tangent kernel. The wider the networks, the closer they
    stay to models that are linear in their weights.

    Parameters
    ----------
    X : (n, d) inputs
    y : (n,) targets
    widths : number of units in each hidden layer
    steps : lengths of training T to report, increasing integers from 1
    models : int, M; networks have PyTorch's initial weights for the seeds ``random_state``,
        ``random_state + 1``, ...
    random_state : int, the first seed
    progress_bar : name of a bar to show; quiet when the output is not a terminal

    Returns
    -------
    LazyTrainings

    Raises
    ------
    DataError
        If an argument is not as above, or training diverges.

    Notes
    -----
    All networks are trained at once, in float32. A step takes 6 M n p operations for p weights per
    network.

    Examples
    --------
    >>> X = np.random.default_rng(0).standard_normal((6, 3))
    >>> found = train_lazily(X, X[:, 0], [400], steps=[1, 20], models=2)
    >>> found.kernels.shape, bool((found.kernel_change < 0.1).all())
    ((2, 6, 6), True)
    """
    due = check_steps(steps)
    x, target = (torch.from_numpy(values).float() for values in check_samples(X, y))
    networks = [
        seeded_network(seed % 2**32, x.shape[1:], 1, widths=widths, batchnorm=False).eval()
        for seed in range(random_state, random_state + models)
    ]
    kernels = _kernels(networks, x)
    step_size = SHARE / max(np.linalg.eigvalsh(K)[-1] for K in kernels)
    stack = StackedFullyConnected(networks)
    parameters = list(stack.parameters())
    points = PointCovariance(len(x))
    found: list[np.ndarray] = []
    first: np.ndarray | None = None
    for t in bar_over(range(1, due[-1] + 1), progress_bar):
        residuals = stack(x)[:, 0] - target
        values = residuals.detach().double().numpy()
        first = values if first is None else first
        if not np.isfinite(values).all():
            raise DataError(
                f"networks of {list(widths)} units diverged at step {t - 1} with step size "
                f"{step_size:g}; expected wider networks or fewer steps"
            )
        points.add(values)
        if t == due[len(found)]:
            found.append(points.covariance())
        gradients = torch.autograd.grad(residuals.square().sum() / 2, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(step_size * gradient)
    for network, state in zip(networks, stack.state_dicts(), strict=True):
        network.load_state_dict(state)
    assert first is not None  # steps are at least 1
    change = np.linalg.norm(_kernels(networks, x) - kernels, axis=(1, 2))
    return LazyTrainings(
        kernels, first, step_size, np.array(found), change / np.linalg.norm(kernels, axis=(1, 2))
    )


def _kernels(networks: Sequence[nn.Module], x: torch.Tensor) -> np.ndarray:
    return np.stack([neural_tangent_kernel(network, x) for network in networks])
