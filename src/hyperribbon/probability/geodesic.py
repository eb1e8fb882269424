"""Geodesics on the product of spheres."""

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distance import arcs, paired_roots
from hyperribbon.probability.distributions import as_numpy


def geodesic(p: np.ndarray, q: np.ndarray, alpha: float | np.ndarray) -> np.ndarray:
    r"""Points on the geodesic from p to q (Eq. 2.2.3).

    For each sample, the square roots of the distributions are points on a sphere, at an angle d,
    and

    .. math:: \sqrt{r} = \frac{\sin((1-\alpha) d) \sqrt{p} + \sin(\alpha d) \sqrt{q}}{\sin d},
              \qquad d = \arccos \sum_c \sqrt{p_c q_c}.

    Where p and q coincide, the result is the limit, p. Beyond the ends, roots would turn negative
    and the curve would leave the distributions, so alpha must be in [0, 1].

    Parameters
    ----------
    p, q : (..., N, C) distributions
    alpha : float in [0, 1], or an array of them that broadcasts against the leading dimensions;
        0 gives p, 1 gives q

    Returns
    -------
    (..., N, C) float64

    Raises
    ------
    DataError
        If rows are not distributions, shapes do not fit, or an alpha is outside [0, 1].

    Examples
    --------
    >>> geodesic([[1.0, 0.0]], [[0.0, 1.0]], 0.5).round(3)
    array([[0.5, 0.5]])
    >>> geodesic([[1.0, 0.0]], [[0.0, 1.0]], [0, 0.25, 1]).shape
    (3, 1, 2)
    """
    root_p, root_q = paired_roots(p, q, "p", "q")
    alpha = as_numpy(alpha, "alpha").astype(np.float64)
    if not ((alpha >= 0) & (alpha <= 1)).all():
        raise DataError(
            f"alpha: from {alpha.min():.6g} to {alpha.max():.6g}, expected all within [0, 1]"
        )
    try:
        np.broadcast_shapes(alpha.shape, root_p.shape[:-2], root_q.shape[:-2])
    except ValueError:
        raise DataError(
            f"alpha: shape {alpha.shape}, expected one that broadcasts against the leading "
            f"dimensions of p and q, {root_p.shape[:-2]} and {root_q.shape[:-2]}"
        ) from None
    return between(root_p, root_q, alpha)


def between(root_p: np.ndarray, root_q: np.ndarray, alpha: float | np.ndarray) -> np.ndarray:
    """Points (..., N, C) on geodesics, from the square roots of the ends; nothing is checked."""
    alpha = np.asarray(alpha)[..., None, None]
    d = arcs(root_p, root_q)[..., None]
    # Written with sinc, sin(a d) / sin(d) has the limit a at d = 0.
    scale = np.sinc(d / np.pi)
    weight_p = (1 - alpha) * np.sinc((1 - alpha) * d / np.pi) / scale
    weight_q = alpha * np.sinc(alpha * d / np.pi) / scale
    r = (weight_p * root_p + weight_q * root_q) ** 2
    r /= r.sum(axis=-1, keepdims=True)
    return r
