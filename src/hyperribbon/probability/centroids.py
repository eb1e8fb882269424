"""Averages of models: the centroids of several divergences (thesis Table 2.3)."""

from collections.abc import Callable

import numpy as np
from scipy.special import lambertw

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import as_distributions, check_shape, sliceable

# Relative error of the Bhattacharyya centroid's probabilities; an iteration at least halves it.
TOLERANCE = 1e-12


def centroid(P, kind: str) -> np.ndarray:
    r"""Average models, sample by sample (Table 2.3).

    ==================  =====================================================================
    kind                proportional to
    ==================  =====================================================================
    arithmetic          :math:`A = \frac1m \sum_k p_k`, centroid of the squared Euclidean
                        distance
    sqrt_arithmetic     :math:`(\frac1m \sum_k \sqrt{p_k})^2`, centroid of the Hellinger
                        distance
    geometric           :math:`G = (\prod_k p_k)^{1/m}`
    harmonic            :math:`(\frac1m \sum_k 1 / p_k)^{-1}`
    bhattacharyya       the minimum of :math:`\sum_k -\ln \sum_c \sqrt{p_{kc} q_c}`, by the
                        iteration of Nielsen & Boltz (2011):
                        :math:`q \leftarrow \frac1m \sum_k \sqrt{p_k q} / \sum_c
                        \sqrt{p_{kc} q_c}`, to 1e-12 relative
    jeffreys            :math:`A / W(e A / G)`, W being Lambert's function: the centroid of
                        the symmetrised Kullback-Leibler divergence among positive measures
                        (Nielsen 2013, Theorem 1)
    ==================  =====================================================================

    All are normalised. For Jeffreys the result is Nielsen's tight approximation of the minimum
    among distributions, which has no closed form. The Bhattacharyya centroid is unique: in
    :math:`\sqrt q`, it minimises a convex function over the unit ball.

    The geometric, harmonic and Jeffreys centroids floor probabilities at 1e-30, except that a
    class to which every model gives 0 keeps 0. The others need no floor.

    Parameters
    ----------
    P : (m, N, C) distributions; any sliceable array, read in blocks of samples
    kind : "arithmetic", "sqrt_arithmetic", "geometric", "harmonic", "bhattacharyya" or "jeffreys"

    Returns
    -------
    (N, C) float64, each row summing to 1

    Raises
    ------
    DataError
        If the kind is unknown or rows are not distributions.

    References
    ----------
    Nielsen & Boltz (2011), IEEE Trans. Information Theory 57 (8), 5455.
    Nielsen (2013), IEEE Signal Processing Letters 20 (7), 657.

    Examples
    --------
    >>> P = [[[0.5, 0.5]], [[0.9, 0.1]]]
    >>> for kind in ("arithmetic", "geometric", "harmonic"):
    ...     print(centroid(P, kind).round(3))
    [[0.7 0.3]]
    [[0.75 0.25]]
    [[0.794 0.206]]
    """
    if kind not in KINDS:
        raise DataError(f"kind = {kind!r}: expected one of {', '.join(KINDS)}")
    P = sliceable(P, "P")
    q = np.empty(check_shape(P, ndim=3)[1:])
    for block in slices(P, axis=1):
        models = as_distributions(P[:, block])
        # Where models share no class, the floor would give weight to classes that none predicts.
        q[block] = _MEANS[kind](models) * (models.max(axis=0) > 0)
    q /= q.sum(axis=-1, keepdims=True)
    return q


def _arithmetic(P: np.ndarray) -> np.ndarray:
    return P.mean(axis=0)


def _sqrt_arithmetic(P: np.ndarray) -> np.ndarray:
    return np.sqrt(P).mean(axis=0) ** 2


def _geometric(P: np.ndarray) -> np.ndarray:
    return np.exp(np.log(np.maximum(P, FLOOR)).mean(axis=0))


def _harmonic(P: np.ndarray) -> np.ndarray:
    return 1 / (1 / np.maximum(P, FLOOR)).mean(axis=0)


def _bhattacharyya(P: np.ndarray) -> np.ndarray:
    """Iterate x <- sqrt(x r), with x = sqrt(q) and r = mean of sqrt(p_k) / <sqrt(p_k), x>.

    At the fixed point r = x. There the derivative of r has eigenvalues from -1 to 0 (its negative
    is a nonnegative matrix with the positive eigenvector x), so the derivative of an iteration has
    eigenvalues from 0 to 1/2, and the last change bounds the remaining error.
    """
    roots = np.sqrt(P)
    x = np.sqrt(_sqrt_arithmetic(P))
    x /= np.linalg.norm(x, axis=-1, keepdims=True)
    for _ in range(1000):
        coefficients = np.einsum("knc,nc->kn", roots, x)
        r = np.einsum("knc,kn->nc", roots, 1 / coefficients) / len(P)
        previous, x = x, np.sqrt(x) * np.sqrt(r)  # their product might underflow
        if (np.abs(x - previous) <= TOLERANCE / 2 * x).all():
            return x**2
    raise AssertionError("the iteration for the Bhattacharyya centroid did not converge")


def _jeffreys(P: np.ndarray) -> np.ndarray:
    P = np.maximum(P, FLOOR)
    mean = P.mean(axis=0)
    return mean / lambertw(np.e * mean / _geometric(P)).real


_MEANS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "arithmetic": _arithmetic,
    "sqrt_arithmetic": _sqrt_arithmetic,
    "geometric": _geometric,
    "harmonic": _harmonic,
    "bhattacharyya": _bhattacharyya,
    "jeffreys": _jeffreys,
}
KINDS = tuple(_MEANS)
