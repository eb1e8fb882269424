"""Exact embedding of the symmetrised KL divergence, without its matrix (thesis 2.5.3, IsKL)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hyperribbon.embedding.base import MinkowskiEmbedding, validated
from hyperribbon.embedding.fidelity import Fidelity, check_weights, explained_stress, measure
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.pairwise.stack import one_array
from hyperribbon.probability import as_distributions
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import sliceable

# Probabilities and logarithms stay in memory between products if they take at most this many bytes.
_KEPT_BYTES = 2**30


def iskl_coordinates(P, *, floor: float = FLOOR) -> tuple[np.ndarray, np.ndarray]:
    r"""All coordinates of IsKL: space-like S and time-like T (Eq. 2.5.3).

    .. math:: S = \frac{\ln p + p}{2 \sqrt N}, \qquad T = \frac{\ln p - p}{2 \sqrt N}, \qquad
              d_{sKL}(P, Q) = |S_P - S_Q|^2 - |T_P - T_Q|^2

    Parameters
    ----------
    P : (m, N, C) distributions
    floor : float; smaller probabilities count as ``floor`` in the logarithm

    Returns
    -------
    S, T : (m, N C) float64

    Raises
    ------
    DataError
        If rows are not distributions, or the floor is not above 0 and below 1.

    Examples
    --------
    >>> S, T = iskl_coordinates([[[0.5, 0.5]], [[0.9, 0.1]]])
    >>> round(float(((S[0] - S[1]) ** 2).sum() - ((T[0] - T[1]) ** 2).sum()), 4)
    0.8789
    """
    P = sliceable(P, "P")
    p, log_p = _flat(P, _checked_floor(floor))
    root = 2 * np.sqrt(P.shape[1])
    return (log_p + p) / root, (log_p - p) / root


class IsKL(MinkowskiEmbedding):
    r"""Isometric embedding of models by the symmetrised KL divergence (Eq. 2.5.3).

    The divergence (natural logarithm, mean over samples) is a Minkowski distance between points
    that are known in advance, :math:`d = |\Delta S|^2 - |\Delta T|^2` with :math:`S, T = (\ln p
    \pm p) / 2 \sqrt N`. So the centred matrix of `InPCA` is

    .. math:: W = S_c S_c^T - T_c T_c^T = \frac{1}{2 N} (\ln p_c\, p_c^T + p_c \ln p_c^T),

    with centred columns. Its leading eigenpairs come from products with ln p and p, in O(m N C)
    time per column and without an (m, m) matrix. Coordinates are the same as those of
    ``InPCA(metric="symmetric_kl")``.

    Parameters
    ----------
    n_components : int, number of coordinates; None keeps all m
    solver : "auto", "full" or "block", as in `InPCA`; "full" does form W
    random_state : int, RandomState or None; seed of the block solver's first block
    floor : float above 0; smaller probabilities count as ``floor`` in the logarithm

    Attributes
    ----------
    embedding_, eigenvalues_, signature_, residuals_, n_features_in_ : as in `InPCA`
    explained_stress_, explained_pairwise_distance_ : as in `InPCA`. These are exact, from all pairs
        of models in O(m^2 N C) time, and computed on first access
    X_fit_ : the fitted X, not copied

    Notes
    -----
    X is read in blocks of models, twice per product, unless ln p and p fit in 1 GB (in float64) and
    stay in memory. Other memory is O((m + N C) k).

    References
    ----------
    Teoh et al. (2020), Phys. Rev. Research 2, 033221.

    Examples
    --------
    >>> P = [[[0.9, 0.1], [0.8, 0.2]], [[0.5, 0.5], [0.5, 0.5]], [[0.2, 0.8], [0.6, 0.4]]]
    >>> iskl = IsKL(n_components=3).fit(P)
    >>> X = iskl.embedding_
    >>> round(float(iskl.signature_ @ (X[0] - X[1]) ** 2), 4)  # of models 0 and 1
    0.6474
    """

    def __init__(self, n_components=3, solver="auto", random_state=None, floor=FLOOR):
        self.n_components = n_components
        self.solver = solver
        self.random_state = random_state
        self.floor = floor

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, X, y=None, sample_weight=None) -> Self:
        """Embed models.

        Parameters
        ----------
        X : (m, N, C) distributions: numpy, torch, dask or Zarr; (S, K, N, C) checkpoints of
            trainings; or a list of such arrays, whose models are embedded together
        y : ignored
        sample_weight : (m,) multiplicities, 0 or more; 1 by default; see `InPCA`

        Raises
        ------
        DataError
            If rows are not distributions; if there are fewer models than components; if weights
            do not fit, or a parameter is impossible.

        Warns
        -----
        OnePointWarning
            If all models (of weight above 0) are the same.
        """
        X = self._checked(X, reset=True)
        m = X.shape[0]
        k = self._check_parameters(m)
        weights = check_weights(sample_weight, m)
        operator = LogProducts(X, weights, _checked_floor(self.floor))
        V, self._rest = self._embed(operator, k)
        self._measured: Fidelity | None = None
        self.X_fit_, self._weights = X, weights
        product = operator.apply(operator.root[:, None] * V)
        self._finish(operator, V, product)
        Y = self._over_eigenvalues(weights[:, None] * self.embedding_)
        self._means = operator.means
        self._projections = operator.project(Y - np.outer(operator.mu, Y.sum(axis=0)))
        return self

    def transform(self, X) -> np.ndarray:
        """Coordinates (k, n_components) of new models (k, N, C), as in `InPCA` (Eq. 2.2.9)."""
        check_is_fitted(self)
        X = self._checked(X, reset=False)
        if X.shape[1:] != self.X_fit_.shape[1:]:
            n, c = self.X_fit_.shape[1:]
            raise DataError(f"X: shape {tuple(X.shape)}, expected (models, {n}, {c})")
        new = np.empty((X.shape[0], self._n_features_out))
        for rows in slices(X):
            p, log_p = _flat(X[rows], self.floor)
            of_p, of_log = self._projections
            new[rows] = (log_p - self._means[1]) @ of_p + (p - self._means[0]) @ of_log
        return new

    @property
    def explained_stress_(self) -> np.ndarray:
        """Explained stress of the first d = 1..n_components dimensions (Eq. 2.2.8)."""
        check_is_fitted(self)
        rest = self._fidelity().rest if self._rest is None else self._rest
        return explained_stress(self.eigenvalues_, rest if self.eigenvalues_[0] else 0.0)

    @property
    def explained_pairwise_distance_(self) -> np.ndarray:
        """Explained pairwise distance of the first d dimensions (Eq. 2.4.2)."""
        check_is_fitted(self)
        explained = self._fidelity().explained_pairwise_distance
        return explained if self.eigenvalues_[0] else np.full_like(explained, np.nan)

    def _fidelity(self) -> Fidelity:
        if self._measured is None:
            operator = LogProducts(self.X_fit_, self._weights, self.floor)
            lengths = np.sqrt(np.abs(self.eigenvalues_))
            V = operator.root[:, None] * self.embedding_
            V = np.divide(V, lengths, out=np.zeros_like(V), where=lengths > 0)
            self._measured = measure(operator, V, self.embedding_, self.signature_)
        return self._measured

    def _checked(self, X, *, reset: bool):
        X = one_array(X, "X")
        if len(X.shape) != 3 or 0 in X.shape:
            raise DataError(
                f"X: shape {tuple(X.shape)}, expected (models, samples, classes), none of them 0"
            )
        return validated(self, X, reset=reset, skip_check_array=True)


class LogProducts:
    """The matrix of `CentredDistances` for the symmetrised KL divergence, from models.

    Parameters
    ----------
    X : (m, N, C) distributions
    weights : (m,) float64, >= 0, not all 0
    floor : float above 0, smallest probability in the logarithm
    """

    def __init__(self, X, weights: np.ndarray, floor: float):
        self.X, self.floor = X, floor
        self.weights = weights
        self.root = np.sqrt(weights)
        self.mu = weights / weights.sum()
        m, n, c = X.shape
        self._scale = 1 / (2 * n)
        self._kept: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self.means = np.zeros((2, n * c))
        lengths = np.zeros(2)
        for rows in self.slices():
            both = _flat(X[rows], floor)
            self.means += [self.mu[rows] @ a for a in both]
            lengths += [weights[rows] @ np.einsum("ij,ij->i", a, a) for a in both]
        if 2 * 8 * m * n * c <= _KEPT_BYTES:
            self._kept = {rows.start: (p, log_p) for rows, p, log_p in self._blocks()}
        centred, self._squares = np.zeros(2), np.empty(m)
        for rows, *pair in self._blocks():
            self._squares[rows] = 2 * self._scale * np.einsum("ij,ij->i", *pair)
            centred += [weights[rows] @ np.einsum("ij,ij->i", a, a) for a in pair]
        self.magnitude = float(np.sqrt(centred.prod()) / n)
        # Equal models differ from their mean by rounding only: no eigenvalue is significant.
        if not centred[0] > (16 * np.finfo(np.float64).eps) ** 2 * lengths[0]:
            self.magnitude = np.inf

    def _blocks(self) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Yield blocks of models: their slice, and what `_block` makes of them."""
        for rows in self.slices():
            yield rows, *self._block(rows)

    def _block(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Centred probabilities and logarithms of a block of models, (b, N C) each."""
        if rows.start in self._kept:
            return self._kept[rows.start]
        p, log_p = _flat(self.X[rows], self.floor)
        return p - self.means[0], log_p - self.means[1]

    def project(self, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute p^T Y / 2N and (ln p)^T Y / 2N, centred; (N C, b) each."""
        of_p = np.zeros((self.means.shape[1], Y.shape[1]))
        of_log = np.zeros_like(of_p)
        for rows, p, log_p in self._blocks():
            of_p += p.T @ Y[rows]
            of_log += log_p.T @ Y[rows]
        return of_p * self._scale, of_log * self._scale

    def apply(self, Y: np.ndarray) -> np.ndarray:
        """Compute W Y, (m, b)."""
        of_p, of_log = self.project(Y)
        product = np.empty_like(Y)
        for rows, p, log_p in self._blocks():
            product[rows] = log_p @ of_p + p @ of_log
        return product

    def matmul(self, V: np.ndarray) -> np.ndarray:
        """Compute A V, (m, b), with A = diag(sqrt w) W diag(sqrt w)."""
        return self.root[:, None] * self.apply(self.root[:, None] * V)

    def dense(self) -> np.ndarray:
        """Form A, (m, m)."""
        A = np.empty((len(self.mu),) * 2)
        for rows in self.slices():
            A[rows] = self.root[rows, None] * self.rows(rows)[1] * self.root
        return (A + A.T) / 2

    def slices(self) -> Iterator[slice]:
        """Cut the models into blocks of a bounded size."""
        return slices(self.X)

    def rows(self, rows: slice) -> tuple[np.ndarray, np.ndarray]:
        """Compute a block of rows of the distances and of W; X is read once."""
        p, log_p = self._block(rows)
        W = np.empty((len(p), len(self.mu)))
        for columns, q, log_q in self._blocks():
            W[:, columns] = self._scale * (log_p @ q.T + p @ log_q.T)
        return self._squares[rows, None] + self._squares - 2 * W, W


def _flat(P, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and their floored logarithms, (m, N C) each."""
    if len(P.shape) != 3 or 0 in P.shape:
        raise DataError(f"P: shape {tuple(P.shape)}, expected (models, samples, classes)")
    p = as_distributions(P, "X").reshape(P.shape[0], -1)
    return p, np.log(np.maximum(p, floor))


def _checked_floor(floor: float) -> float:
    if not isinstance(floor, int | float | np.number) or not 0 < floor < 1:
        raise DataError(
            f"floor = {floor!r}: expected above 0 and below 1, because 0 has no logarithm"
        )
    return float(floor)
