"""The path with torch alone: every metric, on any device, as matrix products."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from threading import Lock
from typing import NamedTuple

import numpy as np
import torch

from hyperribbon.errors import DataError
from hyperribbon.pairwise.metrics import coefficient_rounding, zero_between_equal
from hyperribbon.pairwise.products import (
    STEP,
    Packed,
    add_divergences,
    add_squares,
    pack_divergences,
    pack_squares,
)
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_distributions

_SUMMED = 32  # classes in a partial sum
_AT_ONCE = 2**22  # entries of pairs of models that a metric's own function sees at a time
_GROUP = 8  # samples whose coefficients are multiplied before a logarithm
_ALONE = Lock()  # one tile at a time uses torch's threads, or the GPU


class Sums(NamedTuple):
    """How `TorchKernel` computes one of the sums over samples.

    transform : function of (kernel, P) that returns packed arrays and a number per model
    add : function of (kernel, A, B, out) that adds the sums of all pairs to out
    copies : entries of the packed arrays per entry of P
    """

    transform: Callable[[TorchKernel, torch.Tensor], tuple[tuple[torch.Tensor, ...], torch.Tensor]]
    add: Callable[[TorchKernel, Packed, Packed, torch.Tensor], None]
    copies: int = 1


class TorchKernel:
    """Sums over samples for all pairs of two blocks of models.

    The sum of a pair is the same in every tile to rounding only, because torch chooses the order of
    a matrix product by its shape.

    Parameters
    ----------
    what : a metric's kernel, one of SUMS or a function of p and q; see `metrics.Metric`
    single : bool, compute in float32 instead of float64
    floor : float, smallest coefficient; for the symmetrised KL divergence, smallest probability
    device : torch device
    threads : int

    Raises
    ------
    DataError
        If there is no such kernel, or the function is no distance.
    """

    memory = 3 * 2**28
    sides = (512, 512)

    def __init__(self, what: str | Callable, *, single: bool, floor: float, device, threads: int):
        self._sums, self._floor = _sums_of(what), floor
        self._device = torch.device(device)
        self._single = single
        self._threads = threads
        self.workers = max(2, threads)  # the others read while one computes
        if self._device.type == "cuda":
            self.memory = torch.cuda.mem_get_info(self._device)[0] // 2
            self.sides = (2048, 2048)
        self.entry_bytes = self._sums.copies * (4 if single else 8)

    def pack(self, read, shape, name: str, at_once: int = 1) -> Packed:
        """Check, normalise and pack models of a shape (b, n, C); see `Kernel.pack`."""
        n_models, n_samples, n_classes = shape
        step = max(at_once, STEP // (n_samples * n_classes))
        packed: tuple[torch.Tensor, ...] = ()
        own = torch.empty(n_models, dtype=torch.float64, device=self._device)
        for start in range(0, n_models, step):
            part = slice(start, min(start + step, n_models))
            arrays, own[part] = self._sums.transform(self, self._normalised(read(part), name))
            packed = packed or tuple(_empty_like(array, n_models) for array in arrays)
            for array, entries in zip(packed, arrays, strict=True):
                array[part] = entries
        return Packed(packed, own)

    def _normalised(self, block: np.ndarray, name: str) -> torch.Tensor:
        """Check and normalise models on the device that computes."""
        if not block.flags.writeable:  # torch would warn
            block = block.copy()
        P = torch.from_numpy(block).to(self._device).double()
        total = P.sum(dim=2, keepdim=True)
        fine = ((total - 1).abs().max() <= SUM_TOLERANCE) & (P.min() >= 0)
        if not fine:
            # Raises with what is wrong, unless sums are within a rounding error of the tolerance.
            as_distributions(block, name)
        return P / total

    def add(self, A: Packed, B: Packed | None, total: np.ndarray) -> None:
        """Add the sums over samples of all pairs to ``total``, (a, b); see `Kernel.add`."""
        B = A if B is None else B
        out = torch.zeros(total.shape, dtype=torch.float64, device=self._device)
        with _ALONE, _torch_threads(self._threads):
            self._sums.add(self, A, B, out)
        total += out.cpu().numpy()

    def _whole(self, P: torch.Tensor):
        return (P,), P.new_zeros(len(P))

    def _flat(self, P: torch.Tensor):
        return pack_squares(torch, P, self._floor)

    def _with_logarithms(self, P: torch.Tensor):
        return pack_divergences(torch, P, self._floor)

    def _roots(self, P: torch.Tensor):
        roots = P.sqrt()
        if self._single:
            roots = roots.float()
        own = roots.double().square().sum(dim=2).log().sum(dim=1) / 2
        return (roots,), own

    def _logs(self, A: Packed, B: Packed, out: torch.Tensor) -> None:
        (a,), (b,) = A.arrays, B.arrays
        tiny = torch.finfo(a.dtype).tiny
        floor, low = max(self._floor, tiny), max(self._floor, tiny**0.8)
        product, coefficient = (a.new_empty(out.shape) for _ in range(2))

        def coefficients(n: int, into: torch.Tensor) -> torch.Tensor:
            # Partial sums: rounding errors of one long sum of equal entries have the same sign.
            into.zero_()
            p_parts, q_parts = (x[:, n].split(_SUMMED, dim=1) for x in (a, b))
            for p, q in zip(p_parts, q_parts, strict=True):
                into.addmm_(p, q.T)
            return into

        n_samples = a.shape[1]
        for start in range(0, n_samples, _GROUP):
            samples = range(start, min(start + _GROUP, n_samples))
            coefficients(start, product)
            for n in samples[1:]:
                product.mul_(coefficients(n, coefficient))
            if product.min() >= low:
                out += product.log_()
                continue
            for n in samples:
                coefficients(n, coefficient)
                zero = coefficient == 0 if self._floor == 0 else None
                coefficient.clamp_(min=floor)
                if zero is not None:
                    coefficient[zero] = 0
                out += coefficient.log_()
        out -= A.own[:, None] + B.own
        bound = n_samples * coefficient_rounding(a.shape[2], str(a.dtype).removeprefix("torch."))
        zero_between_equal(out, A.own, B.own, bound)

    def _arcs(self, A: Packed, B: Packed, out: torch.Tensor) -> None:
        a, b = (packed.arrays[0].transpose(0, 1) for packed in (A, B))
        step = max(1, 2**24 // out.numel())
        for start in range(0, len(a), step):
            # From the chord: accurate where models nearly coincide.
            chord = torch.cdist(
                a[start : start + step],
                b[start : start + step],
                compute_mode="donot_use_mm_for_euclid_dist",
            )
            out += chord.mul_(0.5).clamp_(max=1).asin_().sum(dim=0).mul_(2)

    def _squares(self, A: Packed, B: Packed, out: torch.Tensor) -> None:
        add_squares(A, B, out)

    def _divergences(self, A: Packed, B: Packed, out: torch.Tensor) -> None:
        add_divergences(A, B, out)


SUMS = {
    "log_coefficients": Sums(TorchKernel._roots, TorchKernel._logs),
    "arcs": Sums(TorchKernel._roots, TorchKernel._arcs),
    "squares": Sums(TorchKernel._flat, TorchKernel._squares),
    "divergences": Sums(TorchKernel._with_logarithms, TorchKernel._divergences, copies=3),
}


def _sums_of(kernel: str | Callable) -> Sums:
    if callable(kernel):
        _check_distance(kernel)
        return Sums(TorchKernel._whole, partial(_add_each, kernel))
    if kernel not in SUMS:
        expected = f"a function of (p, q) or one of {', '.join(SUMS)}"
        raise DataError(f"kernel = {kernel!r}: expected {expected}")
    return SUMS[kernel]


def _check_distance(function: Callable) -> None:
    """See on three models, some of whose probabilities are 0, that a function is a distance."""
    P = torch.tensor([[[1, 0, 0]], [[0.5, 0.5, 0]], [[0.2, 0.3, 0.5]]], dtype=torch.float64)
    found = function(P[:, None], P)
    name, shape = getattr(function, "__name__", repr(function)), tuple(np.shape(found))
    if not isinstance(found, torch.Tensor) or shape != (3, 3, 1):
        wrong = f"returned {type(found).__name__} {shape} for (3, 1, 1, 3) and (3, 1, 3)"
        raise DataError(f"kernel = {name}: {wrong}, expected Tensor (3, 3, 1)")
    D = found[:, :, 0]
    for wrong, fine in (
        ("NaN", not D.isnan().any()),
        ("numbers below 0", (D >= 0).all()),
        ("other numbers for (q, p) than for (p, q)", torch.allclose(D, D.T)),
        ("numbers above 0 for p = q", (D.diagonal() <= 1e-12).all()),
    ):
        if not fine:
            raise DataError(f"kernel = {name}: returned {wrong}, expected a distance")


def _add_each(
    function: Callable, kernel: TorchKernel, A: Packed, B: Packed, out: torch.Tensor
) -> None:
    """Add a function of every pair of models, some rows and samples at a time."""
    (a,), (b,) = A.arrays, B.arrays
    n_samples, n_classes = a.shape[1:]
    rows = max(1, _AT_ONCE // (len(b) * n_classes))
    step = max(1, _AT_ONCE // (min(rows, len(a)) * len(b) * n_classes))
    for top in range(0, len(a), rows):
        part = slice(top, top + rows)
        for start in range(0, n_samples, step):
            samples = slice(start, start + step)
            out[part] += function(a[part, None, samples], b[:, samples]).sum(dim=2)


def _empty_like(array: torch.Tensor, n_models: int) -> torch.Tensor:
    """Allocate an array for more models with the layout of a packed one."""
    if array.ndim == 2:
        return array.new_empty(n_models, array.shape[1])
    return array.new_empty(array.shape[1], n_models, array.shape[2]).transpose(0, 1)


@contextmanager
def _torch_threads(threads: int):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
