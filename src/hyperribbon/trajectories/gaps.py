"""Trajectories that can all be compared; some pairs are never at equal progress."""

import numpy as np


def comparable(distance: np.ndarray) -> np.ndarray:
    """Positions of a submatrix without NaN: drops the row with most NaN until none is left.

    Parameters
    ----------
    distance : (T, T) symmetric, NaN where undefined

    Returns
    -------
    (k,) int, increasing positions

    Examples
    --------
    >>> D = np.zeros((4, 4))
    >>> D[1, [0, 3]] = D[[0, 3], 1] = np.nan
    >>> comparable(D)
    array([0, 2, 3])
    """
    gaps = np.isnan(distance)
    kept, missing = np.ones(len(gaps), dtype=bool), gaps.sum(axis=1)
    while missing.any():
        worst = missing.argmax()
        kept[worst] = False
        missing = np.where(kept, missing - gaps[:, worst], 0)
    return np.flatnonzero(kept)
