"""Distances between two stacks of models: which kernel computes them, in which tiles."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.extras import needs
from hyperribbon.numerics.blocks import n_threads
from hyperribbon.pairwise.by_samples import run_by_samples
from hyperribbon.pairwise.metrics import FLOOR_FLOAT32, floor_of, metric_of
from hyperribbon.pairwise.products import ProductKernel
from hyperribbon.pairwise.stack import Stack
from hyperribbon.pairwise.tiles import (
    Block,
    Kernel,
    Parts,
    Tiles,
    run,
    side_for,
    size,
    tiling_for,
)
from hyperribbon.probability.distributions import check_size


class Engine:
    """Computes tiles of a matrix of distances; for the parameters see `pairwise_distance`.

    Attributes
    ----------
    shape : (m, k), shape of the matrix
    symmetric : bool, whether Q is None
    single : bool, whether distances are computed in float32
    threads : int
    room : int, number of models that fit in memory
    """

    def __init__(self, P, Q=None, *, metric, floor=None, device=None, threads=None, memory=None):
        self._metric = metric_of(metric)
        self.threads = n_threads() if threads is None else check_size(threads, "threads")
        self.symmetric = Q is None
        self._rows = Stack(P, "P")
        self._columns = self._rows if self.symmetric else Stack(Q, "Q")
        m, n_samples, n_classes = self._rows.shape
        if self._columns.shape[1:] != self._rows.shape[1:]:
            expected = f"(models, {n_samples}, {n_classes})"
            raise DataError(f"Q: shape {self._columns.shape}, expected {expected}")
        self.shape = m, len(self._columns)
        device = _device(device, P)
        # A smaller floor would underflow in float32.
        self.single = (
            metric == "bhattacharyya"
            and self._rows.single
            and self._columns.single
            and (floor is None or floor >= FLOOR_FLOAT32)
        )
        floor = floor_of(floor, self.single)
        self._kernel = _kernel(self._metric, self.single, floor, device, self.threads)
        self._memory = self._kernel.memory if memory is None else check_size(memory, "memory")
        self.room = self._memory // (n_samples * n_classes * self._kernel.entry_bytes)

    def side(self, chunk: int | None) -> int:
        """Models along a side of a tile, given the side of the result's square chunks."""
        return side_for(self._kernel, self.shape, self.room, chunk)

    def compute(
        self,
        row_blocks: Sequence[Block],
        column_blocks: Sequence[Block],
        wanted: Callable[[int, int], Parts],
        write: Callable[[int, int, np.ndarray], None],
        client=None,
    ) -> None:
        """Compute the wanted parts of the tiles, and write them; `tiles.run`, `run_by_samples`."""
        side = max(size(block) for block in (*row_blocks, *column_blocks))
        tiling = tiling_for(self._kernel, side, self._rows.shape[1:], self._memory)
        tiles = Tiles(
            self._kernel,
            self._metric,
            self._rows,
            self._columns,
            row_blocks,
            column_blocks,
            self.symmetric,
            tiling.span,
        )
        if client is None and tiling.span < self._rows.shape[1]:
            run_by_samples(tiles, self._kernel.workers, self._memory, wanted, write)
        else:
            run(tiles, tiling, wanted, write, client)


def _device(device, P) -> str:
    """Name of the torch device to compute on."""
    if device is None:
        return str(P.device) if getattr(P, "is_cuda", False) else "cpu"
    if str(device).split(":")[0] not in ("cpu", "cuda"):
        raise DataError(f"device = {str(device)!r}: expected 'cpu' or 'cuda'")
    if str(device) == "cpu":
        return "cpu"
    torch = needs("torch", "torch", f"device = {str(device)!r}")
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError):
        raise DataError(f"device = {device!r}: expected 'cpu' or 'cuda'") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise DataError(f"device = {str(device)!r}: torch finds no CUDA device")
    return str(device)


def _has_compiler() -> bool:
    """Whether there is a C compiler, which Triton needs to launch its kernels."""
    return bool(os.environ.get("CC")) or any(map(shutil.which, ("gcc", "clang", "cc")))


def _kernel(metric, single: bool, floor: float, device: str, threads: int) -> Kernel:
    """The fastest available kernel for a metric on a device; `TorchKernel` knows all metrics."""
    kernel = metric.kernel
    if isinstance(kernel, str):
        found = _fast_kernel(kernel, single, floor, device, threads)
        if found is not None:
            return found
    needs("torch", "torch", f"metric = {metric.name!r}")
    from hyperribbon.pairwise.plain import TorchKernel

    try:
        return TorchKernel(kernel, single=single, floor=floor, device=device, threads=threads)
    except DataError as error:
        raise DataError(f"metric = {metric.name!r}: {error}") from None


def _fast_kernel(
    kernel: str, single: bool, floor: float, device: str, threads: int
) -> Kernel | None:
    if device == "cpu":
        from hyperribbon.pairwise.cpu import CompiledKernel  # numba takes time to import

        if kernel in CompiledKernel.kernels:
            return CompiledKernel(kernel, single=single, floor=floor, threads=threads)
        if kernel in ProductKernel.kernels:
            return ProductKernel(kernel, floor=floor, threads=threads)
    elif single and _has_compiler():
        try:
            from hyperribbon.pairwise.cuda import TritonKernel
        except ImportError:
            return None  # no Triton here
        if kernel in TritonKernel.kernels:
            return TritonKernel(floor=floor, device=device, threads=threads)
    return None
