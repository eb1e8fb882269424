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


class Block(NamedTuple):
    """A layer's weights in a `LayerBasis`: (O, I), with the bias as the last column.

    ingoing (I, I) and returning (O, O) have orthonormal columns; the vectors of the basis are their
    Kronecker products. Without them, the coordinates are the weights themselves.
    """

    layer: str
    weight: str
    bias: str | None
    shape: tuple[int, int]
    ingoing: np.ndarray | None = None
    returning: np.ndarray | None = None


class LayerBasis:
    """An orthonormal basis of the weights, of Kronecker products in each layer.

    Attributes
    ----------
    blocks : list of Block, of the layers in the order in which they are used
    """

    def __init__(self, problem: Problem, blocks: list[Block]):
        self.problem = problem
        self.blocks = blocks

    def to_basis(self, vectors: np.ndarray) -> np.ndarray:
        """Components (p,) or (p, b), along the basis, of weights of the same shape."""
        if vectors.ndim == 1:
            return self.to_basis(vectors[:, None])[:, 0]
        tensors, found = self.problem.unflatten(vectors), []
        for block in self.blocks:
            matrix = side_by_side(tensors, block).double().cpu().numpy()
            if block.returning is not None:
                matrix = block.returning.T @ matrix
            if block.ingoing is not None:
                matrix = matrix @ block.ingoing
            found.append(matrix.reshape(len(matrix), -1).T)
        return np.concatenate(found)

    def from_basis(self, components: np.ndarray) -> np.ndarray:
        """Weights (p,) or (p, b) of components along the basis."""
        if components.ndim == 1:
            return self.from_basis(components[:, None])[:, 0]
        tensors: dict[str, Tensor] = {}
        start = 0
        for block in self.blocks:
            stop = start + block.shape[0] * block.shape[1]
            rotated = components[start:stop].T.reshape(-1, *block.shape)
            if block.returning is not None:
                rotated = block.returning @ rotated
            if block.ingoing is not None:
                rotated = rotated @ block.ingoing.T
            matrix = torch.from_numpy(rotated)
            if block.bias is not None:
                tensors[block.bias] = matrix[:, :, -1]
                matrix = matrix[:, :, :-1]
            tensors[block.weight] = matrix
            start = stop
        return self.problem.flatten(tensors)


class KFAC(LayerBasis):
    """Eigenvalues and orthonormal eigenvectors of the approximation.

    Parameters
    ----------
    problem : Problem, whose network has parameters only in linear layers and ungrouped convolutions

    Attributes
    ----------
    eigenvalues : (p,), in the order of the basis, not sorted
    blocks : list of Block, of the layers in the order in which they are used

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
    >>> bool(np.allclose(kfac.diagonal(kfac), kfac.eigenvalues))
    True
    """

    def __init__(self, problem: Problem):
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
        blocks, self._pairs = [], []
        for name in layers:
            (a, U), (g, V) = (np.linalg.eigh(factor.cpu().numpy()) for factor in factors[name])
            weight, bias = (parameter_name(name, kind) for kind in ("weight", "bias"))
            with_bias = bias if bias in problem.parameters else None
            blocks.append(Block(name, weight, with_bias, (len(g), len(a)), U, V))
            self._pairs.append(((a, U), (g, V)))
        super().__init__(problem, blocks)
        products = [np.outer(g, a).ravel() for (a, _), (g, _) in self._pairs]
        self.eigenvalues = np.concatenate(products).clip(min=0)

    def weights(self) -> LayerBasis:
        """The basis whose coordinates are the weights themselves."""
        plain = [block._replace(ingoing=None, returning=None) for block in self.blocks]
        return LayerBasis(self.problem, plain)

    def diagonal(self, basis: LayerBasis) -> np.ndarray:
        """Curvature (p,) along the vectors of another basis of the same layers: v^T F v."""
        found = []
        for (ingoing, returning), other in zip(self._pairs, basis.blocks, strict=True):
            both = _along(*returning, other.returning), _along(*ingoing, other.ingoing)
            found.append(np.outer(*both).ravel())
        return np.concatenate(found).clip(min=0)


def _along(values: np.ndarray, vectors: np.ndarray, others: np.ndarray | None) -> np.ndarray:
    """Diagonal of a matrix with given eigenpairs in another orthonormal basis."""
    return (vectors if others is None else others.T @ vectors) ** 2 @ values


def side_by_side(tensors: dict[str, Tensor], block: Block) -> Tensor:
    """A layer's weights and bias (b, out, in) as one matrix each, from tensors (b, ...)."""
    parts = [tensors[block.weight].flatten(2)]
    if block.bias is not None:
        parts.append(tensors[block.bias][:, :, None])
    return torch.cat(parts, dim=2)


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
