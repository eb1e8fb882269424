"""Averages of models whose progress is near a given value (thesis Eq. 2.4.1)."""

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distributions import (
    as_distributions,
    as_numpy,
    check_shape,
    sliceable,
)

SIGMA = 0.05


def progress_weighted_sums(
    P, progress: np.ndarray, values: np.ndarray, sigma: float = SIGMA
) -> tuple[np.ndarray, np.ndarray]:
    r"""Sum models with weights that decrease with the distance of their progress from s (2.4.1).

    .. math:: P_s = \frac1Z \sum_{P'} \exp\Big(\frac{-(s_{P'} - s)^2}{2 \sigma^2}\Big) P'

    is ``sums / weights``. Sums and weights of several trajectories add up, so a study can be read
    one trajectory at a time.

    Parameters
    ----------
    P : (m, N, C) models; any sliceable array, read in blocks
    progress : (m,) progress of these models
    values : (G,) values s of progress
    sigma : float above 0, width of the Gaussian weights

    Returns
    -------
    sums : (G, N, C) float64, weighted sums of models
    weights : (G,) float64, the normalisation Z

    Raises
    ------
    DataError
        If shapes do not fit, rows are not distributions, or sigma is not above 0.

    Examples
    --------
    >>> P = np.array([[[0.5, 0.5]], [[0.9, 0.1]], [[1.0, 0.0]]])
    >>> sums, weights = progress_weighted_sums(P, [0.0, 0.5, 1.0], [0.5])
    >>> (sums / weights[:, None, None]).round(6).tolist()
    [[[0.9, 0.1]]]
    """
    P = sliceable(P, "P")
    shape = check_shape(P, ndim=3)
    progress = as_numpy(progress, "progress").astype(np.float64)
    values = np.atleast_1d(as_numpy(values, "values")).astype(np.float64)
    if progress.shape != shape[:1]:
        raise DataError(f"progress: shape {progress.shape}, expected one per model, {shape[:1]}")
    if not sigma > 0:
        raise DataError(f"sigma = {sigma}: expected a number above 0")
    weights = np.exp(-(((progress - values[:, None]) / sigma) ** 2) / 2)
    sums = np.zeros((len(values), *shape[1:]))
    for block in slices(P):
        sums += np.tensordot(weights[:, block], as_distributions(P[block]), axes=1)
    return sums, weights.sum(axis=1)
