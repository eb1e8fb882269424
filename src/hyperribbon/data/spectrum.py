"""The spectrum of sloppy inputs (thesis Fig. 2.25)."""

import numpy as np
import pandas as pd

from hyperribbon.data.sloppy import sloppy_eigenvalues


def input_spectrum(inputs: np.ndarray, decay: float) -> pd.DataFrame:
    """Eigenvalues of the inputs' sample correlation X^T X / N beside the variances drawn from.

    Parameters
    ----------
    inputs : (N, d)
    decay : c, of `hyperribbon.data.sloppy.sloppy_eigenvalues`

    Returns
    -------
    One row an eigenvalue: index from 1, eigenvalue, variance

    Examples
    --------
    >>> input_spectrum(np.eye(2), 0.5).round(2).to_dict("list")
    {'index': [1, 2], 'eigenvalue': [0.5, 0.5], 'variance': [15.16, 9.2]}
    """
    X = inputs.astype(np.float64)
    found = np.linalg.eigvalsh(X.T @ X / len(X))[::-1]
    return pd.DataFrame(
        {
            "index": np.arange(1, X.shape[1] + 1),
            "eigenvalue": found,
            "variance": sloppy_eigenvalues(X.shape[1], decay),
        }
    )
