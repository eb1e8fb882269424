"""The tiles of a matrix as tasks: few blocks of models in memory, each read seldom.

As many row blocks as fit stay in memory while column blocks pass, some of them being read while
others are computed with. Models are read once, and once more for every band of row blocks. Tasks
run in threads of this process or, with a client, on a Dask cluster. There, blocks are packed where
they are used, and distances return to the client, which alone writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import NamedTuple, Protocol

import numpy as np

from hyperribbon.numerics.task_graph import run_tasks
from hyperribbon.pairwise.metrics import Metric
from hyperribbon.pairwise.stack import Stack

_LARGEST, _SMALLEST = 2048, 64  # models along a side of a tile
_FITTING = 8  # blocks in memory, at least, so that models are read only a few times
_TILES = 8  # per worker, at least, so that none waits long for the last one
_ENTRIES = 2**16

Block = tuple[slice, ...]  # consecutive parts of the models
Parts = list[tuple[int, int]]  # of a tile: pairs of a part of the rows and one of the columns


def samples_together(n_classes: int) -> int:
    """Number of samples that are summed before their sum is added to the others.

    It is fixed, so that a distance does not depend on how many samples are read at a time.
    """
    return max(1, _ENTRIES // n_classes)


class Kernel(Protocol):
    """Packs blocks of models and sums over samples; see cpu.py, cuda.py, plain.py.

    entry_bytes : bytes per entry of a packed model
    memory : bytes that packed models may take by default
    sides : smallest and largest number of models along a side of a tile that work well
    workers : number of calls that may run at once
    """

    entry_bytes: int
    memory: int
    sides: tuple[int, int]
    workers: int

    def pack(self, read, shape: tuple[int, int, int], name: str, at_once: int = 1):
        """Check, normalise and transform models of a shape (b, n, C).

        ``read(slice of models)`` returns some of them; reading ``at_once`` or more at a time is
        cheapest. ``name`` is what to call them in errors.
        """

    def add(self, A, B, total: np.ndarray) -> None:
        """Add the sums over samples to ``total``, (a, b) float64.

        If B is None, the sums are those of A's models among themselves, and only the upper
        triangle is sure to be added.
        """


def side_for(kernel: Kernel, shape: tuple[int, int], room: int, chunk: int | None) -> int:
    """Models along a side of a tile, where ``room`` models fit in memory.

    Each worker gets several tiles, and tiles cover complete chunks of the result if these are not
    too large.
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
    """How much is in memory at a time.

    band : number of row blocks kept
    ahead : number of column blocks in memory
    span : samples read at a time; fewer than all where not even a few blocks fit
    workers : number of tasks that run at once
    """

    band: int
    ahead: int
    span: int
    workers: int


def tiling_for(kernel: Kernel, side: int, model: tuple[int, int], memory: int) -> Tiling:
    """The tiling that fits in memory, for blocks of ``side`` models of a shape (N, C)."""
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
    """Cut models into blocks of one part each."""
    return [(slice(k, min(k + side, n_models)),) for k in range(0, n_models, side)]


def whole(block: Block) -> slice:
    """Slice of all models of a block."""
    return slice(block[0].start, block[-1].stop)


def size(block: Block) -> int:
    """Number of models in a block."""
    return block[-1].stop - block[0].start


