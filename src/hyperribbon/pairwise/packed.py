"""Models that stay packed, to which the distances of others are computed again and again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.pairwise.metrics import FLOOR, metric_of

_BLOCK_BYTES = 2**25  # of panels that are allocated together


class PackedModels:
    """Float32 models in numbered slots, for their Bhattacharyya distances from newcomers.

    `pairwise_distance` reads and packs all of its models in every call. Here they are packed once,
    as they come, so that the distances of a newcomer take k N C multiplications for k slots and
    nothing else. They are those of `pairwise_distance`, to the last bit, in one thread.

    Parameters
    ----------
    n_samples, n_classes : int
        Shape (N, C) of a model. A slot takes 4 N C bytes.

    Attributes
    ----------
    n_slots : int
        Number of slots in use; slots are numbered from 0.

    Examples
    --------
    >>> P = np.array([[[0.5, 0.5]], [[1.0, 0.0]]], np.float32)
    >>> packed = PackedModels(1, 2)
    >>> packed.put([0, 1], P)
    >>> packed.distances(P).round(4)
    array([[0.    , 0.3466],
           [0.3466, 0.    ]])
    """

    def __init__(self, n_samples: int, n_classes: int):
        from hyperribbon.pairwise.cpu import CompiledKernel, Packed  # numba takes time to import
        from hyperribbon.pairwise.vectors import lanes_of

        self.n_slots = 0
        self._shape, self._packed_as = (n_samples, n_classes), Packed
        self._metric = metric_of("bhattacharyya")
        self._kernel = CompiledKernel("log_coefficients", single=True, floor=FLOOR, threads=1)
        self._lanes = lanes_of(4)
        panel = 4 * n_samples * n_classes * self._lanes
        self._panels = max(1, _BLOCK_BYTES // panel)  # per block
        self._blocks: list[Packed] = []

    def put(self, slots: Sequence[int], P: np.ndarray) -> None:
        """Put models (b, N, C) into slots: the next ones, or ones in use, which are replaced.

        Raises
        ------
        DataError
            If there is no such slot, or rows are not distributions of this shape; nothing is put
            then.
        """
        end = self.n_slots
        for slot in slots:
            if not 0 <= slot <= end:
                raise DataError(f"slot = {slot}: expected 0 to {end}")
            end = max(end, slot + 1)
        some = self._pack(np.asarray(P))
        for k, slot in enumerate(slots):
            panel, lane = divmod(k, self._lanes)
            entries = some.panels[panel].reshape(-1, self._lanes)[:, lane]
            self._set(slot, entries, some.own[k])

    def take(self, slot: int, other: PackedModels, place: int) -> None:
        """Put the model in a slot of other packed models, of the same shape, into a slot."""
        per_block = self._panels * self._lanes
        block, k = other._blocks[place // per_block], place % per_block
        panel, lane = divmod(k, self._lanes)
        self._set(slot, block.panels[panel].reshape(-1, self._lanes)[:, lane], block.own[k])

    def _set(self, slot: int, entries: np.ndarray, own: np.ndarray) -> None:
        per_block = self._panels * self._lanes
        at, place = divmod(slot, per_block)
        if at == len(self._blocks):
            # Filled with ignorance, because a product with zeros takes the kernel's slow path.
            n_classes = self._shape[1]
            root = np.float32(1 / np.sqrt(n_classes))
            panels = np.full((self._panels, len(entries) * self._lanes), root, np.float32)
            self._blocks.append(self._packed_as(panels, np.zeros((per_block, len(own))), n_classes))
        panel, lane = divmod(place, self._lanes)
        self._blocks[at].panels[panel].reshape(-1, self._lanes)[:, lane] = entries
        self._blocks[at].own[place] = own
        self.n_slots = max(self.n_slots, slot + 1)

    def distances(self, P) -> np.ndarray:
        """Distances (b, n_slots) of models (b, N, C) from those in the slots, nats.

        Raises
        ------
        DataError
            If the models have another shape, or rows are not distributions.
        """
        A = self._pack(np.asarray(P))
        per_block = self._panels * self._lanes
        D = np.empty((len(A.own), self.n_slots))
        for k, block in enumerate(self._blocks):
            here = slice(k * per_block, min((k + 1) * per_block, self.n_slots))
            used = here.stop - here.start
            some = self._packed_as(
                block.panels[: -(-used // self._lanes)], block.own[:used], block.n_classes
            )
            sums = np.zeros((len(A.own), used))
            self._kernel.add(A, some, sums)
            D[:, here] = np.maximum(self._metric.finish(sums, self._shape[0]), 0)
        return D

    def _pack(self, P: np.ndarray):
        if P.shape[1:] != self._shape:
            raise DataError(f"P: models of shape {P.shape[1:]}, expected {self._shape}")
        P = np.ascontiguousarray(P, dtype=np.float32)
        return self._kernel.pack(lambda few: P[few], P.shape, "P", max(1, len(P)))
