"""Centred matrices of distances, known through products with blocks of vectors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.numerics.threads import over_blocks
from hyperribbon.probability.arrays import as_float64, dtype_name, sliceable

_ROWS = 256  # of a transposed matrix read at a time


def to_float64(block, name: str = "D") -> np.ndarray:
    """Convert a block of any array (numpy, dask, zarr, torch) to numpy float64."""
    return as_float64(block, name)


class CentredDistances:
    r"""The symmetric matrix of distances D whose eigenpairs are those of (weighted) InPCA.

    .. math:: A = \mathrm{diag}(\sqrt w)\, W\, \mathrm{diag}(\sqrt w),
              \qquad W = -\tfrac12 L D L^T, \qquad L = I - 1 \mu^T,

    with multiplicities w and :math:`\mu = w / \sum w` (2.5.3.2; A is W if all w are 1). If points
    were repeated w times instead, W would have w equal rows and columns for each, and the nonzero
    eigenvalues of A.

    L and W are never formed for a product: :math:`L^T` subtracts mu times the sum of a vector, and
    L subtracts its weighted mean. D is read in blocks of rows, from memory, disk or a device.

    Parameters
    ----------
    D : (m, m) distances: numpy, memmap, dask, zarr, torch (multiplied on its device)
    weights : (m,) float64, >= 0, not all 0
    name : what to call D in errors

    Raises
    ------
    DataError
        If D is not square, finite, symmetric and, to rounding, zero on the diagonal.
    """

    def __init__(self, D, weights: np.ndarray, name: str = "D"):
        D = sliceable(D, name)
        check_square(D, name)
        self.D = D
        self.weights = weights
        self.root = np.sqrt(weights)
        self.mu = weights / weights.sum()
        # Relative precision of the entries of D; distances in float32 have errors of 1e-7.
        precision = float(np.finfo(np.float64).eps)
        narrow = {"float32": float(np.finfo(np.float32).eps), "float16": 1e-3, "bfloat16": 8e-3}
        self.precision = narrow.get(dtype_name(D), precision)
        self._in_memory = type(D) in (np.ndarray, np.memmap) and D.dtype == np.float64
        self._survey(name)

    def _survey(self, name: str) -> None:
        """Read D once to check it and to compute its weighted means and magnitude."""
        self.means = np.empty(len(self.weights))
        largest = diagonal = asymmetry = magnitude = 0.0

        def survey(rows: slice) -> tuple[float, float, float, float]:
            block = to_float64(self.D[rows])
            if not np.isfinite(block).all():
                raise DataError(
                    f"{name}: entries that are NaN or infinite, expected finite entries"
                )
            within = block[:, rows]
            across, beyond = self.D[rows.stop :, rows], block[:, rows.stop :]
            uneven = np.abs(within - within.T).max()
            for start in range(0, len(across), _ROWS):  # few, or every entry misses the cache
                at = slice(start, start + _ROWS)
                uneven = max(uneven, _largest(beyond[:, at] - to_float64(across[at]).T))
            on_diagonal = np.abs(np.diag(within)).max()
            means = self.means[rows] = block @ self.mu
            if block.min() < 0:
                means = np.abs(block) @ self.mu
            return uneven, on_diagonal, _largest(block), self.weights[rows] @ means

        for found in over_blocks(survey, slices(self.D)):
            asymmetry, diagonal = max(asymmetry, found[0]), max(diagonal, found[1])
            largest, magnitude = max(largest, found[2]), magnitude + found[3]
        rounding = self.precision ** (2 / 3) * largest
        if asymmetry > rounding:
            raise DataError(
                f"{name}: not symmetric (entries differ by up to {asymmetry:.3g}), expected a "
                "symmetric matrix"
            )
        if diagonal > rounding:
            raise DataError(
                f"{name}: {diagonal:.3g} on the diagonal, expected 0, the distance from a point to "
                "itself"
            )
        self._symmetric = asymmetry == 0
        self.magnitude = magnitude  # bounds the eigenvalues where D >= 0, up to a small factor
        self.mean = float(self.mu @ self.means)

    def matmul(self, V: np.ndarray) -> np.ndarray:
        """Compute A V, (m, b); D is read once."""
        Y = self.root[:, None] * V
        Y -= np.outer(self.mu, Y.sum(axis=0))
        if self._in_memory:
            C = self.D @ Y
            if not self._symmetric:
                C = (C + self.D.T @ Y) / 2
        else:
            C = self._matmul_rows(Y)
        C -= self.mu @ C
        C *= -0.5 * self.root[:, None]
        return C

    def _matmul_rows(self, Y: np.ndarray) -> np.ndarray:
        C = np.zeros_like(Y)

        def multiply(rows: slice) -> tuple[slice, np.ndarray, np.ndarray | None]:
            block, operand = self.D[rows], Y
            if hasattr(block, "detach"):  # torch: multiplied on its device
                block = block.detach().double()
                operand = block.new_tensor(Y)
            else:
                block = to_float64(block)
            across = None if self._symmetric else to_float64(block.T @ operand[rows])
            return rows, to_float64(block @ operand), across

        for rows, product, across in over_blocks(multiply, slices(self.D)):
            C[rows] += product
            if across is not None:
                C += across
        return C if self._symmetric else C / 2

    def dense(self) -> np.ndarray:
        """Form A, (m, m)."""
        A = np.empty((len(self.mu),) * 2)
        for rows in self.slices():
            A[rows] = self.root[rows, None] * self.rows(rows)[1] * self.root
        return A if self._symmetric else (A + A.T) / 2

    def slices(self) -> Iterator[slice]:
        """Cut the rows into blocks of a bounded size."""
        return slices(self.D)

    def rows(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Read a block of rows of D, and compute that of W."""
        block = to_float64(self.D[rows])
        W = block - self.means
        W -= self.means[rows, None] - self.mean
        W *= -0.5
        return block, W


def _largest(A: np.ndarray) -> float:
    """The largest magnitude in A, without a copy of it."""
    return max(A.max(initial=0), -A.min(initial=0))


def check_square(D, name: str) -> None:
    """Raise a DataError unless D has a shape (m, m), m > 0."""
    if len(D.shape) != 2 or D.shape[0] != D.shape[1]:
        raise DataError(f"{name}: shape {tuple(D.shape)}, expected a square matrix of distances")
    if not D.shape[0]:
        raise DataError(f"{name}: shape {tuple(D.shape)}, expected one model or more")
