"""Vector code of the compiled kernel, emitted for this machine's registers.

numba's compiler does not turn the loops over classes and samples into code that keeps a tile of
coefficients in registers. So two functions are written in LLVM's intermediate language with
llvmlite, in vectors two registers wide, which LLVM maps to the registers of the processor. The
loop that calls them must be in the same module, because its cached machine code is looked up by
the text of the module.
"""

from __future__ import annotations

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from hyperribbon.numerics.compiling import compiled

_FEATURES = binding.get_host_cpu_features()
_WIDE = bool(_FEATURES.get("avx512f"))
_REGISTER_BYTES = 64 if _WIDE else 32 if _FEATURES.get("avx") else 16
# Rows of a panel that fit in registers: each needs two, of 32 registers (AVX-512) or 16.
ROWS = 8 if _WIDE else 4
_SUMMED = 32  # classes in a partial sum
_GROUP = 8  # samples between two moves of the exponent
_INDEX = ir.IntType(64)
_DEPTH = 512  # multiplications for which a panel of coefficients stays in the cache


def lanes_of(itemsize: int) -> int:
    """Width of a panel in models: two registers of numbers of ``itemsize`` bytes."""
    return 2 * _REGISTER_BYTES // itemsize


@intrinsic
def at(typingctx, array, index):
    """Pointer to an entry of a contiguous array."""
    signature = types.CPointer(array.dtype)(array, types.intp)

    def codegen(context, builder, signature, args):
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.gep(data, [args[1]])

    return signature, codegen


@intrinsic
def multiply_coefficients(typingctx, a, b, mantissas, exponents, n, C, floor, low, zero):
    """Multiply the coefficients of n samples into (rows, lanes) of mantissas and exponents.

    Multiplies a group of samples at a time. Where the product falls below ``low``, multiplies
    sample by sample, with every coefficient raised to ``floor`` except those equal to ``zero``.
    """
    signature = types.void(a, b, mantissas, exponents, types.intp, types.intp, floor, low, zero)

    def codegen(context, builder, signature, args):
        a, b, mantissas, exponents, n, C, floor, low, zero = args
        v = _Vectors(builder, a.type.pointee, a, b, C)
        single = v.scalar == ir.FloatType()
        digits, bias = (23, 127) if single else (52, 1023)
        integers = ir.VectorType(ir.IntType(32 if single else 64), v.lanes)
        products = [cgutils.alloca_once(builder, v.type) for _ in range(ROWS)]
        offsets = [v.index(row * v.lanes) for row in range(ROWS)]

        def move_exponent(row, product, kept=None):
            bits = builder.bitcast(product, integers)
            exponent = builder.sub(
                builder.lshr(bits, ir.Constant(integers, [digits] * v.lanes)),
                ir.Constant(integers, [bias] * v.lanes),
            )
            mantissa = builder.or_(
                builder.and_(bits, ir.Constant(integers, [(1 << digits) - 1] * v.lanes)),
                ir.Constant(integers, [bias << digits] * v.lanes),
            )
            mantissa = builder.bitcast(mantissa, v.type)
            if kept is not None:
                mantissa = builder.select(kept, product, mantissa)
            v.store(mantissa, mantissas, offsets[row])
            total = builder.add(v.load(exponents, offsets[row], integers), exponent)
            v.store(total, exponents, offsets[row])

        groups = builder.sdiv(builder.add(n, v.index(_GROUP - 1)), v.index(_GROUP))
        with cgutils.for_range(builder, groups) as group:
            first = builder.mul(group.index, v.index(_GROUP))
            last = builder.add(first, v.index(_GROUP))
            last = builder.select(builder.icmp_signed("<", last, n), last, n)
            for row in range(ROWS):
                builder.store(v.load(mantissas, offsets[row]), products[row])
            with cgutils.for_range_slice(builder, first, last, v.index(1), inc=True) as (sample, _):
                for product, coefficient in zip(products, v.coefficients(sample), strict=True):
                    builder.store(builder.fmul(builder.load(product), coefficient), product)
            found = [builder.load(product) for product in products]
            least = found[0]
            for product in found[1:]:
                less = builder.fcmp_ordered("<", product, least)
                least = builder.select(less, product, least)
            under = builder.fcmp_ordered("<", least, v.splat(low))
            mask = ir.IntType(v.lanes)
            any_under = builder.icmp_unsigned("!=", builder.bitcast(under, mask), mask(0))
            with builder.if_else(any_under, likely=False) as (one_by_one, at_once):
                with one_by_one:
                    lowest, zeros = v.splat(floor), v.splat(zero)
                    samples = cgutils.for_range_slice(builder, first, last, v.index(1), inc=True)
                    with samples as (sample, _):
                        for row, coefficient in enumerate(v.coefficients(sample)):
                            kept = builder.fcmp_ordered("==", coefficient, zeros)
                            less = builder.fcmp_ordered("<", coefficient, lowest)
                            raised = builder.select(less, lowest, coefficient)
                            raised = builder.select(kept, coefficient, raised)
                            product = builder.fmul(v.load(mantissas, offsets[row]), raised)
                            kept = builder.fcmp_ordered("==", product, zeros)
                            move_exponent(row, product, kept)
                with at_once:
                    for row, product in enumerate(found):
                        move_exponent(row, product)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def add_arcs(typingctx, a, b, arcs, n, C):
    """Add the arcs of n samples to (rows, lanes) of sums.

    An arc is 2 arcsin(chord / 2), which is accurate where models nearly coincide; arcsin(x) / x is
    approximated by a polynomial in x^2, which is at most 1/2 here.
    """
    signature = types.void(a, b, arcs, types.intp, types.intp)

    def codegen(context, builder, signature, args):
        a, b, arcs, n, C = args
        v = _Vectors(builder, a.type.pointee, a, b, C)
        square_root = v.function("sqrt", 1)
        offsets = [v.index(row * v.lanes) for row in range(ROWS)]
        with cgutils.for_range(builder, n) as sample:
            for row, chord2 in enumerate(v.coefficients(sample.index, squared_chords=True)):
                x2 = builder.fmul(chord2, v.constant(0.25))
                # From [0, 1/2] to [-1, 1].
                t = builder.call(v.fma, [x2, v.constant(4.0), v.constant(-1.0)])
                series = v.constant(_ARCSIN[-1])
                for coefficient in _ARCSIN[-2::-1]:
                    series = builder.call(v.fma, [series, t, v.constant(coefficient)])
                chord = builder.call(square_root, [chord2])
                total = v.load(arcs, offsets[row])
                v.store(builder.call(v.fma, [chord, series, total]), arcs, offsets[row])
        return context.get_dummy_value()

    return signature, codegen


