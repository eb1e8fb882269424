"""Matrices of distances between models, tile by tile."""

from __future__ import annotations

from contextlib import nullcontext
from threading import Lock

import numpy as np
from tqdm import tqdm

from hyperribbon.errors import DataError
from hyperribbon.pairwise.engine import Engine
from hyperribbon.pairwise.tiles import Parts, blocks_of, whole


def pairwise_distance(
    P,
    Q=None,
    *,
    metric: str = "bhattacharyya",
    floor: float | None = None,
    device=None,
    threads: int | None = None,
    memory: int | None = None,
    out=None,
    resume: bool = False,
    progress: bool = False,
    client=None,
) -> np.ndarray:
    r"""Distances between models, in one of the metrics of `hyperribbon.pairwise.METRICS`.

    ==================  ==========================================================================
    ``metric``          distance; natural logarithms, means over samples
    ==================  ==========================================================================
    ``bhattacharyya``   :math:`-\frac{1}{N} \sum_n \ln \sum_c \sqrt{p_{nc} q_{nc}}` (2.2.1 ff.)
    ``symmetric_kl``    :math:`\frac{1}{N} \sum_{nc} (p_{nc} - q_{nc}) \ln (p_{nc} / q_{nc})`
                        (2.5.3)
    ``geodesic``        :math:`\frac{1}{N} \sum_n \arccos \sum_c \sqrt{p_{nc} q_{nc}}`, radians
                        (2.5.4)
    ``hellinger``       :math:`2 (1 - \prod_n \sum_c \sqrt{p_{nc} q_{nc}})`, which saturates at 2
    ``euclidean``       :math:`\frac{1}{N} \sum_{nc} (p_{nc} - q_{nc})^2`, squared
    ==================  ==========================================================================

    Parameters
    ----------
    P : (m, N, C) distributions: a numpy, torch, dask or Zarr array, or a sequence of such arrays
        (b, N, C) or (N, C). Rows are normalised in float64.
    Q : (k, N, C), or None for the distances of P's models among themselves
    metric : str, of the table, or another entry of METRICS
    floor : float, 0 to below 1. A sample on which two models have no class in common has a
        coefficient :math:`\sum_c \sqrt{p q}` of 0 and would put them infinitely far apart.
        Coefficients below ``floor`` count as ``floor``; for ``symmetric_kl``, probabilities in the
        logarithm do. By default it is 1e-30, 69 nats, and 1.2e-38, 87 nats, where coefficients
        are computed in float32; ``floor=0`` gives inf.
    device : torch device, as "cuda"; by default that of P if it is a CUDA tensor, else the CPU
    threads : int, on the CPU; all cores by default
    memory : int, bytes that models may take; by default 0.8e9 or, on a GPU, half of its free memory
    out : array of floats of shape (m, k) with slices (Zarr, memmap) to write to instead of
        memory. Tiles follow the chunks of ``out`` if they are square and not too large.
    resume : bool, go on where the same call was stopped: tiles of ``out`` that hold no NaN are
        kept. Needs an ``out`` that was filled with NaN beforehand.
    progress : bool, show a bar; quiet when the output is not a terminal
    client : dask.distributed.Client, to compute on its cluster, each of whose workers may take that
        memory and must see the files of P and Q; by default, threads of this process compute

    Returns
    -------
    (m, k) float64, or ``out``; exactly symmetric with a zero diagonal if Q is None

    Raises
    ------
    DataError
        If shapes differ, rows are not distributions, or an option is not what it can be.

    Notes
    -----
    Costs m k N C multiplications, half of that if Q is None. If ``out`` is given, only a tile of
    the result a thread is in memory. Models that do not fit the memory are read again for every
    part of the rows that does.
    Computes in float64, except for ``bhattacharyya`` of float32 inputs, which is in float32, to
    within 1e-6 max(1, d) of a distance d. The first call compiles for a second.

    On the CPU, the distance of two models in ``bhattacharyya``, ``geodesic`` and ``hellinger`` is
    the same to the last bit whatever the other models, their order, the tiles, threads, memory and
    cluster; in the other metrics, which are products of matrices, and on a GPU, to rounding.

    Examples
    --------
    >>> import numpy as np
    >>> P = np.array([[[0.5, 0.5]], [[1.0, 0.0]]])
    >>> pairwise_distance(P).round(4)
    array([[0.    , 0.3466],
           [0.3466, 0.    ]])
    >>> pairwise_distance(P, P[:1], metric="euclidean")
    array([[0. ],
           [0.5]])
    """
    engine = Engine(P, Q, metric=metric, floor=floor, device=device, threads=threads, memory=memory)
    chunk = None if out is None else _chunk_of(out, engine.shape)
    if resume and out is None:
        raise DataError("resume = True: expected with out, where tiles were kept")
    symmetric, side = engine.symmetric, engine.side(chunk)
    row_blocks, column_blocks = (blocks_of(n, side) for n in engine.shape)
    result = np.empty(engine.shape) if out is None else out
    # Two threads that write parts of one chunk would lose what one of them wrote.
    own_chunks = chunk is not None and side % chunk == 0
    writing = nullcontext() if out is None or own_chunks else Lock()
    bar = tqdm(
        total=engine.shape[0] * engine.shape[1],
        desc="distances",
        unit="pair",
        unit_scale=True,
        leave=False,
        disable=None if progress else True,
    )

    def mirrored(r: int, c: int) -> bool:
        return symmetric and r != c

    def wanted(r: int, c: int) -> Parts:
        all_of_it = [(0, 0)]
        if not resume:
            return all_of_it
        i, j = whole(row_blocks[r]), whole(column_blocks[c])
        tiles = [out[i, j], out[j, i]] if mirrored(r, c) else [out[i, j]]
        if any(np.isnan(tile).any() for tile in tiles):
            return all_of_it
        bar.update(sum(tile.size for tile in tiles))
        return []

    def write(r: int, c: int, D: np.ndarray) -> None:
        i, j = whole(row_blocks[r]), whole(column_blocks[c])
        with writing:
            result[i, j] = D
            if mirrored(r, c):
                result[j, i] = D.T
        bar.update(D.size * (1 + mirrored(r, c)))

    with bar:
        engine.compute(row_blocks, column_blocks, wanted, write, client)
    return result


def _chunk_of(out, shape: tuple[int, int]) -> int | None:
    """Side of the square chunks of what is written to, if it has them; a DataError if unfit."""
    kind = type(out).__name__
    if not all(hasattr(out, name) for name in ("shape", "dtype", "__setitem__")):
        raise DataError(f"out: {kind}, expected an array with slices, of numpy or Zarr")
    if hasattr(out, "detach") or hasattr(out, "dask"):
        raise DataError(f"out: {kind}, which cannot be written to by slices of numpy arrays")
    if tuple(out.shape) != shape or np.dtype(out.dtype).kind != "f":
        raise DataError(f"out: shape {tuple(out.shape)} of {out.dtype}, expected {shape} of floats")
    # A shard is written whole.
    chunks = getattr(out, "shards", None) or getattr(out, "chunks", None)
    return chunks[0] if chunks is not None and chunks[0] == chunks[1] else None
