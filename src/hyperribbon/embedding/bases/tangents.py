"""The three directions of chapter 6 as a basis: to the truth, and tangents at both ends."""

from __future__ import annotations

from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from hyperribbon.embedding.fidelity import explained_by
from hyperribbon.embedding.four_points import averages_at
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.pairwise import FLOOR, pairwise_distance
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability import ignorance, progress, truth
from hyperribbon.probability.arrays import as_float64
from hyperribbon.probability.distributions import check_labels, check_size
from hyperribbon.probability.tangent_space import exp_map, log_map, transport
from hyperribbon.probability.views import trajectories_of

DIRECTIONS = ("to truth", "tangent at ignorance", "tangent at truth")


class TangentBasis(TransformerMixin, BaseEstimator):
    r"""Models in the span of three directions: to the truth, and mean tangents at both ends.

    The square roots of a model are a point x of a product of spheres. Its tangent vector at
    ignorance, :math:`\log_{x_0} x` (see `hyperribbon.probability.tangent_space`), is its place in a
    chart in which geodesics from ignorance are straight. With the truth :math:`x_*`, and the
    averages :math:`x_s`, :math:`x_{1-s}` of all models near progress s and 1 - s (Eq. 2.4.1), the
    directions are

    .. math:: b_1 = \log_{x_0} x_*, \qquad b_2 = \log_{x_0} x_s, \qquad
              b_3 = -\Gamma \log_{x_*} x_{1-s}

    with the parallel transport :math:`\Gamma` from the truth to ignorance along the geodesic. A
    model is projected on :math:`\mathrm{span}(b_1, \dots, b_d)` by least squares in the chart, and
    the geodesic from ignorance leads back to a model; roots that are negative there are set to 0.
    Unlike in the embedding of four points (`hyperribbon.embedding.four_points`), three numbers per
    model give predictions, and distances between these.

    Parameters
    ----------
    s : float in (0, 0.5), progress of the averages that stand for the tangents

    Attributes
    ----------
    directions_ : (3, N, C), tangent vectors at ignorance
    cosines_ : (3, 3), of the angles between them
    axes_ : (3, N, C), the directions made orthonormal in this order, where the inner product is a
        mean over samples; an axis is 0 if it depends on those before it

    Examples
    --------
    >>> from hyperribbon.probability import geodesic
    >>> labels = np.array([0, 1, 1, 0])
    >>> P = geodesic(ignorance(4, 2), truth(labels, 2), np.linspace(0, 1, 11))
    >>> basis = TangentBasis().fit(P, labels)
    >>> basis.transform(P).shape, round(basis.score(P), 4)  # the geodesic is the first direction
    ((11, 3), 1.0)
    """

    def __init__(self, s: float = 0.2):
        self.s = s

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, P, labels, *, progress_of_models=None) -> Self:
        """Find the directions.

        Parameters
        ----------
        P : (m, N, C) models, or several trajectories; any sliceable arrays
        labels : (N,) true classes
        progress_of_models : (m,), computed by default

        Raises
        ------
        DataError
            If no model is near progress s or 1 - s, labels do not fit, or rows are not
            distributions.
        """
        given = isinstance(self.s, int | float | np.number) and not isinstance(self.s, bool)
        if not given or not 0 < self.s < 0.5:
            raise DataError(f"s = {self.s!r}: expected a number above 0 and below 0.5")
        trajectories = trajectories_of(P)
        n_samples, n_classes = trajectories[0].shape[1:]
        labels = check_labels(labels, n_classes, n_samples)
        s = progress(trajectories, labels) if progress_of_models is None else progress_of_models
        s = np.ravel(as_float64(s, "progress_of_models"))
        found = averages_at(trajectories, s, [self.s])
        if not found:
            raise DataError(
                f"s = {self.s:g}: no model near progress {self.s:g} or none near {1 - self.s:g} "
                f"(progress is {s.min():.3g} to {s.max():.3g}), expected models near both"
            )
        early, late = found[self.s]
        start, end = ignorance(n_samples, n_classes), truth(labels, n_classes)
        at_truth = transport(end, start, -log_map(end, late))
        self.directions_ = np.stack([log_map(start, end), log_map(start, early), at_truth])
        B = self.directions_.reshape(3, -1)
        lengths = np.linalg.norm(B, axis=1)
        unit = np.divide(B.T, lengths, out=np.zeros_like(B.T), where=lengths > 0)
        self.cosines_ = unit.T @ unit
        Q, R = np.linalg.qr(unit)
        Q *= np.where(np.diag(R) < 0, -1.0, 1.0) * (np.abs(np.diag(R)) > 1e-7)
        self.axes_ = Q.T.reshape(self.directions_.shape) * np.sqrt(n_samples)
        return self

    def transform(self, P) -> np.ndarray:
        """Coordinates (m, 3) of models along ``axes_``, from ignorance.

        Half the squared distance of coordinates is about the Bhattacharyya distance of models that
        are close to ignorance.

        Parameters
        ----------
        P : (m, N, C) models of the fitted samples, or several trajectories

        Raises
        ------
        DataError
            If the models have other samples or classes, or rows are not distributions.
        """
        check_is_fitted(self)
        stack = self._checked(P)
        axes = self.axes_.reshape(3, -1).T / stack.shape[1]
        start, found = ignorance(*stack.shape[1:]), np.empty((len(stack), 3))
        for models in slices(stack):
            block = log_map(start, stack.read(models))
            found[models] = block.reshape(len(block), -1) @ axes
        return found

    def inverse_transform(self, X) -> np.ndarray:
        """Models (m, N, C) at coordinates (m, d), d from 1 to 3.

        Raises
        ------
        DataError
            If the shape is another.
        """
        check_is_fitted(self)
        X = as_float64(X, "X")
        if X.ndim != 2 or not 1 <= X.shape[1] <= 3:
            raise DataError(f"X: shape {X.shape}, expected coordinates (models, 1 to 3)")
        start = ignorance(*self.axes_.shape[1:])
        return exp_map(start, np.tensordot(X, self.axes_[: X.shape[1]], axes=1))

    def pairwise_distances(self, P, n_directions: int = 3) -> np.ndarray:
        """Distances (m, m) between projections of models, on the first directions.

        Parameters
        ----------
        P : as of `transform`
        n_directions : int, 1 to 3

        Returns
        -------
        (m, m) float64, nats
        """
        d = check_size(n_directions, "n_directions", most=3)
        return pairwise_distance(_Projected(self, self.transform(P)[:, :d]), floor=FLOOR)

    def score(self, P, D=None, n_directions: int = 3) -> float:
        """Explained pairwise distance (Eq. 2.4.2) of the projections of models.

        Parameters
        ----------
        P : as of `transform`
        D : (m, m) distances of the models, any sliceable array; computed by default
        n_directions : int, 1 to 3

        Returns
        -------
        float, at most 1
        """
        D = pairwise_distance(P, floor=FLOOR) if D is None else D
        return explained_by(D, self.pairwise_distances(P, n_directions))

    def _checked(self, P) -> Stack:
        stack, expected = Stack(P, "P"), self.axes_.shape[1:]
        if stack.shape[1:] != expected:
            raise DataError(
                f"P: shape {stack.shape}, expected (models, {expected[0]}, {expected[1]}), the "
                "samples and classes that were fitted"
            )
        return stack


