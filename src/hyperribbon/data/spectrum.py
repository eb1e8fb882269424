"""The spectrum of sloppy inputs and of other data (thesis Fig. 2.25)."""

import numpy as np
import pandas as pd

from hyperribbon.data.sloppy import sloppy_eigenvalues


def input_spectrum(inputs: np.ndarray, decay: float | None = None) -> pd.DataFrame:
    """Eigenvalues of the inputs' sample correlation X^T X / N, and the variances drawn with.

    Parameters
    ----------
    inputs : (N, d)
    decay : c of `hyperribbon.data.sloppy.sloppy_eigenvalues`; None for other inputs

    Returns
    -------
    DataFrame with one row per eigenvalue: index from 1, eigenvalue, variance (NaN without decay)

    Examples
    --------
    >>> input_spectrum(np.eye(2), 0.5).round(2).to_dict("list")
    {'index': [1, 2], 'eigenvalue': [0.5, 0.5], 'variance': [15.16, 9.2]}
    """
    X = inputs.astype(np.float64)
    found = np.linalg.eigvalsh(X.T @ X / len(X))[::-1]
    drawn = np.nan if decay is None else sloppy_eigenvalues(X.shape[1], decay)
    index = np.arange(1, X.shape[1] + 1)
    return pd.DataFrame({"index": index, "eigenvalue": found, "variance": drawn})
