r"""Each sample's own distances between models, and its part of an InPCA.

The Bhattacharyya distance of two models is a mean over samples, :math:`D_{ij} = \sum_n d_n(i, j)
/ N` with :math:`d_n(i, j) = -\ln \sum_c \sqrt{p_{nc} q_{nc}}`. Everything here keeps the samples
apart, for models that are few enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from hyperribbon.bars import bar_over, step_bar
from hyperribbon.embedding.inpca import InPCA
from hyperribbon.numerics.blocks import slices
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability.distributions import as_distributions

MODELS = 512  # models whose pairs are compared; a model may be drawn more than once
TOGETHER = 16  # models per group; every pair within a group counts
LOADING_MODELS = 256  # models of an InPCA whose samples are kept apart
COMPONENTS = 10  # of that InPCA
_GROUP_BYTES = 2**29  # models in memory at a time
_BLOCK_BYTES = 2**26  # coefficients in memory at a time


def pair_terms(
    stack: Stack, rng: np.random.RandomState, progress_bar: str | None = None
) -> np.ndarray:
    """Each sample's distance between models, for pairs of models drawn at random.

    All pairs count if there are at most 88 models. Of more, groups of 16 models are drawn, and all
    120 pairs within each group count: 3,840 pairs in all, for which 512 models are read, each as a
    whole. Where 16 models would take more than 512 MB, groups are smaller.

    Parameters
    ----------
    stack : Stack of two models or more
    rng : RandomState
    progress_bar : name of a progress bar to show; none if the output is not a terminal

    Returns
    -------
    (M, N) nats, of the precision of the models; a coefficient below 1e-30 counts as 1e-30

    Raises
    ------
    DataError
        If rows are not distributions.
    """
    m, n_samples, n_classes = stack.shape
    fitting = max(2, _GROUP_BYTES // (8 * n_samples * n_classes))
    size = min(TOGETHER, fitting, m)
    groups = [rng.choice(m, size, replace=False) for _ in range(MODELS // size)]
    if m <= fitting and m * (m - 1) <= len(groups) * size * (size - 1):
        groups = [np.arange(m)]
    per_group = len(groups[0]) * (len(groups[0]) - 1) // 2
    terms = np.empty((len(groups) * per_group, n_samples), stack.dtype)
    for k, group in enumerate(bar_over(groups, progress_bar)):
        roots = _roots(stack[np.sort(group)], stack)
        of_group = terms[k * per_group : (k + 1) * per_group]
        upper = np.triu_indices(len(group), 1)
        for samples, distances in _distances(roots):
            of_group[:, samples] = distances[:, *upper].T
    return terms


def sample_loadings(
    P,
    *,
    n_components: int = COMPONENTS,
    random_state: int | np.random.RandomState | None = None,
    progress_bar: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    r"""Loadings of samples: each sample's part of the leading components of an InPCA.

    The centred matrix of InPCA (Eq. 2.2.6) is a mean over samples like the distances, :math:`W =
    \sum_n W_n / N` with :math:`W_n = -\tfrac12 L D_n L^T`. In the basis of the unit eigenvectors
    :math:`v_a` of W, sample n has the loadings

    .. math:: \Lambda_n = \frac1N V^T W_n V, \qquad
              (\Lambda_n)_{aa} = \frac1N v_a^T W_n v_a

    These sum to the eigenvalues: :math:`\sum_n \Lambda_n = \mathrm{diag}(\lambda)`. So the diagonal
    says how much of each component a sample makes, and the rest how it would turn the components.

    Parameters
    ----------
    P : (m, N, C) models, or what `hyperribbon.pairwise.pairwise_distance` takes; of more than 256
        models, as many are drawn at random (fewer if they would take more than 1 GB, at least 16)
    n_components : int, number of components; fewer if there are fewer of nonzero eigenvalue
    random_state : int, RandomState or None; seed of the draw
    progress_bar : bool, show a progress bar; quiet when the output is not a terminal

    Returns
    -------
    loadings : (N, k, k) float64, symmetric, nats
    eigenvalues : (k,) of the InPCA of the models drawn, by decreasing magnitude, nats

    Raises
    ------
    DataError
        If rows are not distributions.

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 5))
    >>> loadings, eigenvalues = sample_loadings(P, n_components=2)
    >>> bool(np.allclose(loadings.sum(axis=0), np.diag(eigenvalues)))
    True
    """
    stack, rng = P if isinstance(P, Stack) else Stack(P, "P"), check_random_state(random_state)
    m, n_samples, n_classes = stack.shape
    fitting = 2 * _GROUP_BYTES // (n_samples * n_classes * stack.dtype.itemsize)
    most = min(LOADING_MODELS, max(fitting, 16))
    chosen = np.arange(m) if m <= most else np.sort(rng.choice(m, most, replace=False))
    few = stack[chosen]
    k = min(n_components, len(few) - 1)
    inpca = InPCA(k, metric="precomputed").fit(pairwise_distance(few, floor=FLOOR))
    eigenvalues = inpca.eigenvalues_[inpca.eigenvalues_ != 0]
    V = inpca.embedding_[:, : len(eigenvalues)] / np.sqrt(np.abs(eigenvalues))
    V = V.astype(few.dtype)
    loadings = np.empty((n_samples, len(eigenvalues), len(eigenvalues)))
    step = max(1, _BLOCK_BYTES // (8 * len(few) * (len(few) + n_classes)))
    with step_bar(n_samples, "loadings of samples" if progress_bar else None) as bar:
        for start in range(0, n_samples, step):
            some = slice(start, min(start + step, n_samples))
            for samples, distances in _distances(_roots(few[:, some], stack)):
                # V is orthogonal to constants, so that the centring L changes nothing.
                loadings[some][samples] = V.T @ (distances @ V)
            bar.update(some.stop - start)
    loadings *= -0.5 / n_samples
    return (loadings + loadings.swapaxes(1, 2)) / 2, eigenvalues


class WeightedDistances:
    """Distances (m, m) that are sums of each sample's distances, computed where they are sliced.

    Parameters
    ----------
    P : (m, K, C) models
    weights : (K,)
    """

    dtype = np.dtype(np.float64)

    def __init__(self, P, weights: np.ndarray):
        stack, counted = Stack(P, "P"), np.flatnonzero(weights)
        self.shape = (len(stack), len(stack))
        roots = _roots(stack[:, counted], stack)
        self._roots = np.ascontiguousarray(roots.swapaxes(0, 1))  # (K, m, C)
        self._weights = weights[counted]

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Rows (b, m) float64."""
        D = self._between(rows, slice(None))
        D[np.arange(len(D)), np.arange(self.shape[0])[rows]] = 0
        return D

    def dense(self) -> np.ndarray:
        """All of them, exactly symmetric; each is computed once."""
        D = np.zeros(self.shape)
        for rows in slices(self):
            beyond = slice(rows.start, None)
            D[rows, beyond] = self._between(rows, beyond)
            D[beyond, rows] = D[rows, beyond].T
        np.fill_diagonal(D, 0)
        return D

    def _between(self, rows: slice, columns: slice) -> np.ndarray:
        total: Any = 0.0
        for root, weight in zip(self._roots, self._weights, strict=True):
            total -= weight * _log(root[rows] @ root[columns].T)
        return np.asarray(total, dtype=np.float64)


