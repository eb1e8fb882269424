"""Which of the given models make a basis: greedy choices, each of which extends the one before."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.linalg import get_blas_funcs

from hyperribbon.bars import bar_over, step_bar
from hyperribbon.embedding.bases.kernels import quadratic_programs
from hyperribbon.embedding.bases.reading import Roots
from hyperribbon.numerics.blocks import in_threads, slices
from hyperribbon.pairwise import pairwise_distance

_SPAN_BYTES = 2**29
_DOUBLE = 2000  # so many models are compared in float64, more in float32
_EQUAL = 1e-6  # relative difference of reductions that counts as none
_NOTHING = 1e-9  # squared distance below which nothing is left to reproduce


def affinities(roots: Roots, title: str | None = None) -> np.ndarray:
    r"""Mean Bhattacharyya coefficients of all pairs of models.

    .. math:: G_{ij} = \frac1N \sum_{nc} \sqrt{p_{inc}\, p_{jnc}}

    These are the inner products of the models' square roots, as vectors of length 1. The cost is
    m^2 N C / 2 multiplications, at the speed of a symmetric product of matrices. Square roots of
    all models are in memory for as many samples as take 512 MB, so that each is computed once;
    chunks that hold more samples are read again for every part of them.

    Returns
    -------
    (m, m) float64, or float32 for more than 2,000 models
    """
    m, n_samples, n_classes = roots.shape
    dtype = np.dtype(np.float64 if m <= _DOUBLE else np.float32)
    G = np.zeros((m, m), dtype)
    [add_product] = get_blas_funcs(("syrk",), dtype=dtype)
    size = min(n_samples, max(1, _SPAN_BYTES // (m * n_classes * dtype.itemsize)))
    A = np.empty((m, size * n_classes), dtype)
    starts = range(0, n_samples, size)
    with step_bar(m * len(starts), title) as bar:
        for start in starts:
            samples = slice(start, min(start + size, n_samples))
            part = A[:, : (samples.stop - start) * n_classes]

            def put(rows: slice, some: np.ndarray, part=part) -> int:
                part[rows] = some.reshape(len(some), -1)
                return len(some)

            for done in roots.map(put, samples=samples):
                bar.update(done)
            # Transposed, both are in the order of BLAS, which then changes G in place.
            add_product(1 / n_samples, part.T, 1, G.T, trans=1, overwrite_c=1)
    for rows in slices(G):
        G[: rows.start, rows] = G[rows, : rows.start].T
        own = np.tril(G[rows, rows])
        G[rows, rows] = own + np.tril(own, -1).T
    return G


def choose_greedily(
    G: np.ndarray, count: int, title: str | None = None
) -> tuple[np.ndarray, np.ndarray]:
    r"""Choose models whose nonnegative combinations are near all models.

    In the space of square roots, models are unit vectors with inner products G, and each has a
    squared distance to its nearest combination, :math:`e_j^2 = \min_{w \ge 0} |\sqrt{p_j} - \sum_k
    w_k \sqrt{b_k}|^2`. The first choice is the model least similar to all. Each further one is the
    model i with the largest :math:`\sum_j \Delta_{ij}^2`, where

    .. math:: \Delta_{ij} = (e_j \cdot \sqrt{p_i})_+^2 / (1 - \cos^2(\psi_j, \sqrt{p_i}))

    is by how much i reduces :math:`e_j^2` if the present combination :math:`\psi_j` is scaled, but
    not changed otherwise. This is orthogonal matching pursuit for many signals at once. Squares
    favour the ends of the manifold, whose mixtures reach far, over its middle; a plain sum explains
    less of the distances.

    Over samples, the mean of 1 - c^2, with c the coefficients between a model and its combination,
    is at most :math:`e_j^2`. It bounds no distance, which grows without limit where c is near 0,
    but is about twice the distance where all c are near 1.

    Such reductions are not submodular: no guarantee of the form 1 - 1/e is known. `choose_medoids`
    has one, for another objective.

    Parameters
    ----------
    G : (m, m), from `affinities`
    count : number of models to choose

    Returns
    -------
    indices : (count,) int, in the order of choice
    errors : (count,) mean of :math:`e_j^2` after each choice, non-increasing

    Notes
    -----
    A step costs O(m^2 k), whatever the number of samples.
    """
    m = len(G)
    W, chosen = np.zeros((m, 0)), np.zeros(0, np.int64)
    errors, lengths = np.ones(m), np.zeros(m)
    history = np.empty(count)
    for step in bar_over(range(count), title):
        gains_of = partial(_gains, G, W, chosen, errors, lengths)
        gains = sum(in_threads(gains_of, slices(G)), start=np.zeros(m))
        gains[chosen] = -1
        if step:
            equal = gains >= (1 - _EQUAL) * gains.max()
            if gains.max() <= m * _NOTHING**2:
                equal[:] = True
            # Of equally good ones the farthest, which is no copy.
            best = int(np.where(equal, G[chosen].max(axis=0), np.inf).argmin())
        else:
            best = int(G.sum(axis=0, dtype=np.float64).argmin())
        chosen = np.append(chosen, best)
        W = np.hstack([W, np.zeros((m, 1))])
        K = G[np.ix_(chosen, chosen)].astype(np.float64)
        for start in range(0, m, 1000):
            rows = slice(start, min(start + 1000, m))
            X, c = W[rows], -G[rows][:, chosen].astype(np.float64)
            quadratic_programs(np.tile(K, (len(X), 1, 1)), c, X, np.ones(X.shape, np.bool_), False)
            square = np.einsum("jk,kl,jl->j", X, K, X)
            errors[rows] = np.clip(1 + square + 2 * np.einsum("jk,jk->j", X, c), 0, 1)
            lengths[rows] = np.sqrt(square)
        history[step] = errors.mean()
    return chosen, history


def _gains(G, W, chosen, errors, lengths, rows: slice) -> np.ndarray:
    """What each model would add to the chosen ones, (m,), for some of the models j."""
    along = W[rows] @ G[chosen].astype(np.float64, copy=False)
    gain = np.maximum(G[rows] - along, 0)
    gain *= gain
    along /= np.maximum(lengths[rows, None], 1e-300)
    gain /= np.maximum(1 - along * along, 1e-6)
    gain = np.minimum(gain, errors[rows, None])
    return np.einsum("ji,ji->i", gain, gain)


def choose_medoids(D: np.ndarray, count: int, title: str | None = None):
    r"""Choose models so that every model is near one of them: greedy k-medoids.

    Each step adds the model that reduces :math:`\sum_j \min_{k \in S} D_{jk}` the most. With r_j,
    the distance from j to the model farthest from it, the covered distance :math:`F(S) = \sum_j
    (r_j - \min_{k \in S} D_{jk})` is monotone and submodular (facility location), so that
    :math:`F(S) \ge (1 - 1/e) F(S^*)` for the best set of as many models (Nemhauser et al. 1978).

    Parameters
    ----------
    D : (m, m) distances
    count : number of models to choose

    Returns
    -------
    indices : (count,) int, in the order of choice
    distances : (count,) mean distance to the nearest chosen model after each choice

    Examples
    --------
    >>> x = np.array([0.0, 1.0, 2.0, 10.0])
    >>> choose_medoids(abs(x[:, None] - x), 2)[0].tolist()
    [1, 3]
    """
    nearest = D.max(axis=1).astype(np.float64)
    chosen: list[int] = []
    history = np.empty(count)
    for step in bar_over(range(count), title):
        gains = np.zeros(len(D))
        for rows in slices(D):
            gains += np.maximum(nearest[rows, None] - D[rows], 0).sum(axis=0)
        gains[chosen] = -1
        chosen.append(int(gains.argmax()))
        np.minimum(nearest, D[:, chosen[-1]], out=nearest)
        history[step] = nearest.mean()
    return np.array(chosen), history


def distances_in_memory(models) -> np.ndarray:
    """Bhattacharyya distances (m, m), float32 to save memory."""
    m = len(models)
    return pairwise_distance(models, out=np.empty((m, m), np.float32))
