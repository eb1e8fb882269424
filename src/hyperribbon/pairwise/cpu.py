"""The fast path on the CPU: products of coefficients in registers, compiled by numba.

A coefficient takes C multiplications and a logarithm. To avoid the logarithm, the coefficients of
successive samples are multiplied together, and the product's exponent is moved to an integer now
and then: each pair of models then needs a single logarithm, after all samples. The rest is a
matrix product whose result never leaves the registers.

Models are packed in panels that are two vector registers wide, laid out sample by sample and class
by class, so that the models of a panel are next to each other. The kernel multiplies some rows of
one panel with another complete panel.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.compiling import compiled
from hyperribbon.pairwise.metrics import coefficient_rounding, zero_between_equal
from hyperribbon.pairwise.tiles import samples_together
from hyperribbon.pairwise.vectors import lanes_of, visit
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_distributions


class Packed(NamedTuple):
    """Models ready for a kernel.

    panels : (panels, n C lanes), square roots of probabilities
    own : (m, blocks of samples), sums over samples of ln |root|, which differ from 0 only by the
        rounding of the roots
    n_classes : int
    """

    panels: np.ndarray
    own: np.ndarray
    n_classes: int


class CompiledKernel:
    """Sums over samples of ln or arccos of sum_c sqrt(p q), for all pairs of two blocks.

    The sum of a pair is the same to the last bit in any tile: coefficients are multiplied in the
    order of the samples, and moving powers of two to the exponent is exact.

    Parameters
    ----------
    what : name of a metric's kernel, one of ``kernels``
    single : bool, compute in float32 instead of float64
    floor : float, smallest coefficient
    threads : int, number of tiles computed at once, by one thread each
    """

    kernels = ("log_coefficients", "arcs")
    memory = 3 * 2**28
    sides = (128, 512)  # the sums of a tile stay in the cache

    def __init__(self, what: str, *, single: bool, floor: float, threads: int):
        if what not in self.kernels:
            raise DataError(f"kernel = {what!r}: expected one of {', '.join(self.kernels)}")
        self.workers = threads
        self._arcs = what == "arcs"
        self.dtype: np.dtype[np.floating] = np.dtype(np.float32 if single else np.float64)
        self.entry_bytes = self.dtype.itemsize
        self._floor = floor
        self._lanes = lanes_of(self.dtype.itemsize)

    def pack(self, read, shape, name: str, at_once: int = 1) -> Packed:
        """Check, normalise and pack models of a shape (b, n, C); see `Kernel.pack`."""
        (n_models, n_samples, n_classes), lanes = shape, self._lanes
        together = samples_together(n_classes)
        panels = np.empty((-(-n_models // lanes), n_samples * n_classes * lanes), self.dtype)
        own = np.empty((n_models, -(-n_samples // together)))
        step = -(-at_once // lanes) * lanes
        for first in range(0, n_models, step):
            last = min(first + step, n_models)
            block = read(slice(first, last))
            for start in range(first, last, lanes):
                models = slice(start, min(start + lanes, last))
                rows = block[start - first : models.stop - first]
                into = (panels[start // lanes], own[models], lanes, together)
                if not _pack(rows, *into, SUM_TOLERANCE):
                    # Raises with what is wrong, unless sums are within rounding of the tolerance.
                    as_distributions(rows, name)
                    _pack(rows, *into, 2 * SUM_TOLERANCE)
        return Packed(panels, own, n_classes)

    def add(self, A: Packed, B: Packed | None, total: np.ndarray) -> None:
        """Add the sums over samples of all pairs to ``total``, (a, b); see `Kernel.add`."""
        lanes, upper = self._lanes, B is None
        B = A if B is None else B
        shape = (len(A.panels), len(B.panels), lanes, lanes)
        tiny = float(np.finfo(self.dtype).tiny)
        # A product below low (with a mantissa below 2) may contain a coefficient below the floor.
        floor, low = max(self._floor, tiny), 4 * max(self._floor, tiny**0.8)
        limits = tuple(map(self.dtype.type, (floor, low, 0 if self._floor == 0 else -1)))
        size, sample = A.panels.shape[1], A.n_classes * lanes
        block = samples_together(A.n_classes) * sample
        for n, first in enumerate(range(0, size, block)):
            of = (A.panels, B.panels, A.n_classes, first, min(first + block, size), upper)
            if self._arcs:
                sums = np.zeros(shape, self.dtype)
                visit(*of, sums, None, limits)
            else:
                mantissas = np.ones(shape, self.dtype)
                exponents = np.zeros(shape, f"i{self.dtype.itemsize}")
                visit(*of, mantissas, exponents, limits)
                with np.errstate(divide="ignore"):  # floor = 0
                    sums = np.log(mantissas, dtype=np.float64) + exponents * np.log(2)
            sums = sums.swapaxes(1, 2).reshape(shape[0] * lanes, shape[1] * lanes)
            sums = sums[: len(A.own), : len(B.own)]
            if not self._arcs:  # arcs between equal models are exactly 0
                own = A.own[:, n], B.own[:, n]
                sums = sums - (own[0][:, None] + own[1])
                n_samples = (of[4] - first) // sample
                bound = n_samples * coefficient_rounding(A.n_classes, self.dtype)
                zero_between_equal(sums, *own, bound)
            total += sums


@compiled(nogil=True, error_model="numpy")
def _pack(P, panel, own, lanes, together, tolerance):
    """Pack square roots of normalised rows, (b, N, C) to (N, C, lanes); False if one is invalid."""
    n_models, n_samples, n_classes = P.shape
    panel = panel.reshape(n_samples, n_classes, lanes)
    own[:] = 0
    totals, least, excess = np.empty(lanes), np.empty(lanes), np.empty(lanes)
    span = max(1, 4096 // (n_classes * lanes))  # samples whose part of the panel fits the cache
    for start in range(0, n_samples, span):
        stop = min(start + span, n_samples)
        # Fill the rest of the last panel with ignorance; any distribution would do.
        panel[start:stop, :, n_models:] = 1 / n_classes
        for k in range(n_models):
            for n in range(start, stop):
                for c in range(n_classes):
                    panel[n, c, k] = P[k, n, c]
        for n in range(start, stop):  # the innermost loops become vector code
            totals[:], least[:], excess[:] = 0, 0, -1
            for c in range(n_classes):
                for k in range(lanes):
                    p = np.float64(panel[n, c, k])
                    totals[k] += p
                    least[k] = min(least[k], p)
            for k in range(lanes):
                if not (abs(totals[k] - 1) <= tolerance and least[k] >= 0):
                    return False
                totals[k] = 1 / totals[k]
            for c in range(n_classes):
                for k in range(lanes):
                    root = panel.dtype.type(sqrt(np.float64(panel[n, c, k]) * totals[k]))
                    panel[n, c, k] = root
                    excess[k] += np.float64(root) * np.float64(root)
            for k in range(n_models):  # ln sqrt(1 + excess)
                own[k, n // together] += 0.5 * excess[k] * (1 - 0.5 * excess[k])
    return True