def few_samples(P: Stack, samples: np.ndarray) -> np.ndarray:
    """Predictions (m, K, C) of some samples, read a few models at a time."""
    few = np.empty((len(P), len(samples), P.shape[2]), P.dtype)
    for start in range(0, len(P), P.at_once):
        models = slice(start, min(start + P.at_once, len(P)))
        few[models] = P.read(models)[:, samples]
    return few


def _roots(block: np.ndarray, stack: Stack) -> np.ndarray:
    """Square roots of models, checked and normalised, in the precision of the stack."""
    return np.sqrt(as_distributions(block, stack.name)).astype(stack.dtype, copy=False)


def _log(coefficients: np.ndarray) -> np.ndarray:
    """Logarithms of coefficients, in place; at most 0, which rounding might exceed."""
    np.clip(coefficients, FLOOR, 1, out=coefficients)
    return np.log(coefficients, out=coefficients)


def _distances(roots: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield samples and their distances (n, b, b) between all of b models (b, N, C)."""
    b, n_samples, _ = roots.shape
    step = max(1, _BLOCK_BYTES // (roots.itemsize * b * b))
    for start in range(0, n_samples, step):
        samples = slice(start, min(start + step, n_samples))
        some = roots[:, samples].swapaxes(0, 1)
        yield samples, -_log(some @ some.swapaxes(1, 2))
