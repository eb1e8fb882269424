"""Basis models that are no given ones: alternating between weights and basis, never uphill.

All updates minimise a bound on the objective that touches it at the present basis
(majorise-minimise), so that no step needs a line search and each lowers the objective.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.bars import step_bar
from hyperribbon.embedding.bases import kernels
from hyperribbon.embedding.bases.mixtures import MIXTURES, Mixture
from hyperribbon.embedding.bases.reading import Roots
from hyperribbon.embedding.bases.weights import solve
from hyperribbon.probability.distance import FLOOR

_STEPS, _TOL = 3, 1e-8  # of Newton's method for the weights, between two updates of the basis


class Alternated(NamedTuple):
    """What an alternation found.

    frame : (K, C, N), in the frame of the mixture
    weights : (m, K)
    objective : (iterations + 1,), mean distance of models to their mixtures after each step
    """

    frame: np.ndarray
    weights: np.ndarray
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

    Each iteration reads the models once and costs O(m N C K).
    """

    def update(F: np.ndarray, W: np.ndarray) -> np.ndarray:
        return _moved(F, *_pulls(roots, F, W, kind), kind)

    return _alternate(roots, frame, kind, update, max_iter, tol, title)


def optimise_archetypes(
    roots: Roots, composition: np.ndarray, max_iter: int, tol: float, title=None
) -> tuple[Alternated, np.ndarray]:
    r"""Archetypes: basis models that are mixtures of given models (Cutler & Breiman 1994).

    With :math:`b_k = \sum_i a_{ki} p_i`, the mixture of a model is one of given models, and the
    update of expectation maximisation is

    .. math:: a_{ki} \leftarrow a_{ki} \sum_{jnc} w_{jk}\, r_{jnc}\, p_{inc} / Z_k.

    Each iteration reads the models twice. Entries that are 0 stay 0.

    Parameters
    ----------
    composition : (K, m), each row on the simplex, with which to begin

    Returns
    -------
    alternated : with frame and objective of mixtures of probabilities
    composition : (K, m)
    """
    kind = MIXTURES["probability"]
    a = composition

    def mixed(A_new: np.ndarray) -> np.ndarray:
        parts = roots.map(lambda rows, A: np.tensordot(A_new[:, rows], A * A, axes=1))
        return sum(parts, start=np.zeros(()))

    def update(F: np.ndarray, W: np.ndarray) -> np.ndarray:
        nonlocal a
        S, _ = _pulls(roots, F, W, kind)
        flat = S.reshape(len(S), -1)
        parts = roots.map(lambda rows, A: flat @ (A * A).reshape(len(A), -1).T)
        a = a * np.hstack(list(parts))
        a /= a.sum(axis=1, keepdims=True)
        return mixed(a)

    return _alternate(roots, mixed(a), kind, update, max_iter, tol, title), a


def _alternate(roots, F, kind, update, max_iter: int, tol: float, title) -> Alternated:
    W, objective = None, []
    with step_bar(max_iter, title) as bar:
        for iteration in range(max_iter + 1):
            if iteration:
                F = update(F, W)
            found = solve(roots, F, kind, W, _TOL, _STEPS)
            W = found.weights
            objective.append(found.residuals.mean())
            bar.update(1)
            if iteration and objective[-2] - objective[-1] <= tol * objective[-1]:
                break
    return Alternated(F, W, np.array(objective))


def _pulls(roots: Roots, F: np.ndarray, W: np.ndarray, kind: Mixture):
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
        total = new.sum(axis=1, keepdims=True)
        return np.where(total > 0, np.divide(new, total, out=F.copy(), where=total > 0), F)
    if kind.kind == kernels.GEOMETRIC:
        new = F + 2 * up * _inverse(down)[:, None, None]
        top = new.max(axis=1, keepdims=True)
        new -= top + np.log(np.exp(new - top).sum(axis=1, keepdims=True))
        return np.maximum(new, np.log(FLOOR))
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
    new = np.sqrt(rise / below)
    new *= _inverse(np.linalg.norm(new, axis=1))[:, None]
    return np.where(pulled[:, None], new, F)
