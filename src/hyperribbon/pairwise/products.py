"""Sums over samples that are products of matrices: those of squares, and of divergences.

`ProductKernel` computes them on the CPU, with NumPy. `plain.TorchKernel` uses the same formulae on
a GPU: arrays are of NumPy or torch, and ``xp`` is the module of that name.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from hyperribbon.errors import DataError
from hyperribbon.pairwise.metrics import zero_between_equal
from hyperribbon.probability.distributions import as_distributions

STEP = 2**22  # entries of models read at a time


class _OneThread:
    """BLAS uses a single thread while any of our threads is inside; each computes its own tile."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._limits = threadpool_limits(1, "blas")
            self._inside += 1

    def __exit__(self, *_) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limits.restore_original_limits()


_ONE_THREAD = _OneThread()


class Packed(NamedTuple):
    """Models ready for a kernel.

    arrays : (m, N C) or (m, N, C) each. The latter lie sample by sample in memory, so that one
        sample of all models is a matrix
    own : (m,), a number per model
    """

    arrays: tuple[Any, ...]
    own: Any


def pack_squares(xp, P, floor: float) -> tuple[tuple[Any, ...], Any]:
    """Probabilities (m, N, C) as (m, N C), and their sums of squares."""
    P = P.reshape(len(P), -1)
    return (P,), (P * P).sum(1)


def add_squares(A: Packed, B: Packed, out) -> None:
    """Add sum (p - q)^2 of all pairs to ``out``, (a, b)."""
    out += A.own[:, None] + B.own
    out -= 2 * (A.arrays[0] @ B.arrays[0].T)
    zero_between_equal(out, A.own, B.own, _rounding(A))


def pack_divergences(xp, P, floor: float) -> tuple[tuple[Any, ...], Any]:
    """Probabilities (m, N, C) and their logarithms as (m, N C), and the sums of p ln p.

    Without a floor, also which probabilities are 0.
    """
    # (p - q)(ln p - ln q) = p ln p + q ln q - (p ln q + q ln p)
    P = P.reshape(len(P), -1)
    zero = xp.zeros_like(P[:, :0])
    if floor == 0:
        zero = xp.where(P == 0, xp.ones_like(P), xp.zeros_like(P))
        log = xp.log(P + zero)
    else:
        log = xp.log(xp.clip(P, floor, None))
    return (P, log, zero), (P * log).sum(1)


def add_divergences(A: Packed, B: Packed, out) -> None:
    """Add sum (p - q) ln(p / q) of all pairs to ``out``, (a, b)."""
    out += A.own[:, None] + B.own
    (p, ln_p, p_zero), (q, ln_q, q_zero) = A.arrays, B.arrays
    out -= p @ ln_q.T
    out -= ln_p @ q.T
    if p_zero.shape[1]:  # floor = 0: infinite where only one probability is 0
        apart = p_zero.sum(1)[:, None] + q_zero.sum(1) - 2 * p_zero @ q_zero.T
        out[apart > 0] = float("inf")
    zero_between_equal(out, A.own, B.own, _rounding(A))


def _rounding(A: Packed):
    """Bounds (a, 1) on the rounding error of the sums of equal models, in float64."""
    return A.arrays[0].shape[1] * float(np.finfo(np.float64).eps) * abs(A.own)[:, None]


class ProductKernel:
    """Sums over samples for all pairs of two blocks of models, in float64 on the CPU.

    The sum of a pair is the same in every tile to rounding only, because BLAS chooses the order of
    a matrix product by its shape.

    Parameters
    ----------
    what : name of a metric's kernel, one of ``kernels``
    floor : float, smallest probability in a logarithm
    threads : int, number of tiles computed at once, by one thread each
    """

    kernels = ("squares", "divergences")
    memory = 3 * 2**28
    sides = (128, 512)

    def __init__(self, what: str, *, floor: float, threads: int):
        if what not in self.kernels:
            raise DataError(f"kernel = {what!r}: expected one of {', '.join(self.kernels)}")
        self._what, self._floor, self.workers = what, floor, threads
        self.entry_bytes = 8 if what == "squares" else 24

    def pack(self, read, shape, name: str, at_once: int = 1) -> Packed:
        """Check, normalise and pack models of a shape (b, n, C); see `Kernel.pack`."""
        n_models, n_samples, n_classes = shape
        step = max(at_once, STEP // (n_samples * n_classes))
        pack = pack_squares if self._what == "squares" else pack_divergences
        arrays: tuple[np.ndarray, ...] = ()
        own = np.empty(n_models)
        for start in range(0, n_models, step):
            part = slice(start, min(start + step, n_models))
            entries, own[part] = pack(np, as_distributions(read(part), name), self._floor)
            arrays = arrays or tuple(np.empty((n_models, x.shape[1])) for x in entries)
            for array, some in zip(arrays, entries, strict=True):
                array[part] = some
        return Packed(arrays, own)

    def add(self, A: Packed, B: Packed | None, total: np.ndarray) -> None:
        """Add the sums over samples of all pairs to ``total``, (a, b); see `Kernel.add`."""
        add = add_squares if self._what == "squares" else add_divergences
        sums = np.zeros(total.shape)
        with _ONE_THREAD:
            add(A, A if B is None else B, sums)
        total += sums
