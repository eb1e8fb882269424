"""Full spectra through the Gram matrix of the outputs' Jacobian, N C x N C.

The p x p matrices J^T A J / N and the N C x N C matrices A^(1/2) J J^T A^(1/2) / N have the same
eigenvalues except for zeros. One Gram matrix J J^T gives the spectra of the Fisher matrix (exact
over labels), the empirical Fisher matrix, and the Jacobians of each logit, of their sum and of all
logits together.

A linear layer that acts on one vector per sample contributes the elementwise product of two Gram
matrices, of the gradients in its outputs and of its inputs. That takes O((N C)^2 O + N^2 I)
operations. Other layers need the O((N C)^2 O I) operations of explicit Jacobians, which are formed
in blocks of bounded memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from scipy.linalg import eigh
from torch import Tensor, nn
from torch.func import jacrev, vmap

from hyperribbon.bars import bar_over
from hyperribbon.curvature.checks import check_count
from hyperribbon.curvature.derivatives import gradients
from hyperribbon.curvature.layers import (
    CHUNK,
    Layer,
    Traced,
    other_parameters,
    parameter_name,
    traced,
    weighted_layers,
)
from hyperribbon.curvature.operators import jacobian_product, jacobian_transposed_product
from hyperribbon.curvature.problem import Problem
from hyperribbon.errors import DataError

BLOCK_BYTES = 2**29  # of explicit Jacobians in memory


class JacobianGram:
    """J J^T of a problem, and the spectra that follow from it.

    Parameters
    ----------
    problem : Problem
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Attributes
    ----------
    gram : (N, C, N, C), float64
    outputs : (N, C) Tensor

    Notes
    -----
    It takes 8 (N C)^2 bytes, and as much again for eigenvalues. Relative to the largest,
    eigenvalues below 1e-7 are rounding errors in float32 networks, below 1e-15 in float64.

    Examples
    --------
    >>> _ = torch.manual_seed(0)
    >>> network = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double().eval()
    >>> x, y = torch.randn(5, 4), torch.arange(5) % 3
    >>> found = JacobianGram(Problem(network, x, y))
    >>> found.fisher().shape, found.logit(0).shape
    ((15,), (5,))
    """

    def __init__(self, problem: Problem, *, progress_bar: str | None = None):
        self.problem = problem
        self.outputs = problem.all_outputs()
        N, C = problem.n_samples, problem.n_outputs
        gram = np.zeros((N * C, N * C))
        for part in bar_over(_parts(problem), progress_bar):
            part(gram)
        self.gram = gram.reshape(N, C, N, C)
        self._check()

    def _check(self) -> None:
        """Compare the gradient of a random combination of outputs with the Gram matrix."""
        u = np.random.default_rng(0).standard_normal(self._size)
        at, start = self.problem.leaves(), 0
        total = torch.zeros((), dtype=torch.float64, device=self.problem.device)
        parts = torch.from_numpy(u).view(self.outputs.shape).to(self.outputs)
        for x, _ in self.problem.batches():
            with torch.enable_grad():
                z = self.problem.outputs(at, x)
                slope = gradients((z * parts[start : start + len(x)]).sum(), at)
            total = total + torch.cat([g.flatten() for g in slope.values()]).double()
            start += len(x)
        expected = float(total.square().sum())
        found = float(u @ self.gram.reshape(self._size, -1) @ u)
        if not abs(found - expected) <= torch.finfo(self.problem.dtype).eps ** 0.5 * expected:
            raise DataError(
                f"network: a combination of outputs has a gradient of square {expected:.6g}, but "
                f"{found:.6g} by its layers; use Fisher and all_eigenvalues or extreme_eigenpairs"
            )

    def fisher(self) -> np.ndarray:
        """The leading min(p, N C) eigenvalues of the Fisher or Gauss-Newton matrix, descending."""
        return self._eigenvalues(self._weighted())

    def empirical_fisher(self) -> np.ndarray:
        """The leading min(p, N) eigenvalues of the mean of g g^T, g each sample's gradient."""
        gradient = self.problem.loss.gradient(self.outputs, self.problem.targets)
        g = gradient.double().cpu().numpy()
        return self._eigenvalues(np.einsum("nc,ncmd,md->nm", g, self.gram, g, optimize=True))

    def logit(self, k: int) -> np.ndarray:
        """The leading min(p, N) eigenvalues of E[J_k^T J_k], J_k the Jacobian of output k."""
        k = check_count(k, "k", 0, self.problem.n_outputs - 1)
        return self._eigenvalues(self.gram[:, k, :, k].copy())

    def summed(self) -> np.ndarray:
        """The leading min(p, N) eigenvalues of E[J^T J], J the Jacobian of the outputs' sum."""
        return self._eigenvalues(self.gram.sum(axis=(1, 3)))

    def all_logits(self) -> np.ndarray:
        """The leading min(p, N C) eigenvalues of the sum over outputs k of E[J_k^T J_k]."""
        return self._eigenvalues(self.gram.reshape(self._size, self._size).copy())

    def fisher_eigenpairs(self, floor: float | None = None) -> FisherEigenpairs:
        """Eigenpairs of the Fisher matrix, without forming the eigenvectors.

        Parameters
        ----------
        floor : eigenvalues below this fraction of the largest are left out; by default the rounding
            error, N C times the epsilon of the network's precision
        """
        values, vectors = eigh(self._weighted(), driver="evd", overwrite_a=True, check_finite=False)
        values, vectors = values[::-1] / self.problem.n_samples, vectors[:, ::-1]
        if floor is None:
            floor = self._size * torch.finfo(self.problem.dtype).eps
        kept = int((values > floor * values[0]).sum())
        return FisherEigenpairs(self, values[:kept], vectors[:, :kept])

    @property
    def _size(self) -> int:
        return self.problem.n_samples * self.problem.n_outputs

    def _factor(self) -> Tensor:
        """R (N, C, C) such that R R^T is the Hessian of each sample's loss in its outputs."""
        return self.problem.loss.factor(self.outputs, self.problem.targets).double().cpu()

    def _weighted(self) -> np.ndarray:
        """R^T J J^T R, (N C, N C)."""
        R, found = self._factor(), torch.empty(self.gram.shape, dtype=torch.float64)
        for start in range(0, len(R), CHUNK):  # all at once would take as much memory again
            part = slice(start, start + CHUNK)
            rows = torch.einsum("ncmd,mde->ncme", torch.from_numpy(self.gram[part]), R)
            found[part] = torch.einsum("ncf,ncme->nfme", R[part], rows)
        return found.numpy().reshape(self._size, self._size)

    def _eigenvalues(self, matrix: np.ndarray) -> np.ndarray:
        """Eigenvalues of a matrix divided by N, descending; the matrix is overwritten."""
        values = eigh(matrix, eigvals_only=True, overwrite_a=True, check_finite=False)
        return values[::-1][: self.problem.n_parameters] / self.problem.n_samples


