"""Matrices of distances between models, computed tile by tile."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from threading import Lock

import numpy as np

from hyperribbon.bars import step_bar
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
    progress_bar: bool = False,
    client=None,
    progress: bool | None = None,
) -> np.ndarray:
    r"""Distances between models, in one of the metrics of `hyperribbon.pairwise.METRICS`.

    ==================  ==========================================================================
    ``metric``          distance (natural logarithm, mean over samples)
    ==================  ==========================================================================
    ``bhattacharyya``   :math:`-\frac{1}{N} \sum_n \ln \sum_c \sqrt{p_{nc} q_{nc}}` (2.2.2)
    ``symmetric_kl``    :math:`\frac{1}{N} \sum_{nc} (p_{nc} - q_{nc}) \ln (p_{nc} / q_{nc})`
                        (2.5.3)
    ``geodesic``        :math:`\frac{1}{N} \sum_n \arccos \sum_c \sqrt{p_{nc} q_{nc}}`, radians
                        (2.5.4)
    ``hellinger``       :math:`2 (1 - \prod_n \sum_c \sqrt{p_{nc} q_{nc}})`, which saturates at 2
    ``euclidean``       :math:`\frac{1}{N} \sum_{nc} (p_{nc} - q_{nc})^2`, squared
    ==================  ==========================================================================

    Parameters
    ----------
    P : (m, N, C) distributions: a numpy, torch, dask or Zarr array; (S, K, N, C), whose m = S K
        models are K checkpoints of S trainings; or a sequence of such arrays or of single models
        (N, C). Rows are normalised in float64.
    Q : the same for k models, or None for the distances of P's models among themselves
    metric : str, a name in the table, or another entry of METRICS
    floor : float in [0, 1). A sample on which two models have no class in common has a
        coefficient :math:`\sum_c \sqrt{p q}` of 0, which would put them infinitely far apart.
        Coefficients below ``floor`` count as ``floor``; for ``symmetric_kl``, probabilities in
        the logarithm do. The default is 1e-30 (69 nats), or 1.2e-38 (87 nats) where
        coefficients are computed in float32; ``floor=0`` gives inf.
    device : torch device such as "cuda"; by default that of P if it is a CUDA tensor, else the CPU
    threads : int, number of threads on the CPU; all cores by default
    memory : int, bytes that models may take; by default 0.8e9 or, on a GPU, half of its free memory
    out : sliceable array of floats of shape (m, k), such as Zarr or a memmap, which is written to
        instead of memory. Tiles follow the chunks of ``out`` if they are square and not too large.
    resume : bool, continue where the same call was stopped: tiles of ``out`` without NaN are kept.
        Needs an ``out`` that was filled with NaN beforehand.
    progress_bar : bool, show a progress bar; quiet when the output is not a terminal
    client : dask.distributed.Client, whose cluster computes the distances. Each worker may take
        ``memory`` bytes and must see the files of P and Q. By default, threads of this process
        compute.
    progress : deprecated name of ``progress_bar``

    Returns
    -------
    (m, k) float64, or ``out``; exactly symmetric with a zero diagonal if Q is None

    Raises
    ------
    DataError
        If shapes differ, rows are not distributions, or an option has an impossible value.

    Notes
    -----
    The cost is m k N C multiplications, or half of that if Q is None. If ``out`` is given, only one
    tile of the result per thread is in memory. Models that do not fit in memory are read again for
    every part of the rows that does.

    Distances are computed in float64, except that ``bhattacharyya`` of float32 inputs is computed
    in float32, to within 1e-6 max(1, d) of a distance d. The first call takes a second to compile.

    On the CPU, the distance between two models in ``bhattacharyya``, ``geodesic`` and
    ``hellinger`` is the same to the last bit for any other models, order, tiles, threads, memory
    and cluster; in the other metrics, which are products of matrices, and on a GPU, it is the same
    to rounding.

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
    if progress is not None:
        warnings.warn("progress is now called progress_bar", FutureWarning, stacklevel=2)
        progress_bar = progress
    engine = Engine(P, Q, metric=metric, floor=floor, device=device, threads=threads, memory=memory)
    chunk = None if out is None else _chunk_of(out, engine.shape)
    if resume and out is None:
        raise DataError("resume = True: expected an out, which holds the tiles to keep")
    symmetric, side = engine.symmetric, engine.side(chunk)
    row_blocks, column_blocks = (blocks_of(n, side) for n in engine.shape)
    result = np.empty(engine.shape) if out is None else out
    # Two threads that write to the same chunk would overwrite each other's part.
    own_chunks = chunk is not None and side % chunk == 0
    writing = nullcontext() if out is None or own_chunks else Lock()

    def mirrored(r: int, c: int) -> bool:
        return symmetric and r != c

    def wanted(r: int, c: int) -> Parts:
        all_of_it = [(0, 0)]
        if out is None or not resume:
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
                # A copy first: columns of D would be scattered over all pages of the result.
                result[j, i] = np.ascontiguousarray(D.T)
        bar.update(D.size * (1 + mirrored(r, c)))

    n_pairs = engine.shape[0] * engine.shape[1]
    with step_bar(n_pairs, "distances" if progress_bar else None) as bar:
        engine.compute(row_blocks, column_blocks, wanted, write, client)
    return result


def _chunk_of(out, shape: tuple[int, int]) -> int | None:
    """Side of the square chunks of ``out``, None without; a DataError if it cannot be written."""
    kind = type(out).__name__
    if not all(hasattr(out, name) for name in ("shape", "dtype", "__setitem__")):
        raise DataError(f"out: {kind}, expected a sliceable array, of numpy or Zarr")
    if hasattr(out, "detach") or hasattr(out, "dask"):
        raise DataError(f"out: {kind}, expected an array to which slices of numpy can be written")
    if tuple(out.shape) != shape or np.dtype(out.dtype).kind != "f":
        raise DataError(f"out: shape {tuple(out.shape)} of {out.dtype}, expected {shape} of floats")
    # A shard can only be written as a whole.
    chunks = getattr(out, "shards", None) or getattr(out, "chunks", None)
    return chunks[0] if chunks is not None and chunks[0] == chunks[1] else None