class _Projected:
    """Models at coordinates, made where they are sliced."""

    dtype = np.dtype(np.float64)

    def __init__(self, basis: TangentBasis, X: np.ndarray):
        self._basis, self._X = basis, X
        self.shape = (len(X), *basis.axes_.shape[1:])

    def __getitem__(self, key) -> np.ndarray:
        models, *rest = key if isinstance(key, tuple) else (key,)
        X = self._X[models]
        block = self._basis.inverse_transform(np.atleast_2d(X))
        return (block if X.ndim == 2 else block[0])[(slice(None),) * (X.ndim - 1) + tuple(rest)]


class TangentComparison(NamedTuple):
    """A measured tangent and a predicted one; see `compare_tangents`.

    ``missing`` is a part of what the prediction lacks: of the squared length of the difference,
    relative to that of the measured tangent. Over all samples it sums to 1 - cosine^2.

    Attributes
    ----------
    cosine : of the angle between them, over all samples
    scale : factor of the predicted one at which it is closest to the measured one
    samples : one row per sample: label, measured and predicted (the lengths of its parts, the
        latter scaled), cosine (of its parts), missing
    classes : one row per class: label, samples, share (of the squared length of the measured
        tangent), cosine, missing
    """

    cosine: float
    scale: float
    samples: pd.DataFrame
    classes: pd.DataFrame


