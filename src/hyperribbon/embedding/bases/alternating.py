"""Basis models that are no given ones: alternating between weights and basis, never uphill.

An update minimises a bound on the objective that touches it at the present basis
(majorise-minimise), which can only lower the objective. Longer steps in the same direction are
tried first, and kept where they lower it too (Salakhutdinov & Roweis 2003, adaptive overrelaxed
bound optimisation).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hyperribbon.bars import step_bar
from hyperribbon.embedding.bases import kernels
from hyperribbon.embedding.bases.mixtures import MIXTURES, Mixture
from hyperribbon.embedding.bases.reading import Roots
from hyperribbon.embedding.bases.weights import solve
from hyperribbon.probability.distance import FLOOR

_STEPS, _TOL = 1, 1e-8  # of Newton's method for the weights, between two updates of the basis
_LONGER = 1.5  # by how much a step grows after a success


class Alternated(NamedTuple):
    """What an alternation found.

    state : (K, C, N) frame of the basis or, for archetypes, their (K, m) composition
    frame : (K, C, N), in the frame of the mixture
    objective : (iterations + 1,), mean distance of models to their mixtures after each iteration
    """

    state: np.ndarray
    frame: np.ndarray
    objective: np.ndarray


def optimise_freely(
    roots: Roots, frame: np.ndarray, kind: Mixture, max_iter: int, tol: float, title=None
) -> Alternated:
    r"""Move basis models anywhere in prediction space, to reduce the mean distance to mixtures.

    With :math:`r_{jnc} = \sqrt{p_{jnc} / q_{jnc}} / \sum_c \sqrt{p_{jnc} q_{jnc}}`, the update for
    mixtures of probabilities is that of expectation maximisation,

    .. math:: b_{knc} \leftarrow b_{knc} \sum_j w_{jk}\, r_{jnc} / Z_{kn},

    from Jensen's inequality for :math:`-\ln \sum_c` and for :math:`-\ln \sum_k`. For mixtures of
    roots, :math:`\beta = \sqrt b`, the logarithm of the length is bounded by its tangent and the
    squared length as in nonnegative matrix factorisation (Lee & Seung 2001). Geometric mixtures
    take gradient steps in :math:`\ln b`, no longer than the inverse of a bound on the curvature.

    Each iteration costs O(m N C K) and reads the models twice, or three times if a longer step
    fails.
    """

    def update(F: np.ndarray, _: np.ndarray, W: np.ndarray) -> np.ndarray:
        up, down = _pulls(roots, F, W, kind)
        return _moved(F, up, down, kind)

    def further(F: np.ndarray, G: np.ndarray, length: float) -> np.ndarray:
        return _normalised(_beyond(F, G, length, kind), kind)

    return _alternate(roots, frame, kind, lambda F: F, update, further, max_iter, tol, title)


def optimise_archetypes(
    roots: Roots, composition: np.ndarray, max_iter: int, tol: float, title=None
) -> Alternated:
    r"""Archetypes: basis models that are mixtures of given models (Cutler & Breiman 1994).

    With :math:`b_k = \sum_i a_{ki} p_i`, the mixture of a model is one of given models, and the
    update of expectation maximisation is

    .. math:: a_{ki} \leftarrow a_{ki} \sum_{jnc} w_{jk}\, r_{jnc}\, p_{inc} / Z_k.

    An iteration reads the models four times, or six if a longer step fails. Entries that are 0
    stay 0.

    Parameters
    ----------
    composition : (K, m), each row on the simplex, with which to begin
    """
    kind = MIXTURES["probability"]

    def mixed(a: np.ndarray) -> np.ndarray:
        parts = roots.map(lambda rows, A: np.tensordot(a[:, rows], A * A, axes=1))
        return sum(parts, start=np.zeros(()))

    def update(a: np.ndarray, F: np.ndarray, W: np.ndarray) -> np.ndarray:
        S, _ = _pulls(roots, F, W, kind)
        flat = S.reshape(len(S), -1)
        parts = roots.map(lambda rows, A: flat @ (A * A).reshape(len(A), -1).T)
        new = a * np.hstack(list(parts))
        return new / new.sum(axis=1, keepdims=True)

    def further(a: np.ndarray, b: np.ndarray, length: float) -> np.ndarray:
        new = _beyond(a, b, length, kind)
        return new / new.sum(axis=1, keepdims=True)

    return _alternate(roots, composition, kind, mixed, update, further, max_iter, tol, title)


def _alternate(
    roots: Roots,
    x: np.ndarray,
    kind: Mixture,
    frame: Callable,
    update: Callable,
    further: Callable,
    max_iter: int,
    tol: float,
    title: str | None,
) -> Alternated:
    """Alternate between weights and a state x of the basis, whose frame is ``frame(x)``."""

    def weigh(F: np.ndarray, W: np.ndarray | None) -> tuple[np.ndarray, float]:
        found = solve(roots, F, kind, W, _TOL, _STEPS)
        return found.weights, float(found.residuals.mean())

    F = frame(x)
    W, value = weigh(F, None)
    objective, length = [value], 1.0
    with step_bar(max_iter, title) as bar:
        for _ in range(max_iter):
            near = update(x, F, W)
            accepted = False
            if length > 1:
                far = further(x, near, length)
                F_far = frame(far)
                W_far, value = weigh(F_far, W)
                accepted = value < objective[-1]
            if accepted:
                x, F, W = far, F_far, W_far
                length *= _LONGER
            else:
                x, F = near, frame(near)
                W, value = weigh(F, W)
                length = _LONGER
            objective.append(value)
            bar.update(1)
            if objective[-2] - value <= tol * value:
                break
    return Alternated(x, F, np.array(objective))


def _beyond(x: np.ndarray, y: np.ndarray, length: float, kind: Mixture) -> np.ndarray:
    """Move from x through y; by factors, which keep the sign, where entries are not logarithms."""
    if kind.kind == kernels.GEOMETRIC:
        return x + length * (y - x)
    return x * np.divide(y, x, out=np.ones_like(x), where=x > 0) ** length


def _normalised(F: np.ndarray, kind: Mixture) -> np.ndarray:
    """Frames (K, C, N) of distributions."""
    if kind.kind == kernels.PROBABILITY:
        return F / F.sum(axis=1, keepdims=True)
    if kind.kind == kernels.ROOT:
        return F / np.linalg.norm(F, axis=1, keepdims=True)
    F = F - F.max(axis=1, keepdims=True)
    return np.maximum(F - np.log(np.exp(F).sum(axis=1, keepdims=True)), np.log(FLOOR))


def _pulls(
    roots: Roots, F: np.ndarray, W: np.ndarray, kind: Mixture
) -> tuple[np.ndarray, np.ndarray]:
    """Sums over models that the update of the basis needs: two arrays (K, C, N)."""
    flat = F.reshape(len(F), -1)

    def of_block(rows: slice, A: np.ndarray):
        v = (W[rows] @ flat).reshape(A.shape)
        up, down = _PULLS[kind.kind](A, v)
        return tuple(None if x is None else np.tensordot(W[rows].T, x, axes=1) for x in (up, down))

    ups, downs = np.zeros_like(F), np.zeros_like(F)
    for up, down in roots.map(of_block):
        ups += up
        if down is not None:
            downs += down
    return ups, downs if kind.kind == kernels.ROOT else W.sum(axis=0)


def _pull_probability(A, v):
    root = np.sqrt(v)
    inverse = np.divide(1, root, out=np.zeros_like(v), where=v > 0)
    return A * inverse * _inverse((A * root).sum(axis=1, keepdims=True)), None


def _pull_root(A, v):
    # Samples without a common class add a constant.
    along = _inverse((A * v).sum(axis=1, keepdims=True))
    square = _inverse((v * v).sum(axis=1, keepdims=True))
    return A * along, v * square * (along > 0)


def _pull_geometric(A, v):
    half = np.exp(0.5 * (v - v.max(axis=1, keepdims=True)))
    q, t = half * half, A * half
    return t / t.sum(axis=1, keepdims=True) - q / q.sum(axis=1, keepdims=True), None


_PULLS = {
    kernels.PROBABILITY: _pull_probability,
    kernels.ROOT: _pull_root,
    kernels.GEOMETRIC: _pull_geometric,
}


def _inverse(x):
    return np.divide(1, x, out=np.zeros_like(x), where=x > 0)


def _moved(F, up, down, kind: Mixture) -> np.ndarray:
    """The basis that minimises the bound; rows on which nothing pulls stay."""
    if kind.kind == kernels.PROBABILITY:
        new = F * up
        return _normalised(np.where((new > 0).any(axis=1, keepdims=True), new, F), kind)
    if kind.kind == kernels.GEOMETRIC:
        return _normalised(F + 2 * up * _inverse(down)[:, None, None], kind)
    # Minimise sum_c (D_c beta_c^2 / 2 - A_c ln beta_c) at length 1: beta_c^2 = A_c / (D_c + x).
    rise, fall = F * up, down * _inverse(F)
    pulled = (rise > 0).any(axis=1)
    x = np.where(rise > 0, rise - fall, -np.inf).max(axis=1)
    x = np.where(pulled, x, 0)
    for _ in range(50):  # Newton's method, from the left of a convex decreasing function
        below = np.where(rise > 0, fall + x[:, None], 1)
        share = rise / below
        excess = share.sum(axis=1) - 1
        x += np.where(pulled, excess * _inverse((share / below).sum(axis=1)), 0)
        if (np.abs(excess[pulled]) < 1e-14).all():
            break
    below = np.where(rise > 0, fall + x[:, None], 1)
    return _normalised(np.where(pulled[:, None], np.sqrt(rise / below), F), kind)
