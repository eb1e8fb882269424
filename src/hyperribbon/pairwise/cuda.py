"""The fast path on a GPU: one fused kernel, written in Triton.

It works as on the CPU (cpu.py): coefficients of successive samples are multiplied together in
registers, and the product's exponent moves to an integer now and then. A pair of models costs N C
multiplications and one logarithm.
"""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import torch
import triton
import triton.language as tl

from hyperribbon.pairwise.metrics import coefficient_rounding, zero_between_equal
from hyperribbon.pairwise.plain import Packed, TorchKernel

_GROUP = 8  # samples between two moves of the exponent
_CLASSES = 16  # the smallest dimension of a matrix product in Triton


class TritonKernel(TorchKernel):
    """Sums over samples of ln sum_c sqrt(p q) in float32, for all pairs of two blocks of models.

    Parameters
    ----------
    floor : float, smallest coefficient
    device : torch device
    threads : int, number of threads that read models
    tile : (rows, columns) of models in a program's tile; larger tiles spill more registers,
        smaller ones read more
    precision : precision of Triton's matrix products: "ieee" for float32 units, "tf32x3" for
        tensor cores with three TF32 products
    """

    kernels = ("log_coefficients",)

    def __init__(self, *, floor: float, device, threads: int, tile=(128, 64), precision="ieee"):
        (kernel,) = self.kernels
        super().__init__(kernel, single=True, floor=floor, device=device, threads=threads)
        self._tile, self._precision = tile, precision

    def add(self, A: Packed, B: Packed | None, total: np.ndarray) -> None:
        """Add the sums over samples of all pairs to ``total``, (a, b); see `Kernel.add`."""
        upper = B is None
        B = A if B is None else B
        (a,), (b,) = A.arrays, B.arrays
        _, n_samples, n_classes = a.shape
        shape = (len(a), len(b))
        mantissas = torch.ones(shape, dtype=torch.float32, device=a.device)
        exponents = torch.zeros(shape, dtype=torch.int32, device=a.device)
        grid = tuple(map(triton.cdiv, shape, self._tile))
        with torch.cuda.device(a.device) if a.is_cuda else nullcontext():
            _multiply_coefficients[grid](
                a,
                b,
                mantissas,
                exponents,
                n_samples,
                *shape,
                n_classes,
                a.stride(1),
                b.stride(1),
                self._floor,
                4 * max(self._floor, 5e-31),
                UPPER=upper,
                GROUP=_GROUP,
                ROWS=self._tile[0],
                COLUMNS=self._tile[1],
                CLASSES=_CLASSES if n_classes <= _CLASSES else 32,
                PRECISION=self._precision,
                num_warps=8,
            )
        sums = mantissas.double().log_().add_(exponents, alpha=np.log(2))
        sums -= A.own[:, None] + B.own
        bound = n_samples * coefficient_rounding(n_classes, np.float32)
        zero_between_equal(sums, A.own, B.own, bound)
        total += sums.cpu().numpy()


@triton.jit
def _coefficients(
    a,
    b,
    rows,
    columns,
    n_a,
    n_b,
    n_classes,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    CLASSES: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Compute sum_c sqrt(p q) of one sample from roots at ``a``, (n_a, C), and ``b``, (n_b, C)."""
    total = tl.zeros((ROWS, COLUMNS), tl.float32)
    for first in range(0, n_classes, CLASSES):
        classes = first + tl.arange(0, CLASSES)
        left = tl.load(
            a + rows[:, None] * n_classes + classes[None, :],
            mask=(rows[:, None] < n_a) & (classes[None, :] < n_classes),
            other=0.0,
        )
        right = tl.load(
            b + columns[None, :] * n_classes + classes[:, None],
            mask=(columns[None, :] < n_b) & (classes[:, None] < n_classes),
            other=0.0,
        )
        # Partial sums: rounding errors of one long sum of equal entries have the same sign.
        total += tl.dot(left, right, input_precision=PRECISION)
    # Padding must not look like disjoint models.
    there = (rows[:, None] < n_a) & (columns[None, :] < n_b)
    return tl.where(there, total, 1.0)


@triton.jit
def _multiply_coefficients(
    a,
    b,
    mantissas,
    exponents,
    n_samples,
    n_a,
    n_b,
    n_classes,
    a_stride,
    b_stride,
    floor,
    low,
    UPPER: tl.constexpr,
    GROUP: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    CLASSES: tl.constexpr,
    PRECISION: tl.constexpr,
):
    """Multiply the coefficients of all samples into mantissas and exponents, (n_a, n_b)."""
    i, j = tl.program_id(0), tl.program_id(1)
    if UPPER:  # noqa: SIM102, known when compiling
        if (j + 1) * COLUMNS <= i * ROWS:
            return
    rows = i * ROWS + tl.arange(0, ROWS)
    columns = j * COLUMNS + tl.arange(0, COLUMNS)
    mantissa = tl.full((ROWS, COLUMNS), 1.0, tl.float32)
    exponent = tl.zeros((ROWS, COLUMNS), tl.int32)
    for first in range(0, n_samples, GROUP):
        last = tl.minimum(first + GROUP, n_samples)
        product = mantissa
        a_n, b_n = a, b
        for _ in range(first, last):
            product *= _coefficients(
                a_n, b_n, rows, columns, n_a, n_b, n_classes, ROWS, COLUMNS, CLASSES, PRECISION
            )
            a_n += a_stride
            b_n += b_stride
        if tl.min(product) < low:
            # A coefficient may be below the floor: multiply sample by sample.
            a_n, b_n = a, b
            for _ in range(first, last):
                coefficient = _coefficients(
                    a_n, b_n, rows, columns, n_a, n_b, n_classes, ROWS, COLUMNS, CLASSES, PRECISION
                )
                bits = (mantissa * tl.maximum(coefficient, floor)).to(tl.int32, bitcast=True)
                exponent += (bits >> 23) - 127
                mantissa = ((bits & 0x7FFFFF) | 0x3F800000).to(tl.float32, bitcast=True)
                a_n += a_stride
                b_n += b_stride
        else:
            bits = product.to(tl.int32, bitcast=True)
            exponent += (bits >> 23) - 127
            mantissa = ((bits & 0x7FFFFF) | 0x3F800000).to(tl.float32, bitcast=True)
        a = a_n
        b = b_n
    at = rows[:, None].to(tl.int64) * n_b + columns[None, :]
    there = (rows[:, None] < n_a) & (columns[None, :] < n_b)
    tl.store(mantissas + at, mantissa, mask=there)
    tl.store(exponents + at, exponent, mask=there)
