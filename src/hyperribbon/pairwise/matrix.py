"""Matrices of distances between models, tile by tile."""

from __future__ import annotations

import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from hyperribbon.errors import DataError
from hyperribbon.pairwise.metrics import FLOOR_FLOAT32, floor_of, metric_of
from hyperribbon.pairwise.stack import Stack
from hyperribbon.pairwise.tiles import Kernel, tile_sums, tiling_for
from hyperribbon.probability.blocks import n_threads
from hyperribbon.probability.distributions import check_size


def pairwise_distance(
    P,
    Q=None,
    *,
    metric: str = "bhattacharyya",
    floor: float | None = None,
    device=None,
    threads: int | None = None,
    out=None,
    resume: bool = False,
    progress: bool = False,
) -> np.ndarray:
    r"""Distances between models, in one of five metrics.

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
    metric : str, of the table
    floor : float, 0 to below 1. A sample on which two models have no class in common has a
        coefficient :math:`\sum_c \sqrt{p q}` of 0 and would put them infinitely far apart.
        Coefficients below ``floor`` count as ``floor``; for ``symmetric_kl``, probabilities in the
        logarithm do. By default it is 1e-30, 69 nats, and 1.2e-38, 87 nats, where coefficients
        are computed in float32; ``floor=0`` gives inf.
    device : torch device, as "cuda"; by default that of P if it is a CUDA tensor, else the CPU
    threads : int, on the CPU; all cores by default
    out : array of floats of shape (m, k) with slices (Zarr, memmap) to write to instead of
        memory. Tiles follow the chunks of ``out`` if they are square and not too large.
    resume : bool, go on where the same call was stopped: tiles of ``out`` that hold no NaN are
        kept. Needs an ``out`` that was filled with NaN beforehand.
    progress : bool, show a bar; quiet when the output is not a terminal

    Returns
    -------
    (m, k) float64, or ``out``; exactly symmetric with a zero diagonal if Q is None

    Raises
    ------
    DataError
        If shapes differ, rows are not distributions, or an option is not what it can be.

    Notes
    -----
    Costs m k N C multiplications, half of that if Q is None. Besides the result, of which only a
    tile of at most 2048 models squared is in memory if ``out`` is given, at most 0.8 GB of models
    is in memory (on a GPU, half of its free memory); where they do not fit, they are read again for
    every part of the rows that does.
    Computes in float64, except for ``bhattacharyya`` of float32 inputs, which is in float32, to
    within 1e-6 max(1, d) of a distance d. The first call compiles for a second.

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
    chosen = metric_of(metric)
    threads = n_threads() if threads is None else check_size(threads, "threads")
    symmetric = Q is None
    rows = Stack(P, "P")
    columns = rows if symmetric else Stack(Q, "Q")
    m, n_samples, n_classes = rows.shape
    k = len(columns)
    if columns.shape[1:] != rows.shape[1:]:
        raise DataError(f"Q: shape {columns.shape}, expected (models, {n_samples}, {n_classes})")
    chunk = None if out is None else _chunk_of(out, (m, k))
    if resume and out is None:
        raise DataError("resume = True: expected with out, where tiles were kept")
    device = _device(device, P)
    # float32 has no room for a smaller floor.
    single = (
        metric == "bhattacharyya"
        and rows.single
        and columns.single
        and (floor is None or floor >= FLOOR_FLOAT32)
    )
    floor = floor_of(floor, single)
    kernel = _kernel(chosen, single, floor, device, threads)
    tiling = tiling_for(kernel, n_samples, n_classes, chunk)
    row_blocks, column_blocks = tiling.blocks(rows), tiling.blocks(columns)
    result = np.empty((m, k)) if out is None else out
    bar = tqdm(
        total=m * k,
        desc="distances",
        unit="pair",
        unit_scale=True,
        leave=False,
        disable=None if progress else True,
    )

    def mirrored(r: int, c: int) -> bool:
        return symmetric and r != c

    def wanted(r: int, c: int) -> bool:
        if not resume:
            return True
        i, j = row_blocks[r], column_blocks[c]
        tiles = [out[i, j], out[j, i]] if mirrored(r, c) else [out[i, j]]
        if any(np.isnan(tile).any() for tile in tiles):
            return True
        bar.update(sum(tile.size for tile in tiles))
        return False

    def write(r: int, c: int, sums: np.ndarray) -> None:
        i, j = row_blocks[r], column_blocks[c]
        # Rounding alone can lead below 0.
        D = np.maximum(chosen.finish(sums, n_samples), 0)
        if symmetric and r == c:
            D = np.triu(D, 1)
            D += D.T
        result[i, j] = D
        if mirrored(r, c):
            result[j, i] = D.T
        bar.update(D.size * (1 + mirrored(r, c)))

    # One tile is written while the next is computed.
    with bar, ThreadPoolExecutor(1) as writer:
        written = None
        for tile in tile_sums(kernel, rows, columns, tiling, wanted):
            if written is not None:
                written.result()
            written = writer.submit(write, *tile)
        if written is not None:
            written.result()
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
    chunks = getattr(out, "chunks", None)
    return chunks[0] if chunks is not None and chunks[0] == chunks[1] else None


def _device(device, P) -> str:
    """Name of the torch device to compute on."""
    if device is None:
        return str(P.device) if getattr(P, "is_cuda", False) else "cpu"
    import torch

    try:
        device = torch.device(device)
        if device.type not in ("cpu", "cuda"):
            raise DataError(f"device = {str(device)!r}: expected 'cpu' or 'cuda'")
    except (RuntimeError, TypeError):
        raise DataError(f"device = {device!r}: expected 'cpu' or 'cuda'") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DataError(f"device = {str(device)!r}: torch finds no CUDA device")
    return str(device)


def _has_compiler() -> bool:
    """Whether Triton, which compiles a little C to launch its kernels, can do so."""
    return bool(os.environ.get("CC")) or any(map(shutil.which, ("gcc", "clang", "cc")))


def _kernel(metric, single: bool, floor: float, device: str, threads: int) -> Kernel:
    """The fastest kernel there is for a metric on a device."""
    options = {"single": single, "floor": floor, "threads": threads}
    if device == "cpu" and metric.kernel != "products":
        try:
            from hyperribbon.pairwise.cpu import CompiledKernel
        except ImportError:
            pass  # no numba here
        else:
            return CompiledKernel(metric.kernel, **options)
    if device != "cpu" and single and _has_compiler():
        try:
            from hyperribbon.pairwise.cuda import TritonKernel
        except ImportError:
            pass  # no Triton here
        else:
            return TritonKernel(floor=floor, device=device, threads=threads)
    from hyperribbon.pairwise.plain import TorchKernel

    return TorchKernel(metric.name, metric.kernel, device=device, **options)
