"""Reference models in memory, and the distances of all others from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import evenly
from hyperribbon.pairwise.packed import PackedModels
from hyperribbon.probability import geodesic, ignorance, truth

MOST = 2000  # references: their distances take 32 MB, and their eigenpairs a second at most
MEMORY = 2**30  # bytes of packed references
FEWEST = 20  # references, below which a picture would say nothing
BATCH = 32  # models compared at once: the kernel takes as long for one as for so many
POINTS = 21  # on the geodesic from ignorance to the truth


Read = Callable[[np.ndarray], np.ndarray]


class Renewal(NamedTuple):
    """Models that may become references; see `References.renew`."""

    rows: np.ndarray
    """(k,)"""
    packed: PackedModels
    distance: np.ndarray
    """(m, k) of all models."""
    curve: np.ndarray
    """(G, k) of the geodesic's points."""


class References:
    """Distances of models, by row, from references, by slot; references are models, too.

    While there is room, every model becomes a reference, so that all distances are known. Later
    ones are compared with the references only: the distances of m models from R references take
    8 m R bytes, the references 4 R N C. A distance is computed once, when the later of its two
    models comes.

    Parameters
    ----------
    n_samples, n_classes : int
        Shape (N, C) of a model.
    labels : (N,) int, optional
        True classes, for the geodesic.

    Attributes
    ----------
    most : int
        Number of references for which there is room.
    of_slot : list of int
        Row of each slot's reference; -1 where it was removed.
    distance : (m, slots) float64
        Distances, nats; NaN where the reference was removed.
    curve : (G, slots) float64 or None
        Distances of points of the geodesic from the references; None without labels.

    Raises
    ------
    DataError
        If not even a few references fit in memory.
    """

    def __init__(self, n_samples: int, n_classes: int, labels: np.ndarray | None = None):
        size = 4 * n_samples * n_classes
        self.most = min(MOST, MEMORY // size)
        if self.most < FEWEST:
            raise DataError(
                f"predictions: {n_samples:,} samples of {n_classes:,} classes, {size / 1e6:,.0f} "
                f"MB per checkpoint; expected at most {MEMORY / FEWEST / 1e6:,.0f} MB: record "
                "fewer samples"
            )
        self.shape = n_samples, n_classes
        self.of_slot: list[int] = []
        self._packed = PackedModels(n_samples, n_classes)
        self._distance = np.full((64, 64), np.nan)
        self._rows = 0
        self._ends = None
        if labels is not None:
            ends = ignorance(n_samples, n_classes), truth(labels, n_classes)
            self._ends = PackedModels(n_samples, n_classes)
            self._ends.put(range(POINTS), geodesic(*ends, np.linspace(0, 1, POINTS)))
        self._curve = np.full((POINTS, 64), np.nan)

    @property
    def n_rows(self) -> int:
        """Number of models, m."""
        return self._rows

    @property
    def distance(self) -> np.ndarray:
        """Distances (m, slots) from the references."""
        return self._distance[: self._rows, : len(self.of_slot)]

    @property
    def curve(self) -> np.ndarray | None:
        """Distances (G, slots) of the geodesic's points."""
        return None if self._ends is None else self._curve[:, : len(self.of_slot)]

    def slots(self) -> np.ndarray:
        """Slots whose reference is there."""
        return np.flatnonzero(np.asarray(self.of_slot, int) >= 0)

    def add(self, P: np.ndarray, kept: Iterable[int] = ()) -> np.ndarray:
        """Compare new models (b, N, C) with the references, and keep them in rows.

        Parameters
        ----------
        P : (b, N, C) distributions
        kept : slots of removed references that an embedding still uses, and that stay as they are

        Returns
        -------
        (b,) rows of the new models

        Raises
        ------
        DataError
            If models have another shape or are not distributions; nothing is kept then.
        """
        P = np.asarray(P, dtype=np.float32)
        rows = np.arange(self._rows, self._rows + len(P))
        alive = self.slots()
        # Once there are models that are no references, only `renew` compares these with others.
        room = self.most - len(alive) if len(alive) == self._rows else 0
        taken = self._free(min(len(P), room), set(kept))
        self._packed.put(taken, P[: len(taken)])
        D = self._packed.distances(P) if self._packed.n_slots else np.empty((len(P), 0))
        to_curve = None if self._ends is None else self._ends.distances(P[: len(taken)])
        self._grow(len(P) + self._rows, D.shape[1])
        self._rows += len(P)
        self.of_slot += [-1] * (D.shape[1] - len(self.of_slot))
        self._distance[: rows[0], taken] = np.nan
        self._distance[rows, : D.shape[1]] = D
        others = [self.of_slot[slot] for slot in alive]
        for k, slot in enumerate(taken):
            self._distance[others, slot] = D[k, alive]
            self.of_slot[slot] = int(rows[k])
            if to_curve is not None:
                self._curve[:, slot] = to_curve[k]
        return rows

    def remove(self, rows: Iterable[int]) -> np.ndarray:
        """Remove models; the others move up.

        Returns
        -------
        (m,) the former rows of those that are left
        """
        gone = np.zeros(self._rows, bool)
        gone[list(rows)] = True
        left = np.flatnonzero(~gone)
        now = np.full(self._rows, -1)
        now[left] = np.arange(len(left))
        self._distance[: len(left)] = self._distance[left]
        self._rows = len(left)
        self.of_slot = [-1 if row < 0 else int(now[row]) for row in self.of_slot]
        return left

    def arrays(self) -> dict[str, np.ndarray]:
        """What `restore` takes: all distances, but no predictions."""
        slots = self.slots()
        return {
            "distance": self.distance[:, slots],
            "of_slot": np.asarray(self.of_slot, int)[slots],
            "curve": self._curve[:, slots],
        }

    def restore(self, distance: np.ndarray, of_slot: np.ndarray, curve: np.ndarray) -> None:
        """Take distances that were kept; before anything is added, call `pack`.

        Raises
        ------
        DataError
            If they do not fit together.
        """
        (m, k), rows = distance.shape, of_slot.tolist()
        if len(rows) != k or curve.shape != (POINTS, k) or not set(rows) <= set(range(m)):
            raise DataError("distances: kept ones do not fit together")
        self._distance, self._rows = np.array(distance), m
        self.of_slot, self._curve = rows, np.array(curve)

    def pack(self, read: Read) -> None:
        """Read the references, after `restore`."""
        for some in np.split(np.arange(len(self.of_slot)), range(BATCH, len(self.of_slot), BATCH)):
            slots = [slot for slot in some if self.of_slot[slot] >= 0]
            # Of a removed one nothing is needed, but slots are filled one after another.
            P = np.tile(ignorance(*self.shape).astype(np.float32), (len(some), 1, 1))
            if slots:
                P[np.isin(some, slots)] = read(np.asarray(self.of_slot)[slots])
            self._packed.put(some.tolist(), P)

    def renew(self, rows: np.ndarray, read: Read, stop: Callable[[], bool]) -> Renewal | None:
        """Compute the distances of all models from k of them, which may become references.

        Nothing changes until `exchange`. This reads all models, and takes m k N C multiplications.

        Parameters
        ----------
        rows : (k,) models
        read : function of rows that returns their predictions (b, N, C)
        stop : whether to stop, asked now and then

        Returns
        -------
        Renewal, or None if it was stopped
        """
        m, packed = self._rows, PackedModels(*self.shape)
        curve = np.empty((POINTS, len(rows)))
        for some in np.split(np.arange(len(rows)), range(BATCH, len(rows), BATCH)):
            P = read(rows[some])
            packed.put(range(packed.n_slots, packed.n_slots + len(P)), P)
            if self._ends is not None:
                curve[:, some] = self._ends.distances(P).T
        found = np.empty((m, len(rows)))
        for some in np.split(np.arange(m), range(BATCH, m, BATCH)):
            if stop():
                return None
            found[some] = packed.distances(read(some))
        return Renewal(rows, packed, found, curve)

    def exchange(self, renewed: Renewal, read: Read) -> None:
        """Make models references in place of as many others, evenly among these.

        No model may have been removed since `renew`; some may have come.
        """
        rows, packed, found, curve = renewed
        if len(found) < self._rows:
            found = np.vstack([found, packed.distances(read(np.arange(len(found), self._rows)))])
        alive = self.slots()
        for k, slot in enumerate(alive[evenly(len(alive), len(rows))]):
            self._packed.take(slot, packed, k)
            self.of_slot[slot] = int(rows[k])
            self._distance[: self._rows, slot] = found[:, k]
            self._curve[:, slot] = curve[:, k]

    def _free(self, count: int, kept: set[int]) -> list[int]:
        """Slots for new references."""
        free = [s for s, row in enumerate(self.of_slot) if row < 0 and s not in kept][:count]
        end = len(self.of_slot)
        return [*free, *range(end, end + count - len(free))]

    def _grow(self, rows: int, slots: int) -> None:
        self._distance = _grown(self._distance, rows, slots)
        self._curve = _grown(self._curve, POINTS, slots)


def _grown(array: np.ndarray, *shape: int) -> np.ndarray:
    """The array, or a larger one that begins with it, with room for more."""
    sizes = list(zip(array.shape, shape, strict=True))
    if all(n >= k for n, k in sizes):
        return array
    larger = np.full([n if n >= k else max(k, 3 * n // 2) for n, k in sizes], np.nan)
    larger[tuple(map(slice, array.shape))] = array
    return larger