def compare_tangents(measured, predicted, labels) -> TangentComparison:
    """Compare a tangent of trajectories with a prediction, such as that of the tangent kernel.

    Parameters
    ----------
    measured : (N, C) tangent vector, such as ``log_map`` of the first checkpoint and a later one
    predicted : (N, C) tangent vector at the same model, such as the ``tangent`` of
        `hyperribbon.curvature.tangent_kernel.ntk_tangent`; its length does not matter
    labels : (N,) true classes

    Returns
    -------
    TangentComparison

    Raises
    ------
    DataError
        If shapes or labels do not fit, a number is not finite, or a tangent is 0.

    Examples
    --------
    >>> found = compare_tangents([[3.0, 0.0], [0.0, 4.0]], [[1.0, 0.0], [0.0, 0.0]], [0, 1])
    >>> round(found.cosine, 3), found.scale, found.samples["missing"].round(3).tolist()
    (0.6, 3.0, [0.0, 0.64])
    """
    m, k = as_float64(measured, "measured"), as_float64(predicted, "predicted")
    if m.ndim != 2 or m.shape != k.shape:
        raise DataError(
            f"measured, predicted: shapes {m.shape} and {k.shape}, expected one (samples, classes)"
        )
    labels = check_labels(labels, m.shape[1], len(m))
    for name, v in (("measured", m), ("predicted", k)):
        if not np.isfinite(v).all() or not v.any():
            kind = "0 everywhere" if not v.any() else "NaN or infinite in places"
            raise DataError(f"{name}: {kind}, expected a finite tangent vector that is not 0")
    of_samples = pd.DataFrame(
        {
            "label": labels,
            "measured": (m**2).sum(axis=1),
            "predicted": (k**2).sum(axis=1),
            "both": (m * k).sum(axis=1),
        }
    )
    total = of_samples[["measured", "predicted", "both"]].sum()
    scale = total["both"] / total["predicted"]
    of_samples["missing"] = ((m - scale * k) ** 2).sum(axis=1) / total["measured"]
    of_classes = of_samples.groupby("label").agg(
        samples=("measured", "size"),
        **{name: (name, "sum") for name in ("measured", "predicted", "both", "missing")},
    )
    for table in (of_samples, of_classes):
        lengths = np.sqrt(table["measured"] * table["predicted"])
        table["cosine"] = table["both"] / lengths.where(lengths > 0)
    of_classes["share"] = of_classes["measured"] / total["measured"]
    of_samples["measured"] = np.sqrt(of_samples["measured"])
    of_samples["predicted"] = np.abs(scale) * np.sqrt(of_samples["predicted"])
    of_samples.insert(0, "sample", np.arange(len(m)))
    return TangentComparison(
        float(total["both"] / np.sqrt(total["measured"] * total["predicted"])),
        float(scale),
        of_samples[["sample", "label", "measured", "predicted", "cosine", "missing"]],
        of_classes.reset_index()[["label", "samples", "share", "cosine", "missing"]],
    )
