"""Eigenvalues of an operator: all of them, the extreme ones, or their density."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.linalg import eigh, eigh_tridiagonal

from hyperribbon.bars import step_bar
from hyperribbon.curvature.checks import check_count, check_positive
from hyperribbon.curvature.operators import Operator
from hyperribbon.errors import DataError
from hyperribbon.numerics.eigenpairs import by_magnitude, leading_eigenpairs

BLOCK = 4  # vectors per product; with 16, each costs less, but twice as many are needed
DENSE = 5_000  # most parameters for which the full matrix is formed, 200 MB
STEPS = 80
PROBES = 8
DENSITY_BYTES = 2**28  # of the bases of probes that share their products
MOST_PROBES = 10_000  # with errors that are a hundredth of a single probe's


def all_eigenvalues(operator: Operator, *, progress_bar: str | None = None) -> np.ndarray:
    """All p eigenvalues, descending, from the full matrix.

    Parameters
    ----------
    operator : Operator
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Raises
    ------
    DataError
        If p is above 5,000.
    """
    whole = _whole(operator, progress_bar)
    return eigh(whole, eigvals_only=True, overwrite_a=True, check_finite=False)[::-1]


class WholeEigenpairs:
    """All p eigenpairs, from the full matrix.

    Attributes
    ----------
    eigenvalues : (p,), descending
    rank : number of eigenvalues whose magnitude is above the rounding error

    Raises
    ------
    DataError
        If p is above 5,000.
    """

    def __init__(self, operator: Operator, *, progress_bar: str | None = None):
        self.problem = operator.problem
        whole = _whole(operator, progress_bar)
        values, vectors = eigh(whole, driver="evd", overwrite_a=True, check_finite=False)
        self.eigenvalues, self._vectors = values[::-1], vectors[:, ::-1]
        sizes, eps = np.abs(values), torch.finfo(self.problem.dtype).eps
        self.rank = int((sizes > len(sizes) * eps * sizes.max()).sum())

    def components(self, weights: np.ndarray) -> np.ndarray:
        """Components (p,) of weights (p,) along the eigenvectors."""
        return self._vectors.T @ weights

    def combine(self, components: np.ndarray) -> np.ndarray:
        """Weights (p, b) with the given components (r, b) along the first r eigenvectors."""
        return self._vectors[:, : len(components)] @ components

    def leading(self, k: int) -> np.ndarray:
        """The k eigenvectors (p, k) of largest magnitude, as `extreme_eigenpairs` gives them."""
        return by_magnitude(self.eigenvalues, self._vectors, k)[1]


def _whole(operator: Operator, progress_bar: str | None) -> np.ndarray:
    p = operator.shape[0]
    if p > DENSE:
        raise DataError(
            f"{type(operator).__name__} of {p} parameters: expected at most {DENSE} for all "
            "eigenvalues; use JacobianGram, extreme_eigenpairs or spectral_density"
        )
    return operator.dense(progress_bar=progress_bar)


def extreme_eigenpairs(
    operator: Operator,
    k: int,
    *,
    smallest: bool = False,
    tol: float | None = None,
    random_state: int | np.random.Generator = 0,
    max_products: int = 1000,
    progress_bar: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The k eigenpairs of largest magnitude, or the smallest ones, by block Lanczos.

    Parameters
    ----------
    operator : Operator
    k : int, number of eigenpairs
    smallest : bool, whether to find the bottom of the spectrum, the most negative curvatures
    tol : relative residual ``||A u - lambda u|| / |lambda|`` at convergence; by default the
        square root of the epsilon of the weights' precision. Relative errors of eigenvalues are at
        most tol, and of order tol^2 for isolated ones
    random_state : seed or generator of the first block
    max_products : int, most products with blocks of 4 vectors
    progress_bar : name of a counter to show; none if the output is not a terminal

    Returns
    -------
    eigenvalues : (k,), by decreasing magnitude, or increasing if ``smallest``
    vectors : (p, k), in the precision of the network's weights

    Raises
    ------
    DataError
        If k is not between 1 and p, or ``smallest`` is set for a positive semidefinite matrix.

    Warns
    -----
    ConvergenceWarning
        If ``max_products`` did not suffice.

    Notes
    -----
    Memory is p (3 k + 50) numbers: 0.7 GB for 50 eigenpairs of 840,000 parameters in float32. Where
    eigenvalues are dense, each needs about five products.
    """
    p = operator.shape[0]
    k = check_count(k, "k", 1, p)
    tol = None if tol is None else check_positive(tol, "tol")
    if smallest and operator.semidefinite:
        raise DataError(
            f"smallest eigenvalues of {type(operator).__name__}: it is positive semidefinite, and "
            "0 if its rank is below p; use JacobianGram for all nonzero eigenvalues"
        )
    dtype = np.dtype(str(operator.problem.dtype).removeprefix("torch.")).type
    return leading_eigenpairs(
        operator.__matmul__,
        p,
        k,
        random_state=random_state,
        tol=tol or np.finfo(dtype).eps ** 0.5,
        block_size=min(BLOCK, p),
        basis_size=3 * k + 50,
        max_products=check_count(max_products, "max_products"),
        smallest=smallest,
        dtype=dtype,
        progress_bar=progress_bar,
    )


