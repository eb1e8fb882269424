"""The fast path on the CPU: products of coefficients in registers, compiled by numba.

A coefficient takes C multiplications and a logarithm. To get rid of the logarithm, the
coefficients of successive samples are multiplied together, and the product's exponent, as a power
of two, is moved to an integer now and then: what is left for a pair of models, after all samples,
is one logarithm. The rest is a matrix product whose result never leaves the registers.

Models are packed in panels, as many models wide as two vector registers, laid out sample by
sample, class by class, so that a panel's models are next to each other. A kernel takes some rows of
one panel and a whole other one.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from typing import NamedTuple

import numpy as np
from numba import njit

from hyperribbon.pairwise.vectors import ROWS, add_arcs, at, lanes_of, multiply_coefficients
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_distributions

_BLOCK = 512  # models a side of a job; its sums stay in the cache
_DEPTH = 512  # multiplications a coefficient's panel is used for while it is in the cache


class Packed(NamedTuple):
    """Models ready for a kernel.

    panels : (panels, n C lanes), square roots
    own : (m,), sum over samples of ln |root|, which the rounding of the roots leaves beside 0
    n_classes : int
    """

    panels: np.ndarray
    own: np.ndarray
    n_classes: int


class CompiledKernel:
    """Sums over samples of ln sum_c sqrt(p q), or of its arccos, for all pairs of two blocks.

    Parameters
    ----------
    what : "log_coefficients" or "arcs"
    single : compute in float32; else in float64
    floor : of a coefficient
    threads : int
    """

    memory = 3 * 2**28

    def __init__(self, what: str, *, single: bool, floor: float, threads: int):
        self._arcs = what == "arcs"
        self.dtype = np.dtype(np.float32 if single else np.float64)
        self.entry_bytes = self.dtype.itemsize
        self._floor = floor
        self._pool = ThreadPoolExecutor(threads)
        self._threads = threads
        self._lanes = lanes_of(self.dtype.itemsize)

    def pack(self, read, shape, name: str, at_once: int = 1) -> Packed:
        (n_models, n_samples, n_classes), lanes = shape, self._lanes
        n_panels = -(-n_models // lanes)
        panels = np.empty((n_panels, n_samples * n_classes * lanes), self.dtype)
        own = np.empty(n_models)

        step = -(-at_once // lanes) * lanes

        def pack(first: int) -> None:
            together = slice(first, min(first + step, n_models))
            block = read(together)
            for start in range(first, together.stop, lanes):
                models = slice(start, min(start + lanes, together.stop))
                rows = block[start - first : models.stop - first]
                into = (panels[start // lanes], own[models], lanes, SUM_TOLERANCE)
                if not _pack(rows, *into):
                    # Says what is wrong, unless sums were within a rounding error of what may be.
                    _pack(as_distributions(rows, name), *into)

        list(self._pool.map(pack, range(0, n_models, step)))
        return Packed(panels, own, n_classes)

    def sums(self, A: Packed, B: Packed) -> np.ndarray:
        lanes, same = self._lanes, A is B
        out = np.zeros((len(A.panels) * lanes, len(B.panels) * lanes))
        side = _BLOCK // lanes
        while side > 2 and len(A.panels) * len(B.panels) < 8 * self._threads * side**2:
            side //= 2
        jobs = [
            (i, j)
            for i in range(0, len(A.panels), side)
            for j in range(0, len(B.panels), side)
            if not same or j >= i
        ]
        jobs.sort(key=lambda job: job[0] == job[1])  # the half jobs last
        tiny = float(np.finfo(self.dtype).tiny)
        # Under low, a product (of a mantissa, below 2, too) may hide a coefficient under floor.
        floor, low = max(self._floor, tiny), 4 * max(self._floor, tiny**0.8)
        limits = tuple(map(self.dtype.type, (floor, low, 0 if self._floor == 0 else -1)))

        def run(job: tuple[int, int]) -> None:
            i, j = job
            a, b = A.panels[i : i + side], B.panels[j : j + side]
            shape, upper = (len(a), len(b), lanes, lanes), same and i == j
            if self._arcs:
                sums = np.zeros(shape, self.dtype)
                _visit(a, b, A.n_classes, upper, sums, None, limits)
            else:
                mantissas = np.ones(shape, self.dtype)
                exponents = np.zeros(shape, f"i{self.dtype.itemsize}")
                _visit(a, b, A.n_classes, upper, mantissas, exponents, limits)
                with np.errstate(divide="ignore"):  # floor = 0
                    sums = np.log(mantissas, dtype=np.float64) + exponents * np.log(2)
            rows = slice(i * lanes, (i + len(a)) * lanes)
            columns = slice(j * lanes, (j + len(b)) * lanes)
            out[rows, columns] = sums.swapaxes(1, 2).reshape(len(a) * lanes, len(b) * lanes)

        list(self._pool.map(run, jobs))
        out = out[: len(A.own), : len(B.own)]
        if not self._arcs:
            out -= A.own[:, None]
            out -= B.own
        return out


@njit(nogil=True)
def _pack(P, panel, own, lanes, tolerance):
    """Square roots of normalised rows, (b, N, C) to (N, C, lanes); False if one is no row."""
    n_models, n_samples, n_classes = P.shape
    own[:] = 0
    span = max(1, 4096 // (n_classes * lanes))  # samples whose part of the panel is in the cache
    for start in range(0, n_samples, span):
        stop = min(start + span, n_samples)
        for k in range(n_models):
            for n in range(start, stop):
                total, lowest = 0.0, 0.0
                for c in range(n_classes):
                    p = np.float64(P[k, n, c])
                    total += p
                    lowest = min(lowest, p)
                if not (abs(total - 1) <= tolerance and lowest >= 0):
                    return False
                inverse, excess = 1 / total, -1.0
                for c in range(n_classes):
                    root = panel.dtype.type(sqrt(np.float64(P[k, n, c]) * inverse))
                    excess += np.float64(root) * np.float64(root)
                    panel[(n * n_classes + c) * lanes + k] = root
                own[k] += 0.5 * excess * (1 - 0.5 * excess)  # ln sqrt(1 + excess)
        # A panel that is not full: ignorance, as good as any.
        for k in range(n_models, lanes):
            for entry in range(start * n_classes, stop * n_classes):
                panel[entry * lanes + k] = 1 / sqrt(np.float64(n_classes))
    return True


@njit(nogil=True)
def _visit(A, B, n_classes, upper, values, exponents, limits):
    """Take the samples of panels against panels into (a, b, lanes, lanes) of values.

    Without ``exponents`` values are sums of arcs; with them, mantissas of products of coefficients.
    """
    n_a, n_b, lanes, _ = values.shape
    size = A.shape[1]
    depth = max(1, _DEPTH // n_classes) * n_classes * lanes
    for start in range(0, size, depth):
        n_samples = min(depth, size - start) // (n_classes * lanes)
        for j in range(n_b):
            for i in range(j + 1 if upper else n_a):
                for row in range(0, lanes, ROWS):
                    a, b = at(A, i * size + start + row), at(B, j * size + start)
                    entry = ((i * n_b + j) * lanes + row) * lanes
                    if exponents is None:  # known when compiling
                        add_arcs(a, b, at(values, entry), n_samples, n_classes)
                    else:
                        into = at(values, entry), at(exponents, entry)
                        multiply_coefficients(a, b, *into, n_samples, n_classes, *limits)
