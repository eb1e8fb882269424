"""Tiles of models of which not even a few blocks fit in memory, as of large vocabularies.

The sums of many tiles are kept instead, and all of their models are read some samples at a time, so
that each number is read once for all of those tiles, and not once per tile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from hyperribbon.numerics.task_graph import run_tasks
from hyperribbon.pairwise.tiles import Block, Parts, Tiles, samples_together, size

_SUMS = 2**27  # bytes of sums in memory
_AT_ONCE = 2  # spans of samples in memory: one is read while another is computed with


def run_by_samples(
    tiles: Tiles,
    workers: int,
    memory: int,
    wanted: Callable[[int, int], Parts],
    write: Callable[[int, int, np.ndarray], None],
) -> None:
    """Compute the parts of tiles that ``wanted(r, c)`` lists, and ``write(r, c, D)`` each tile.

    Models that do not all fit in memory, even with few samples, are read once for each group of
    models that does. Sums are added in the order of the samples, whatever is read at a time.

    Parameters
    ----------
    tiles : Tiles
    workers : number of tasks that run at once
    memory : bytes that packed models may take
    wanted, write : as for `tiles.run`; several threads call ``write`` at once
    """
    for rows, columns in _groups(tiles, memory):
        pairs = ((r, c) for r in rows for c in columns if r <= c or not tiles.symmetric)
        parts = {pair: some for pair in pairs if (some := wanted(*pair))}
        if parts:
            run_tasks(_tasks(tiles, parts, memory, write), workers)


def _groups(tiles: Tiles, memory: int) -> Iterator[tuple[range, range]]:
    """Consecutive row blocks and column blocks whose tiles are computed together."""
    sample = _bytes_of_samples(tiles, samples_together(tiles.rows.shape[2]))
    most = max(1, min(memory // (_AT_ONCE * sample), int((_SUMS // 8) ** 0.5)))
    everything = _cut(tiles.row_blocks, most)
    if tiles.symmetric and len(everything) == 1:
        yield everything[0], everything[0]
        return
    row_groups, column_groups = (
        _cut(blocks, max(1, most // 2)) for blocks in (tiles.row_blocks, tiles.column_blocks)
    )
    for rows in row_groups:
        for columns in column_groups:
            if not tiles.symmetric or rows.start < columns.stop:
                yield rows, columns


def _cut(blocks: Any, most: int) -> list[range]:
    """Cut a sequence of blocks into ranges of so many models each, or of one block."""
    found, start, models = [], 0, 0
    for k, block in enumerate(blocks):
        if models and models + size(block) > most:
            found.append(range(start, k))
            start, models = k, 0
        models += size(block)
    return [*found, range(start, len(blocks))]


def _tasks(
    tiles: Tiles, parts: dict[tuple[int, int], Parts], memory: int, write: Callable
) -> dict[tuple, tuple[Callable, list[tuple]]]:
    """Read all blocks, span by span of samples, and add to the sums of each tile in this order."""
    blocks: dict[tuple[bool, int], Block] = {}
    for r, c in parts:
        blocks[_key(tiles, True, r)] = tiles.row_blocks[r]
        blocks[_key(tiles, False, c)] = tiles.column_blocks[c]
    spans = _spans(tiles, sum(map(size, blocks.values())), memory)
    sums = {pair: tiles.no_sums(*pair, some) for pair, some in parts.items()}

    def add(r: int, c: int, A: list, B: list, *_) -> None:
        tiles.add(r, c, parts[r, c], sums[r, c], A, B)

    def finish(r: int, c: int, *_) -> None:
        write(r, c, tiles.distances(r, c, sums.pop((r, c))))

    def read(rows: bool, k: int, span: slice, *_) -> list:
        return tiles.pack_samples(rows, k, span.start, span.stop)

    tasks: dict[tuple, tuple[Callable, list[tuple]]] = {}
    for n, span in enumerate(spans):
        earlier = [("done", n - _AT_ONCE)] if n >= _AT_ONCE else []
        for block in blocks:
            tasks["read", *block, n] = partial(read, *block, span), earlier
        for r, c in parts:
            needed: list[tuple] = [
                ("read", *_key(tiles, rows, k), n) for rows, k in ((True, r), (False, c))
            ]
            before: list[tuple] = [("add", r, c, n - 1)] if n else []
            tasks["add", r, c, n] = partial(add, r, c), needed + before
        tasks["done", n] = _nothing, [("add", *pair, n) for pair in parts]
    for pair in parts:
        tasks["write", *pair] = partial(finish, *pair), [("add", *pair, len(spans) - 1)]
    return tasks


def _key(tiles: Tiles, rows: bool, k: int) -> tuple[bool, int]:
    """A block, among the rows or the columns; if these are the same, among the rows."""
    return rows or tiles.symmetric, k


def _spans(tiles: Tiles, n_models: int, memory: int) -> list[slice]:
    """Samples to read at a time: as many as fit in memory, and complete chunks if these fit."""
    n_samples, n_classes = tiles.rows.shape[1:]
    together = samples_together(n_classes)
    fit = memory // (_AT_ONCE * n_models * _bytes_of_samples(tiles, together))
    span = max(1, fit) * together
    chunk = max(stack.samples_at_once for stack in (tiles.rows, tiles.columns))
    if chunk % together == 0 and span >= chunk:
        span -= span % chunk
    return [slice(start, min(start + span, n_samples)) for start in range(0, n_samples, span)]


def _bytes_of_samples(tiles: Tiles, number: int) -> int:
    """Bytes of so many samples of a packed model."""
    return number * tiles.rows.shape[2] * tiles.kernel.entry_bytes


def _nothing(*_) -> None:
    """Wait for the arguments; the last task of a span."""