class FisherEigenpairs:
    """Eigenpairs of the Fisher matrix with nonzero eigenvalues, from those of the Gram matrix.

    An eigenvector is J^T R u / sqrt(N lambda), with u an eigenvector of the Gram matrix. So the
    components of weights along all eigenvectors take one product with J, and a linear combination
    of eigenvectors takes one product with J^T.

    Attributes
    ----------
    eigenvalues : (r,), descending
    rank : r
    """

    def __init__(self, gram: JacobianGram, eigenvalues: np.ndarray, u: np.ndarray):
        self.problem, self._R = gram.problem, gram._factor().numpy()
        self.eigenvalues, self._u, self.rank = eigenvalues, u, len(eigenvalues)
        self._lengths = np.sqrt(self.problem.n_samples * eigenvalues)

    def components(self, weights: np.ndarray) -> np.ndarray:
        """Components (r,) of weights (p,) along the eigenvectors."""
        along = jacobian_product(self.problem, weights[:, None])[:, :, 0]
        rotated = np.einsum("nck,nc->nk", self._R, along).ravel()
        return self._u.T @ rotated / self._lengths

    def combine(self, components: np.ndarray) -> np.ndarray:
        """Weights (p, b) with the given components (r', b), r' at most r."""
        r = len(components)
        u = self._u[:, :r] @ (components / self._lengths[:r, None])
        rotated = np.einsum("nck,nkb->ncb", self._R, u.reshape(*self._R.shape[:2], -1))
        return jacobian_transposed_product(self.problem, rotated)

    def leading(self, k: int) -> np.ndarray:
        """The first k eigenvectors (p, k).

        Raises
        ------
        DataError
            If fewer than k eigenvalues are not 0.
        """
        k = check_count(k, "k, up to the rank", 1, self.rank)
        return self.combine(np.eye(k))