@dataclass(frozen=True)
class Tiles:
    """What a task needs to compute a tile; can be sent to another process.

    symmetric : whether the columns are the rows; then only tiles on and above the diagonal, in the
        order of the blocks, are computed
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
        """Pack a row block for the kernel; None if tiles read some of its samples at a time."""
        return self._pack(self.rows, self.row_blocks[r]) if self._fits else None

    def pack_columns(self, c: int) -> list | None:
        """Pack a column block for the kernel; None if tiles read some of its samples at a time."""
        return self._pack(self.columns, self.column_blocks[c]) if self._fits else None

    @property
    def _fits(self) -> bool:
        return self.span >= self.rows.shape[1]

    def pack_samples(self, rows: bool, k: int, start: int, stop: int) -> list:
        """Pack some samples of a block, of the rows or of the columns, for the kernel."""
        if rows:
            return self._pack(self.rows, self.row_blocks[k], start, stop)
        return self._pack(self.columns, self.column_blocks[k], start, stop)

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
        """Distances between two packed blocks; NaN in parts that are not asked for."""
        return self._sum_up(r, c, parts, self._spans(r, c) if A is None else [(A, B)])

    def _sum_up(self, r: int, c: int, parts: Parts, packed: Iterable[tuple]) -> np.ndarray:
        sums = self.no_sums(r, c, parts)
        for A, B in packed:
            self.add(r, c, parts, sums, A, B)
        return self.distances(r, c, sums)

    def no_sums(self, r: int, c: int, parts: Parts) -> np.ndarray:
        """Sums over no samples yet: 0 in the parts that are asked for, NaN in others."""
        sums = np.full((size(self.row_blocks[r]), size(self.column_blocks[c])), np.nan)
        for i, j in parts:
            self._of(sums, r, c, i, j)[:] = 0
        return sums

    def add(self, r: int, c: int, parts: Parts, sums: np.ndarray, A: list, B: list) -> None:
        """Add the sums over the samples of packed blocks."""
        own = self.symmetric and r == c
        for i, j in parts:
            into = self._of(sums, r, c, i, j)
            self.kernel.add(A[i], None if own and i == j else B[j], into)

    def distances(self, r: int, c: int, sums: np.ndarray) -> np.ndarray:
        """Distances of a tile, from its sums over all samples."""
        # Rounding can make sums slightly negative.
        D = np.maximum(self.metric.finish(sums, self.rows.shape[1]), 0)
        if self.symmetric and r == c:
            D = np.triu(D, 1)
            D += D.T
        return D

    def _of(self, sums: np.ndarray, r: int, c: int, i: int, j: int) -> np.ndarray:
        """The sums of one part of the rows and one of the columns."""
        row_parts, column_parts = self.row_blocks[r], self.column_blocks[c]
        rows, columns = row_parts[i], column_parts[j]
        top, left = row_parts[0].start, column_parts[0].start
        return sums[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def run(
    tiles: Tiles,
    tiling: Tiling,
    wanted: Callable[[int, int], Parts],
    write: Callable[[int, int, np.ndarray], None],
    client=None,
) -> None:
    """Compute the parts of tiles that ``wanted(r, c)`` lists, and ``write(r, c, D)`` each tile.

    ``client`` : of a Dask cluster; without one, several threads call ``write`` at once
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

    def pack_columns(c: int, *_) -> list | None:
        return tiles.pack_columns(c)

    reads: dict[tuple, tuple[Callable, list[tuple]]] = {}
    tasks: dict[tuple, tuple[Callable, list[tuple]]] = {}
    done: list[tuple] = []
    for c, parts in columns.items():
        packed = ("rows", c) if tiles.symmetric and c in rows else ("columns", c)
        if packed[0] == "columns":
            # Wait for an earlier column, which bounds the number of columns in memory.
            earlier = [done[-tiling.ahead]] if len(done) >= tiling.ahead else []
            reads[packed] = partial(pack_columns, c), earlier
        for r in parts:
            needed = [("rows", r), packed]
            for _, row in {*needed} - reads.keys():
                tasks.setdefault(("rows", row), (partial(tiles.pack_rows, row), []))
            tasks["tile", r, c] = partial(tile, r, c), needed
        tasks["done", c] = _nothing, [("tile", r, c) for r in parts]
        done.append(("done", c))
    # Columns first, so that one is read while there are tiles of others to compute.
    run_tasks(reads | tasks, tiling.workers)


def _nothing(*_) -> None:
    """Wait for the arguments; the last task of a column."""


def _run_on_cluster(
    client, tiles: Tiles, rows: list[int], columns: dict[int, dict], write: Callable
) -> None:
    from distributed import as_completed  # 0.5 s to import

    submit = partial(client.submit, pure=False)
    # A task, not scattered data, is computed again when its worker is lost.
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
    # Enough columns for all workers are under way; the others wait here, so that results do not
    # pile up on the workers.
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
