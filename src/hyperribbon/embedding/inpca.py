"""Intensive principal component analysis (thesis 2.2.6-2.2.9)."""

from __future__ import annotations

from typing import Self

import numpy as np
from scipy.linalg import eigh
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from hyperribbon.errors import DataError


class InPCA(BaseEstimator):
    r"""Isometric embedding of a distance matrix in a Minkowski space.

    The doubly centred matrix :math:`W = -\frac12 L D L`, :math:`L = I - 11^T / m`, has
    eigenpairs :math:`(\lambda_k, U_k)`, sorted by magnitude. Coordinates are
    :math:`X_k = \sqrt{|\lambda_k|} U_k`, space-like where the eigenvalue is positive and
    time-like where it is negative: :math:`\sum_k \mathrm{sign}(\lambda_k) (X_{uk} - X_{vk})^2
    = D_{uv}` (Eq. 2.2.7).

    Parameters
    ----------
    n_components : int, coordinates kept

    Attributes
    ----------
    embedding_ : (m, n_components), coordinates of the fitted models; each coordinate's entry of
        largest magnitude is positive
    eigenvalues_ : (m,), all, by decreasing magnitude
    signature_ : (n_components,), +1 space-like, -1 time-like
    explained_stress_ : (m,), of the first d = 1..m dimensions (Eq. 2.2.8),
        :math:`1 - \sqrt{\sum_{k>d} \lambda_k^2 / \sum_k \lambda_k^2}`

    References
    ----------
    Quinn et al. (2019), PNAS 116 (28), 13762; Mao et al. (2024), PNAS 121 (12).

    Examples
    --------
    >>> import numpy as np
    >>> D = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 4.0], [9.0, 4.0, 0.0]])  # squares on a line
    >>> InPCA(n_components=1).fit(D).embedding_.round(3).tolist()
    [[-1.333], [-0.333], [1.667]]
    """

    def __init__(self, n_components: int = 3):
        self.n_components = n_components

    def fit(self, D: np.ndarray, y: None = None) -> Self:
        """Embed models from their distances D, (m, m). A full eigendecomposition, O(m^3).

        Raises
        ------
        DataError
            If D is not square, finite and symmetric, or has fewer models than components.
        """
        D = np.asarray(D, dtype=np.float64)
        if D.ndim != 2 or D.shape[0] != D.shape[1]:
            raise DataError(f"D: shape {D.shape}, expected a square matrix of distances")
        if not np.isfinite(D).all():
            raise DataError("D: entries that are not finite")
        if not np.allclose(D, D.T, rtol=1e-10, atol=1e-12):
            raise DataError(f"D: not symmetric, off by up to {np.abs(D - D.T).max():.3g}")
        if not 1 <= self.n_components <= len(D):
            raise DataError(
                f"n_components = {self.n_components}: expected 1 to the number of models, {len(D)}"
            )
        self._column_means = D.mean(axis=0)
        self._mean = D.mean()
        W = -0.5 * (D - self._column_means - self._column_means[:, None] + self._mean)
        eigenvalues, vectors = eigh(W, driver="evd")
        order = np.argsort(-np.abs(eigenvalues), kind="stable")
        self.eigenvalues_ = eigenvalues[order]
        kept = vectors[:, order[: self.n_components]]
        largest = np.abs(kept).argmax(axis=0)
        kept = kept * np.sign(kept[largest, np.arange(self.n_components)])
        leading = self.eigenvalues_[: self.n_components]
        self.signature_ = np.where(leading < 0, -1, 1)
        self.embedding_ = kept * np.sqrt(np.abs(leading))
        squares = self.eigenvalues_**2
        left = np.append(squares[::-1].cumsum()[::-1][1:], 0.0)
        self.explained_stress_ = 1 - np.sqrt(left / squares.sum())
        return self

    def fit_transform(self, D: np.ndarray, y: None = None) -> np.ndarray:
        """Fit, and return ``embedding_``."""
        return self.fit(D).embedding_

    def transform(self, D_new: np.ndarray) -> np.ndarray:
        r"""Coordinates (k, n_components) of new models from their distances to the fitted (2.2.9).

        :math:`X = W_{new} U_k\, \mathrm{sign}(\lambda_k) / \sqrt{|\lambda_k|}`; the sign, missing
        in print, makes fitted models return to their own coordinates.

        Parameters
        ----------
        D_new : (k, m) distances of the new models to the m fitted ones
        """
        check_is_fitted(self)
        D_new = np.asarray(D_new, dtype=np.float64)
        m = len(self.embedding_)
        if D_new.ndim != 2 or D_new.shape[1] != m:
            raise DataError(f"D_new: shape {D_new.shape}, expected (new models, {m})")
        rows = D_new.mean(axis=1, keepdims=True)
        W_new = -0.5 * (D_new - rows - self._column_means + self._mean)
        leading = self.eigenvalues_[: self.n_components]
        X = W_new @ self.embedding_
        return np.divide(X, leading, out=np.zeros_like(X), where=leading != 0)


def explained_pairwise_distance(
    D: np.ndarray, embedding: np.ndarray, signature: np.ndarray
) -> np.ndarray:
    r"""Explained pairwise distance of the first d = 1..k dimensions (Eq. 2.4.2).

    :math:`1 - \sum_{uv} |D_{uv} - \hat D_{uv}| / \sum_{uv} D_{uv}`, with
    :math:`\hat D_{uv} = \sum_{j \le d} \mathrm{sign}_j (X_{uj} - X_{vj})^2`.

    Parameters
    ----------
    D : (m, m) distances
    embedding : (m, k) coordinates
    signature : (k,) +1 or -1

    Returns
    -------
    (k,) float64
    """
    rest = np.array(D, dtype=np.float64)
    explained = []
    for x, sign in zip(embedding.T, signature, strict=True):
        rest -= sign * (x[:, None] - x) ** 2
        explained.append(1 - np.abs(rest).sum() / D.sum())
    return np.array(explained)
