"""Tangent vectors of the product of spheres on which models are points, by their square roots."""

from __future__ import annotations

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_float64
from hyperribbon.probability.distance import arcs, paired_roots
from hyperribbon.probability.distributions import as_distributions


def log_map(p, q) -> np.ndarray:
    r"""Tangent vectors at p of the geodesics that reach q at time 1.

    With the roots :math:`x = \sqrt p` and :math:`y = \sqrt q` of each sample, at an angle d,

    .. math:: \log_x y = \frac{d}{\sin d} (y - x \cos d), \qquad d = \arccos \sum_c x_c y_c.

    Its length is d, and it is orthogonal to x. Roots are not negative, so that d is at most
    :math:`\pi/2` and the map has no other value.

    Parameters
    ----------
    p, q : (..., N, C) distributions; leading dimensions are broadcast

    Returns
    -------
    (..., N, C) float64

    Raises
    ------
    DataError
        If rows are not distributions or shapes do not fit.

    Examples
    --------
    >>> log_map([[0.5, 0.5]], [[1.0, 0.0]]).round(4)  # of length pi / 4
    array([[ 0.5554, -0.5554]])
    """
    x, y = paired_roots(p, q, "p", "q")
    d = arcs(x, y)[..., None]
    # y - x cos(d), written so that nothing is lost where y is close to x.
    off = (y - x) + 2 * np.sin(d / 2) ** 2 * x
    return off / np.sinc(d / np.pi)


def exp_map(p, v) -> np.ndarray:
    r"""Models that geodesics from p with tangent vectors v reach at time 1.

    .. math:: \exp_x v = x \cos |v| + \frac{v}{|v|} \sin |v|

    Where the geodesic has left the distributions, some roots are negative. They count as 0, and the
    others are scaled to length 1.

    Parameters
    ----------
    p : (..., N, C) distributions
    v : (..., N, C), orthogonal to the roots of p for each sample, as those of `log_map`

    Returns
    -------
    (..., N, C) float64

    Raises
    ------
    DataError
        If rows are not distributions, or shapes do not fit.

    Examples
    --------
    >>> exp_map([[0.5, 0.5]], log_map([[0.5, 0.5]], [[0.9, 0.1]])).round(6)
    array([[0.9, 0.1]])
    """
    x = np.sqrt(as_distributions(p, "p"))
    v = _checked(v, "v", x)
    length = np.sqrt(np.einsum("...c,...c->...", v, v))[..., None]
    r = np.maximum(x * np.cos(length) + v * np.sinc(length / np.pi), 0) ** 2
    sums = r.sum(axis=-1, keepdims=True)
    # Of a vector longer than pi, all may be negative.
    return np.divide(r, sums, out=np.full_like(r, 1 / r.shape[-1]), where=sums > 0)


def transport(p, q, v) -> np.ndarray:
    r"""Tangent vectors at p, moved to q along the geodesic without turning (parallel transport).

    .. math:: v - \frac{\sum_c y_c v_c}{1 + \sum_c x_c y_c} (x + y), \qquad
              x = \sqrt p, \quad y = \sqrt q

    Parameters
    ----------
    p, q : (..., N, C) distributions; leading dimensions are broadcast
    v : (..., N, C), orthogonal to the roots of p for each sample, as those of `log_map`

    Returns
    -------
    (..., N, C) float64, of the same lengths, orthogonal to the roots of q

    Raises
    ------
    DataError
        If rows are not distributions, or shapes do not fit.

    Examples
    --------
    >>> p, q = [[0.5, 0.5]], [[1.0, 0.0]]
    >>> bool(np.allclose(transport(p, q, log_map(p, q)), -log_map(q, p)))
    True
    """
    x, y = paired_roots(p, q, "p", "q")
    v = _checked(v, "v", x)
    along = np.einsum("...c,...c->...", y, v) / (1 + np.einsum("...c,...c->...", x, y))
    return v - along[..., None] * (x + y)


def root_velocity(p, velocity) -> np.ndarray:
    r"""Tangent vectors of square roots, from the velocity of logits.

    The roots of a softmax of logits f move by

    .. math:: \dot x_c = \tfrac12 x_c \Bigl(\dot f_c - \sum_{c'} p_{c'} \dot f_{c'}\Bigr).

    Parameters
    ----------
    p : (..., N, C) distributions
    velocity : (..., N, C), of the logits, per unit of time

    Returns
    -------
    (..., N, C) float64, orthogonal to the roots for each sample

    Raises
    ------
    DataError
        If rows are not distributions, or shapes do not fit.

    Examples
    --------
    >>> root_velocity([[0.5, 0.5]], [[1.0, -1.0]]).round(4)
    array([[ 0.3536, -0.3536]])
    """
    p = as_distributions(p, "p")
    velocity = _checked(velocity, "velocity", p)
    mean = np.einsum("...c,...c->...", p, velocity)[..., None]
    return np.sqrt(p) * (velocity - mean) / 2


def _checked(v, name: str, p: np.ndarray) -> np.ndarray:
    """A vector as float64; a DataError unless it has the samples and classes of p."""
    v = as_float64(v, name)
    if v.shape[-2:] != p.shape[-2:]:
        expected = f"(..., {p.shape[-2]}, {p.shape[-1]}), as that of p"
        raise DataError(f"{name}: shape {v.shape}, expected {expected}")
    return v
