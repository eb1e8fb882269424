"""Distances between paired models, P[i] to Q[i]; for all pairs see `pairwise_distance`."""

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_distributions

FLOOR = 1e-30


def bhattacharyya_distance(P, Q, *, floor: float = FLOOR) -> np.ndarray | float:
    r"""Bhattacharyya distances between paired models (Eq. 2.2.2).

    .. math:: d_B(P, Q) = -\frac{1}{N} \sum_n \ln \sum_c \sqrt{p_{nc} q_{nc}}

    Natural logarithm, averaged over samples (nats). The coefficient of each sample is floored at
    ``floor``: a sample on which the models have no class in common contributes -ln(1e-30) = 69
    nats by default, and inf with ``floor=0``.

    Parameters
    ----------
    P, Q : (..., N, C) distributions; leading dimensions are broadcast
    floor : float in [0, 1)

    Returns
    -------
    (...) float64, or a float for two single models

    Raises
    ------
    DataError
        If shapes do not fit or rows are not distributions.

    Examples
    --------
    >>> bhattacharyya_distance([[0.5, 0.5]], [[[1.0, 0.0]], [[0.5, 0.5]]]).round(4)
    array([0.3466, 0.    ])
    """
    if not 0 <= floor < 1:
        raise DataError(f"floor = {floor}: expected a number in [0, 1)")
    root_p, root_q = paired_roots(P, Q, "P", "Q")
    coefficients = np.einsum("...nc,...nc->...n", root_p, root_q)
    np.clip(coefficients, floor, 1.0, out=coefficients)
    with np.errstate(divide="ignore"):  # floor = 0
        distance = 0 - np.log(coefficients).mean(axis=-1)  # 0, not -0, for equal models
    return distance if distance.ndim else float(distance)


def arc_length(P, Q) -> np.ndarray | float:
    r"""Geodesic distances between paired models, on the product of spheres (Sec. 2.5.4).

    .. math:: d_G(P, Q) = \frac{1}{N} \sum_n \arccos \sum_c \sqrt{p_{nc} q_{nc}}

    Parameters
    ----------
    P, Q : (..., N, C) distributions; leading dimensions are broadcast

    Returns
    -------
    (...) float64, radians, at most pi / 2; a float for two single models

    Raises
    ------
    DataError
        If shapes do not fit or rows are not distributions.

    Examples
    --------
    >>> round(arc_length([[0.5, 0.5]], [[1.0, 0.0]]), 4)  # pi / 4
    0.7854
    """
    distance = arcs(*paired_roots(P, Q, "P", "Q")).mean(axis=-1)
    return distance if distance.ndim else float(distance)


def arcs(root_p: np.ndarray, root_q: np.ndarray) -> np.ndarray:
    """Angles (..., N) between unit vectors, from the chord: accurate where they nearly coincide."""
    chord = root_p - root_q
    half_chord = 0.5 * np.sqrt(np.einsum("...c,...c->...", chord, chord))
    return 2 * np.arcsin(np.minimum(half_chord, 1.0))


def paired_roots(P, Q, name_p: str, name_q: str) -> tuple[np.ndarray, np.ndarray]:
    """Square roots of two sets of distributions; a DataError if their shapes do not fit."""
    P, Q = as_distributions(P, name_p), as_distributions(Q, name_q)
    try:
        if P.shape[-2:] != Q.shape[-2:]:
            raise ValueError
        np.broadcast_shapes(P.shape, Q.shape)
    except ValueError:
        raise DataError(
            f"{name_p}, {name_q}: shapes {P.shape} and {Q.shape}, expected the same samples and "
            "classes, and leading dimensions that broadcast"
        ) from None
    return np.sqrt(P), np.sqrt(Q)
