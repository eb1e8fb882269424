"""The order of the tiles: few blocks in memory, each read as seldom as memory allows.

Row blocks are kept, as many as fit, while column blocks go by one at a time, the next one being
read meanwhile. Models are read once and once more for every band of row blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numpy as np

from hyperribbon.pairwise.stack import Stack

_LARGEST, _SMALLEST = 2048, 64  # models a side of a tile


class Kernel(Protocol):
    """What packs blocks of models and sums over samples; see cpu.py, cuda.py, plain.py.

    entry_bytes : of memory that an entry of a packed model takes
    memory : bytes that packed models may take
    """

    entry_bytes: int
    memory: int

    def pack(self, read, shape: tuple[int, int, int], name: str, at_once: int = 1):
        """Check, normalise and transform models of a shape (b, n, C).

        ``read(slice of models)`` gives some of them, cheapest ``at_once`` or more at a time.
        """

    def sums(self, A, B) -> np.ndarray:
        """(a, b) float64; only the upper triangle is sure to be filled if B is A."""


class Tiling(NamedTuple):
    """Models a side of a tile, row blocks kept at a time, and samples read at a time."""

    tile: int
    band: int
    span: int

    def blocks(self, stack: Stack) -> list[slice]:
        m = len(stack)
        return [slice(start, min(start + self.tile, m)) for start in range(0, m, self.tile)]


def tiling_for(kernel: Kernel, n_samples: int, n_classes: int, chunk: int | None) -> Tiling:
    """Tiles that fit the kernel's memory, and are whole chunks of the result if it has them."""
    model = n_samples * n_classes * kernel.entry_bytes
    tile = max(_SMALLEST, min(_LARGEST, kernel.memory // 4 // model))
    if chunk is not None and chunk <= tile:
        tile = tile // chunk * chunk
    # Beside the band: a column block, and the next.
    band = max(1, kernel.memory // (tile * model) - 2)
    span = max(1, min(n_samples, kernel.memory // 3 * n_samples // (tile * model)))
    return Tiling(tile, band, span)


def tile_sums(
    kernel: Kernel,
    rows: Stack,
    columns: Stack,
    tiling: Tiling,
    wanted: Callable[[int, int], bool],
) -> Iterator[tuple[int, int, np.ndarray]]:
    """Sums of the wanted tiles, with the numbers of their row and column blocks.

    Only tiles on and above the diagonal if ``columns`` is ``rows``; of those on it, only the upper
    triangle is sure to be filled.
    """
    symmetric = columns is rows
    n_samples, n_classes = rows.shape[1:]
    row_blocks, column_blocks = tiling.blocks(rows), tiling.blocks(columns)

    def pack(stack: Stack, block: slice, samples: slice):
        return kernel.pack(
            lambda part: stack.read(
                slice(block.start + part.start, block.start + part.stop), samples
            ),
            (block.stop - block.start, samples.stop - samples.start, n_classes),
            stack.name,
            stack.at_once,
        )

    def todo(members: range) -> list[tuple[int, list[int]]]:
        start = members.start if symmetric else 0
        left = [
            (c, [r for r in members if (not symmetric or r <= c) and wanted(r, c)])
            for c in range(start, len(column_blocks))
        ]
        return [(c, some) for c, some in left if some]

    if tiling.span < n_samples:  # not even three of the smallest blocks fit
        spans = [
            slice(n, min(n + tiling.span, n_samples)) for n in range(0, n_samples, tiling.span)
        ]
        for c, members in todo(range(len(row_blocks))):
            for r in members:
                total = 0.0
                for samples in spans:
                    A = pack(rows, row_blocks[r], samples)
                    same = symmetric and r == c
                    B = A if same else pack(columns, column_blocks[c], samples)
                    total = total + kernel.sums(A, B)
                yield r, c, total
        return

    every = slice(0, n_samples)
    with ThreadPoolExecutor(1) as reader:
        for first in range(0, len(row_blocks), tiling.band):
            left = todo(range(first, min(first + tiling.band, len(row_blocks))))
            needed = sorted({r for _, members in left for r in members})
            packed = {r: pack(rows, row_blocks[r], every) for r in needed}

            def fetch(c: int, packed=packed):
                at_hand = symmetric and c in packed
                return packed[c] if at_hand else pack(columns, column_blocks[c], every)

            coming = [reader.submit(fetch, c) for c, _ in left[:1]]
            for n, (c, members) in enumerate(left):
                B = coming.pop().result()
                coming += [reader.submit(fetch, following) for following, _ in left[n + 1 : n + 2]]
                for r in members:
                    yield r, c, kernel.sums(packed[r], B)
