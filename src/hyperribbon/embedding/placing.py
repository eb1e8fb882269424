"""New models in the axes of an InPCA that was stored without its distances (thesis Eq. 2.2.9)."""

import numpy as np

from hyperribbon.embedding.operators import to_float64
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices


def mean_distances(D) -> np.ndarray:
    """Means (m,) of the rows of a matrix of distances, read in blocks of rows."""
    return np.concatenate([to_float64(D[rows]).mean(axis=1) for rows in slices(D)])


def place(D_new, means: np.ndarray, embedding: np.ndarray, eigenvalues: np.ndarray) -> np.ndarray:
    r"""Coordinates of new models in a stored embedding, the same as from `InPCA.transform`.

    .. math:: X_{new} = -\tfrac12 (D_{new} - \bar D)\, (X - \bar X)\, /\, \lambda

    This is Eq. 2.2.9 with the coordinates :math:`X = \sqrt{|\lambda|} U` in place of the
    eigenvectors. The other terms of the centring are the same for all fitted models and vanish,
    because eigenvectors have mean 0.

    Parameters
    ----------
    D_new : (k, m) distances of the new models to the m fitted ones
    means : (m,) mean distances of the fitted models from each other, as `mean_distances` returns
    embedding : (m, d) coordinates of the fitted models, all of weight 1
    eigenvalues : (d,) eigenvalues of the dimensions; coordinates are 0 where these are 0

    Returns
    -------
    (k, d) float64

    Raises
    ------
    DataError
        If shapes do not fit.

    Examples
    --------
    >>> D = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 4.0], [9.0, 4.0, 0.0]])  # points on a line
    >>> X = np.array([[-4], [-1], [5]]) / 3
    >>> place([[1.0, 4.0, 16.0]], mean_distances(D), X, [42 / 9]).round(3).tolist()
    [[-2.333]]
    """
    D_new, X, eigenvalues = map(to_float64, (D_new, embedding, eigenvalues))
    if D_new.shape[1:] != X.shape[:1] or X.shape[1:] != eigenvalues.shape:
        raise DataError(
            f"D_new: shape {D_new.shape}, expected (k, m) for an embedding (m, d) of shape "
            f"{X.shape} and {len(eigenvalues)} eigenvalues"
        )
    projection = np.divide(X, eigenvalues, out=np.zeros_like(X), where=eigenvalues != 0)
    projection -= projection.mean(axis=0)
    return -0.5 * (D_new - means) @ projection
