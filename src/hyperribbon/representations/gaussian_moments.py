"""Means of squares of an activation and its derivatives over Gaussian pre-activations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from hyperribbon.errors import DataError
from hyperribbon.representations.activations import Activation, Elementwise, find_activation

TOLERANCE = 1e-10  # of means, relative to the largest term
BLOCK = 2**11  # variances at a time


def squared_moments(activation: str | Elementwise) -> Callable[[np.ndarray, int], np.ndarray]:
    """Function that returns E[phi^(k)(u)^2] over u ~ N(0, v), and its derivatives by v.

    For erf and ReLU it is exact. For all others it is a Gauss-Legendre rule on panels, which end at
    0 and get narrower towards it. So it is also exact for activations with a kink at 0, and for
    those much steeper than the distribution. A derivative by v needs none of the activation: it is
    the mean times a Hermite polynomial, E[h(u) He_2j(u / sqrt v)] / (2 v)^j.

    Parameters
    ----------
    activation : a name or a torch function, as for `find_activation`

    Returns
    -------
    function of variances (B,), at least 0, and k = 0, 1 or 2; it returns (3, B): the mean, its
    first and its second derivative. The derivatives are NaN where v = 0, unless they are exact; for
    small v their errors grow like 1e-16 / v and 1e-16 / v^2.

    Raises
    ------
    DataError
        As `find_activation`; the function, if the rule is not accurate to 1e-10, or if phi^(k-1)
        has a jump, so that phi^(k) is no function.

    Examples
    --------
    >>> moments = squared_moments(torch.sin)
    >>> bool(np.isclose(moments(np.array([0.5]), 0)[0, 0], (1 - np.exp(-1)) / 2))
    True
    """
    if isinstance(activation, str) and activation in EXACT:
        return EXACT[activation]
    known = find_activation(activation)

    def moments(variances: np.ndarray, k: int) -> np.ndarray:
        v, inverse = np.unique(variances, return_inverse=True)  # points of a grid share radii
        blocks = [_quadrature(known, v[i : i + BLOCK], k) for i in range(0, len(v), BLOCK)]
        if k:
            _check_continuous(known, k)
        return np.concatenate([np.empty((3, 0)), *blocks], axis=1)[:, inverse]

    return moments


def _erf(v: np.ndarray, k: int) -> np.ndarray:
    w = 1 / (1 + 2 * v)
    if k == 0:
        slope = np.sqrt(w) / (1 + v)
        found = np.stack([np.arcsin(v / (1 + v)), slope, -slope * (1 / (1 + v) + w)])
    elif k == 1:
        found = np.sqrt(w) * np.stack([np.ones_like(v), -w, 3 * w**2])
    else:
        found = w**1.5 * np.stack([v, (1 - v) * w, (3 * v - 6) * w**2])
    return 2 / np.pi * found


def _relu(v: np.ndarray, k: int) -> np.ndarray:
    half, zero = np.full_like(v, 0.5), np.zeros_like(v)
    if k == 2:
        raise DataError(
            "activation: the slope of 'relu' has a jump, so the features have no finite metric; "
            "expected a smooth activation, or the kernel 'nngp'"
        )
    return np.stack([v / 2, half, zero] if k == 0 else [half, zero, zero])


EXACT: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"erf": _erf, "relu": _relu}


def _rule(nodes: int, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions and weights of a rule for means over N(0, 1), up to `end` standard deviations."""
    edges = np.array([0, *2.0 ** np.arange(-6, 0), *range(1, end + 1)])
    at, weight = np.polynomial.legendre.leggauss(nodes)
    width, middle = np.diff(edges)[:, None] / 2, (edges[1:] + edges[:-1])[:, None] / 2
    z = (middle + width * at).ravel()
    density = (width * weight).ravel() * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.concatenate([-z[::-1], z]), np.concatenate([density[::-1], density])


FINE, COARSE = _rule(16, end=16), _rule(12, end=12)


def _quadrature(phi: Activation, v: np.ndarray, k: int) -> np.ndarray:
    """As the function of `squared_moments`; the two rules also differ in where they end."""
    found, again = (_means(phi, v, k, *rule) for rule in (FINE, COARSE))
    scale = np.abs(found[0]) + np.finfo(float).tiny
    accurate = (np.abs(found - again) <= TOLERANCE * scale).all(0)
    if not accurate.all():
        raise DataError(
            f"activation: means over pre-activations of variance {v[~accurate][0]:g} are not found "
            f"to {TOLERANCE:g}; expected an activation that is smooth except at 0 and does not "
            "grow exponentially"
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        found[1:] /= np.stack([2 * v, 4 * v**2])
    found[1:, v == 0] = np.nan
    return found


def _means(phi: Activation, v: np.ndarray, k: int, z: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Means of the square times 1, He_2(z) and He_4(z)."""
    polynomials = np.stack([np.ones_like(z), z**2 - 1, z**4 - 6 * z**2 + 3])
    return (w * polynomials) @ np.square(_at(phi, k, v, z)).T


def _check_continuous(phi: Activation, k: int) -> None:
    """Refuse phi^(k-1) with a jump, for which E[z phi^(k-1)] is not E[phi^(k)] (Stein's lemma)."""
    z, w = FINE
    before, after = (_at(phi, j, np.ones(1), z)[0] for j in (k - 1, k))
    apart = abs((w * z) @ before - w @ after)
    if apart > 1e-8 * (w @ np.abs(z * before) + w @ np.abs(after)):
        raise DataError(
            f"activation: {('the activation', 'its slope')[k - 1]} has a jump, or a kink away from "
            "0, so the features have no finite metric; expected a smooth activation, or one with a "
            "kink at 0 and the kernel 'nngp'"
        )


def _at(phi: Activation, k: int, v: np.ndarray, z: np.ndarray) -> np.ndarray:
    """phi^(k) (B, nodes) at pre-activations of variances v."""
    derivative = (phi.function, phi.slope, phi.bend)[k]
    return derivative(torch.from_numpy(np.outer(np.sqrt(v), z))).numpy()
