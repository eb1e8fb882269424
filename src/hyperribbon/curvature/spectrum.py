"""Eigenvalues of an operator: all of them, its ends, or their density."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from scipy.linalg import eigh, eigh_tridiagonal
from tqdm import tqdm

from hyperribbon.curvature.checks import check_count, check_positive
from hyperribbon.curvature.operators import Operator
from hyperribbon.errors import DataError
from hyperribbon.numerics.eigenpairs import by_magnitude, leading_eigenpairs

BLOCK = 4  # vectors of a product; with 16 one takes less, but twice as many are needed
DENSE = 5_000  # parameters of which the whole matrix is formed, 200 MB
STEPS = 80
PROBES = 8
MOST_PROBES = 10_000  # of which errors are a hundredth of one's


def all_eigenvalues(operator: Operator, *, progress: str | None = None) -> np.ndarray:
    """All p eigenvalues, descending, from the whole matrix.

    Parameters
    ----------
    operator : Operator
    progress : name of a bar to show; quiet when the output is not a terminal

    Raises
    ------
    DataError
        If p is above 5,000, where other ways are to be taken.
    """
    whole = _whole(operator, progress)
    return eigh(whole, eigvals_only=True, overwrite_a=True, check_finite=False)[::-1]


class WholeEigenpairs:
    """All p eigenpairs, from the whole matrix.

    Attributes
    ----------
    eigenvalues : (p,), descending
    rank : of the matrix: eigenvalues that are more than its rounding error

    Raises
    ------
    DataError
        If p is above 5,000, where other ways are to be taken.
    """

    def __init__(self, operator: Operator, *, progress: str | None = None):
        self.problem = operator.problem
        whole = _whole(operator, progress)
        values, vectors = eigh(whole, driver="evd", overwrite_a=True, check_finite=False)
        self.eigenvalues, self._vectors = values[::-1], vectors[:, ::-1]
        sizes, eps = np.abs(values), torch.finfo(self.problem.dtype).eps
        self.rank = int((sizes > len(sizes) * eps * sizes.max()).sum())

    def components(self, weights: np.ndarray) -> np.ndarray:
        """Components (p,) of weights (p,) along the eigenvectors."""
        return self._vectors.T @ weights

    def combine(self, components: np.ndarray) -> np.ndarray:
        """Weights (p, b) that have these components (r, b) along the first r, r at most p."""
        return self._vectors[:, : len(components)] @ components

    def leading(self, k: int) -> np.ndarray:
        """The k eigenvectors (p, k) of largest magnitude, as `extreme_eigenpairs` gives them."""
        return by_magnitude(self.eigenvalues, self._vectors, k)[1]


def _whole(operator: Operator, progress: str | None) -> np.ndarray:
    p = operator.shape[0]
    if p > DENSE:
        raise DataError(
            f"{type(operator).__name__} of {p} parameters: expected at most {DENSE} for all "
            "eigenvalues; take JacobianGram, extreme_eigenpairs or spectral_density"
        )
    return operator.dense(progress=progress)


def extreme_eigenpairs(
    operator: Operator,
    k: int,
    *,
    smallest: bool = False,
    tol: float | None = None,
    random_state=0,
    max_products: int = 1000,
    progress: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The k eigenpairs of largest magnitude, or the smallest ones, by block Lanczos.

    Parameters
    ----------
    operator : Operator
    k : int
    smallest : bool, whether to find the bottom of the spectrum, the most negative curvatures
    tol : relative residual ||A u - lambda u|| / |lambda| of what is found; by default the square
        root of the precision of the network's weights, which puts eigenvalues within that, and
        isolated ones within its square
    random_state : of the first block
    max_products : int, of blocks of 4 vectors
    progress : name of a counter to show; quiet when the output is not a terminal

    Returns
    -------
    eigenvalues (k,) by decreasing magnitude, or increasing; vectors (p, k), in the precision of
    the network's weights

    Raises
    ------
    DataError
        If k is not within 1 and p, or the bottom is asked for of a matrix that is semidefinite.

    Warns
    -----
    ConvergenceWarning
        If ``max_products`` were not enough.

    Notes
    -----
    Memory is p (3 k + 50) numbers: 0.7 GB for 50 eigenpairs of 840,000 parameters in float32. About
    five products are needed for an eigenvalue, where they lie densely.
    """
    p = operator.shape[0]
    k = check_count(k, "k", 1, p)
    tol = None if tol is None else check_positive(tol, "tol")
    if smallest and operator.semidefinite:
        raise DataError(
            f"smallest eigenvalues of {type(operator).__name__}: it is positive semidefinite, and "
            "0 where it has lower rank than parameters; take JacobianGram for all that are not"
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
        progress_bar=progress,
    )


