r"""What sets models apart: each sample's part of a distance, a coordinate or progress.

All are exact: contributions of the samples sum to what they explain, to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from hyperribbon.embedding.inpca import InPCA
from hyperribbon.errors import DataError
from hyperribbon.numerics.blocks import slices
from hyperribbon.pairwise import FLOOR
from hyperribbon.pairwise.stack import Stack
from hyperribbon.probability import ignorance, progress
from hyperribbon.probability.distance import arcs
from hyperribbon.probability.distributions import as_distributions, check_labels, check_size
from hyperribbon.probability.progress import plane_coordinates

# Each sample's distance between p and q, (..., N, C) float64 with rows that sum to 1.
Terms = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _bhattacharyya(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    coefficients = np.einsum("...c,...c->...", np.sqrt(p), np.sqrt(q))
    return 0 - np.log(np.clip(coefficients, FLOOR, 1.0))


def _symmetric_kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    ratio = np.log(np.maximum(p, FLOOR)) - np.log(np.maximum(q, FLOOR))
    return ((p - q) * ratio).sum(axis=-1)


def _geodesic(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return arcs(np.sqrt(p), np.sqrt(q))


def _euclidean(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    return ((p - q) ** 2).sum(axis=-1)


class Term(NamedTuple):
    """A distance that is a mean over samples."""

    of_samples: Terms
    name: str
    units: str


# Hellinger's distance is no mean over samples.
TERMS = {
    "bhattacharyya": Term(_bhattacharyya, "Bhattacharyya distance", "nats"),
    "symmetric_kl": Term(_symmetric_kl, "symmetrised Kullback-Leibler divergence", "nats"),
    "geodesic": Term(_geodesic, "geodesic distance", "radians"),
    "euclidean": Term(_euclidean, "squared Euclidean distance", "1"),
}


def explain_distance(
    P, Q, labels=None, *, metric: str = "bhattacharyya", class_names: Sequence[str] | None = None
) -> xr.Dataset:
    r"""Contributions of samples and classes to the distance between two models.

    A distance is a mean over samples, :math:`d(P, Q) = \sum_n d_n / N`; sample n contributes
    :math:`d_n / N`, and a class the sum over its samples.

    Parameters
    ----------
    P, Q : (N, C) distributions
    labels : (N,) true classes, optional; with them there are contributions of classes
    metric : "bhattacharyya", "symmetric_kl", "geodesic" or "euclidean"
    class_names : C names, optional; the classes' numbers by default

    Returns
    -------
    Dataset
        ``contribution`` (sample), in the units of the distance: nats, or radians for "geodesic";
        with labels, ``by_class`` (class) and the coordinate ``label`` (sample), a name. The
        predicted classes of both are ``p`` and ``q`` (sample). The attribute ``total`` is the
        distance, the sum over samples.

    Raises
    ------
    DataError
        If rows are not distributions, shapes or labels do not fit, or the metric is no mean over
        samples.

    Examples
    --------
    >>> P, Q = np.array([[0.5, 0.5], [0.9, 0.1]]), np.array([[0.5, 0.5], [0.2, 0.8]])
    >>> found = explain_distance(P, Q, [0, 1])
    >>> found.contribution.round(3).values.tolist(), round(found.total, 3)
    ([0.0, 0.173], 0.173)
    >>> found.by_class.sel({"class": "1"}).round(3).item()
    0.173
    """
    p, q = _two_models(P, Q)
    if metric not in TERMS:
        raise DataError(
            f"metric = {metric!r}: expected a mean over samples, one of {', '.join(TERMS)}"
        )
    term = TERMS[metric]
    found = term.of_samples(p, q) / len(p)
    return _explained(found, p, q, labels, class_names, f"the {term.name}", term.units)


def explain_coordinate(
    inpca: InPCA,
    P,
    Q,
    labels=None,
    *,
    component: int = 1,
    fitted=None,
    class_names: Sequence[str] | None = None,
) -> xr.Dataset:
    r"""Contributions of samples and classes to how far two models are apart in an InPCA coordinate.

    A coordinate is linear in the distances from the fitted models (Eq. 2.2.9), and these are means
    over samples. So

    .. math:: X_k(P) - X_k(Q) = \sum_n \frac{1}{N} \sum_u
              \bigl(d_n(P, P_u) - d_n(Q, P_u)\bigr)\, B_{uk}

    with B the ``projection_`` of the InPCA, and sample n contributes its term.

    Parameters
    ----------
    inpca : InPCA, fitted to models or to their distances in a metric that is a mean over samples
    P, Q : (N, C) distributions
    labels : (N,) true classes, optional; with them there are contributions of classes
    component : int, from 1
    fitted : (m, N, C) fitted models, needed if ``inpca`` was fitted to distances, which then are
        Bhattacharyya distances
    class_names : C names, optional; the classes' numbers by default

    Returns
    -------
    Dataset, as of `explain_distance`; ``total`` is the coordinate of P less that of Q

    Raises
    ------
    DataError
        If rows are not distributions, shapes or labels do not fit, there is no such component, or
        the fitted models are not known.

    Notes
    -----
    The cost is 2 m N C, in blocks of models.

    Examples
    --------
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(8, 5))
    >>> inpca = InPCA(2).fit(P)
    >>> found = explain_coordinate(inpca, P[0], P[1], component=2)
    >>> bool(np.isclose(found.total, inpca.embedding_[0, 1] - inpca.embedding_[1, 1]))
    True
    """
    metric = "bhattacharyya" if inpca.metric == "precomputed" else inpca.metric
    if not isinstance(metric, str) or metric not in TERMS:
        raise DataError(
            f"inpca: fitted with metric {metric!r}, expected a mean over samples, one of "
            f"{', '.join(TERMS)}"
        )
    given = getattr(inpca, "X_fit_", None) if fitted is None else fitted
    if given is None:
        raise DataError("inpca: fitted to distances; give fitted=, the models (m, N, C)")
    k = check_size(component, "component", 1, inpca.embedding_.shape[1]) - 1
    (p, q), stack = _two_models(P, Q), Stack(given, "fitted")
    weights, terms, found = inpca.projection_[:, k], TERMS[metric].of_samples, np.zeros(len(p))
    if stack.shape != (len(weights), *p.shape):
        expected = (len(weights), *p.shape)
        raise DataError(f"fitted: shape {stack.shape}, expected {expected}")
    for models in slices(stack):
        block = as_distributions(stack.read(models))
        found += weights[models] @ (terms(block, p) - terms(block, q))
    found /= len(p)
    return _explained(found, p, q, labels, class_names, f"InPCA coordinate {component}", "nats^0.5")


def explain_progress(
    P, labels, Q=None, *, prior=None, class_names: Sequence[str] | None = None
) -> xr.Dataset:
    r"""Contributions of samples and classes to a model's progress towards the truth.

    Progress s minimises the mean arc to the geodesic, where the slopes of all samples sum to 0:
    :math:`\sum_n f_n'(s) = 0` (see `progress`). When Q is replaced by P, sample n changes its slope
    by :math:`\Delta_n`, and the minimum moves by

    .. math:: s(P) - s(Q) = -\sum_n \Delta_n / S

    with the secant S of the summed slope between both minima. Sample n contributes
    :math:`-\Delta_n / S`, averaged over the two orders (slopes at s(Q) with the secant of P, slopes
    at s(P) with that of Q). Where a minimum lies at an end, 0 or 1, a sum of slopes that is not 0
    is shared equally.

    Parameters
    ----------
    P : (N, C) distributions
    labels : (N,) true classes
    Q : (N, C), the model to compare with; by default ignorance, whose progress is 0
    prior : of ignorance, as in `ignorance`
    class_names : C names, optional

    Returns
    -------
    Dataset, as of `explain_distance`; ``total`` is the progress of P less that of Q

    Raises
    ------
    DataError
        If rows are not distributions, or shapes or labels do not fit.

    Examples
    --------
    >>> P = np.array([[0.9, 0.1], [0.5, 0.5], [0.4, 0.6]])
    >>> found = explain_progress(P, np.array([0, 0, 0]))
    >>> bool(np.isclose(found.total, progress(P, np.array([0, 0, 0]))))
    True
    """
    start = Q
    if start is None:
        n_samples, n_classes = np.shape(P)[-2:]
        start = ignorance(n_samples, n_classes, prior, labels)
    p, q = _two_models(P, start)
    labels = check_labels(labels, p.shape[1], len(p))
    s_p, s_q = (float(progress(rows, labels, prior=prior)) for rows in (p, q))
    at_p, at_q = (plane_coordinates(rows, labels, prior=prior) for rows in (p, q))
    found = np.zeros(len(p))
    if s_p != s_q:
        for s, other, mover, sign in ((s_q, s_p, at_p, 1), (s_p, s_q, at_q, -1)):
            # Slopes of both models at s; the secant is that of the model whose minimum is at other.
            change = sign * (at_p.slopes(s) - at_q.slopes(s))
            secant = (mover.slopes(other) - mover.slopes(s)).sum() / (other - s)
            if secant < 1e-6 * len(p):  # two classes may have many minima, where it is 0
                found += (s_p - s_q) / len(p) / 2
                continue
            change -= (change.sum() - (s - other) * secant) / len(p)
            found += sign * -change / secant / 2
    return _explained(found, p, q, labels, class_names, "progress", "1")


def _two_models(P, Q) -> tuple[np.ndarray, np.ndarray]:
    """Two models (N, C) as distributions; a DataError if their shapes do not fit."""
    p, q = as_distributions(P, "P"), as_distributions(Q, "Q")
    if p.ndim != 2 or p.shape != q.shape:
        raise DataError(
            f"P, Q: shapes {p.shape} and {q.shape}, expected two models (samples, classes)"
        )
    return p, q


def _explained(found, p, q, labels, class_names, what: str, units: str) -> xr.Dataset:
    """Contributions of samples, and of classes if labels are known, labelled."""
    n_samples, n_classes = p.shape
    names = [str(c) for c in range(n_classes)] if class_names is None else list(class_names)
    if len(names) != n_classes:
        raise DataError(f"class_names: {len(names)}, expected {n_classes}, one per class")
    named = np.array(names, dtype=object)
    attributes = {"long_name": f"contribution to {what}", "units": units}
    variables = {
        "contribution": ("sample", found, attributes),
        "p": ("sample", named[p.argmax(axis=1)], {"long_name": "class that P predicts"}),
        "q": ("sample", named[q.argmax(axis=1)], {"long_name": "class that Q predicts"}),
    }
    coordinates: dict[str, Any] = {"sample": np.arange(n_samples)}
    if labels is not None:
        labels = check_labels(labels, n_classes, n_samples)
        by_class = np.bincount(labels, found, n_classes)
        variables["by_class"] = ("class", by_class, attributes)
        coordinates |= {"label": ("sample", named[labels]), "class": names}
    total = {"total": float(found.sum()), "units": units, "explains": what}
    return xr.Dataset(variables, coordinates, total)
