"""Spectra of correlation matrices E[h h^T] of inputs, activations and gradients.

As in the thesis (4.7.3), correlations are not centred: the matrix of the inputs is X^T X / N.
Images and feature maps are flattened, so that every number is a dimension.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor

from hyperribbon.curvature.given import as_samples
from hyperribbon.curvature.layers import weighted_layers
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError


def correlation_eigenvalues(H: Tensor | np.ndarray) -> np.ndarray:
    """The min(N, d) eigenvalues of H^T H / N that may differ from 0, descending.

    Parameters
    ----------
    H : (N, ...); all axes except the first are flattened into d dimensions. The smaller of H^T H
        and H H^T is formed in float64: O(N d min(N, d)) operations.

    Examples
    --------
    >>> correlation_eigenvalues(np.array([[2.0, 0.0], [0.0, 1.0]]))
    array([2. , 0.5])
    """
    device = H.device if isinstance(H, Tensor) else "cpu"
    like = torch.empty(0, dtype=torch.float64, device=device)
    H = as_samples(H, "H", like)
    if H.ndim < 2:
        raise DataError(f"H: shape {tuple(H.shape)}, expected (N, ...), one row per sample")
    H = H.flatten(1).double()
    product = H.T @ H if H.shape[1] <= len(H) else H @ H.T
    values = eigh(product.cpu().numpy(), eigvals_only=True, overwrite_a=True, check_finite=False)
    return values[::-1] / len(H)


def layer_spectra(problem: Problem) -> dict[str, dict[str, np.ndarray]]:
    """Spectra of the correlations at each linear or convolutional layer.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    dict by layer, in the order of their use, of

    - ``"activations"``: spectrum of the layer's inputs h^k; those of the first layer are the
      network's inputs
    - ``"gradients"``: spectrum of the gradients of each sample's loss with respect to h^k

    Layers that are used more than once, or whose first axis does not index samples, are left out.

    Notes
    -----
    The activations of all samples are held in memory for one layer at a time.
    """
    layers = weighted_layers(problem)
    return {
        name: {
            kind: correlation_eigenvalues(torch.cat(parts))
            for kind, parts in zip(
                ("activations", "gradients"),
                zip(*_activations(problem, layer), strict=True),
                strict=True,
            )
        }
        for name, layer in layers.items()
    }


def _activations(problem: Problem, layer: torch.nn.Module) -> Iterator[tuple[Tensor, Tensor]]:
    """A layer's inputs, and the gradients of the loss with respect to them, chunk by chunk."""
    entered: list[Tensor] = []

    def hook(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        h = inputs[0]
        if not h.requires_grad:
            h = h.detach().requires_grad_()
        entered.append(h)
        return (h.clone(), *inputs[1:])  # an operation in place must not change h itself

    handle = layer.register_forward_pre_hook(hook)
    try:
        for x, targets in problem.batches(16):
            with torch.enable_grad():
                total = problem.loss.total(problem.outputs(problem.leaves(), x), targets)
            h = entered.pop()
            (gradient,) = torch.autograd.grad(total, h)
            yield h.detach(), gradient
    finally:
        handle.remove()
