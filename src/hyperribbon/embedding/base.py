"""What the estimators of this room share."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from hyperribbon.errors import DataError, OnePointWarning, first_line
from hyperribbon.numerics.eigenpairs import all_eigenpairs, leading_eigenpairs

SOLVERS = ("auto", "full", "block")


class MinkowskiEmbedding(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of estimators that embed by the leading eigenpairs of a centred matrix."""

    n_components: int | None
    solver: str
    random_state: int | np.random.RandomState | None

    @property
    def _n_features_out(self) -> int:
        return self.embedding_.shape[1]

    def fit_transform(self, X, y=None, sample_weight=None) -> np.ndarray:
        """Fit and return ``embedding_``; for the parameters see `fit`."""
        return self.fit(X, sample_weight=sample_weight).embedding_

    def _check_parameters(self, m: int) -> int:
        """Return the number of components; a DataError if a parameter is impossible."""
        if self.solver not in SOLVERS:
            raise DataError(f"solver = {self.solver!r}: expected one of {', '.join(SOLVERS)}")
        k = m if self.n_components is None else self.n_components
        if isinstance(k, bool) or not isinstance(k, int | np.integer) or not 1 <= k <= m:
            raise DataError(
                f"n_components = {self.n_components!r}: expected None or 1 to the number of "
                f"models, n_samples = {m}"
            )
        return int(k)

    def _embed(self, operator, k: int) -> tuple[np.ndarray, float | None]:
        """Set ``embedding_``, ``eigenvalues_`` and ``signature_`` from the operator's eigenpairs.

        Coordinates of points of weight 0 remain 0.

        Returns
        -------
        V : (m, k) unit eigenvectors
        rest : sum of squares of the other eigenvalues, None if these are not known
        """
        m = len(operator.weights)
        rest: float | None = None
        if self._solver_for(m, k) == "full":
            eigenvalues, V = all_eigenpairs(operator.dense())
            rest = float((eigenvalues[k:] ** 2).sum())
            eigenvalues, V = eigenvalues[:k].copy(), V[:, :k]
        else:
            eigenvalues, V = leading_eigenpairs(
                operator.matmul, m, k, random_state=self.random_state
            )
        # Smaller eigenvalues are rounding errors of the largest one.
        rounding = 4 * np.finfo(np.float64).eps * np.sqrt(m)
        if not abs(eigenvalues[0]) > rounding * operator.magnitude:
            warnings.warn(
                f"n_samples = {m}: all models (of weight above 0) coincide; all coordinates are 0, "
                "and there is nothing to explain",
                OnePointWarning,
                stacklevel=3,
            )
            eigenvalues[:], rest = 0, 0.0
        eigenvalues[np.abs(eigenvalues) <= rounding * abs(eigenvalues[0])] = 0.0
        inverse_root = np.divide(1, operator.root, out=np.zeros(m), where=operator.root > 0)
        X = inverse_root[:, None] * V * np.sqrt(np.abs(eigenvalues))
        signs = np.where(X[np.abs(X).argmax(axis=0), np.arange(k)] < 0, -1.0, 1.0)
        self.embedding_ = X * signs
        self.eigenvalues_ = eigenvalues
        self.signature_ = np.where(eigenvalues < 0, -1, 1)
        return V * signs, rest

    def _solver_for(self, m: int, k: int) -> str:
        if self.solver != "auto":
            return self.solver
        # A full decomposition of 2000 models takes a second.
        return "full" if m <= 2000 or 20 * k > m else "block"

    def _finish(self, operator, V: np.ndarray, product: np.ndarray) -> None:
        """Set ``residuals_`` and place the points of weight 0; product is W diag(sqrt w) V."""
        error = operator.root[:, None] * product - V * self.eigenvalues_
        scale = np.where(self.eigenvalues_ == 0, self.eigenvalues_[0], self.eigenvalues_)
        norms = np.linalg.norm(error, axis=0)
        self.residuals_ = np.divide(
            norms, np.abs(scale), out=np.zeros_like(norms), where=scale != 0
        )
        outside = operator.weights == 0
        lengths = np.sqrt(np.abs(self.eigenvalues_))
        self.embedding_[outside] = self._over_eigenvalues(product[outside] * lengths)

    def _over_eigenvalues(self, X: np.ndarray) -> np.ndarray:
        """Divide columns by the eigenvalues; 0 where the eigenvalue is 0."""
        kept = self.eigenvalues_ != 0
        return np.divide(X, self.eigenvalues_, out=np.zeros_like(X), where=kept)


def validated(estimator: BaseEstimator, X, **options):
    """Call scikit-learn's `validate_data`, raising the errors of this package."""
    try:
        return validate_data(estimator, X, **options)
    except ValueError as error:
        # Keep one line: the message may print the array between its first line and its advice.
        _, advised, advice = str(error).partition("\nReshape")
        raise DataError(first_line(error) + advised.replace("\n", " ") + advice) from None
