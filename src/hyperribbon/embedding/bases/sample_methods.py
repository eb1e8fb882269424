"""Methods that choose samples, each in an order of which any beginning is a choice too."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
from scipy.linalg import qr
from scipy.optimize import nnls

from hyperribbon.bars import bar_over
from hyperribbon.embedding.bases.sample_terms import sample_loadings
from hyperribbon.pairwise.stack import Stack
from hyperribbon.registry import Registry

_SPANNED = 1e-6  # share of a squared length below which a sample's terms are those of others


class Choice:
    """What the methods choose from.

    Attributes
    ----------
    terms : (M, N), each sample's distance for M pairs of models, nats
    target : (M,) float64, the distances of the pairs: means over all samples
    weighted : bool, whether samples get weights of their own
    rng : RandomState
    """

    def __init__(self, stack: Stack, terms: np.ndarray, weighted: bool, rng: np.random.RandomState):
        self._stack, self.terms, self.weighted, self.rng = stack, terms, weighted, rng
        self.target = terms.mean(axis=1, dtype=np.float64)

    @cached_property
    def loadings(self) -> np.ndarray:
        """Each sample's loadings (N, k (k + 1) / 2), as vectors of the same inner products."""
        loadings, _ = sample_loadings(self._stack, random_state=self.rng)
        rows, columns = np.triu_indices(loadings.shape[1])
        return loadings[:, rows, columns] * np.where(rows == columns, 1, np.sqrt(2))

    @cached_property
    def whitened(self) -> np.ndarray:
        """An orthonormal basis of the loadings' columns, (N, rank)."""
        U, singular, _ = np.linalg.svd(self.loadings, full_matrices=False)
        return U[:, singular > 1e-9 * singular[0]]


def refit(R: np.ndarray, rhs: np.ndarray) -> np.ndarray:
    """Weights w >= 0 that minimise the norm of R w - rhs."""
    return nnls(R, rhs, maxiter=30 * R.shape[1] + 100)[0]


def greedy(choice: Choice, count: int, progress_bar: str | None = None) -> np.ndarray:
    """Forward selection: the sample next that leaves the least misfit of the pairs' distances.

    With weights, the misfit that a sample would leave is that of orthogonal least squares (Chen,
    Billings and Luo, 1989), for samples that correlate with it positively, and all weights are
    fitted again, not negative, after each choice. Without, it is exact: the misfit of the mean of
    the samples chosen. A step costs two products of the terms with a vector, O(M N).
    """
    if not choice.weighted:
        return _greedy_mean(choice, count, progress_bar)
    A, y = choice.terms, choice.target
    lengths = np.einsum("mn,mn->n", A, A, dtype=np.float64)
    left, rest, fitted = lengths.copy(), y, A.T @ y.astype(A.dtype)
    Q, R = np.empty((len(y), count)), np.zeros((count, count))
    order: list[int] = []
    free = np.ones(A.shape[1], bool)
    for k in bar_over(range(count), progress_bar):
        usable = free & (left > _SPANNED * lengths)
        gain = np.divide(np.maximum(fitted, 0.0) ** 2, left, out=np.zeros_like(left), where=usable)
        n = int(gain.argmax())
        if gain[n] <= np.finfo(A.dtype).eps ** 1.5 * (y @ y) or k == len(y):
            break  # the rest is rounding
        order.append(n)
        free[n] = False
        q = A[:, n].astype(np.float64)
        for _ in range(2):  # once more, because rounding leaves some of the others
            along = Q[:, :k].T @ q
            R[:k, k] += along
            q -= Q[:, :k] @ along
        R[k, k] = np.linalg.norm(q)
        Q[:, k] = q / R[k, k]
        weights = refit(R[: k + 1, : k + 1], Q[:, : k + 1].T @ y)
        rest = y - Q[:, : k + 1] @ (R[: k + 1, : k + 1] @ weights)
        fitted, along = A.T @ rest.astype(A.dtype), A.T @ Q[:, k].astype(A.dtype)
        left -= along.astype(np.float64) ** 2
    others = np.flatnonzero(free)
    others = others[np.argsort(-lengths[others], kind="stable")]
    return np.append(order, others)[:count].astype(np.int64)


def _greedy_mean(choice: Choice, count: int, progress_bar: str | None) -> np.ndarray:
    A = choice.terms
    lengths = np.einsum("mn,mn->n", A, A, dtype=np.float64)
    with_target = A.T @ choice.target.astype(A.dtype)
    with_chosen = np.zeros(A.shape[1])
    order = np.empty(count, np.int64)
    for k in bar_over(range(count), progress_bar):
        misfit = lengths + 2 * with_chosen - 2 * (k + 1) * with_target
        misfit[order[:k]] = np.inf
        order[k] = misfit.argmin()
        with_chosen += A.T @ A[:, order[k]]
    return order


def leverage(choice: Choice, count: int, progress_bar: str | None = None) -> np.ndarray:
    """Drawn without replacement, with probabilities proportional to the leverage of the loadings.

    The leverage of a sample is the squared length of its row in an orthonormal basis of the
    loadings' columns (Mahoney and Drineas, 2009).
    """
    scores = (choice.whitened**2).sum(axis=1)
    with np.errstate(divide="ignore"):
        # The largest of log p + Gumbel noise are a draw without replacement (Yellott, 1977).
        return np.argsort(-(np.log(scores) + choice.rng.gumbel(size=len(scores))))[:count]


def d_optimal(choice: Choice, count: int, progress_bar: str | None = None) -> np.ndarray:
    r"""Greedy D-optimal design: the sample next that most increases the determinant.

    It is that of :math:`I / N + \sum_n u_n u_n^T` over the samples chosen, with rows :math:`u_n` of
    an orthonormal basis of the loadings' columns; the first term is that of one average sample.
    """
    U = choice.whitened
    inverse = len(U) * np.eye(U.shape[1])
    gain = np.einsum("nf,nf->n", U, U) * len(U)
    order = np.empty(count, np.int64)
    for k in bar_over(range(count), progress_bar):
        order[k] = n = gain.argmax()
        # Of u_n, by the formula of Sherman and Morrison; gain is u^T inverse u.
        v = inverse @ U[n] / np.sqrt(1 + U[n] @ inverse @ U[n])
        inverse -= np.outer(v, v)
        gain -= (U @ v) ** 2
        gain[order[: k + 1]] = -np.inf
    return order


def pivoted_qr(choice: Choice, count: int, progress_bar: str | None = None) -> np.ndarray:
    """Pivots of a QR factorisation of the loadings; when they are spanned, again of the others."""
    F, rank = choice.loadings, choice.whitened.shape[1]
    others, order = np.arange(len(F)), np.empty(0, np.int64)
    while len(order) < count:
        pivots = qr(F[others].T, mode="r", pivoting=True)[1][:rank]
        order = np.append(order, others[pivots])
        others = np.delete(others, pivots)
    return order[:count]


def random(choice: Choice, count: int, progress_bar: str | None = None) -> np.ndarray:
    """A random subset, the baseline."""
    return choice.rng.permutation(choice.terms.shape[1])[:count]


SAMPLE_METHODS: Registry[Callable[[Choice, int, str | None], np.ndarray]] = Registry(
    "method",
    {
        "greedy": greedy,
        "leverage": leverage,
        "d_optimal": d_optimal,
        "pivoted_qr": pivoted_qr,
        "random": random,
    },
)
