"""Coordinates of models that come one after another, without jumps."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from hyperribbon.embedding.alignment import align
from hyperribbon.embedding.fidelity import kinds
from hyperribbon.embedding.inpca import InPCA, without_rounding
from hyperribbon.errors import OnePointWarning
from hyperribbon.numerics.blocks import evenly
from hyperribbon.watching.references import References

DIMENSIONS = 3
FULL = 500  # models whose eigenpairs are found sooner all at once
SMALL = 100  # models up to which every newcomer is a reason for a fresh embedding
GROWN = 0.25  # share of new references that is one, too
WORSE = 1.1, 0.005  # factor and excess by which the misfit of placed models is larger than fitted


class Embedding(NamedTuple):
    """An InPCA of the references at some time, aligned with the one before."""

    slots: np.ndarray
    """(R,) of the references to which it was fitted."""
    projection: np.ndarray
    """(R, 3), by which distances from these are multiplied (Eq. 2.2.9)."""
    offset: np.ndarray
    """(3,), then subtracted."""
    signature: np.ndarray
    """(3,) +1 space-like, -1 time-like."""
    explained_stress: float
    """Of three dimensions (Eq. 2.2.8), of the references; NaN if all coincide."""
    misfit: float
    """Of the references; see `misfit`."""

    @property
    def kinds(self) -> list[str]:
        """``space-like`` or ``time-like``, by dimension."""
        return kinds(self.signature).tolist()

    def place(self, distance: np.ndarray) -> np.ndarray:
        """Coordinates (b, 3) of models from their distances (b, slots), as `InPCA.transform`."""
        return distance[:, self.slots] @ self.projection - self.offset


class Fitting(NamedTuple):
    """What a fresh embedding is made from: a copy, so that models may come meanwhile."""

    distance: np.ndarray
    """(R, R) of the references."""
    slots: np.ndarray
    """(R,)"""
    before: np.ndarray
    """(R, 3) their coordinates; NaN where there are none."""
    signature: np.ndarray | None
    """(3,) of these; None if there are none."""
    removals: int


def embed(fitting: Fitting) -> Embedding:
    """Fit an embedding to the references, and align it with their former coordinates."""
    D = without_rounding(fitting.distance, "bhattacharyya", "float32")
    n = min(DIMENSIONS, len(D))
    solver = "full" if len(D) <= FULL else "block"
    inpca = InPCA(n, metric="precomputed", solver=solver, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OnePointWarning)  # the page says so
        inpca.fit(D)
    flat = (0, DIMENSIONS - n)
    fitted = Embedding(
        fitting.slots,
        np.pad(inpca.projection_, ((0, 0), flat)),
        np.pad(-inpca.transform(np.zeros((1, len(D))))[0], flat),
        np.pad(inpca.signature_, flat, constant_values=1),
        float(inpca.explained_stress_[-1]),
        0.0,
    )
    if fitting.signature is not None:
        fitted = _aligned(fitted, fitting)
    X = fitting.distance @ fitted.projection - fitted.offset
    return fitted._replace(misfit=float(misfit(fitting.distance, X, X, fitted.signature).mean()))


def _aligned(fitted: Embedding, fitting: Fitting) -> Embedding:
    """Turn, mirror and move an embedding so that models are where they were, or nearly."""
    common, signature = np.isfinite(fitting.before[:, 0]), fitting.signature
    assert signature is not None
    if sorted(signature) != sorted(fitted.signature) or common.sum() < 2:
        return fitted  # no rotation makes time of space
    order = np.empty(DIMENSIONS, int)
    order[np.argsort(-signature, kind="stable")] = np.argsort(-fitted.signature, kind="stable")
    X = (fitting.distance[common] @ fitted.projection - fitted.offset)[:, order]
    found = align(X, fitting.before[common], signature)
    return fitted._replace(
        projection=fitted.projection[:, order] @ found.rotation,
        offset=fitted.offset[order] @ found.rotation - found.translation,
        signature=signature,
    )


def misfit(D: np.ndarray, X: np.ndarray, Y: np.ndarray, signature: np.ndarray) -> np.ndarray:
    r"""How badly coordinates show each model's distances; 0 is perfect.

    :math:`\sum_v |D_{uv} - \hat D_{uv}| / \sum_v D_{uv}`, as in Eq. 2.4.2, by model u.

    Parameters
    ----------
    D : (b, R) distances
    X, Y : (b, 3) and (R, 3) coordinates
    signature : (3,) +1 or -1

    Returns
    -------
    (b,); 0 where all distances are 0
    """
    shown = sum(
        s * np.subtract.outer(x, y) ** 2 for s, x, y in zip(signature, X.T, Y.T, strict=True)
    )
    total = D.sum(axis=1)
    return np.divide(np.abs(D - shown).sum(axis=1), total, out=np.zeros(len(D)), where=total > 0)


class Picture:
    """Models with coordinates, in the order in which they came.

    `add` places newcomers at once. When `is_due` says so, make a fresh embedding: `fitting` copies
    what that takes, `embed` computes it, which may be done in another thread, and `show` puts it in
    place of the current one.

    Parameters
    ----------
    references : References
        Distances of the models.

    Attributes
    ----------
    coordinates : (m, 3) float64
        NaN until there is an embedding.
    embedding : Embedding or None
        The current one.
    signature : (3,) or None
        Of the coordinates.
    removals : int
        Number of calls of `remove`.
    """

    def __init__(self, references: References):
        self.references = references
        self.embedding: Embedding | None = None
        self.coordinates = np.empty((0, DIMENSIONS))
        self.removals = 0
        self.signature: np.ndarray | None = None
        self._misfits = np.empty(0)  # of models placed since the embedding was fitted
        self._changed = False  # whether references were removed since then

    def add(self, P: np.ndarray) -> np.ndarray:
        """Place new models (b, N, C); returns their rows. Errors are those of `References.add`."""
        fitted = self.embedding
        rows = self.references.add(P, () if fitted is None else fitted.slots)
        X = np.full((len(rows), DIMENSIONS), np.nan)
        if fitted is not None:
            X = fitted.place(self.references.distance[rows])
        self.coordinates = np.vstack([self.coordinates, X])
        self._misfits = np.append(self._misfits, self._misfit_of(rows))
        return rows

    def restore(self, coordinates: np.ndarray, signature: np.ndarray) -> None:
        """Take coordinates of the references' models that were kept; an embedding is due then."""
        self.coordinates, self.signature = coordinates, signature

    def remove(self, rows: Iterable[int]) -> np.ndarray:
        """Remove models; returns the former rows of those that are left."""
        left = self.references.remove(rows)
        self.coordinates = self.coordinates[left]
        self.removals += 1
        self._changed = True
        return left

    def is_due(self) -> bool:
        """Whether a fresh embedding should be made."""
        n, fitted = len(self.references.slots()), self.embedding
        if n < 2:
            return False
        if fitted is None or self._changed:
            return True
        if n == len(fitted.slots):
            return False  # it would be the same
        return n <= SMALL or n > (1 + GROWN) * len(fitted.slots) or self._is_worse()

    def newcomers(self) -> np.ndarray:
        """Rows that should become references in place of others, because these do not suffice."""
        references = self.references
        others = np.setdiff1d(np.arange(references.n_rows), references.of_slot)
        count = references.most // 4
        if len(self._misfits) < count or len(others) < count or not self._is_worse():
            return np.empty(0, int)
        return others[evenly(len(others), count)]

    def _is_worse(self) -> bool:
        factor, excess = WORSE
        assert self.embedding is not None
        return float(self._misfits.mean()) > factor * self.embedding.misfit + excess

    def fitting(self) -> Fitting:
        """What a fresh embedding is made from."""
        slots = self.references.slots()
        rows = np.asarray(self.references.of_slot)[slots]
        return Fitting(
            self.references.distance[np.ix_(rows, slots)],
            slots,
            self.coordinates[rows],
            self.signature,
            self.removals,
        )

    def show(self, fitted: Embedding, fitting: Fitting) -> bool:
        """Make an embedding the current one, unless models were removed while it was made."""
        if fitting.removals != self.removals:
            return False
        self.embedding, self.signature, self._changed = fitted, fitted.signature, False
        self.coordinates = fitted.place(self.references.distance)
        self._misfits = np.empty(0)
        return True

    def geodesic(self) -> np.ndarray | None:
        """Coordinates (G, 3) of the geodesic from ignorance to the truth, if that is known."""
        curve = self.references.curve
        return None if curve is None or self.embedding is None else self.embedding.place(curve)

    def _misfit_of(self, rows: np.ndarray) -> np.ndarray:
        """Misfit (b,) of placed models, from the fitted references that are still there."""
        if self.embedding is None:
            return np.empty(0)
        fitted, D = self.embedding, self.references.distance
        of_slot = np.asarray(self.references.of_slot)[fitted.slots]
        there = of_slot >= 0
        Y = self.coordinates[of_slot[there]]
        return misfit(D[rows][:, fitted.slots[there]], self.coordinates[rows], Y, fitted.signature)
