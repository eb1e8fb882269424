"""Bootstrap intervals of explained stress and distance, from resampled configurations.

Computed on a few hundred models, evenly spaced among all, because the number of configurations
determines the width of the intervals. A draw takes O(m^3) time for the stress and O(m^2 k) for
pairwise distances, which take O(m^2 k) memory. Draws of several statistics of the same models take
the same configurations, so that their differences are those of pairs.
"""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.linalg import eigvalsh

from hyperribbon.embedding.alignment import align
from hyperribbon.embedding.fidelity import explained_pairwise_distance, explained_stress
from hyperribbon.embedding.operators import CentredDistances
from hyperribbon.numerics.blocks import evenly, submatrix
from hyperribbon.numerics.bootstrap import bootstrap_draws, percentiles

MODELS = 300  # at most; evenly spaced models are enough


def explained_stress_interval(
    D, groups: Sequence, estimate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """95% interval of the explained stress of InPCA.

    Parameters
    ----------
    D : (m, m) distances, a NumPy or Zarr array
    groups : m labels, the configurations of the models
    estimate : (k,) explained stress of the first d = 1..k dimensions, from all models

    Returns
    -------
    low, high : (k,), from 0 to 1; NaN if there is only one group

    Raises
    ------
    DataError
        If D is not a matrix of distances.
    """
    low, high = percentiles(explained_stress_draws(D, groups, estimate))
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


def explained_stress_draws(D, groups: Sequence, estimate: np.ndarray) -> np.ndarray:
    """Explained stress of InPCA with configurations drawn with replacement.

    Parameters
    ----------
    D, groups, estimate : as of `explained_stress_interval`

    Returns
    -------
    (draws, k)
    """
    k = len(estimate)
    # As many dimensions as models explain everything.
    return _of_spectra(
        lambda found: np.append(explained_stress(found), np.ones(k))[:k], D, groups, estimate
    )


def second_eigenvalue_interval(D, groups: Sequence, estimate: float) -> tuple[float, float]:
    """95% interval of InPCA's second eigenvalue by magnitude, relative to the first.

    Parameters
    ----------
    D, groups : as of `explained_stress_interval`
    estimate : the ratio of all models; below 0 if one of the two dimensions is time-like

    Returns
    -------
    low, high : float, from -1 to 1; NaN if there is only one group
    """
    draws = _of_spectra(lambda found: found[1] / found[0], D, groups, estimate)
    low, high = np.clip(percentiles(draws), -1, 1)
    return float(low), float(high)


def _of_spectra(
    statistic: Callable[[np.ndarray], np.ndarray | float],
    D,
    groups: Sequence,
    estimate: np.ndarray | float,
) -> np.ndarray:
    """Draws of a function of InPCA's eigenvalues, which are given by decreasing magnitude."""
    few = evenly(len(groups), MODELS)
    D = np.asarray(submatrix(D, few), dtype=np.float64)
    CentredDistances(D, np.ones(len(D)))  # it refuses what is no matrix of distances
    D = (D + D.T) / 2
    largest = np.abs(D).max()

    def of_drawn(weights: np.ndarray) -> np.ndarray | float:
        some = weights > 0  # a model of weight 0 changes nothing
        drawn = D[np.ix_(some, some)]
        if np.abs(drawn).max() <= 1e-9 * largest:
            return np.full(np.shape(estimate), np.nan)  # all models coincide: nothing to explain
        root, mu = np.sqrt(weights[some]), weights[some] / weights.sum()
        means = drawn @ mu
        # As CentredDistances(drawn, weights[some]).dense(), which would check each draw anew.
        W = -0.5 * (drawn - means[:, None] - means + mu @ means)
        eigenvalues = eigvalsh(root[:, None] * W * root)
        return statistic(eigenvalues[np.abs(eigenvalues).argsort()[::-1]])

    return bootstrap_draws(of_drawn, np.asarray(groups)[few], estimate)


def explained_pairwise_distance_interval(
    D, embedding: np.ndarray, signature: np.ndarray, groups: Sequence, estimate: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """95% interval of the explained pairwise distance in given coordinates.

    Parameters
    ----------
    D : (m, m) distances, a NumPy or Zarr array
    embedding : (m, k) coordinates
    signature : (k,) +1 or -1
    groups : m labels, the configurations of the models
    estimate : (k,) explained pairwise distance of the first d = 1..k dimensions, from all models

    Returns
    -------
    low, high : (k,), at most 1; NaN if there is only one group

    Raises
    ------
    DataError
        If shapes do not fit.
    """
    draws = explained_pairwise_distance_draws(D, embedding, signature, groups, estimate)
    low, high = percentiles(draws)
    return np.minimum(low, 1), np.minimum(high, 1)


def explained_pairwise_distance_draws(
    D, embedding: np.ndarray, signature: np.ndarray, groups: Sequence, estimate: np.ndarray
) -> np.ndarray:
    """Explained pairwise distance with configurations drawn with replacement.

    Parameters
    ----------
    D, embedding, signature, groups, estimate : as of `explained_pairwise_distance_interval`

    Returns
    -------
    (draws, k)
    """
    few = evenly(len(groups), MODELS)
    D, X = np.asarray(submatrix(D, few), dtype=np.float64), np.asarray(embedding)[few]
    explained_pairwise_distance(D, X, signature)  # it refuses what does not fit
    squares = (X.T[:, :, None] - X.T[:, None, :]) ** 2
    misfit = np.abs(D - np.cumsum(np.reshape(signature, (-1, 1, 1)) * squares, axis=0))
    magnitude = np.abs(D)

    def share(weights: np.ndarray) -> np.ndarray:
        # Not by BLAS: last digits would depend on its number of threads.
        total = np.einsum("uv,u,v", magnitude, weights, weights)
        left = np.einsum("duv,u,v->d", misfit, weights, weights)
        return 1 - left / total if total > 0 else np.full(len(left), np.nan)

    return bootstrap_draws(share, np.asarray(groups)[few], estimate)


def rmsd_interval(
    A: np.ndarray, B: np.ndarray, signature: np.ndarray, groups: Sequence, estimate: float
) -> tuple[float, float]:
    """95% interval of the RMSD of two embeddings, of which each draw aligns the first anew.

    Parameters
    ----------
    A, B : (m, k) coordinates of the same models, in the same order of dimensions
    signature : (k,) +1 or -1
    groups : m labels, the configurations of the models
    estimate : RMSD of all models

    Returns
    -------
    low, high : float, 0 or more; NaN if there is only one group
    """
    few = evenly(len(groups), MODELS)
    A, B = A[few], B[few]

    def rmsd(weights: np.ndarray) -> float:
        drawn = np.repeat(np.arange(len(few)), weights.astype(int))
        return align(A[drawn], B[drawn], signature).rmsd

    low, high = percentiles(bootstrap_draws(rmsd, np.asarray(groups)[few], estimate))
    return max(float(low), 0.0), float(high)