class SpectralDensity(NamedTuple):
    """An estimate of the distribution of the eigenvalues, as a quadrature.

    Attributes
    ----------
    nodes, weights : (probes, steps); for each probe, p times the sum of f(nodes), weighted by
        weights, estimates the trace of f(A)
    p : int, number of eigenvalues
    """

    nodes: np.ndarray
    weights: np.ndarray
    p: int

    def trace(
        self, function: Callable[[np.ndarray], np.ndarray] = lambda x: x
    ) -> tuple[float, float]:
        """The trace of a function of the matrix, and its standard error over the probes."""
        found = self.p * (self.weights * function(self.nodes)).sum(axis=1)
        return float(found.mean()), _standard_error(found)

    def count_above(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many eigenvalues are above each threshold, and the standard errors."""
        above = self.nodes[:, :, None] > np.asarray(thresholds)
        found = self.p * (self.weights[:, :, None] * above).sum(axis=1)
        return found.mean(axis=0), _standard_error(found)

    def density(self, x: np.ndarray, width: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Density at x (n,), smoothed by a Gaussian of given width, and its standard errors.

        The density integrates to 1.
        """
        distance = (self.nodes[:, :, None] - np.asarray(x)) / width
        bell = np.exp(-(distance**2) / 2) / (np.sqrt(2 * np.pi) * width)
        found = (self.weights[:, :, None] * bell).sum(axis=1)
        return found.mean(axis=0), _standard_error(found)


def _standard_error(found: np.ndarray) -> Any:
    return found.std(axis=0, ddof=1) / np.sqrt(len(found))


def spectral_density(
    operator: Operator,
    *,
    steps: int = STEPS,
    probes: int = PROBES,
    random_state: int | np.random.Generator = 0,
    progress_bar: str | None = None,
) -> SpectralDensity:
    r"""The distribution of all eigenvalues, by stochastic Lanczos quadrature.

    For each of several random unit vectors v, ``steps`` products give a tridiagonal matrix. Its
    eigenvalues, and the squared first components of its eigenvectors, are the nodes and weights of
    a Gauss quadrature of :math:`v^T f(A) v`, whose mean over v is tr f(A) / p. Bases are fully
    orthogonalised, so that no eigenvalue is found twice.

    Parameters
    ----------
    operator : Operator
    steps : int, products per probe; about as many values are resolved, best at the spectrum's ends
    probes : int, at least 2; standard errors follow from their spread
    random_state : seed or generator of the probes
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Raises
    ------
    DataError
        If there are fewer than 2 probes or steps, or more steps than parameters.

    Notes
    -----
    Memory is 8 p steps bytes or, where several probes fit, up to 256 MB: one product of several
    vectors is faster than several products. The errors include only that of the random probes.
    Where ``steps`` products do not resolve neighbouring eigenvalues, counts between them are off as
    well.

    References
    ----------
    Golub & Meurant (2010), Matrices, Moments and Quadrature; Ghorbani, Krishnan & Xiao (2019).
    """
    p = operator.shape[0]
    steps = check_count(steps, "steps", 2, p)
    probes = check_count(probes, "probes", 2, MOST_PROBES)
    together = max(1, min(probes, DENSITY_BYTES // (8 * p * steps)))
    rng, basis = np.random.default_rng(random_state), np.empty((together, steps, p))
    nodes, weights = np.empty((probes, steps)), np.empty((probes, steps))
    with step_bar(probes * steps, progress_bar) as bar:
        for start in range(0, probes, together):
            v = rng.standard_normal((min(together, probes - start), p))
            v /= np.linalg.norm(v, axis=1, keepdims=True)
            diagonal, off_diagonal = np.zeros((2, len(v), steps))
            for j in range(steps):
                products = np.asarray(operator @ v.T, float).T
                for i, w in enumerate(products):
                    known = basis[i, : j + 1]
                    known[j] = v[i]
                    diagonal[i, j] = v[i] @ w
                    for _ in range(2):  # a single pass leaves rounding errors of the size of w
                        w -= (known @ w) @ known
                    off_diagonal[i, j] = np.linalg.norm(w)
                    if off_diagonal[i, j] >= 1e-12 * np.abs(diagonal[i, : j + 1]).max():
                        v[i] = w / off_diagonal[i, j]
                    else:  # the Krylov space is complete: later nodes have no weight
                        off_diagonal[i, j] = v[i] = 0.0
                bar.update(len(v))
            for i in range(len(v)):
                nodes[start + i], vectors = eigh_tridiagonal(diagonal[i], off_diagonal[i, :-1])
                weights[start + i] = vectors[0] ** 2
    return SpectralDensity(nodes, weights, p)
