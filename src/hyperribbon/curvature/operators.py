"""Matrices of second derivatives, p x p, known through their products with vectors.

One product with b vectors costs about 8 N p b multiply-adds for a Gauss-Newton matrix, and 12 for a
Hessian, of fully-connected networks: a forward derivative and a backward one, which are products of
the samples' activations with b weight matrices. Nothing of size p x p is formed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.func import grad, jvp, vjp, vmap
from tqdm import tqdm

from hyperribbon.curvature.problem import Problem, differentiable_attention
from hyperribbon.errors import DataError

Tangents = dict[str, Tensor]


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
        """Sum over some samples of the product with tangents (b, ...)."""
        raise NotImplementedError

    def __matmul__(self, vectors: np.ndarray) -> np.ndarray:
        vectors = np.asarray(vectors)
        if vectors.ndim == 1:
            return (self @ vectors[:, None])[:, 0]
        tangents, total = self.problem.unflatten(vectors), None
        for x, targets in self.problem.batches(vectors.shape[1]):
            with differentiable_attention():
                total = _added(total, self._chunk(x, targets, tangents))
        return self.problem.flatten({k: t.div_(self.problem.n_samples) for k, t in total.items()})

    def dense(self, block: int = 64, progress: str | None = None) -> np.ndarray:
        """The whole matrix (p, p), float64, from products with the identity; O(p^2) memory."""
        p = self.problem.n_parameters
        found = np.empty(self.shape)
        quiet = None if progress else True
        starts = tqdm(range(0, p, block), desc=progress, leave=False, disable=quiet)
        for start in starts:
            columns = np.zeros((p, min(block, p - start)))
            columns[np.arange(start, start + columns.shape[1]), np.arange(columns.shape[1])] = 1
            found[:, start : start + block] = self @ columns
        return (found + found.T) / 2


def _each(problem: Problem, function: Callable, vectors: Tangents | Tensor) -> Tangents | Tensor:
    """A function of one vector, for all b of them."""
    if problem.vectorises:
        return vmap(function)(vectors)
    if isinstance(vectors, dict):
        b = len(next(iter(vectors.values())))
        found = [function({k: t[i] for k, t in vectors.items()}) for i in range(b)]
    else:
        found = [function(vector) for vector in vectors]
    if isinstance(found[0], dict):
        return {k: torch.stack([one[k] for one in found]) for k in found[0]}
    return torch.stack(found)


def _added(total: Tangents | None, part: Tangents) -> Tangents:
    """The sum, in place of the total."""
    return part if total is None else {k: total[k].add_(part[k]) for k in total}


class GaussNewton(Operator):
    """G = mean over samples of J^T H_z J, with H_z the loss's Hessian in the outputs.

    J is the Jacobian of the outputs in the weights. The part of the Hessian that is left when the
    network is linear in its weights.
    """

    def _chunk(self, x: Tensor, targets: Tensor, tangents: Tangents) -> Tangents:
        def outputs(weights: Tangents) -> Tensor:
            return self.problem.outputs(weights, x)

        weights = self.problem.parameters
        z, pull = vjp(outputs, weights)
        Jv = _each(self.problem, lambda v: jvp(outputs, (weights,), (v,))[1], tangents)
        return _each(self.problem, lambda u: pull(u)[0], self._curve(z, targets, Jv))

    def _curve(self, z: Tensor, targets: Tensor, Jv: Tensor) -> Tensor:
        return self.problem.loss.curve(z, targets, Jv)


class Fisher(GaussNewton):
    """The Fisher information matrix, with the exact expectation over labels (thesis 4.2).

    F = mean over samples of J^T (diag p - p p^T) J, in nats, which is the Gauss-Newton matrix of
    the cross-entropy. A sampled label instead is off by up to ten times.

    Raises
    ------
    DataError
        If the loss is not known to be a negative log-likelihood.
    """

    def __init__(self, problem: Problem):
        if not problem.loss.likelihood:
            raise DataError(
                "loss: a function, of which it is not known whether it is a likelihood; expected "
                '"cross_entropy" or "squared_error" for the Fisher matrix, or take GaussNewton'
            )
        super().__init__(problem)


class EmpiricalFisher(GaussNewton):
    """Mean over samples of g g^T, g the gradient of the sample's own loss: true labels."""

    def _curve(self, z: Tensor, targets: Tensor, Jv: Tensor) -> Tensor:
        g = self.problem.loss.gradient(z, targets)
        return g * (g * Jv).sum(dim=-1, keepdim=True)


class Hessian(Operator):
    """All second derivatives of the mean loss; by forward over reverse differentiation."""

    semidefinite = False

    def _chunk(self, x: Tensor, targets: Tensor, tangents: Tangents) -> Tangents:
        def total(weights: Tangents) -> Tensor:
            return self.problem.loss.total(self.problem.outputs(weights, x), targets)

        weights = self.problem.parameters
        gradient = grad(total)
        return _each(self.problem, lambda v: jvp(gradient, (weights,), (v,))[1], tangents)


def jacobian_product(problem: Problem, vectors: np.ndarray) -> np.ndarray:
    """J V (N, C, b): how the outputs change with the weights, along vectors (p, b)."""
    tangents, found = problem.unflatten(vectors), []
    for x, _ in problem.batches(vectors.shape[1]):

        def outputs(weights: Tangents, x: Tensor = x) -> Tensor:
            return problem.outputs(weights, x)

        def along(v: Tangents, outputs: Callable = outputs) -> Tensor:
            return jvp(outputs, (problem.parameters,), (v,))[1]

        with differentiable_attention():
            found.append(_each(problem, along, tangents))
    return torch.cat(found, dim=1).permute(1, 2, 0).double().cpu().numpy()


def jacobian_transposed_product(problem: Problem, U: np.ndarray) -> np.ndarray:
    """J^T U (p, b), of U (N, C, b)."""
    total, start = None, 0
    rows = torch.from_numpy(np.ascontiguousarray(np.moveaxis(U, 2, 0)))
    rows = rows.to(problem.device, problem.dtype)
    for x, _ in problem.batches(len(rows)):
        with differentiable_attention():
            _, pull = vjp(lambda weights, x=x: problem.outputs(weights, x), problem.parameters)
            part = rows[:, start : start + len(x)].contiguous()
            total = _added(total, _each(problem, lambda u, pull=pull: pull(u)[0], part))
        start += len(x)
    return problem.flatten(total)
