"""How far sets of samples agree, compared with sets of the same sizes drawn at random."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import hypergeom

from hyperribbon.errors import DataError


class Conservation(NamedTuple):
    """Overlaps of k sets of samples, and what they would be by chance.

    Attributes
    ----------
    overlap : ndarray of int, shape (k, k)
        Samples that are in both sets; on the diagonal, sizes.
    mean, sd : ndarray of shape (k, k)
        Mean and standard deviation of the overlap of random sets of these sizes, which is
        hypergeometric.
    z : ndarray of shape (k, k)
        (overlap - mean) / sd; NaN where the overlap is certain, because a set is empty or whole.
    log_p : ndarray of shape (k, k)
        Natural logarithm of the exact probability that random sets overlap as much or more; the
        probability itself is often too small for a float.
    """

    overlap: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    z: np.ndarray
    log_p: np.ndarray

    @property
    def p(self) -> np.ndarray:
        """The probability itself, (k, k); 0 where it is below the smallest float."""
        return np.exp(self.log_p)


def conservation(sets: np.ndarray) -> Conservation:
    """Overlaps of sets with z-scores and exact p-values of the hypergeometric null.

    With sizes a and b of N samples, the overlap of random sets has mean ab/N and variance
    ab(N - a)(N - b) / (N^2 (N - 1)).

    Parameters
    ----------
    sets : array of bool, shape (k, N)
        Which of N samples are in each set.

    Returns
    -------
    Conservation

    Raises
    ------
    DataError
        If the array is not boolean or has another shape, or there are fewer than two samples.

    Examples
    --------
    >>> sets = np.zeros((2, 1000), dtype=bool)
    >>> sets[0, :100] = sets[1, 20:120] = True
    >>> found = conservation(sets)
    >>> found.overlap[0, 1].item(), found.mean[0, 1].item(), round(found.z[0, 1].item(), 1)
    (80, 10.0, 24.6)
    """
    sets = np.asarray(sets)
    if sets.dtype != bool or sets.ndim != 2 or sets.shape[1] < 2:
        raise DataError(
            f"sets: {sets.dtype} of shape {sets.shape}, expected bool of shape (sets, samples), "
            "two samples or more"
        )
    N = sets.shape[1]
    members = sets.astype(float)  # exact, and a product of integers is slow
    overlap = (members @ members.T).round().astype(int)
    size = sets.sum(axis=1)
    a, b = size[:, None].astype(float), size[None, :].astype(float)
    mean = a * b / N
    sd = np.sqrt(mean * (N - a) * (N - b) / (N * (N - 1.0)))
    with np.errstate(invalid="ignore"):
        z = np.where(sd > 0, (overlap - mean) / np.where(sd > 0, sd, 1), np.nan)
    upper = np.triu_indices(len(sets))
    log_p = np.zeros(overlap.shape)
    found = hypergeom.logsf(overlap[upper] - 1, N, size[upper[0]], size[upper[1]])
    log_p[upper] = log_p.T[upper] = np.minimum(found, 0)
    return Conservation(overlap, mean, sd, z, log_p)
