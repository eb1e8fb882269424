"""Models read in blocks by several threads, as square roots that lie sample by sample."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np

from hyperribbon.bars import bar_over
from hyperribbon.numerics.blocks import n_threads, slices
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability.distributions import as_distributions

T = TypeVar("T")
KEPT_BYTES = 2**29


class Roots:
    """Square roots of models, (b, C, N) float64 for a block of b models.

    A block takes 32 MB, or is one model. Two blocks per thread are in memory at a time; with
    ``keep``, all of them if they take 512 MB at most.

    Parameters
    ----------
    P : models, as `hyperribbon.pairwise.stack.Stack` takes them
    name : what to call P in errors
    keep : bool, for what reads the models several times
    """

    def __init__(self, P, name: str = "P", *, keep: bool = False):
        self.models = P if isinstance(P, Stack) else Stack(P, name)
        self.shape = self.models.shape
        self.blocks = list(slices(self, parts=n_threads()))
        size = 8 * self.shape[0] * self.shape[1] * self.shape[2]
        self._kept: dict[int, np.ndarray] | None = {} if keep and size <= KEPT_BYTES else None

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, rows: slice, samples: slice | None = None) -> np.ndarray:
        """Square roots of some models, on all samples or on some."""
        if samples is not None and self._kept is not None:
            return self.read(rows)[:, :, samples]
        if self._kept is not None and rows.start in self._kept:
            return self._kept[rows.start]
        P = as_distributions(self.models.read(rows, samples or slice(None)), self.models.name)
        A = np.sqrt(np.ascontiguousarray(P.swapaxes(1, 2)))
        if self._kept is not None:
            self._kept[rows.start] = A
        return A

    def map(
        self,
        function: Callable[[slice, np.ndarray], T],
        title: str | None = None,
        samples: slice | None = None,
    ) -> Iterator[T]:
        """Yield ``function(rows, roots)`` of each block, in order; threads work ahead.

        Roots are those on all samples, or on some.
        """

        def of_block(rows: slice) -> T:
            return function(rows, self.read(rows, samples))

        with ThreadPoolExecutor(n_threads()) as pool:
            ahead: deque = deque()
            for rows in bar_over(self.blocks, title):
                ahead.append(pool.submit(of_block, rows))
                if len(ahead) > n_threads():
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()


def count_distinct(roots: Roots, enough: int) -> int:
    """Number of different models; models are read until that many are found."""
    seen: set[int] = set()

    def marks(rows: slice, A: np.ndarray) -> list[int]:
        return [hash(a.tobytes()) for a in A]

    for some in roots.map(marks):
        seen.update(some)
        if len(seen) >= enough:
            break
    return len(seen)
