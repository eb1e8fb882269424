"""Intensive principal component analysis (thesis 2.2.6-2.2.9, 2.5.3)."""

from __future__ import annotations

from typing import Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from hyperribbon.embedding.base import MinkowskiEmbedding, validated
from hyperribbon.embedding.fidelity import check_weights, explained_stress, measure
from hyperribbon.embedding.operators import CentredDistances, check_square, to_float64
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.pairwise.stack import one_array
from hyperribbon.probability.arrays import as_numpy, dtype_name, sliceable


class InPCA(MinkowskiEmbedding):
    r"""Isometric embedding of models in a Minkowski space, from their distances.

    The doubly centred matrix of distances (Eq. 2.2.6)

    .. math:: W = -\tfrac12 L D L^T, \qquad L = I - 1 \mu^T, \qquad \mu = 1 / m

    has eigenpairs :math:`(\lambda_k, U_k)`, sorted by magnitude. Coordinates are :math:`X_k =
    \sqrt{|\lambda_k|} U_k`, space-like where the eigenvalue is positive and time-like where it is
    negative. All coordinates together reproduce the distances (Eq. 2.2.7):

    .. math:: \sum_k \mathrm{sign}(\lambda_k) (X_{uk} - X_{vk})^2 = D_{uv}

    Parameters
    ----------
    n_components : int, number of coordinates; None keeps all m
    metric : how distances are computed

        - a metric of `hyperribbon.pairwise.pairwise_distance` ("bhattacharyya", "symmetric_kl",
          "geodesic", "hellinger", "euclidean"): X is (m, N, C) models, (S, K, N, C) checkpoints of
          trainings, or a list of such arrays, whose models are embedded together;
        - "precomputed": X is the (m, m) distances D, as a numpy array, memmap, dask or Zarr array,
          or a torch tensor on any device. The block solver reads D in blocks of rows and never
          copies all of it;
        - a function of X and Y that returns the (len(X), len(Y)) distances between them.
    solver : how eigenpairs are computed

        - "full": all of them, in O(m^3) time and O(m^2) memory;
        - "block": the n_components of largest magnitude by block Lanczos, in O(m^2) time per
          column (see `hyperribbon.numerics.eigenpairs.leading_eigenpairs`); W is never formed;
        - "auto": "block" for more than 2000 models with at least 20 models per component, else
          "full".
    random_state : int, RandomState or None; seed of the block solver's first block

    Attributes
    ----------
    embedding_ : (m, n_components), coordinates of the fitted models. In each coordinate, the entry
        of largest magnitude, among models of weight above 0, is positive
    eigenvalues_ : (n_components,), by decreasing magnitude. Eigenvalues within the rounding error
        of the first one, 4 eps sqrt(m) relative to it, and their coordinates are set to 0
    signature_ : (n_components,) int, +1 space-like, -1 time-like
    explained_stress_ : (n_components,), of the first d = 1..n_components dimensions (Eq. 2.2.8),
        :math:`1 - \sqrt{\sum_{k>d} \lambda_k^2 / \sum_k \lambda_k^2}`, over all m eigenvalues
    explained_pairwise_distance_ : (n_components,), of the first d dimensions (Eq. 2.4.2),
        :math:`1 - \sum |D_{uv} - \hat D_{uv}| / \sum |D_{uv}|`
    residuals_ : (n_components,), :math:`\|W U_k - \lambda_k U_k\| / |\lambda_k|`, relative to
        :math:`|\lambda_1|` where the eigenvalue is 0. Rounding alone gives about 1e-16
        :math:`|\lambda_1 / \lambda_k|`
    projection_ : (m, n_components), by which distances of new models to the m fitted ones are
        multiplied; then a constant is subtracted (Eq. 2.2.9)
    X_fit_ : the fitted X, not copied, unless ``metric="precomputed"``; `transform` needs it
    n_features_in_ : int, ``X.shape[1]``
    feature_names_in_ : names of X's columns, only if all of them are strings

    Notes
    -----
    ``sample_weight`` gives multiplicities w: a point of weight 3 counts as three coinciding points
    in the mean (:math:`\mu = w / \sum w`), the eigenvalues, the explained stress and the explained
    pairwise distance. Eigenpairs are those of
    :math:`\mathrm{diag}(\sqrt w)\, W\, \mathrm{diag}(\sqrt w)`, and coordinates are
    :math:`\sqrt{|\lambda_k|} V_k / \sqrt w` (2.5.3.2). A point of weight 0 is placed like a new
    one.

    D has the units of squared coordinates; do not square the distances. Negative distances are
    accepted, as intervals of a Minkowski space.

    References
    ----------
    Quinn et al. (2019), PNAS 116 (28), 13762; Mao et al. (2024), PNAS 121 (12).

    Examples
    --------
    >>> import numpy as np
    >>> D = np.array([[0.0, 1.0, 9.0], [1.0, 0.0, 4.0], [9.0, 4.0, 0.0]])  # points on a line
    >>> inpca = InPCA(n_components=1, metric="precomputed").fit(D)
    >>> inpca.embedding_.round(3).tolist()
    [[-1.333], [-0.333], [1.667]]
    >>> inpca.transform([[1.0, 4.0, 16.0]]).round(3).tolist()  # one step further out
    [[-2.333]]

    Three models of two samples:

    >>> P = np.array([[[0.9, 0.1], [0.8, 0.2]], [[0.5, 0.5], [0.5, 0.5]], [[0.2, 0.8], [0.6, 0.4]]])
    >>> InPCA(n_components=2).fit(P).signature_
    array([1, 1])
    """

    def __init__(self, n_components=3, metric="bhattacharyya", solver="auto", random_state=None):
        self.n_components = n_components
        self.metric = metric
        self.solver = solver
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = self.metric == "precomputed"
        tags.input_tags.three_d_array = self.metric != "precomputed"
        tags.input_tags.two_d_array = self.metric == "precomputed" or callable(self.metric)
        return tags

    def fit(self, X, y=None, sample_weight=None) -> Self:
        """Embed models.

        Parameters
        ----------
        X : (m, N, C) models, (m, m) distances, or (m, ...) whatever a function as metric takes
        y : ignored
        sample_weight : (m,) multiplicities, 0 or more; 1 by default

        Raises
        ------
        DataError
            If distances are not square, finite, symmetric and, to rounding, 0 on the diagonal; if
            there are fewer models than components; if weights do not fit, or a parameter is
            impossible.

        Warns
        -----
        OnePointWarning
            If all models (of weight above 0) coincide, to the rounding of their distances.
            Coordinates and eigenvalues are then 0, and explained fractions are NaN.
        """
        X = self._checked(X, reset=True)
        m = X.shape[0]
        k = self._check_parameters(m)
        weights = check_weights(sample_weight, m)
        self.__dict__.pop("X_fit_", None)  # from a fit with another metric
        if self.metric == "precomputed":
            D = X
        else:
            self.X_fit_ = X
            D = self._distances(X, X)
            if isinstance(self.metric, str):
                D = without_rounding(D, self.metric, dtype_name(X))
        operator = CentredDistances(D, weights, "X" if self.metric == "precomputed" else "metric")
        V, rest = self._embed(operator, k)
        found = measure(operator, V, self.embedding_, self.signature_)
        rest = found.rest if rest is None and self.eigenvalues_[0] else rest
        self.explained_stress_ = explained_stress(self.eigenvalues_, rest or 0.0)
        self.explained_pairwise_distance_ = found.explained_pairwise_distance
        if not self.eigenvalues_[0]:
            self.explained_pairwise_distance_[:] = np.nan
        self._finish(operator, V, found.product)
        # New coordinates are -(D_new - means) Y / 2; the other terms of the centring are the same
        # for all fitted models and vanish, because columns of Y sum to 0.
        Y = self._over_eigenvalues(weights[:, None] * self.embedding_)
        Y -= np.outer(operator.mu, Y.sum(axis=0))
        self.projection_ = -0.5 * Y
        self._offset = operator.means @ self.projection_
        return self

    def transform(self, X) -> np.ndarray:
        r"""Coordinates of new models from their distances to the fitted models (Eq. 2.2.9).

        :math:`X = W_{new} U_k\, \mathrm{sign}(\lambda_k) / \sqrt{|\lambda_k|}`. The sign, which
        the printed equation lacks, makes fitted models return to their own coordinates.

        Parameters
        ----------
        X : (k, N, C) new models, (k, m) distances of the new models to the m fitted ones, or
            (k, ...) as fitted

        Returns
        -------
        (k, n_components)

        Raises
        ------
        DataError
            If X does not fit the fitted X, or distances are not finite.
        """
        check_is_fitted(self)
        D = self._checked(X, reset=False)
        if self.metric != "precomputed":
            D = self._distances(D, self.X_fit_)
        new = np.empty((D.shape[0], self._n_features_out))
        for rows in slices(D):
            block = to_float64(D[rows])
            if not np.isfinite(block).all():
                raise DataError("X: distances that are NaN or infinite, expected finite distances")
            new[rows] = block @ self.projection_
        return new - self._offset

    def _checked(self, X, *, reset: bool):
        """Return X as a sliceable array of the shape that the metric needs."""
        if self.metric == "precomputed":
            return self._checked_distances(X, reset)
        if isinstance(self.metric, str):
            X = one_array(X, "X")
            if len(X.shape) != 3 or not X.shape[0]:
                raise DataError(
                    f"X: shape {tuple(X.shape)}, expected (models, samples, classes) for metric "
                    f"{self.metric!r}; metric='precomputed' takes distances"
                )
            return validated(self, X, reset=reset, skip_check_array=True)
        if not callable(self.metric):
            raise DataError(f"metric = {self.metric!r}: expected a name or a function")
        named = hasattr(X, "columns")
        return validated(self, X if named else sliceable(X, "X"), reset=reset, allow_nd=True)

    def _checked_distances(self, X, reset: bool):
        D = sliceable(X, "X")
        if len(D.shape) == 1:
            raise DataError(
                f"X: a 1D array of {len(D)}, expected a matrix of distances. Reshape your data: "
                "scipy.spatial.distance.squareform converts a condensed vector to a matrix"
            )
        if len(D.shape) != 2:
            raise DataError(f"X: shape {tuple(D.shape)}, expected a matrix of distances")
        if hasattr(X, "columns"):
            validated(self, X, reset=reset, skip_check_array=True)
        elif isinstance(D, np.ndarray):  # finiteness is checked block by block
            D = validated(self, D, reset=reset, ensure_all_finite=False)
        else:  # never read as a whole: scikit-learn checks the shape only
            D = validated(self, D, reset=reset, skip_check_array=True)
        if reset:
            check_square(D, "X")
        return D

    def _distances(self, X, Y) -> np.ndarray:
        """Distances (len(X), len(Y)) from X to Y; in a fit, Y is X."""
        if not callable(self.metric):
            # The same floor in fit and transform, whatever the precisions of X and Y.
            return pairwise_distance(X, None if Y is X else Y, metric=self.metric, floor=FLOOR)
        D = as_numpy(self.metric(X, Y), "metric")
        expected = (X.shape[0], Y.shape[0])
        if D.shape != expected:
            raise DataError(f"metric: returned shape {D.shape}, expected {expected}")
        return D


def without_rounding(D, metric: str, dtype: str):
    """Distances, or zeros if all are rounding errors: then all models are one point.

    What rounding leaves of models that never move would otherwise be embedded, as noise.

    Parameters
    ----------
    D : (m, m) distances; any sliceable array, read until one is larger
    metric : the metric of `hyperribbon.pairwise.pairwise_distance` in which they were computed
    dtype : name of the type of the models, such as "float32"

    Returns
    -------
    D, or (m, m) zeros

    Examples
    --------
    >>> without_rounding(np.array([[0, 1e-9], [1e-9, 0]]), "bhattacharyya", "float32").max()
    np.float64(0.0)
    """
    # Several times the errors found for 2 to 1,000 classes and 3 to 3,000 samples; errors of
    # samples do not add up in a mean.
    single = metric == "bhattacharyya" and dtype in ("float32", "float16", "bfloat16")
    largest = float(np.finfo(np.float32).eps) if single else 1e-13
    if any(not np.max(as_numpy(D[rows], "D")) <= largest for rows in slices(D)):
        return D
    return np.zeros(D.shape)
