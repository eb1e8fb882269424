"""The number of dimensions of a hyper-ribbon (thesis Fig. 5.3)."""

from __future__ import annotations

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_float64

# Leading principal submatrices are tried before the complete matrix: those that lack at most these
# fractions of its trace, which bounds their error.
SHARES = (1e-3, 1e-6, 1e-12)


def ribbon_dimension(P: np.ndarray, fraction: float = 0.95) -> np.ndarray:
    """Number of principal components that hold a fraction of the variance.

    Parameters
    ----------
    P : (..., n, n), covariances: symmetric and, to rounding, positive semidefinite
    fraction : float in (0, 1), fraction of the trace

    Returns
    -------
    (...) int, 1 to n

    Raises
    ------
    DataError
        If P or the fraction is not as above.

    Notes
    -----
    Most matrices need not be decomposed completely. If S is the sum of the k largest eigenvalues of
    a principal submatrix that lacks tau of the trace, the sum of the k largest eigenvalues of P is
    from S to S + tau. Where this determines k, the submatrix is enough; for sloppy data it has few
    rows.

    Examples
    --------
    >>> int(ribbon_dimension(np.diag([90.0, 4.0, 3.0, 3.0])))
    3
    """
    P = as_float64(P, "P")
    if P.ndim < 2 or P.shape[-1] != P.shape[-2] or not P.size:
        raise DataError(f"P: shape {P.shape}, expected (..., n, n)")
    if not 0 < fraction < 1:
        raise DataError(f"fraction = {fraction}: expected above 0 and below 1")
    n, shape = P.shape[-1], P.shape[:-2]
    P = P.reshape(-1, n, n)
    diagonal = np.diagonal(P, axis1=1, axis2=2)
    trace = diagonal.sum(axis=1)
    if not (np.isfinite(trace) & (trace > 0)).all():
        raise DataError("P: a trace is not above 0, so there is no variance; expected covariances")
    outside = np.maximum(trace[:, None] - np.cumsum(diagonal, axis=1), 0.0)
    found, open_ = np.zeros(len(P), np.int64), np.arange(len(P))
    for share in (*SHARES, 0.0):
        size = np.full(len(open_), n)
        if share:
            size = 1 + np.argmax(outside[open_] <= share * trace[open_, None], axis=1)
        for m in np.unique(size):
            rows = open_[size == m]
            sums = np.linalg.eigvalsh(P[rows, :m, :m])[:, ::-1].cumsum(axis=1)
            wanted = fraction * trace[rows, None]
            beyond = outside[rows, m - 1, None] if m < n else 0.0
            low = 1 + np.argmax(sums + beyond >= wanted, axis=1)  # a lower bound on k
            high = np.where(sums[:, -1] >= wanted[:, 0], 1 + np.argmax(sums >= wanted, axis=1), n)
            settled = (low == high) | (m == n)
            found[rows[settled]] = high[settled]
        open_ = open_[found[open_] == 0]
        if not len(open_):
            break
    return found.reshape(shape)
