"""A basis of models: a few whose mixtures stand for all (chapter 6)."""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from hyperribbon.embedding.base import validated
from hyperribbon.embedding.bases.finding import METHODS, Search
from hyperribbon.embedding.bases.mixtures import MIXTURES, Mixtures
from hyperribbon.embedding.bases.reading import Roots, count_distinct
from hyperribbon.embedding.bases.weights import Weights, nearest_mixtures
from hyperribbon.errors import DataError, UnreachedWarning
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability.arrays import as_float64, sliceable
from hyperribbon.probability.distributions import check_size

_BAND_BYTES = 2**28  # of distances that are compared at a time


class ModelBasis(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""A few models whose mixtures reproduce all models, and the distances between them.

    Given m models, find K models :math:`b_k` and weights on the simplex, :math:`w_j`, such that the
    mixture of each model is near it, in Bhattacharyya distance; then the distances between
    mixtures are near those between models (thesis, chapter 6).

    Parameters
    ----------
    n_basis : int, number K of basis models
    method : how they are found

        - "subset": given models, chosen greedily for what nonnegative combinations of their square
          roots leave of all models; see `choose_greedily`. O(m^2 N C + K^2 m^2) time and an (m, m)
          matrix;
        - "archetypes": mixtures of given models, which alternate with the weights, from the subset
          on; O(m N C K) time and four to six readings of the models per iteration. They are found
          with mixtures of probabilities, whatever the kind of ``mixture``;
        - "free": any models, which alternate with the weights, from the subset on; O(m N C K) time
          and two or three readings per iteration;
        - "k_medoids": given models such that each model is near one of them, chosen greedily; the
          reduction of the summed distances is at least 1 - 1/e of the best; see `choose_medoids`;
        - "random": given models drawn at random;
        - "nmf": plain nonnegative matrix factorisation in the squared Euclidean distance, of square
          roots if ``mixture="root"`` and else of probabilities, with normalised factors. It needs
          all models in memory.
    mixture : "probability", "root" or "geometric"; see `Mixtures`
    max_iter : int, most iterations of an alternating method
    tol : float; such a method stops once an iteration lowers its objective by no more than this
        part of it
    random_state : int, RandomState or None; of "random" and "nmf"
    progress_bar : bool, show progress of long work on a terminal

    Attributes
    ----------
    basis_ : (K, N, C) float64, the basis models
    indices_ : (K,) int, which models they are, in the order of choice; None unless they are given
        models
    composition_ : (K, m) weights of the given models in archetypes; otherwise None
    weights_ : (m, K) weights on the simplex, of the fitted models
    residuals_ : (m,) Bhattacharyya distances from models to their mixtures, in nats per sample
    gaps_ : (m,) certificates of the weights, in nats; see `nearest_mixtures`
    unreached_ : (m,) int, samples on which a model shares no class with the basis
    objective_ : what the method lowers, never rising. Of "free" and "archetypes", the mean distance
        to mixtures after each iteration; of "subset" and "k_medoids", the mean squared error of
        roots and the mean distance to the nearest medoid, by size of the basis; otherwise empty
    n_iter_ : int, iterations of an alternating method; otherwise K
    X_fit_ : the fitted models, not copied
    n_features_in_ : int, number of samples N

    Notes
    -----
    Models are read in blocks, so that memory does not grow with m N C. All methods but "random" and
    "nmf" keep one (m, m) matrix in memory, in float32 for more than 2,000 models (1.6 GB for
    20,000), or several arrays of the size of the basis in float64. Models that take 512 MB or less
    in float64 stay in memory between iterations. `score` needs no (m, m) matrix.

    References
    ----------
    Mao (2024), chapter 6; Cutler & Breiman (1994), Technometrics 36 (4), 338.

    Examples
    --------
    >>> P = [[[0.9, 0.1], [0.8, 0.2]], [[0.5, 0.5], [0.5, 0.5]], [[0.1, 0.9], [0.2, 0.8]]]
    >>> basis = ModelBasis(n_basis=2).fit(P)
    >>> sorted(basis.indices_.tolist()), basis.weights_.round(3).tolist()
    ([0, 2], [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    >>> round(basis.score(P), 3)
    1.0
    """

    def __init__(
        self,
        n_basis=10,
        *,
        method="subset",
        mixture="probability",
        max_iter=100,
        tol=1e-4,
        random_state=None,
        progress_bar=False,
    ):
        self.n_basis = n_basis
        self.method = method
        self.mixture = mixture
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.progress_bar = progress_bar

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    @property
    def _n_features_out(self) -> int:
        return len(self.basis_)

    def fit(self, X, y=None) -> Self:
        """Find a basis, and the weights of the models in it.

        Parameters
        ----------
        X : (m, N, C) distributions: numpy, torch, dask or Zarr; (S, K, N, C) checkpoints of
            trainings; or a list of such arrays
        y : ignored

        Raises
        ------
        DataError
            If rows are not distributions, there are fewer different models than basis models, or a
            parameter is impossible.

        Warns
        -----
        UnreachedWarning
            If a model shares no class with any basis model on some samples.
        """
        method, kind = METHODS.find(self.method), MIXTURES.find(self.mixture)
        K = check_size(self.n_basis, "n_basis")
        max_iter = check_size(self.max_iter, "max_iter")
        if not isinstance(self.tol, int | float | np.number) or not self.tol >= 0:
            raise DataError(f"tol = {self.tol!r}: expected a number, 0 or more")
        X = validated(self, Stack(X, "X"), reset=True, skip_check_array=True)
        if len(X) < K:
            raise DataError(
                f"n_basis = {K}: expected 1 to the number of models, n_samples = {len(X)}"
            )
        roots = Roots(X, keep=True)
        different = count_distinct(roots, K)
        if different < K:
            raise DataError(
                f"n_basis = {K}: only {different} of {len(X)} models are different, expected at "
                f"most {different}"
            )
        title = "basis" if self.progress_bar else None
        random = check_random_state(self.random_state)
        found = method(Search(roots, K, kind, max_iter, float(self.tol), random, title))
        self.basis_, self.indices_, self.composition_ = found[:3]
        self.objective_ = np.zeros(0) if found.objective is None else found.objective
        alternated = found.objective is not None and found.indices is None
        self.n_iter_ = len(self.objective_) - 1 if alternated else K
        self.X_fit_ = X
        self._set_weights(roots)
        return self

    def fit_transform(self, X, y=None) -> np.ndarray:
        """Fit and return ``weights_``."""
        return self.fit(X).weights_

    def _set_weights(self, roots: Roots) -> None:
        found = self._nearest(roots)
        self.weights_, self.residuals_, self.gaps_, self.unreached_ = found

    def smaller(self, n_basis: int) -> ModelBasis:
        """Return the basis of the first models that were chosen, with weights in it.

        It is the same as that of a fit with this ``n_basis``, for the cost of the weights: a curve
        over the number of basis models takes one fit.

        Raises
        ------
        DataError
            If the method is not nested, or there are not so many models in the basis.
        """
        check_is_fitted(self)
        if self.indices_ is None:
            raise DataError(
                f"method = {self.method!r}: a smaller basis is not part of a larger one; fit again "
                f"with n_basis = {n_basis}"
            )
        k = check_size(n_basis, "n_basis", most=len(self.basis_))
        few = clone(self).set_params(n_basis=k)
        few.basis_, few.indices_ = self.basis_[:k], self.indices_[:k]
        few.composition_, few.objective_ = None, self.objective_[:k]
        few.n_iter_, few.n_features_in_, few.X_fit_ = k, self.n_features_in_, self.X_fit_
        few._set_weights(Roots(self.X_fit_))
        return few

    def transform(self, X) -> np.ndarray:
        """Weights (k, K) of new models (k, N, C) in the basis.

        Raises
        ------
        DataError
            If rows are not distributions, or samples and classes are not those of the fitted
            models.

        Warns
        -----
        UnreachedWarning
            If a model shares no class with any basis model on some samples.
        """
        return self._nearest(self._read(X)).weights

    def residuals(self, X) -> np.ndarray:
        """Bhattacharyya distances (k,) from new models to their mixtures, in nats per sample."""
        return self._nearest(self._read(X)).residuals

    def inverse_transform(self, weights) -> np.ndarray:
        """Mixtures (k, N, C) of the basis models, all in memory; see `mixtures`."""
        return self.mixtures(weights)[:]

    def mixtures(self, weights=None) -> Mixtures:
        """Mixtures (k, N, C) that are formed where they are sliced.

        Parameters
        ----------
        weights : (k, K) on the simplex; those of the fitted models by default
        """
        check_is_fitted(self)
        weights = self.weights_ if weights is None else as_float64(weights, "weights")
        return Mixtures(self.basis_, weights, self.mixture, self.X_fit_.dtype)

    def pairwise_distances(self, weights=None) -> np.ndarray:
        """Bhattacharyya distances (k, k) between mixtures, in nats; never all k in memory."""
        return self.mixtures(weights).pairwise_distances()

    def score(self, X, D=None, *, with_residuals: bool = False) -> float:
        r"""Explained pairwise distance of models by their mixtures (Eq. 2.4.2).

        .. math:: 1 - \sum_{uv} |D_{uv} - \hat D_{uv}| / \sum_{uv} D_{uv}

        With residuals r, the distance between two models is taken to be that between their
        mixtures and those to their mixtures, :math:`\hat D_{uv} + r_u + r_v`: a number more per
        model. That is exact if what mixtures leave of square roots is, on every sample, orthogonal
        to that of other models and to their mixtures: coefficients then multiply, and their
        logarithms add up.

        Parameters
        ----------
        X : (k, N, C) models, of the fit or not
        D : (k, k) their Bhattacharyya distances, any sliceable array; computed by default
        with_residuals : bool, whether residuals are added

        Returns
        -------
        float, at most 1; NaN if all distances are 0

        Raises
        ------
        DataError
            If shapes do not fit or rows are not distributions.
        """
        X = Stack(X, "X")
        if D is not None:
            D = sliceable(D, "D")
            if tuple(D.shape) != (len(X), len(X)):
                raise DataError(f"D: shape {tuple(D.shape)}, expected {(len(X), len(X))}, as of X")
        found = self._nearest(self._read(X))
        residuals = found.residuals if with_residuals else np.zeros(len(X))
        return _explained(self.mixtures(found.weights), residuals, X, D)

    def _read(self, X) -> Roots:
        check_is_fitted(self)
        X = X if isinstance(X, Stack) else Stack(X, "X")
        if X.shape[1:] != self.basis_.shape[1:]:
            n, c = self.basis_.shape[1:]
            raise DataError(f"X: shape {X.shape}, expected (models, {n}, {c}), as fitted")
        return Roots(X)

    def _nearest(self, roots: Roots) -> Weights:
        found = nearest_mixtures(roots, self.basis_, self.mixture, progress_bar=self.progress_bar)
        count = np.count_nonzero(found.unreached)
        if count:
            worst = int(np.lexsort((found.residuals, found.unreached))[-1])
            warnings.warn(
                f"X: {count} of {len(roots)} models share no class with the basis on some samples, "
                f"where distances are infinite but for their floor; most of all model {worst}, on "
                f"{found.unreached[worst]} of {roots.shape[1]} samples, with a residual of "
                f"{found.residuals[worst]:.3g} nats",
                UnreachedWarning,
                stacklevel=3,
            )
        return found


def _explained(mixtures: Mixtures, residuals: np.ndarray, X: Stack, D) -> float:
    """Explained pairwise distance, from some rows of both matrices at a time."""
    m = len(X)
    size = max(1, _BAND_BYTES // (8 * m))
    misfit = total = 0.0
    for start in range(0, m, size):
        stop = min(start + size, m)
        found = _distances(mixtures, start, stop)
        found += residuals[start:stop, None] + residuals[start:]
        np.fill_diagonal(found, 0)
        if D is None:
            given = _distances(X, start, stop)
        else:
            given = as_float64(D[start:stop], "D")[:, start:]
        # Pairs with models further on count twice, as the matrix is symmetric.
        twice = np.where(np.arange(start, m) < stop, 1, 2)
        misfit += np.abs(given - found).sum(axis=0) @ twice
        total += np.abs(given).sum(axis=0) @ twice
    return float(1 - misfit / total) if total > 0 else float("nan")


class _Part:
    """Consecutive models of a `Stack` or of `Mixtures`, read where they are sliced."""

    def __init__(self, P, start: int, stop: int):
        self._P, self._start = P, start
        self.shape, self.dtype = (stop - start, *P.shape[1:]), P.dtype

    def __getitem__(self, key) -> np.ndarray:
        models, *rest = key if isinstance(key, tuple) else (key,)
        start, stop, _ = models.indices(len(self._P) - self._start)
        return self._P[(slice(self._start + start, self._start + stop), *rest)]


def _distances(P, start: int, stop: int) -> np.ndarray:
    """Bhattacharyya distances from models start to stop, to all from start on."""
    rows = _Part(P, start, stop)
    return pairwise_distance(rows, None if stop == len(P) else _Part(P, start, len(P)))
