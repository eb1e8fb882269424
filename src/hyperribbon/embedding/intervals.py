"""Bootstrap intervals of explained stress and distance, from resampled configurations.

Computed on a few hundred models, evenly spaced among all, because the number of configurations
determines the width of the intervals. A draw takes O(m^3) time for the stress and O(m^2 k) for
pairwise distances, which take O(m^2 k) memory.
"""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import eigvalsh

from hyperribbon.embedding.fidelity import explained_pairwise_distance, explained_stress
from hyperribbon.embedding.operators import CentredDistances
from hyperribbon.numerics.blocks import evenly, submatrix
from hyperribbon.numerics.bootstrap import bootstrap_interval

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
    few = evenly(len(groups), MODELS)
    D, k = np.asarray(submatrix(D, few), dtype=np.float64), len(estimate)
    CentredDistances(D, np.ones(len(D)))  # it refuses what is no matrix of distances
    D = (D + D.T) / 2
    largest = np.abs(D).max()

    def stress(weights: np.ndarray) -> np.ndarray:
        some = weights > 0  # a model of weight 0 changes nothing
        drawn = D[np.ix_(some, some)]
        if np.abs(drawn).max() <= 1e-9 * largest:
            return np.full(k, np.nan)  # all models coincide: nothing to explain
        root, mu = np.sqrt(weights[some]), weights[some] / weights.sum()
        means = drawn @ mu
        # As CentredDistances(drawn, weights[some]).dense(), which would check each draw anew.
        W = -0.5 * (drawn - means[:, None] - means + mu @ means)
        eigenvalues = eigvalsh(root[:, None] * W * root)
        largest_first = eigenvalues[np.abs(eigenvalues).argsort()[::-1]]
        # As many dimensions as models explain everything.
        return np.append(explained_stress(largest_first), np.ones(k))[:k]

    low, high = bootstrap_interval(stress, np.asarray(groups)[few], estimate)
    return np.clip(low, 0, 1), np.clip(high, 0, 1)


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

    low, high = bootstrap_interval(share, np.asarray(groups)[few], estimate)
    return np.minimum(low, 1), np.minimum(high, 1)
