"""Compiled loops of `progress`, in a module of their own because importing numba takes time.

The machine code is cached, so what a loop calls is compiled into it, see `compiled`.
"""

import math

import numpy as np
from numba import njit

from hyperribbon.numerics.compiling import compiled

# Sums may be reordered (SIMD); NaN and inf keep their meaning, as the check of rows needs.
_FAST = {"reassoc", "contract", "nsz"}
# Avoids 0 / 0 where a sample is at its kink: 0 / TINY^(1/2) = 0. TINY^(3/2) does not underflow.
_TINY = 1e-200


@compiled(nogil=True, error_model="numpy", fastmath=_FAST)
def progress_of_models(P, labels, roots, sum_tolerance, resolution, start, arc, out):
    """Write the progress of each model of P, (b, N, C), to out; False if a row is invalid.

    ``roots`` (C,) are the square roots of ignorance's probabilities, up to a factor. For samples of
    class y, ignorance is at the angle ``start[y]``, and the arc to the truth has length ``arc[y]``.
    See `hyperribbon.probability.progress` for the mathematics.
    """
    n_models, n_samples = P.shape[:2]
    along, across = np.empty(n_samples), np.empty(n_samples)
    for k in range(n_models):
        if not _coordinates(P[k], labels, roots, sum_tolerance, along, across):
            return False
        out[k] = _closest(along, across, labels, start, arc, resolution)
    return True


@compiled(nogil=True, error_model="numpy", fastmath=_FAST)
def coordinates_of_models(P, labels, roots, sum_tolerance, along, across):
    """Write the plane coordinates of each model of P, (b, N, C); False if a row is invalid."""
    good = True
    for k in range(len(P)):
        good = good and _coordinates(P[k], labels, roots, sum_tolerance, along[k], across[k])
    return good


@njit(inline="always")
def _coordinates(P, labels, roots, sum_tolerance, along, across):
    """Project the square roots of each row onto the plane of ignorance and truth."""
    n_samples, n_classes = P.shape
    others = (roots * roots).sum() - roots * roots
    good = True
    for n in range(n_samples):
        total, product, lowest = 0.0, 0.0, 0.0
        for c in range(n_classes):
            p = np.float64(P[n, c])
            total += p
            product += roots[c] * math.sqrt(p)
            lowest = min(lowest, p)
        good = good and abs(total - 1) <= sum_tolerance and lowest >= 0
        y = labels[n]
        root_y = math.sqrt(np.float64(P[n, y]))
        along[n] = root_y / math.sqrt(total)
        across[n] = (product - roots[y] * root_y) / math.sqrt(total * others[y])
    return good


@njit(inline="always")
def _slope(along, across, labels, start, arc, x):
    """First and second derivative, by progress, of the sum of arcs to the geodesic's point."""
    sine, cosine = np.sin(start + arc * x), np.cos(start + arc * x)
    first, second = 0.0, 0.0
    for n in range(len(along)):
        a, b, y = along[n], across[n], labels[n]
        off_plane = max(1 - a * a - b * b, 0.0)
        turn = a * cosine[y] - b * sine[y]
        squared = off_plane + turn * turn + _TINY
        inverse = arc[y] / math.sqrt(squared)
        first -= turn * inverse
        second += (a * sine[y] + b * cosine[y]) * off_plane * inverse * arc[y] / squared
    return first, second


@njit(inline="always")
def _closest(along, across, labels, start, arc, resolution):
    """Find the root of the slope by Newton's method within a bracket."""
    low, high = resolution, 1 - resolution
    # The minimum may sit at an end (Remark 2.2.1).
    if _slope(along, across, labels, start, arc, low)[0] >= 0:
        return 0.0
    if _slope(along, across, labels, start, arc, high)[0] <= 0:
        return 1.0
    x, step, best, confirming = 0.5, 1.0, 0.5, False
    while high - low > 2.5 * resolution:
        first, second = _slope(along, across, labels, start, arc, x)
        if first == 0:
            return x
        if first < 0:
            low = x
        else:
            high = x
        if confirming and high - low <= 2.5 * resolution:
            break
        newton = x - first / max(second, _TINY)
        if confirming or not (low < newton < high) or abs(newton - x) > step / 2:
            # Newton does not converge: a kink, or far from the minimum.
            confirming, best = False, (low + high) / 2
            step = high - low
            x = best
        elif abs(newton - x) < resolution / 2:
            # Probably converged: a slope of the other sign just beyond closes the bracket.
            confirming, best = True, newton
            x = newton + math.copysign(resolution, -first)
            step = resolution
        else:
            step, x, best = abs(newton - x), newton, newton
    return min(max(best, low), high)
