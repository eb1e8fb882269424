"""Geodesics on the product of spheres, and progress along the one from ignorance to truth."""

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_distributions, check_labels


def geodesic(p: np.ndarray, q: np.ndarray, alpha: float | np.ndarray) -> np.ndarray:
    r"""Points on the geodesic from p to q (Eq. 2.2.3).

    For each sample, the square roots of the distributions are points on a sphere, d apart, and

    .. math:: \sqrt{r} = \frac{\sin((1-\alpha) d) \sqrt{p} + \sin(\alpha d) \sqrt{q}}{\sin d},
              \qquad d = \arccos \sum_c \sqrt{p_c q_c}.

    Parameters
    ----------
    p, q : (..., N, C) distributions
    alpha : float, or an array that broadcasts against the leading dimensions; 0 is p, 1 is q

    Returns
    -------
    (..., N, C) float64

    Examples
    --------
    >>> geodesic([[1.0, 0.0]], [[0.0, 1.0]], 0.5).round(3)
    array([[0.5, 0.5]])
    """
    root_p, root_q = np.sqrt(as_distributions(p, "p")), np.sqrt(as_distributions(q, "q"))
    alpha = np.asarray(alpha, dtype=np.float64)[..., None, None]
    d = _arcs(root_p, root_q)[..., None]
    # sin(a d) / sin(d) through sinc has the limit a at d = 0.
    scale = np.sinc(d / np.pi)
    weight_p = (1 - alpha) * np.sinc((1 - alpha) * d / np.pi) / scale
    weight_q = alpha * np.sinc(alpha * d / np.pi) / scale
    r = (weight_p * root_p + weight_q * root_q) ** 2
    return r / r.sum(axis=-1, keepdims=True)


def arc_length(p: np.ndarray, q: np.ndarray) -> np.ndarray | float:
    """Distance d_G on the product of spheres: mean over samples of arccos sum_c sqrt(p q).

    Parameters
    ----------
    p, q : (..., N, C) distributions

    Returns
    -------
    (...) float64, radians
    """
    root_p, root_q = np.sqrt(as_distributions(p, "p")), np.sqrt(as_distributions(q, "q"))
    return _arcs(root_p, root_q).mean(axis=-1)


def _arcs(root_p: np.ndarray, root_q: np.ndarray) -> np.ndarray:
    """Angles between unit vectors; from the chord, exact where they nearly coincide."""
    half_chord = 0.5 * np.linalg.norm(root_p - root_q, axis=-1)
    return 2 * np.arcsin(np.minimum(half_chord, 1.0))


def progress(P: np.ndarray, labels: np.ndarray, *, tolerance: float = 1e-6) -> np.ndarray:
    r"""Progress towards the truth (Eq. 2.2.4).

    The alpha in [0, 1] that minimises the mean over samples of the arc from P to the geodesic's
    point at alpha, between ignorance and the one-hot truth. A sample enters through two numbers,
    :math:`a = \sum_c \sqrt{p_c / C}` and :math:`b = \sqrt{p_y}`: its cosine with the geodesic is
    :math:`R \cos(\alpha d - \phi)` with R <= 1 and :math:`|\alpha d - \phi| \le \pi/2`, where
    arccos of it is convex in alpha. So the mean is convex, and bisection on its slope finds the
    minimum: O(m N) a step, log2(1 / tolerance) steps.

    Parameters
    ----------
    P : (m, N, C) or (N, C) distributions
    labels : (N,) true classes
    tolerance : of alpha

    Returns
    -------
    (m,) float64, or a float for a single model

    Raises
    ------
    DataError
        If rows are not distributions, or labels do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from hyperribbon.probability import geodesic, ignorance, truth
    >>> labels = np.array([0, 2, 1])
    >>> halfway = geodesic(ignorance(3, 3), truth(labels, 3), 0.5)
    >>> round(float(progress(halfway, labels)), 5)
    0.5
    """
    P = as_distributions(P)
    n_samples, n_classes = P.shape[-2:]
    labels = check_labels(labels, n_classes)
    if len(labels) != n_samples:
        raise DataError(f"labels: {len(labels)}, expected one a sample, {n_samples}")
    if n_classes == 1:
        raise DataError("P: one class; progress needs two or more")
    root_c = np.sqrt(n_classes)
    a = np.sqrt(P).sum(axis=-1) / root_c
    b = np.sqrt(P[..., np.arange(n_samples), labels])
    d = np.arccos(1 / root_c)
    low, high = np.zeros(P.shape[:-2]), np.ones(P.shape[:-2])
    for _ in range(int(np.ceil(np.log2(1 / tolerance)))):
        middle = (low + high) / 2
        t = middle[..., None]
        cosine = (np.sin((1 - t) * d) * a + np.sin(t * d) * b) / np.sin(d)
        change = (np.cos(t * d) * b - np.cos((1 - t) * d) * a) / np.sin(d)
        # No arc changes faster than the angle. Where a sample is on the geodesic itself (cosine 1)
        # the slope jumps in sign, and change / sine is rounding error over next to nothing.
        sine = np.sqrt(np.maximum((1 - cosine) * (1 + cosine), 1e-300))
        slope = -np.clip(change / sine, -1, 1).mean(axis=-1)
        low, high = np.where(slope < 0, middle, low), np.where(slope < 0, high, middle)
    # The minimum may sit at an end (Remark 2.2.1).
    best = (low + high) / 2
    best = np.where(low == 0, 0.0, np.where(high == 1, 1.0, best))
    return best if best.ndim else float(best)
