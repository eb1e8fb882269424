"""A distance matrix that grows: distances in an earlier matrix are not computed again.

Each matrix records the trainings of its rows, by a digest of their predictions. If an earlier
matrix has the trainings of a tile as well, the tile is taken from there: by a hard link if that
matrix has a tile of exactly the same models, otherwise number by number. Only the rest is computed.
A distance does not depend on the tile in which it is computed, so the result equals a computation
from scratch, bit by bit. A tile is a chunk of the array and thus one file, which is written
completely or not at all: an interrupted computation continues with the missing tiles.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import zarr
from zarr.codecs import Crc32cCodec

from hyperribbon.bars import step_bar
from hyperribbon.errors import StoreError
from hyperribbon.pairwise.engine import Engine
from hyperribbon.pairwise.matrix import pairwise_distance
from hyperribbon.pairwise.tiles import Block, Parts
from hyperribbon.runtime.cluster import each
from hyperribbon.storage.dataset import link
from hyperribbon.storage.digest import digest
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.manifest import Manifest, file_sha256

logger = logging.getLogger(__name__)

ARRAY = "distance"
_ROWS, _MANIFEST = "rows.json", "manifest.json"
# An uncompressed tile has 2 MB; compressed, it would be 6% smaller and three times as slow to read.
# In shards of 1024 models per side, tiles would be half as fast, and could not be linked.
_LEAST, _MOST = 64, 512  # models per side of a tile
_TILES = 16  # least number of tiles per side, so that every thread has some
_PARTS = 4  # most parts, of known or of new models, into which a block is cut


def grow(
    work: str | Path,
    models: Sequence,
    digests: Sequence[str],
    *,
    code: str,
    metric: str = "bhattacharyya",
    floor: float | None = None,
    threads: int | None = None,
    memory: int | None = None,
    progress_bar: bool = False,
    client=None,
) -> Path:
    """Pairwise distances of all models, reusing those that a folder of work already has.

    After an interruption, the next call continues. When the matrix is complete, earlier matrices
    are removed. Only one process may use the folder at a time.

    Parameters
    ----------
    work : folder
    models : trainings (K, N, C), in order; as for `pairwise_distance`
    digests : of their predictions; what is equal by them is taken to be equal
    code : version of the code; what another one computed is not used
    metric, floor, threads, memory, progress_bar, client : as for `pairwise_distance`

    Returns
    -------
    Path of the folder with a Zarr array ``distance`` (m, m). After `keep_manifest`, the next call
    recognises damaged tiles and computes them again.
    """
    work = Path(work)
    engine = Engine(models, metric=metric, floor=floor, threads=threads, memory=memory)
    identity = {"code": code, "metric": metric, "floor": floor, "single": engine.single}
    trainings = [[sha256, len(P)] for sha256, P in zip(digests, models, strict=True)]
    m = engine.shape[0]
    chunk = _LEAST
    while chunk < _MOST and chunk * _TILES < m and 16 * chunk <= engine.room:
        chunk *= 2
    matrix = Matrix.made(work, trainings, identity, chunk)
    sources = Matrix.beside(matrix)
    for one in (matrix, *sources):
        one.remove_damaged(engine.threads)
    inherited = Inherited(matrix, sources)
    n = len(inherited.blocks)
    places = [(r, c) for r in range(n) for c in range(r, n) if not matrix.has(r, c)]
    taken = each(lambda place: inherited.take(*place), places, threads=engine.threads)
    left = {place: parts for place, parts in zip(places, taken, strict=True) if parts}
    # Blocks of which most is to be computed are kept in memory, while the others go by.
    count = np.zeros(n, dtype=int)
    for r, c in left:
        count[[r, c]] += 1
    order = np.argsort(-count, kind="stable").tolist()
    blocks = [inherited.blocks[k] for k in order]

    def wanted(r: int, c: int) -> Parts:
        r, c = order[r], order[c]
        if r <= c:
            return left.get((r, c), [])
        return [(i, j) for j, i in left.get((c, r), [])]

    def write(r: int, c: int, D: np.ndarray) -> None:
        inherited.complete(order[r], order[c], D)
        bar.update(1)

    with step_bar(len(left), "tiles" if progress_bar else None) as bar:
        engine.compute(blocks, blocks, wanted, write, client=client)
    for folder in work.iterdir():
        if folder.is_dir() and folder != matrix.folder:
            (folder / _ROWS).unlink(missing_ok=True)  # first, because without it the rest is void
            shutil.rmtree(folder)
    logger.info("%d models; %d of %d tiles were computed", m, len(left), n * (n + 1) // 2)
    return matrix.folder


def grow_across(
    path: str | Path,
    P,
    models: Sequence,
    digests: Sequence[str],
    *,
    code: str,
    metric: str = "bhattacharyya",
    floor: float | None = None,
    **options,
) -> np.ndarray:
    """Distances of a few models to all others, reusing those that a file keeps.

    Parameters
    ----------
    path : path of the file, ``.npz``
    P : (k, N, C), the few models
    models, digests, code, metric, floor, **options : as in `grow`

    Returns
    -------
    (k, m) float64
    """
    path, P = Path(path), np.asarray(P)
    of = digest([code, metric, floor, hashlib.sha256(P.tobytes()).hexdigest(), *P.shape])
    known = {}
    with suppress(OSError, ValueError, KeyError, BadZipFile), np.load(path) as stored:
        if stored["of"] == of:
            known = {name: stored[name] for name in stored.files if name != "of"}
    left = {sha256: M for sha256, M in zip(digests, models, strict=True) if sha256 not in known}
    if left:
        D = pairwise_distance(P, list(left.values()), metric=metric, floor=floor, **options)
        ends = list(accumulate(len(M) for M in left.values()))
        known |= dict(zip(left, np.split(D, ends[:-1], axis=1), strict=True))
        kept = {name: known[name] for name in digests}
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez(file, of=of, **kept)
    return np.concatenate([known[name] for name in digests], axis=1)


def keep_manifest(matrix: Path, manifest: Path) -> None:
    """Keep the manifest of the store in which a matrix was published, which may be deleted."""
    kept = matrix / _MANIFEST
    kept.unlink(missing_ok=True)
    link(manifest, kept)


class Matrix:
    """A matrix on disk, in which tiles may be missing.

    Parameters
    ----------
    folder : folder with the array, ``rows.json`` and, if kept, ``manifest.json``

    Attributes
    ----------
    folder : Path
    starts : dict, the first row of each training, by its digest and number of models
    identity : dict, everything else that determines distances
    chunk : int, models per side of a tile
    blocks : list of slice, the rows of each tile
    """

    def __init__(self, folder: Path):
        content = json.loads((folder / _ROWS).read_text())
        self.folder, self.identity, self.chunk = folder, content["identity"], content["chunk"]
        trainings = list(map(tuple, content["trainings"]))
        *starts, self.size = accumulate((n for _, n in trainings), initial=0)
        self.starts = dict(zip(trainings, starts, strict=True))
        self.blocks = [
            slice(k, min(k + self.chunk, self.size)) for k in range(0, self.size, self.chunk)
        ]
        # Always rewritten, because a published matrix shares this file, and any damage to it.
        (folder / ARRAY / "zarr.json").unlink(missing_ok=True)
        self._array = zarr.create_array(
            folder / ARRAY,
            shape=(self.size, self.size),
            chunks=(self.chunk, self.chunk),
            dtype="float64",
            fill_value=np.nan,
            compressors=[Crc32cCodec()],
            dimension_names=("model", "other_model"),
            attributes={"units": "nats"},
        )

    @classmethod
    def made(cls, work: Path, trainings: list, identity: Mapping, chunk: int) -> Matrix:
        """The matrix of these trainings; created without tiles if it does not exist."""
        content = {"trainings": trainings, "identity": identity, "chunk": chunk}
        folder = work / digest(content)[:16]
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(folder / _ROWS) as partial:
            partial.write_text(json.dumps(content))
        return cls(folder)

    @classmethod
    def beside(cls, matrix: Matrix) -> list[Matrix]:
        """The other matrices in the same folder of work that can be reused."""
        found = []
        for path in matrix.folder.parent.glob(f"*/{_ROWS}"):
            if path.parent != matrix.folder:
                with suppress(ValueError, KeyError, TypeError):  # a damaged list of rows
                    found.append(cls(path.parent))
        return [other for other in found if other.identity == matrix.identity]

    def _file(self, r: int, c: int) -> Path:
        return self.folder / ARRAY / "c" / str(r) / str(c)

    def has(self, r: int, c: int) -> bool:
        """Whether a tile and its mirror image exist."""
        return self._file(r, c).exists() and self._file(c, r).exists()

    def read(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Distances at all pairs of rows and columns, NaN where tiles are missing."""
        where = _index(rows, columns)
        whole = isinstance(where[0], slice)
        found = self._array[where] if whole else self._array.oindex[rows, columns]
        return np.asarray(found)

    def write(self, r: int, c: int, D: np.ndarray) -> None:
        """Write a tile and its mirror image: whole chunks, which other threads do not touch."""
        rows, columns = self.blocks[r], self.blocks[c]
        self._array[rows, columns] = D
        if r != c:
            self._array[columns, rows] = np.ascontiguousarray(D.T)

    def link(self, r: int, c: int, source: Matrix, i: int, j: int) -> None:
        """Link a tile and its mirror image from a matrix that has the same ones."""
        for target, origin in (((r, c), (i, j)), ((c, r), (j, i))):
            path = self._file(*target)
            path.unlink(missing_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            link(source._file(*origin), path)

    def remove_damaged(self, threads: int) -> None:
        """Remove tiles that are not what was written."""
        digests: Mapping[str, str] = {}
        with suppress(StoreError):  # not published yet
            digests = Manifest.read(self.folder / _MANIFEST).files

        def remove_if_damaged(place: tuple[int, int]) -> bool:
            r, c = place
            path, expected = self._file(r, c), digests.get(f"{ARRAY}/c/{r}/{c}")
            if not path.exists() or self._whole(r, c, expected):
                return False
            path.unlink()
            return True

        n = len(self.blocks)
        places = [(r, c) for r in range(n) for c in range(n)]
        damaged = sum(each(remove_if_damaged, places, threads=threads))
        if damaged:
            logger.warning("%s: %d tiles damaged; they are computed again", self.folder, damaged)

    def _whole(self, r: int, c: int, expected: str | None) -> bool:
        if expected is not None:
            return file_sha256(self._file(r, c)) == expected
        try:  # not published yet, so rely on the checksum in every chunk
            return not np.isnan(self._array[self.blocks[r], self.blocks[c]]).any()
        except (ValueError, RuntimeError):
            return False


class Inherited:
    """The part of a matrix that can be taken from others.

    Attributes
    ----------
    blocks : blocks of the matrix, cut between models that are in different sources
    """

    def __init__(self, matrix: Matrix, sources: Sequence[Matrix]):
        self._matrix, self._sources = matrix, sources
        # The place of each row in each of the sources, or -1.
        self._places = np.full((len(sources), matrix.size), -1)
        for source, places in zip(sources, self._places, strict=True):
            # Take one of equal trainings: their distance is 0 only up to rounding errors.
            for training, start in matrix.starts.items():
                if training in source.starts:
                    n = training[1]
                    places[start : start + n] = source.starts[training] + np.arange(n)
        self.blocks = [self._cut(block) for block in matrix.blocks]

    def _cut(self, block: slice) -> Block:
        known = self._places[:, block] >= 0
        inner = block.start + 1 + np.flatnonzero((known[:, 1:] != known[:, :-1]).any(axis=0))
        if len(inner) >= _PARTS:  # so many parts would cost more than they save
            inner = inner[:0]
        edges = [block.start, *inner.tolist(), block.stop]
        return tuple(map(slice, edges[:-1], edges[1:]))

    def take(self, r: int, c: int) -> Parts:
        """Take a tile and its mirror image if they are known; otherwise return unknown parts."""
        row_parts, column_parts = self.blocks[r], self.blocks[c]
        parts = [
            (i, j)
            for i in range(len(row_parts))
            for j in range(i if r == c else 0, len(column_parts))
        ]
        if not self._sources:
            return parts
        if self._link(r, c):
            return []
        unknown = np.isnan(D := self._known(r, c))
        if not unknown.any():
            self._matrix.write(r, c, D)
            return []
        top, left = row_parts[0].start, column_parts[0].start

        def lacks(i: int, j: int) -> bool:
            rows, columns = row_parts[i], column_parts[j]
            return unknown[
                rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ].any()

        return [(i, j) for i, j in parts if lacks(i, j)]

    def complete(self, r: int, c: int, D: np.ndarray) -> None:
        """Write a computed tile, which is NaN where it is known, and its mirror image."""
        unknown = np.isnan(D)
        if unknown.any():
            D[unknown] = self._known(r, c)[unknown]
        self._matrix.write(r, c, D)

    def _known(self, r: int, c: int) -> np.ndarray:
        """The known distances of a tile; NaN for the rest."""
        rows, columns = self._matrix.blocks[r], self._matrix.blocks[c]
        shape = rows.stop - rows.start, columns.stop - columns.start
        D = None
        for source, places in zip(self._sources, self._places, strict=True):
            i, j = (np.flatnonzero(places[block] >= 0) for block in (rows, columns))
            if i.size and j.size:
                values = source.read(places[rows][i], places[columns][j])
                if D is None and values.shape == shape:  # mostly
                    D = values
                    continue
                D = np.full(shape, np.nan) if D is None else D
                there = _index(i, j)
                D[there] = np.where(np.isnan(D[there]), values, D[there])
        return np.full(shape, np.nan) if D is None else D

    def _link(self, r: int, c: int) -> bool:
        """Link a tile if one of the sources has it for exactly the same models."""
        for source, places in zip(self._sources, self._places, strict=True):
            i, j = (self._same_block(source, places, k) for k in (r, c))
            if i is not None and j is not None and source.has(i, j):
                self._matrix.link(r, c, source, i, j)
                return True
        return False

    def _same_block(self, source: Matrix, places: np.ndarray, k: int) -> int | None:
        rows = places[self._matrix.blocks[k]]
        if source.chunk != self._matrix.chunk or rows[0] < 0:
            return None
        number = int(rows[0]) // source.chunk
        block = source.blocks[number]
        same = np.array_equal(rows, np.arange(block.start, block.stop))
        return number if same else None


def _index(rows: np.ndarray, columns: np.ndarray) -> tuple:
    """Index of all pairs of rows and columns; slices, much the fastest, if both are successive."""
    if (np.diff(rows) == 1).all() and (np.diff(columns) == 1).all():
        return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return np.ix_(rows, columns)
