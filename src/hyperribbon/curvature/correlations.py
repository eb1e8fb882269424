"""Spectra of the data, and of what passes a network: E[h h^T] of inputs, activations, gradients.

Correlations are about 0, not about the mean, as in the thesis (4.7.3): the matrix of the inputs is
X^T X / N. Of images and channels, every number is a dimension.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor

from hyperribbon.curvature.given import as_samples
from hyperribbon.curvature.layers import weighted_layers
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError


def correlation_eigenvalues(H: Tensor | np.ndarray) -> np.ndarray:
    """Eigenvalues of H^T H / N, descending, min(N, d) of them.

    Parameters
    ----------
    H : (N, ...), of which all but the first axis are d dimensions. The smaller one of H^T H and
        H H^T is formed in float64: O(N d min(N, d)) operations.

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

    - ``"activations"``: of what goes into the layer, h^k; of the first one these are the inputs
    - ``"gradients"``: of the gradients of each sample's loss in the same

    Layers used more than once, or whose first axis is not that of the samples, are left out.

    Notes
    -----
    One layer's activations of all samples are in memory at a time.
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


def _activations(problem: Problem, layer: torch.nn.Module):
    """What goes into a layer, and the gradients of the loss in it, chunk by chunk."""
    entered: list[Tensor] = []

    def hook(module: torch.nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        h = inputs[0]
        if not h.requires_grad:
            h = h.detach().requires_grad_()
        entered.append(h)
        return (h.clone(), *inputs[1:])  # what changes it in place leaves this one alone

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
