"""Matrices of distances between models, tile by tile."""

from __future__ import annotations

import os

import dask
import numpy as np
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_distributions

FLOOR = 1e-30
# As many floored coefficients as can be multiplied before a logarithm without underflow.
_GROUP = 10


def pairwise_distance(
    P, Q=None, *, floor: float = FLOOR, tile: int = 128, threads: int | None = None, progress=False
) -> np.ndarray:
    r"""Bhattacharyya distances between models (Eq. 2.2.1 ff.).

    .. math:: d_B(P, Q) = -\frac{1}{N} \sum_n \ln \sum_c \sqrt{p_{nc} q_{nc}}

    Natural logarithm, averaged over samples. A sample on which two models have no class in
    common has a coefficient of 0 and would put them infinitely far apart; coefficients are
    floored at ``floor``, so that such a sample counts -ln(1e-30) = 69 nats. ``floor=0`` gives inf.

    Parameters
    ----------
    P : (m, N, C) distributions; any array with slices: numpy, dask, zarr
    Q : (k, N, C), or None for the distances of P's models among themselves
    floor : float, 0 or from 1e-30 to below 1
    tile : models a side of a tile; memory is O(tile N C) a thread
    threads : of dask's threaded scheduler; all cores by default
    progress : bool, show a bar; quiet when the output is not a terminal

    Returns
    -------
    (m, k) float64; exactly symmetric with a zero diagonal if Q is None

    Raises
    ------
    DataError
        If shapes differ or rows are not distributions.

    Notes
    -----
    Costs m k N C multiplications and m k N / 10 logarithms, half of that if Q is None.

    Examples
    --------
    >>> import numpy as np
    >>> P = np.array([[[0.5, 0.5]], [[1.0, 0.0]]])
    >>> pairwise_distance(P).round(4)
    array([[0.    , 0.3466],
           [0.3466, 0.    ]])
    """
    if len(P.shape) != 3:
        raise DataError(f"P: shape {P.shape}, expected (models, samples, classes)")
    if Q is not None and (len(Q.shape) != 3 or Q.shape[1:] != P.shape[1:]):
        raise DataError(f"Q: shape {Q.shape}, expected (models, {P.shape[1]}, {P.shape[2]})")
    if floor != 0 and not FLOOR <= floor < 1:
        raise DataError(f"floor = {floor}: expected 0, or from {FLOOR} to below 1")
    other = P if Q is None else Q
    m, k = P.shape[0], other.shape[0]
    D = np.zeros((m, k))
    threads = threads or os.cpu_count() or 1
    pairs = sum(1 for i in range(0, m, tile) for j in range(0, k, tile) if Q is not None or j >= i)
    with tqdm(
        total=pairs, desc="distances", unit="tile", leave=False, disable=None if progress else True
    ) as bar:
        for i in range(0, m, tile):
            rows = _roots(P[i : i + tile], "P")
            starts = [j for j in range(0, k, tile) if Q is not None or j >= i]

            def column(j: int, i: int = i, rows: np.ndarray = rows) -> None:
                same = Q is None and j == i
                columns = rows if same else _roots(other[j : j + tile], "P" if Q is None else "Q")
                D[i : i + tile, j : j + tile] = _tile(rows, columns, floor)
                bar.update()

            tasks = [dask.delayed(column)(j) for j in starts]
            with threadpool_limits(1):  # dask's threads are all the threads there are cores for
                dask.compute(*tasks, scheduler="threads", num_workers=threads)
    if Q is None:
        upper = np.triu(D, 1)
        D = upper + upper.T
    return D


def _roots(block, name: str) -> np.ndarray:
    """Square roots of a block of models, samples first: (N, b, C)."""
    return np.ascontiguousarray(np.sqrt(as_distributions(block, name)).transpose(1, 0, 2))


def _tile(rows: np.ndarray, columns: np.ndarray, floor: float) -> np.ndarray:
    """Mean negative log coefficients between two blocks of square roots (N, a, C), (N, b, C)."""
    total = np.zeros((rows.shape[1], columns.shape[1]))
    size = _GROUP if floor else 1
    for start in range(0, len(rows), size):
        group = slice(start, start + size)
        coefficients = np.matmul(rows[group], columns[group].transpose(0, 2, 1))
        np.clip(coefficients, floor, 1.0, out=coefficients)
        with np.errstate(divide="ignore"):  # floor = 0
            total -= np.log(np.multiply.reduce(coefficients, axis=0))
    return total / len(rows)
