"""Samples on the device of a training: all of them if they fit, else streamed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor

AHEAD = 4  # batches read in advance


class Resident:
    """Samples that lie on the device, standardised.

    Parameters
    ----------
    images : Tensor, shape (N, ...)
        The samples, on the device.
    """

    def __init__(self, images: Tensor):
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, indices: Iterable[Tensor | slice]) -> Iterator[Tensor]:
        """Batches of samples, in the order of the indices."""
        for index in indices:
            yield self.images[index if isinstance(index, slice) else index.to(self.images.device)]


class Streamed:
    """Samples that lie on disk, read by a thread while the device computes.

    Parameters
    ----------
    rows : array-like
        Raw samples, indexed by arrays of positions.
    places : ndarray of shape (N,)
        Positions of the samples among the rows.
    standardise : callable
        Maps a raw batch on the device to what networks see.
    device : torch.device
        Where the batches go.
    """

    def __init__(
        self,
        rows,
        places: np.ndarray,
        standardise: Callable[[Tensor], Tensor],
        device: torch.device,
    ):
        self.rows, self.places = rows, places
        self.standardise, self.device = standardise, device

    def __len__(self) -> int:
        return len(self.places)

    def batches(self, indices: Iterable[Tensor | slice]) -> Iterator[Tensor]:
        """Batches of samples, in the order of the indices."""
        with ThreadPoolExecutor(1) as reader:
            pending: deque[Future[Tensor]] = deque()
            try:
                for index in indices:
                    pending.append(reader.submit(self._read, index))
                    if len(pending) > AHEAD:
                        yield self._to_device(pending.popleft().result())
                while pending:
                    yield self._to_device(pending.popleft().result())
            finally:
                for future in pending:
                    future.cancel()

    def _read(self, index: Tensor | slice) -> Tensor:
        places = self.places[index if isinstance(index, slice) else index.numpy()]
        raw = torch.from_numpy(np.ascontiguousarray(self.rows[places]))
        return raw.pin_memory() if self.device.type == "cuda" else raw

    def _to_device(self, raw: Tensor) -> Tensor:
        return self.standardise(raw.to(self.device, non_blocking=True))
