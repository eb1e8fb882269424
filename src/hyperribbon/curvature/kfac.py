"""Kronecker-factored approximation of the Fisher matrix, layer by layer (Martens & Grosse 2015).

The block of a layer's weights is approximated by the Kronecker product of A = E[a a^T] and
G = E[d d^T]. Here a is the layer's input, extended by a 1 for the bias, and d the gradient that is
propagated back to its output, with the exact expectation over labels. Where weights are shared by T
places, A contains the sum over places and G is divided by T (Grosse & Martens 2016). Blocks between
layers, and parameters of other kinds of layers, are left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from hyperribbon.curvature.layers import (
    Layer,
    other_parameters,
    parameter_name,
    traced,
    weighted_layers,
)
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError


class _Block(NamedTuple):
    """Eigenpairs of both factors of a layer's block, ascending."""

    weight: str
    bias: str | None
    ingoing: tuple[np.ndarray, np.ndarray]
    returning: tuple[np.ndarray, np.ndarray]


class KFAC:
    """Eigenvalues and orthonormal eigenvectors of the approximation.

    Parameters
    ----------
    problem : Problem, whose network has parameters only in linear layers and ungrouped convolutions

    Attributes
    ----------
    eigenvalues : (p,), in the order of the basis, not sorted

    Raises
    ------
    DataError
        If another kind of layer has parameters, or `hyperribbon.curvature.layers.weighted_layers`
        leaves a layer out.

    Examples
    --------
    >>> from torch import nn
    >>> network = nn.Linear(3, 2).double().eval()
    >>> kfac = KFAC(Problem(network, torch.eye(3), torch.tensor([0, 1, 0])))
    >>> v = np.arange(8.0)
    >>> bool(np.allclose(kfac.from_basis(kfac.to_basis(v)), v))
    True
    """

    def __init__(self, problem: Problem):
        self.problem = problem
        layers = weighted_layers(problem)
        others = other_parameters(problem, layers)
        grouped = [name for name, layer in layers.items() if getattr(layer, "groups", 1) > 1]
        if others or grouped:
            raise DataError(
                f"{[*others, *grouped][0]}: not of a linear layer or an ungrouped convolution that "
                "is used once, with samples along its first axis, which alone have Kronecker "
                "factors; use Fisher or JacobianGram"
            )
        factors = _factors(problem, layers)
        self._blocks = []
        for name in layers:
            ingoing, returning = (np.linalg.eigh(factor.cpu().numpy()) for factor in factors[name])
            weight, bias = (parameter_name(name, kind) for kind in ("weight", "bias"))
            with_bias = bias if bias in problem.parameters else None
            self._blocks.append(_Block(weight, with_bias, ingoing, returning))
        products = [np.outer(b.returning[0], b.ingoing[0]).ravel() for b in self._blocks]
        self.eigenvalues = np.concatenate(products).clip(min=0)

    def to_basis(self, vectors: np.ndarray) -> np.ndarray:
        """Components (p,) or (p, b), along the eigenvectors, of weights of the same shape."""
        if vectors.ndim == 1:
            return self.to_basis(vectors[:, None])[:, 0]
        tensors, found = self.problem.unflatten(vectors), []
        for block in self._blocks:
            matrix = self._matrix(tensors, block)
            rotated = block.returning[1].T @ matrix @ block.ingoing[1]
            found.append(rotated.reshape(len(rotated), -1).T)
        return np.concatenate(found)

    def from_basis(self, components: np.ndarray) -> np.ndarray:
        """Weights (p,) or (p, b) of components along the eigenvectors."""
        if components.ndim == 1:
            return self.from_basis(components[:, None])[:, 0]
        tensors: dict[str, Tensor] = {}
        start = 0
        for block in self._blocks:
            shape = len(block.returning[0]), len(block.ingoing[0])
            stop = start + shape[0] * shape[1]
            rotated = components[start:stop].T.reshape(-1, *shape)
            matrix = torch.from_numpy(block.returning[1] @ rotated @ block.ingoing[1].T)
            if block.bias is not None:
                tensors[block.bias] = matrix[:, :, -1]
                matrix = matrix[:, :, :-1]
            tensors[block.weight] = matrix
            start = stop
        return self.problem.flatten(tensors)

    def _matrix(self, tensors: dict[str, Tensor], block: _Block) -> np.ndarray:
        """A layer's weights and bias side by side, (b, out, in)."""
        parts = [tensors[block.weight].flatten(2)]
        if block.bias is not None:
            parts.append(tensors[block.bias][:, :, None])
        return torch.cat(parts, dim=2).double().cpu().numpy()


def _factors(problem: Problem, layers: dict[str, Layer]) -> dict[str, list[Tensor]]:
    """A and G of each layer, float64."""
    sums: dict[str, list[Tensor]] = {}
    for found, part in traced(problem, layers):
        z = problem.outputs(problem.parameters, problem.inputs[part])
        factor = problem.loss.factor(z, problem.targets[part])
        for name in layers:
            ingoing = found[name].ingoing[:, 0]  # (n, T, I)
            if parameter_name(name, "bias") in problem.parameters:
                ingoing = torch.cat([ingoing, torch.ones_like(ingoing[..., :1])], dim=-1)
            places = ingoing.shape[1]
            a = ingoing.flatten(0, 1)
            d = torch.einsum("ncto,nck->nkto", found[name].returning[:, :, 0], factor).flatten(0, 2)
            products = [(a.T @ a).double(), (d.T @ d).double() / places]
            before = sums.get(name, [torch.zeros_like(product) for product in products])
            sums[name] = [old + new for old, new in zip(before, products, strict=True)]
    return {name: [total / problem.n_samples for total in both] for name, both in sums.items()}