def _arcsin_series() -> list[float]:
    """Coefficients of arcsin(x) / x in powers of t = 4 x^2 - 1, to 1e-16 for x^2 in [0, 1/2]."""

    def ratio(t):
        x = np.sqrt(np.maximum((t + 1) / 4, 1e-300))
        return np.arcsin(x) / x

    series = np.polynomial.Chebyshev.interpolate(ratio, 21)
    return series.convert(kind=np.polynomial.Polynomial).coef.tolist()


_ARCSIN = _arcsin_series()


class _Vectors:
    """Emits vector code for rows of panel ``a`` against panel ``b``."""

    def __init__(self, builder, scalar, a, b, n_classes):
        self._builder, self._a, self._b, self._n_classes = builder, a, b, n_classes
        self.scalar = scalar
        self.lanes = lanes_of(4 if scalar == ir.FloatType() else 8)
        self.type = ir.VectorType(scalar, self.lanes)
        self.fma = self.function("fma", 3)
        self._sums, self._totals = (
            [cgutils.alloca_once(builder, self.type) for _ in range(ROWS)] for _ in range(2)
        )

    def function(self, name: str, n_arguments: int):
        """Declare one of LLVM's intrinsic functions on vectors."""
        suffix = f"v{self.lanes}f{32 if self.scalar == ir.FloatType() else 64}"
        kind = ir.FunctionType(self.type, [self.type] * n_arguments)
        return cgutils.get_or_insert_function(self._builder.module, kind, f"llvm.{name}.{suffix}")

    def index(self, value: int) -> ir.Constant:
        """Make a constant index."""
        return ir.Constant(_INDEX, value)

    def constant(self, value: float) -> ir.Constant:
        """Make a vector of equal constants."""
        return ir.Constant(self.type, [value] * self.lanes)

    def splat(self, value):
        """Copy a scalar to all lanes of a vector."""
        undefined = ir.Constant(self.type, ir.Undefined)
        vector = self._builder.insert_element(undefined, value, ir.IntType(32)(0))
        zeros = ir.Constant(ir.VectorType(ir.IntType(32), self.lanes), [0] * self.lanes)
        return self._builder.shuffle_vector(vector, undefined, zeros)

    def _pointer(self, base, offset, kind):
        pointer = self._builder.gep(base, [offset])
        return self._builder.bitcast(pointer, kind.as_pointer())

    def load(self, base, offset, kind=None):
        """Load a vector from an array."""
        vector = self._builder.load(self._pointer(base, offset, kind or self.type))
        vector.align = 4  # numpy's arrays start anywhere
        return vector

    def store(self, vector, base, offset):
        """Store a vector in an array."""
        self._builder.store(vector, self._pointer(base, offset, vector.type)).align = 4

    def coefficients(self, sample, squared_chords: bool = False):
        """Compute sum_c sqrt(p q) of a sample, or sum_c (sqrt p - sqrt q)^2; one vector per row."""
        builder = self._builder
        at = builder.mul(builder.mul(sample, self._n_classes), self.index(self.lanes))
        a, b = builder.gep(self._a, [at]), builder.gep(self._b, [at])
        # Partial sums: rounding errors of one long sum of equal entries have the same sign.
        blocks = builder.sdiv(
            builder.add(self._n_classes, self.index(_SUMMED - 1)), self.index(_SUMMED)
        )
        for total in self._totals:
            builder.store(self.constant(0.0), total)
        with cgutils.for_range(builder, blocks) as block:
            first = builder.mul(block.index, self.index(_SUMMED))
            last = builder.add(first, self.index(_SUMMED))
            within = builder.icmp_signed("<", last, self._n_classes)
            last = builder.select(within, last, self._n_classes)
            for partial in self._sums:
                builder.store(self.constant(0.0), partial)
            with cgutils.for_range_slice(builder, first, last, self.index(1), inc=True) as (c, _):
                offset = builder.mul(c, self.index(self.lanes))
                column = self.load(b, offset)
                for row, partial in enumerate(self._sums):
                    entry = builder.load(builder.gep(a, [builder.add(offset, self.index(row))]))
                    factors = [self.splat(entry), column]
                    if squared_chords:
                        difference = builder.fsub(*factors)
                        factors = [difference, difference]
                    product = builder.call(self.fma, [*factors, builder.load(partial)])
                    builder.store(product, partial)
            for total, partial in zip(self._totals, self._sums, strict=True):
                builder.store(builder.fadd(builder.load(total), builder.load(partial)), total)
        return [builder.load(total) for total in self._totals]


@compiled(nogil=True)
def visit(A, B, n_classes, first, last, upper, values, exponents, limits):
    """Accumulate entries first to last of two stacks of panels in values (a, b, lanes, lanes).

    Values are mantissas of products of coefficients, or sums of arcs if ``exponents`` is None.
    """
    n_a, n_b, lanes, _ = values.shape
    size = A.shape[1]
    depth = max(1, _DEPTH // n_classes) * n_classes * lanes
    for start in range(first, last, depth):
        n_samples = min(depth, last - start) // (n_classes * lanes)
        for j in range(n_b):
            for i in range(j + 1 if upper else n_a):
                for row in range(0, lanes, ROWS):
                    a = at(A, i * size + start + row)  # type: ignore[call-arg, var-annotated]
                    b = at(B, j * size + start)
                    entry = ((i * n_b + j) * lanes + row) * lanes
                    if exponents is None:  # known when compiling
                        add_arcs(a, b, at(values, entry), n_samples, n_classes)
                    else:
                        into = at(values, entry), at(exponents, entry)
                        multiply_coefficients(a, b, *into, n_samples, n_classes, *limits)