class SpectralDensity(NamedTuple):
    """An estimate of the number of eigenvalues above each of some values.

    Attributes
    ----------
    nodes, weights : (probes, steps); quadrature: p times the sum over a probe's nodes of f, times
        the weights, estimates the trace of f(A)
    p : int
    """

    nodes: np.ndarray
    weights: np.ndarray
    p: int

    def trace(self, function=lambda x: x) -> tuple[float, float]:
        """The trace of a function of the matrix, and its standard error over the probes."""
        found = self.p * (self.weights * function(self.nodes)).sum(axis=1)
        return float(found.mean()), _standard_error(found)

    def count_above(self, thresholds: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How many eigenvalues are above each threshold, and the standard errors."""
        above = self.nodes[:, :, None] > np.asarray(thresholds)
        found = self.p * (self.weights[:, :, None] * above).sum(axis=1)
        return found.mean(axis=0), _standard_error(found)

    def density(self, x: np.ndarray, width: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Density at x (n,), smoothed by a Gaussian of a width; it integrates to 1; with errors."""
        distance = (self.nodes[:, :, None] - np.asarray(x)) / width
        bell = np.exp(-(distance**2) / 2) / (np.sqrt(2 * np.pi) * width)
        found = (self.weights[:, :, None] * bell).sum(axis=1)
        return found.mean(axis=0), _standard_error(found)


def _standard_error(found: np.ndarray):
    return found.std(axis=0, ddof=1) / np.sqrt(len(found))


def spectral_density(
    operator: Operator,
    *,
    steps: int = STEPS,
    probes: int = PROBES,
    random_state=0,
    progress: str | None = None,
) -> SpectralDensity:
    r"""The distribution of all eigenvalues, by stochastic Lanczos quadrature.

    From each of some random unit vectors v, ``steps`` products give a tridiagonal matrix whose
    eigenvalues, and squared first components of whose eigenvectors, are the nodes and weights of a
    Gauss quadrature of :math:`v^T f(A) v`; its mean over v is tr f(A) / p. Bases are orthogonalised
    in full, so that no eigenvalue is found twice.

    Parameters
    ----------
    operator : Operator
    steps : int, products a probe; resolves about as many values, finest at the spectrum's ends
    probes : int, at least 2, of whose spread errors are taken
    random_state : of the probes
    progress : name of a bar to show; quiet when the output is not a terminal

    Raises
    ------
    DataError
        If there are fewer than 2 probes or steps, or more steps than parameters.

    Notes
    -----
    Memory is 8 p steps bytes. Errors are those of the random probes alone; where fewer than
    ``steps`` products cannot tell neighbouring eigenvalues apart, counts between them are off, too.

    References
    ----------
    Golub & Meurant (2010), Matrices, Moments and Quadrature; Ghorbani, Krishnan & Xiao (2019).
    """
    p = operator.shape[0]
    steps = check_count(steps, "steps", 2, p)
    probes = check_count(probes, "probes", 2, MOST_PROBES)
    rng, basis = np.random.default_rng(random_state), np.empty((steps, p))
    nodes, weights = np.empty((probes, steps)), np.empty((probes, steps))
    quiet = None if progress else True
    with tqdm(total=probes * steps, desc=progress, leave=False, disable=quiet) as bar:
        for i in range(probes):
            diagonal, beside = np.zeros(steps), np.zeros(steps)
            v = rng.standard_normal(p)
            v /= np.linalg.norm(v)
            for j in range(steps):
                basis[j] = v
                w = np.asarray(operator @ v, float)
                diagonal[j] = v @ w
                for _ in range(2):  # once leaves rounding errors of the size of w
                    w -= (basis[: j + 1] @ w) @ basis[: j + 1]
                beside[j] = np.linalg.norm(w)
                # The space is closed: what follows has no weight, whatever it is.
                closed = beside[j] < 1e-12 * np.abs(diagonal[: j + 1]).max()
                beside[j] = 0.0 if closed else beside[j]
                v = np.zeros(p) if closed else w / beside[j]
                bar.update()
            nodes[i], vectors = eigh_tridiagonal(diagonal, beside[:-1])
            weights[i] = vectors[0] ** 2
    return SpectralDensity(nodes, weights, p)
