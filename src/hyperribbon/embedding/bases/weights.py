"""The mixture of basis models nearest to each model: one small problem per model."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hyperribbon.embedding.bases.kernels import GEOMETRIC, derivatives, quadratic_programs
from hyperribbon.embedding.bases.mixtures import MIXTURES, check_simplex, frame_of
from hyperribbon.embedding.bases.reading import Roots
from hyperribbon.errors import DataError
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import as_distributions

_SUFFICIENT = 1e-4  # part of the predicted decrease that a step must reach (Armijo)
_STEEP = 100.0  # nats; no distance is as large, so a larger gap is one of an unbounded slope


class Weights(NamedTuple):
    """The mixture nearest to each model; see `nearest_mixtures`."""

    weights: np.ndarray
    """(m, K), on the simplex."""
    residuals: np.ndarray
    """(m,) Bhattacharyya distances from the models to their mixtures, in nats."""
    gaps: np.ndarray
    """(m,) Frank-Wolfe gaps in nats, or the residuals where these are smaller: no mixture of
    probabilities is nearer by more than this."""
    unreached: np.ndarray
    """(m,) int, samples on which a model shares no class with any basis model."""


def nearest_mixtures(
    P,
    basis,
    mixture: str = "probability",
    *,
    start: np.ndarray | None = None,
    tol: float = 1e-9,
    max_iter: int = 200,
    progress_bar: bool = False,
) -> Weights:
    r"""Weights of the mixture of basis models that is nearest to each model.

    For each model p, minimise over the simplex

    .. math:: f(w) = -\frac1N \sum_n \ln \sum_c \sqrt{p_{nc}\, q_{nc}(w)}.

    *Mixtures of probabilities*, :math:`q = \sum_k w_k b_k`. The problem is convex: q is linear in
    w, the square root concave, a sum of concave functions concave, and -ln convex and decreasing.
    So the Frank-Wolfe gap :math:`\max_k\, (w - e_k) \cdot \nabla f` is an upper bound on how much
    nearer any other mixture is, and certifies the result.

    *Mixtures of square roots and geometric ones* are normalised for each sample, and not convex:
    f is a difference of convex functions. The gap tells how far w is from a stationary point. The
    search begins close to the basis model nearest to p, and never ascends. (The squared distance
    between roots, and the Kullback-Leibler divergence to geometric mixtures, would be convex, but
    are not the distance that is to be reproduced.)

    The method is sequential quadratic programming, as in Kim et al. (2020) for the likelihood of a
    mixture: a Newton step restricted to the simplex, found by an active-set method, and a line
    search. For mixtures of probabilities, the curvature is the exact one; for the others, it is
    that at p = q (Gauss-Newton), which is positive semi-definite.

    Parameters
    ----------
    P : models (m, N, C), as `hyperribbon.pairwise.pairwise_distance` takes them
    basis : (K, N, C) basis models
    mixture : "probability", "root" or "geometric"; see `Mixtures`
    start : (m, K) weights to begin with
    tol : float, nats; a model is done once its gap is not larger
    max_iter : int, most Newton steps
    progress_bar : bool

    Raises
    ------
    DataError
        If the name is unknown, rows are not distributions, or shapes do not fit.

    Notes
    -----
    A step costs :math:`O(N C (K + S^2))` for S weights above 0, and about ten steps are enough.
    Models are read once, in blocks, by several threads. Memory is that of the basis in float64 and
    64 MB per thread.

    On a sample where a model shares no class with any basis model, the coefficient is floored at
    1e-30, as everywhere. Such samples are counted.

    References
    ----------
    Kim, Carbonetto, Stephens & Anitescu (2020), J. Comp. Graph. Stat. 29 (2), 261.
    Jaggi (2013), ICML, for the gap.

    Examples
    --------
    >>> basis = np.array([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]])
    >>> P = (basis[:1] + 3 * basis[1:]) / 4
    >>> found = nearest_mixtures(P, basis)
    >>> found.weights.round(4), found.residuals.round(4)
    (array([[0.25, 0.75]]), array([0.]))
    """
    kind = MIXTURES.find(mixture)
    roots = P if isinstance(P, Roots) else Roots(P)
    basis = as_distributions(basis, "basis")
    if basis.ndim != 3 or basis.shape[1:] != roots.shape[1:]:
        n, c = roots.shape[1:]
        raise DataError(f"basis: shape {basis.shape}, expected (models, {n}, {c}), as of P")
    if start is not None:
        start = check_simplex(start, len(basis), "start")
        if len(start) != len(roots):
            raise DataError(f"start: {len(start)} models, expected {len(roots)}")
    return solve(
        roots,
        frame_of(basis, kind),
        kind,
        start,
        tol,
        max_iter,
        "weights" if progress_bar else None,
    )


def solve(roots: Roots, F, kind, start, tol: float, max_iter: int, title=None) -> Weights:
    """`nearest_mixtures` of checked arguments, with the basis in the mixture's frame."""
    # Logarithms are floored: the lowest stand for 0.
    predicted = ((np.log(FLOOR) if kind.kind == GEOMETRIC else 0) < F).any(axis=0)

    def of_block(rows: slice, A: np.ndarray) -> Weights:
        given = None if start is None else start[rows]
        unreached = np.zeros(len(A), np.int64)
        if not predicted.all():
            unreached += (~(A > 0) | ~predicted).all(axis=1).sum(axis=1)
        return Weights(*_Block(A, F, kind).solve(given, tol, max_iter), unreached)

    found = list(roots.map(of_block, title))
    return Weights(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


class _Block:
    """The problems of some models; those that are done drop out.

    A : (b, C, N) square roots of models
    F : (K, C, N) frame of the basis
    """

    def __init__(self, A: np.ndarray, F: np.ndarray, kind):
        self.A, self.F, self.kind = A, F, kind
        self.K = len(F)
        self.W = np.empty((len(A), self.K))
        self.f, self.lost = np.empty(len(A)), np.zeros(len(A), np.int64)
        self.g = np.empty((len(A), self.K))

    def evaluate(self, W, rows, active=None):
        """Distances, gradients, samples lost, and curvatures in the active weights."""
        r, K = W.shape
        f, g, lost = np.empty(r), np.empty((r, K)), np.empty(r, np.int64)
        H = np.zeros((0 if active is None else r, K, K))
        active = np.empty((r, 0), np.bool_) if active is None else active
        derivatives(self.kind.kind, self.A, self.F, W, rows, active, f, g, H, lost, FLOOR)
        return f, g, lost, H

    def begin(self, start: np.ndarray | None) -> None:
        """Set the first weights, at which as few samples are lost as at any."""
        rows = np.arange(len(self.A))
        uniform = np.full((len(rows), self.K), 1 / self.K)
        if start is None:
            start = uniform if self.kind.convex else 0.1 * uniform + 0.9 * self.nearest(rows)
        self.W[:] = start
        self.f, self.g, self.lost, _ = self.evaluate(self.W, rows)
        low = rows[(self.lost > 0) & (self.W == 0).any(axis=1)]
        if len(low):
            self.W[low] = 0.9 * self.W[low] + 0.1 * uniform[low]
            self.f[low], self.g[low], self.lost[low], _ = self.evaluate(self.W[low], low)

    def nearest(self, rows: np.ndarray) -> np.ndarray:
        """Weight 1 for the basis model nearest to each model."""
        vertices = np.eye(self.K)
        distances = [self.evaluate(np.tile(vertex, (len(rows), 1)), rows)[0] for vertex in vertices]
        return vertices[np.argmin(distances, axis=0)]

    def gaps(self) -> np.ndarray:
        return np.einsum("jk,jk->j", self.W, self.g) - self.g.min(axis=1)

    def solve(self, start, tol: float, max_iter: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Weights, distances and gaps of all models."""
        self.begin(start)
        stalled, slow = np.zeros((2, len(self.W)), bool)
        for _ in range(max_iter):
            gaps = self.gaps()
            rows = np.flatnonzero((gaps > tol) & (self.f > 1e-15) & ~stalled)
            if not len(rows):
                break
            steep = slow[rows] | (gaps[rows] > _STEEP)
            ends = np.empty((len(rows), self.K))
            ends[steep] = np.eye(self.K)[self.g[rows[steep]].argmin(axis=1)]
            ends[~steep] = self.newton(rows[~steep], tol)
            moved = self.search(rows, ends, steep)
            stalled[rows[~moved & steep]] = True
            slow[rows] = ~moved
        distances = np.maximum(self.f, 0)  # below 0 by rounding
        return self.W, distances, np.clip(self.gaps(), 0, distances)

    def newton(self, rows: np.ndarray, tol: float) -> np.ndarray:
        """Minima on the simplex of the second-order expansions."""
        W, g = self.W[rows], self.g[rows]
        level = np.einsum("jk,jk->j", W, g)[:, None]
        active = (W > 0) | (g < level - tol)
        H = self.evaluate(W, rows, active)[3]
        c = g - np.einsum("jkl,jl->jk", H, W)
        quadratic_programs(H, c, W, active, True)
        return W

    def search(self, rows: np.ndarray, ends: np.ndarray, steep: np.ndarray) -> np.ndarray:
        """Move towards the ends, as far as that is downhill; return which models moved."""
        moved = np.zeros(len(rows), bool)
        left = np.arange(len(rows))
        steps = ends - self.W[rows]
        slopes = np.einsum("jk,jk->j", steps, self.g[rows])
        slopes[steep] = -1e-12  # any decrease above rounding is enough where slopes are unbounded
        slack = np.where(steep, -1e-15, 1e-16)
        size = 1.0
        while len(left) and size > 1e-12:
            of = rows[left]
            trial = ends[left] if size == 1 else self.W[of] + size * steps[left]
            f, g, lost, _ = self.evaluate(trial, of)
            enough = (
                f <= self.f[of] + _SUFFICIENT * size * np.minimum(slopes[left], 0) + slack[left]
            )
            fine = enough & (lost <= self.lost[of]) & (slopes[left] < 0)
            done = of[fine]
            self.W[done], self.f[done], self.g[done] = trial[fine], f[fine], g[fine]
            self.lost[done] = lost[fine]
            moved[left[fine]] = True
            left = left[~fine]
            size *= 0.5 if size > 0.1 else 0.1
        return moved
