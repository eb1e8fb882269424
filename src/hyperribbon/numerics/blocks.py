"""Blocks of large arrays of any kind, threads, and evenly spaced positions."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

BLOCK_BYTES = 2**25


def slices(P, axis: int = 0, *, parts: int = 1) -> Iterator[slice]:
    """Cut an axis of P into slices of about 32 MB in float64.

    Parameters
    ----------
    P : any array with a shape; slices follow its chunks if it has any
    axis : int
    parts : int, least number of slices, as far as the axis has entries

    Examples
    --------
    >>> list(slices(np.zeros((5, 2)), parts=2))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    length, size = P.shape[axis], 8
    for n in P.shape:
        size *= n
    step = max(1, min(BLOCK_BYTES * length // size, -(-length // parts)))
    # Chunks are numbers in Zarr, tuples in dask. A chunk cut in two would be read twice.
    chunk = (getattr(P, "chunks", None) or (1,) * len(P.shape))[axis]
    chunk = chunk[0] if isinstance(chunk, tuple) else chunk
    whole = -(-step // chunk) * chunk
    if whole <= 4 * step:  # else save memory
        step = whole
    for start in range(0, length, step):
        yield slice(start, min(start + step, length))


def n_threads() -> int:
    """Number of cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def in_threads(function: Callable, items: Iterable) -> Iterator:
    """Yield the results of a function for items, in order, computed in as many threads as BLAS has.

    BLAS uses one thread meanwhile, so results do not depend on the number of threads. One item more
    than there are threads is in work or finished at a time, so results may be large.

    Examples
    --------
    >>> list(in_threads(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    threads = max(
        (at["num_threads"] for at in threadpool_info() if at["user_api"] == "blas"), default=1
    )
    work: deque = deque()
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(threads) as pool:
        try:
            for item in items:
                work.append(pool.submit(function, item))
                if len(work) > threads:
                    yield work.popleft().result()
            while work:
                yield work.popleft().result()
        finally:
            for left in work:  # after a fault
                left.cancel()


def evenly(n: int, count: int | None) -> np.ndarray:
    """Evenly spaced positions, ``count`` of 0..n-1; all of them if count is None or above n.

    Examples
    --------
    >>> evenly(10, 4).tolist(), evenly(3, None).tolist(), evenly(2, 5).tolist()
    ([0, 2, 5, 7], [0, 1, 2], [0, 1])
    """
    return np.arange(n) if count is None or count >= n else np.arange(count) * n // count


def submatrix(D, places: np.ndarray) -> np.ndarray:
    """Some rows of a square matrix and the same columns, in memory.

    Parameters
    ----------
    D : (m, m), a NumPy or Zarr array; of the latter no more is read than its chunks
    places : (k,) int

    Returns
    -------
    (k, k)

    Examples
    --------
    >>> submatrix(np.arange(9).reshape(3, 3), np.array([0, 2]))
    array([[0, 2],
           [6, 8]])
    """
    orthogonal = getattr(D, "oindex", None)  # of Zarr
    return D[np.ix_(places, places)] if orthogonal is None else orthogonal[places, places]