def _parts(problem: Problem) -> list[Callable[[np.ndarray], None]]:
    """Functions that each add the contribution of some parameters to the Gram matrix."""
    layers = weighted_layers(problem)
    parts: list[Callable[[np.ndarray], None]] = []
    n_rows = problem.n_samples * problem.n_outputs
    columns = max(1, BLOCK_BYTES // (n_rows * problem.dtype.itemsize))
    on_vectors = {}
    for (name, layer), one_place in zip(layers.items(), _on_vectors(problem, layers), strict=True):
        if one_place:
            on_vectors[name] = layer
            continue
        inner = layer.weight[0].numel() + 1
        step = max(1, columns // inner)
        for start in range(0, len(layer.weight), step):
            chosen = slice(start, start + step)
            parts.append(partial(_add_explicit, problem, name, layer, chosen))
    if on_vectors:
        parts.insert(0, partial(_add_products, problem, on_vectors))
    others = other_parameters(problem, layers)
    if others:
        parts.append(partial(_add_others, problem, others, columns))
    return parts


def _on_vectors(problem: Problem, layers: dict[str, Layer]) -> list[bool]:
    """Whether each layer is linear and acts on one vector per sample."""
    few = next(traced(problem, layers, chunk=1))[0] if layers else {}
    return [
        isinstance(layer, nn.Linear) and few[name].ingoing.shape[2] == 1
        for name, layer in layers.items()
    ]


def _add_products(problem: Problem, layers: dict[str, Layer], gram: np.ndarray) -> None:
    """Add layers that act on one vector per sample, by elementwise products of Gram matrices."""
    chunks = list(traced(problem, layers))
    for name in layers:
        ingoing = torch.cat([found[name].ingoing[:, 0, 0] for found, _ in chunks])
        back = torch.cat([found[name].returning[:, :, 0, 0] for found, _ in chunks]).flatten(0, 1)
        entering = ingoing @ ingoing.T
        if parameter_name(name, "bias") in problem.parameters:
            entering += 1
        product = back @ back.T
        n, c = len(ingoing), problem.n_outputs
        product.view(n, c, n, c).mul_(entering[:, None, :, None])
        gram += product.cpu().numpy()


def _add_explicit(
    problem: Problem, name: str, layer: Layer, chosen: slice, gram: np.ndarray
) -> None:
    """Add some output channels of a layer, from their Jacobian (N C, columns)."""
    bias = parameter_name(name, "bias") in problem.parameters
    chunks = traced(problem, {name: layer})
    rows = [_jacobian(layer, found[name], chosen, bias) for found, _ in chunks]
    J = torch.cat(rows).flatten(0, 1)
    gram += (J @ J.T).cpu().numpy()


def _jacobian(layer: Layer, found: Traced, chosen: slice, bias: bool) -> Tensor:
    """Jacobian (n, C, columns) of some output channels, which lie one group after another."""
    width, parts = found.returning.shape[-1], []
    channels = range(*chosen.indices(len(layer.weight)))
    for group in sorted({k // width for k in channels}):
        within = slice(max(channels[0] - group * width, 0), channels[-1] + 1 - group * width)
        back = found.returning[:, :, group, :, within]
        parts.append(torch.einsum("ncto,nti->ncoi", back, found.ingoing[:, group]).flatten(2))
        if bias:
            parts.append(back.sum(dim=2))
    return torch.cat(parts, dim=2)


def _add_others(
    problem: Problem, others: dict[str, Tensor], columns: int, gram: np.ndarray
) -> None:
    """Add parameters outside the layers, by reverse differentiation, one tensor at a time."""
    for name, parameter in others.items():
        for J in _other_jacobians(problem, name, parameter, columns):
            gram += (J @ J.T).cpu().numpy()


def _other_jacobians(
    problem: Problem, name: str, parameter: Tensor, columns: int
) -> Iterator[Tensor]:
    """Jacobian of one parameter, (N C, columns) at a time."""

    def of_sample(value: Tensor, x: Tensor) -> Tensor:
        return problem.outputs({**problem.parameters, name: value}, x[None])[0]

    def one_by_one(value: Tensor, x: Tensor) -> Tensor:
        """(n, C, *parameter.shape), for layers that torch cannot differentiate all at once."""
        at, rows = {name: value.detach().requires_grad_()}, []
        for one in x.split(1):
            with torch.enable_grad():
                z = problem.outputs({**problem.parameters, **at}, one)[0]
                rows.append(torch.stack([gradients(output, at)[name] for output in z]))
        return torch.stack(rows)

    per_sample = vmap(jacrev(of_sample), in_dims=(None, 0))
    if not _agree(per_sample, one_by_one, parameter, problem.inputs[:2]):
        per_sample = one_by_one
    of_one = problem.n_outputs * parameter.numel() * problem.dtype.itemsize  # bytes
    size = min(CHUNK, max(1, BLOCK_BYTES // of_one))
    for start in range(0, parameter.numel(), columns):
        rows = []
        for x in problem.inputs.split(size):
            rows.append(per_sample(parameter, x).flatten(2)[:, :, start : start + columns])
        yield torch.cat(rows).flatten(0, 1)


def _agree(function: Callable, expected: Callable, parameter: Tensor, x: Tensor) -> bool:
    """Whether a function works on samples x, and agrees with another one."""
    try:
        found = function(parameter, x)
    except torch.OutOfMemoryError:
        raise
    except Exception:  # layers without a batching rule raise errors of many types
        return False
    tolerance = torch.finfo(found.dtype).eps ** 0.5
    right = expected(parameter, x)
    return bool((found - right).norm() <= tolerance * right.norm())
