"""Matrices (p, p) of second derivatives, available through their products with vectors.

For fully-connected networks, one product with b vectors costs about 8 N p b multiply-adds for a
Gauss-Newton matrix, and 12 N p b for a Hessian: forward and backward derivatives are products of
the samples' activations with b weight matrices. Nothing of size p x p is formed.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from hyperribbon.bars import bar_over
from hyperribbon.curvature.derivatives import Tangents
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy


class Operator:
    """A symmetric matrix (p, p) of a problem: ``operator @ V`` for V of shape (p,) or (p, b).

    Attributes
    ----------
    problem : Problem
    shape : (p, p)
    semidefinite : bool, whether no eigenvalue is negative
    """

    semidefinite = True

    def __init__(self, problem: Problem):
        self.problem = problem
        self.shape = (problem.n_parameters, problem.n_parameters)

    def _chunk(self, x: Tensor, targets: Tensor, tangents: Tangents) -> Tangents:
        """Sum over samples x of the product with tangents (b, ...)."""
        raise NotImplementedError

    def __matmul__(self, vectors: np.ndarray) -> np.ndarray:
        vectors = as_numpy(vectors, "vectors")
        if vectors.ndim == 1:
            return (self @ vectors[:, None])[:, 0]
        tangents = self.problem.unflatten(vectors)
        total: Tangents = {}
        for x, targets in self.problem.batches(vectors.shape[1]):
            with self.problem.differentiable():
                total = _added(total, self._chunk(x, targets, tangents))
        return self.problem.flatten({k: t.div_(self.problem.n_samples) for k, t in total.items()})

    def dense(self, block: int = 64, progress_bar: str | None = None) -> np.ndarray:
        """The full matrix (p, p), float64, from products with the identity; O(p^2) memory."""
        p = self.problem.n_parameters
        found = np.empty(self.shape)
        for start in bar_over(range(0, p, block), progress_bar):
            columns = np.zeros((p, min(block, p - start)))
            columns[np.arange(start, start + columns.shape[1]), np.arange(columns.shape[1])] = 1
            found[:, start : start + block] = self @ columns
        return (found + found.T) / 2


def _added(total: Tangents, part: Tangents) -> Tangents:
    """The sum, computed in place of the total, which is empty at first."""
    return {k: total[k].add_(part[k]) for k in total} if total else part


class GaussNewton(Operator):
    """G = mean over samples of J^T H_z J, with H_z the loss's Hessian in the outputs.

    J is the Jacobian of the outputs in the weights. G is the part of the Hessian that remains if
    the network is linearised in its weights.
    """

    def _chunk(self, x: Tensor, targets: Tensor, tangents: Tangents) -> Tangents:
        linear = self.problem.linearised(x)
        return linear.back(self._curve(linear.z, targets, linear.along(tangents)))

    def _curve(self, z: Tensor, targets: Tensor, Jv: Tensor) -> Tensor:
        return self.problem.loss.curve(z, targets, Jv)


class Fisher(GaussNewton):
    """The Fisher information matrix, with the exact expectation over labels (thesis 4.2).

    F = mean over samples of J^T (diag p - p p^T) J, in nats, which is the Gauss-Newton matrix of
    the cross-entropy. Sampling one label per input instead would be off by a factor of up to ten.

    Raises
    ------
    DataError
        If the loss is not known to be a negative log-likelihood.
    """

    def __init__(self, problem: Problem):
        if not problem.loss.likelihood:
            raise DataError(
                "loss: a function that may not be a likelihood; expected "
                '"cross_entropy" or "squared_error" for the Fisher matrix, or use GaussNewton'
            )
        super().__init__(problem)


class EmpiricalFisher(GaussNewton):
    """Mean over samples of g g^T, with g the gradient of the sample's loss at its true label."""

    def _curve(self, z: Tensor, targets: Tensor, Jv: Tensor) -> Tensor:
        g = self.problem.loss.gradient(z, targets)
        return g * (g * Jv).sum(dim=-1, keepdim=True)


class Hessian(Operator):
    """All second derivatives of the mean loss, by forward over reverse differentiation."""

    semidefinite = False

    def _chunk(self, x: Tensor, targets: Tensor, tangents: Tangents) -> Tangents:
        return self.problem.second(x, targets, tangents)


def jacobian_product(problem: Problem, vectors: np.ndarray) -> np.ndarray:
    """J V (N, C, b): the change of the outputs as the weights move along vectors V (p, b)."""
    tangents, found = problem.unflatten(vectors), []
    for x, _ in problem.batches(vectors.shape[1]):
        with problem.differentiable():
            found.append(problem.linearised(x).along(tangents))
    return torch.cat(found, dim=1).permute(1, 2, 0).double().cpu().numpy()


def jacobian_transposed_product(problem: Problem, U: np.ndarray) -> np.ndarray:
    """J^T U (p, b), for U (N, C, b)."""
    total: Tangents = {}
    start = 0
    rows = torch.from_numpy(np.ascontiguousarray(np.moveaxis(U, 2, 0)))
    rows = rows.to(problem.device, problem.dtype)
    for x, _ in problem.batches(len(rows)):
        with problem.differentiable():
            part = rows[:, start : start + len(x)].contiguous()
            total = _added(total, problem.linearised(x).back(part))
        start += len(x)
    return problem.flatten(total)
