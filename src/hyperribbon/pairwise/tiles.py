"""The tiles of a matrix as tasks of Dask: few blocks of models in memory, each read seldom.

Row blocks are kept, as many as fit, while column blocks go by, some of them being read while others
are computed with. Models are read once, and once more for every band of row blocks. Tasks run in
threads of this process or, with a client, on a cluster of Dask's; there, blocks are packed where
they are used, and distances come back to the client, which alone writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple, Protocol

import dask.threaded
import numpy as np

from hyperribbon.pairwise.metrics import Metric
from hyperribbon.pairwise.stack import Stack

_LARGEST, _SMALLEST = 2048, 64  # models a side of a tile
_FITTING = 8  # blocks in memory, at least, so that models are read but a few times
_TILES = 8  # a worker, at least, so that none waits long for the last
_ENTRIES = 2**16

Block = tuple[slice, ...]  # of models: the parts, one after the other, that it is made of
Parts = list[tuple[int, int]]  # of a tile: which parts of the rows with which of the columns


def samples_together(n_classes: int) -> int:
    """Samples that are summed up before they are added to the others.

    A fixed number, so that a distance does not depend on how many are read at a time.
    """
    return max(1, _ENTRIES // n_classes)


class Kernel(Protocol):
    """What packs blocks of models and sums over samples; see cpu.py, cuda.py, plain.py.

    entry_bytes : of memory that an entry of a packed model takes
    memory : bytes that packed models may take by default
    sides : models a side of a tile, least and most, that it works well with
    workers : how many of its calls may run at once
    """

    entry_bytes: int
    memory: int
    sides: tuple[int, int]
    workers: int

    def pack(self, read, shape: tuple[int, int, int], name: str, at_once: int = 1):
        """Check, normalise and transform models of a shape (b, n, C).

        ``read(slice of models)`` gives some of them, cheapest ``at_once`` or more at a time.
        """

    def add(self, A, B, total: np.ndarray) -> None:
        """Add the sums over samples to ``total``, (a, b) float64.

        If B is None, of A's models among themselves: the upper triangle is sure to be added.
        """


def side_for(kernel: Kernel, shape: tuple[int, int], room: int, chunk: int | None) -> int:
    """Models a side of the tiles of a matrix, where so many models fit the memory.

    Several tiles a worker, and whole chunks of the result if it has any that are not too large.
    """
    (least, side), (m, k) = kernel.sides, shape
    while side > room // _FITTING or (
        side > least and m * k < 2 * _TILES * kernel.workers * side**2
    ):
        side //= 2
    side = max(side, _SMALLEST)
    if chunk is not None and chunk <= max(side, min(_LARGEST, room // _FITTING)):
        side = max(1, side // chunk) * chunk
    return side


class Tiling(NamedTuple):
    """How much at a time.

    band : row blocks kept
    ahead : column blocks in memory
    span : samples read at a time, where not even a few blocks fit
    workers : tasks that run at once
    """

    band: int
    ahead: int
    span: int
    workers: int


def tiling_for(kernel: Kernel, side: int, model: tuple[int, int], memory: int) -> Tiling:
    """What fits the memory, of blocks of so many models of a shape (N, C)."""
    n_samples, n_classes = model
    sample = side * n_classes * kernel.entry_bytes
    blocks = memory // (n_samples * sample)
    if blocks >= 3:
        ahead = min(kernel.workers + 1, max(2, blocks // 4))
        return Tiling(blocks - ahead, ahead, n_samples, kernel.workers)
    # A task reads both blocks of its tile, some samples at a time.
    together = min(samples_together(n_classes), n_samples)
    workers = max(1, min(kernel.workers, memory // (2 * sample * together)))
    spans = max(1, memory // (2 * sample * together * workers))
    return Tiling(1, workers, spans * together, workers)


def blocks_of(n_models: int, side: int) -> list[Block]:
    """Models cut into blocks of one part each."""
    return [(slice(k, min(k + side, n_models)),) for k in range(0, n_models, side)]


def whole(block: Block) -> slice:
    """All models of a block."""
    return slice(block[0].start, block[-1].stop)


def size(block: Block) -> int:
    """How many models it has."""
    return block[-1].stop - block[0].start


@dataclass(frozen=True)
class Tiles:
    """What a task needs to know; can be sent to another process.

    symmetric : columns are the rows; then only tiles on and above the diagonal are computed, in the
        order of the blocks
    span : samples read at a time
    """

    kernel: Kernel
    metric: Metric
    rows: Stack
    columns: Stack
    row_blocks: Sequence[Block]
    column_blocks: Sequence[Block]
    symmetric: bool
    span: int

    def pack_rows(self, r: int) -> list | None:
        """A row block ready for the kernel; None if tiles read some samples of it at a time."""
        return self._pack(self.rows, self.row_blocks[r]) if self._fits else None

    def pack_columns(self, c: int) -> list | None:
        return self._pack(self.columns, self.column_blocks[c]) if self._fits else None

    @property
    def _fits(self) -> bool:
        return self.span >= self.rows.shape[1]

    def _pack(self, stack: Stack, block: Block, start: int = 0, stop: int | None = None) -> list:
        stop = stop or stack.shape[1]

        def pack(part: slice):
            return self.kernel.pack(
                lambda few: stack.read(
                    slice(part.start + few.start, part.start + few.stop), slice(start, stop)
                ),
                (part.stop - part.start, stop - start, stack.shape[2]),
                stack.name,
                stack.at_once,
            )

        return [pack(part) for part in block]

    def _spans(self, r: int, c: int) -> Iterator[tuple[list, list]]:
        n_samples = self.rows.shape[1]
        for start in range(0, n_samples, self.span):
            samples = start, min(start + self.span, n_samples)
            A = self._pack(self.rows, self.row_blocks[r], *samples)
            own = self.symmetric and r == c
            yield A, A if own else self._pack(self.columns, self.column_blocks[c], *samples)

    def tile(self, r: int, c: int, parts: Parts, A: list | None, B: list | None) -> np.ndarray:
        """Distances of two blocks, from what was packed; NaN in parts that are not asked for."""
        return self._sum_up(r, c, parts, self._spans(r, c) if A is None else [(A, B)])

    def _sum_up(self, r: int, c: int, parts: Parts, packed: Iterable[tuple]) -> np.ndarray:
        row_parts, column_parts = self.row_blocks[r], self.column_blocks[c]
        own = self.symmetric and r == c
        top, left = row_parts[0].start, column_parts[0].start
        sums = np.full((row_parts[-1].stop - top, column_parts[-1].stop - left), np.nan)

        def of(i: int, j: int) -> np.ndarray:
            rows, columns = row_parts[i], column_parts[j]
            return sums[
                rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ]

        for i, j in parts:
            of(i, j)[:] = 0
        for A, B in packed:
            for i, j in parts:
                self.kernel.add(A[i], None if own and i == j else B[j], of(i, j))
        # Rounding alone can lead below 0.
        D = np.maximum(self.metric.finish(sums, self.rows.shape[1]), 0)
        if own:
            D = np.triu(D, 1)
            D += D.T
        return D


def run(
    tiles: Tiles,
    tiling: Tiling,
    wanted: Callable[[int, int], Parts],
    write: Callable[[int, int, np.ndarray], None],
    client=None,
) -> None:
    """Compute the tiles of which ``wanted(r, c)`` names parts, and ``write(r, c, D)`` them.

    ``client`` : of a Dask cluster; without one ``write`` is called by several threads at once
    """
    n = len(tiles.row_blocks)
    for first in range(0, n, tiling.band):
        band = range(first, min(first + tiling.band, n))
        columns = {}
        for c in range(first if tiles.symmetric else 0, len(tiles.column_blocks)):
            parts = {r: wanted(r, c) for r in band if r <= c or not tiles.symmetric}
            columns[c] = {r: some for r, some in parts.items() if some}
        columns = {c: parts for c, parts in columns.items() if parts}
        rows = sorted({r for parts in columns.values() for r in parts})
        if rows and client is None:
            _run_in_threads(tiles, tiling, rows, columns, write)
        elif rows:
            _run_on_cluster(client, tiles, rows, columns, write)


def _run_in_threads(
    tiles: Tiles, tiling: Tiling, rows: list[int], columns: dict[int, dict], write: Callable
) -> None:
    def tile(r: int, c: int, A: list | None, B: list | None) -> None:
        write(r, c, tiles.tile(r, c, columns[c][r], A, B))

    def pack_columns(c: int, _) -> list | None:
        return tiles.pack_columns(c)

    graph = {("rows", r): (tiles.pack_rows, r) for r in rows}
    done = []
    for c, parts in columns.items():
        packed = ("rows", c) if tiles.symmetric and c in rows else ("columns", c)
        if packed not in graph:
            # Not before an earlier column is done: this bounds how many are in memory.
            earlier = done[-tiling.ahead] if len(done) >= tiling.ahead else None
            graph[packed] = (pack_columns, c, earlier)
        for r in parts:
            graph["tile", r, c] = (tile, r, c, ("rows", r), packed)
        graph["done", c] = (_nothing, [("tile", r, c) for r in parts])
        done.append(("done", c))
    # A pool of its own: after a fault, who called must not find that something still writes.
    with ThreadPoolExecutor(tiling.workers) as pool:
        dask.threaded.get(graph, done, pool=pool)


def _nothing(_) -> None:
    """Only waits for what it is given."""


def _run_on_cluster(
    client, tiles: Tiles, rows: list[int], columns: dict[int, dict], write: Callable
) -> None:
    from distributed import as_completed  # 0.5 s to import

    submit = partial(client.submit, pure=False)
    # A task, not scattered data: what was on a worker is made again when the worker is lost.
    job = submit(_itself, tiles)
    packed_rows = {r: submit(Tiles.pack_rows, job, r) for r in rows}
    places = {}

    def begin(c: int) -> list:
        at_hand = tiles.symmetric and c in packed_rows
        packed = packed_rows[c] if at_hand else submit(Tiles.pack_columns, job, c)
        futures = []
        for r, parts in columns[c].items():
            future = submit(Tiles.tile, job, r, c, parts, packed_rows[r], packed)
            places[future.key] = r, c
            futures.append(future)
        return futures

    left = {c: len(parts) for c, parts in columns.items()}
    coming = iter(columns)
    # Columns for every worker are under way; the others wait here, that no results pile up there.
    under_way = 2 + len(client.nthreads())
    first = [future for c in islice(coming, under_way) for future in begin(c)]
    running = as_completed(first, loop=client.loop)
    for future in running:
        r, c = places.pop(future.key)
        write(r, c, future.result())
        left[c] -= 1
        if not left[c]:
            running.update([future for c in islice(coming, 1) for future in begin(c)])


def _itself(tiles: Tiles) -> Tiles:
    return tiles
