"""The registry of metrics: each is a sum over samples, computed by a kernel, and a last step.

To add a metric, write a function of p and q and one line of METRICS; see `Metric`. A metric of
your own needs no change here: see `register_metric`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distance import FLOOR
from hyperribbon.registry import Registry

FLOOR_FLOAT32 = float(np.finfo(np.float32).tiny)


class Metric(NamedTuple):
    """How a distance follows from a sum over samples.

    name : name of the metric, as users give it
    kernel : what is summed. Either a function of p and q, torch tensors of probabilities in
        float64 that broadcast to (..., C). It returns one number per sample, (...), which is
        symmetric, not negative, and 0 where p equals q. Or, much faster, the name of one of SUMS
        in plain.py: "log_coefficients", ln sum_c sqrt(p q); "arcs", arccos of sum_c sqrt(p q);
        "squares", sum_c (p - q)^2; "divergences", sum_c (p - q) ln(p / q).
    finish : function of sums (a, b) and N that returns distances (a, b)
    label : name of the metric in figures that compare metrics; without one, it is not in them

    Examples
    --------
    >>> def total_variation(p, q):
    ...     return (p - q).abs().sum(-1) / 2
    >>> metric = Metric("total_variation", total_variation, _mean)  # an entry of METRICS
    """

    name: str
    kernel: str | Callable[[Any, Any], Any]
    finish: Callable[[np.ndarray, int], np.ndarray]
    label: str = ""


# Named functions, not lambdas, because they are sent to other processes.


def _mean(sums: np.ndarray, n_samples: int) -> np.ndarray:
    return sums / n_samples


def _negative_mean(sums: np.ndarray, n_samples: int) -> np.ndarray:
    return -sums / n_samples


def _saturating(sums: np.ndarray, n_samples: int) -> np.ndarray:
    return -2 * np.expm1(sums)


METRICS: Registry[Metric] = Registry(
    "metric",
    {
        metric.name: metric
        for metric in (
            Metric("bhattacharyya", "log_coefficients", _negative_mean, "Bhattacharyya (InPCA)"),
            Metric("symmetric_kl", "divergences", _mean, "symmetrised KL (IsKL)"),
            Metric("geodesic", "arcs", _mean, "geodesic, product of spheres"),
            Metric("hellinger", "log_coefficients", _saturating),
            Metric("euclidean", "squares", _mean, "Euclidean (PCA)"),
        )
    },
)
FINISHES = {"mean": _mean}


def register_metric(
    name: str,
    kernel: str | Callable[[Any, Any], Any],
    finish: str | Callable[[np.ndarray, int], np.ndarray] = "mean",
    label: str = "",
) -> None:
    r"""Register a metric of your own.

    Afterwards `pairwise_distance` and `InPCA` take its name as ``metric``. A study whose
    ``plugins`` register it compares it with the others.

    Parameters
    ----------
    name : str
        What users call it: letters, digits, - and _.
    kernel : callable or str
        What is summed over samples: a function of p and q, torch tensors of probabilities in
        float64 that broadcast to (..., C). It returns one number per sample, (...), which is
        symmetric, not negative, and 0 where p equals q. Or, much faster, the name of a sum that is
        built in; see `Metric`.
    finish : "mean" or callable
        How the distance follows from the sum: its mean over samples, or a function of sums (a, b)
        and the number of samples that returns distances (a, b).
    label : str
        Its name in figures; by default, ``name`` with spaces for underscores.

    Raises
    ------
    DataError
        If the name is taken or malformed, or the rest is not as said here. Whether a function is
        symmetric, not negative and 0 where it must be is tested when it is first used.

    Examples
    --------
    >>> import numpy as np
    >>> from hyperribbon.pairwise import pairwise_distance
    >>> def total_variation(p, q):
    ...     return (p - q).abs().sum(-1) / 2
    >>> register_metric("total_variation", total_variation)
    >>> P = np.array([[[0.5, 0.5]], [[1.0, 0.0]]])
    >>> pairwise_distance(P, metric="total_variation")
    array([[0. , 0.5],
           [0.5, 0. ]])
    """
    if name == "precomputed":
        raise DataError(f"metric = {name!r}: is what InPCA calls given distances, expected another")
    sums = sorted({str(METRICS[known].kernel) for known in METRICS.built_in})
    if not callable(kernel) and kernel not in sums:
        expected = f"a function of (p, q) or one of {', '.join(sums)}"
        raise DataError(f"metric = {name!r}: kernel = {kernel!r}, expected {expected}")
    last = FINISHES.get(finish, finish) if isinstance(finish, str) else finish
    if not callable(last):
        expected = f"{', '.join(map(repr, FINISHES))} or a function of (sums, N)"
        raise DataError(f"metric = {name!r}: finish = {finish!r}, expected {expected}")
    if not isinstance(label, str):
        raise DataError(f"metric = {name!r}: label = {label!r}, expected text")
    entry = _checked(Metric(name, kernel, last, label or str(name).replace("_", " ")))
    METRICS.register(name, entry, definition=kernel if callable(kernel) else (kernel, last))


def label_of(name: str) -> str:
    """Name of a metric in figures; one that is not registered here has its own name.

    >>> label_of("euclidean")
    'Euclidean (PCA)'
    """
    return METRICS[name].label or name if name in METRICS else name


def metric_of(name: str) -> Metric:
    """Look up a metric by name.

    Raises
    ------
    DataError
        If there is no metric of that name, or its last step is not a function as `Metric` says.
    """
    return _checked(METRICS.find(name))


def _checked(metric: Metric) -> Metric:
    """A metric, unless its last step is not a function as `Metric` says."""
    finish, sums = metric.finish, np.zeros((1, 2))
    if not callable(finish) or np.shape(finish(sums, 1)) != sums.shape:
        raise DataError(
            f"metric = {metric.name!r}: finish = {finish!r}, expected a function of (sums, N) that "
            "returns a distance for each sum"
        )
    return metric


def floor_of(floor: float | None, single: bool) -> float:
    """Return the given floor, checked, or the default for the precision."""
    if floor is None:
        return FLOOR_FLOAT32 if single else FLOOR
    if isinstance(floor, bool) or not isinstance(floor, int | float | np.number):
        raise DataError(f"floor = {floor!r}: expected a number in [0, 1)")
    if not (floor == 0 or np.finfo(np.float64).tiny <= floor < 1):
        raise DataError(f"floor = {floor}: expected 0, or from 2.3e-308 to below 1")
    return float(floor)


def coefficient_rounding(n_classes: int, dtype) -> float:
    """Bound on the relative rounding error of a coefficient and of its product with others.

    At most 32 classes are summed one after the other, then these partial sums.
    """
    return (min(n_classes, 32) + n_classes / 32 + 4) * float(np.finfo(dtype).eps)


def zero_between_equal(sums, own_rows, own_columns, bound):
    """Set the sums of equal models, which may differ from 0 by rounding, to exactly 0.

    Parameters
    ----------
    sums : (a, b) array of numpy or torch, changed in place
    own_rows, own_columns : (a,) and (b,), a sum over each model alone. Equal models have the same;
        different models hardly ever agree to 12 digits.
    bound : the largest rounding error, a number or (a, 1). If different models do have equal sums,
        their distance changes by no more than this.
    """
    alike = abs(own_rows[:, None] - own_columns) <= 1e-12 * abs(own_columns)
    sums[alike & (abs(sums) <= bound)] = 0
