"""The metrics, each a sum over samples that a kernel computes and a last step that it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distance import FLOOR

FLOOR_FLOAT32 = float(np.finfo(np.float32).tiny)


class Metric(NamedTuple):
    """How a distance follows from a sum over samples.

    kernel : what is summed: "log_coefficients", ln sum_c sqrt(p q); "arcs", arccos of the same;
        "products", the squared distance or the symmetrised KL divergence through matrix products
    finish : distance from (sums, N)
    """

    name: str
    kernel: str
    finish: Callable[[np.ndarray, int], np.ndarray]


# Named functions, which can be sent to another process.


def _mean(sums: np.ndarray, n_samples: int) -> np.ndarray:
    return sums / n_samples


def _negative_mean(sums: np.ndarray, n_samples: int) -> np.ndarray:
    return -sums / n_samples


def _saturating(sums: np.ndarray, n_samples: int) -> np.ndarray:
    return -2 * np.expm1(sums)


METRICS = {
    metric.name: metric
    for metric in (
        Metric("bhattacharyya", "log_coefficients", _negative_mean),
        Metric("symmetric_kl", "products", _mean),
        Metric("geodesic", "arcs", _mean),
        Metric("hellinger", "log_coefficients", _saturating),
        Metric("euclidean", "products", _mean),
    )
}


def metric_of(name: str) -> Metric:
    """The metric of a name; else a DataError that lists them."""
    if not isinstance(name, str) or name not in METRICS:
        raise DataError(f"metric = {name!r}: expected one of {', '.join(METRICS)}")
    return METRICS[name]


def floor_of(floor: float | None, single: bool) -> float:
    """The floor to use: the one given, checked, or the precision's default."""
    if floor is None:
        return FLOOR_FLOAT32 if single else FLOOR
    if isinstance(floor, bool) or not isinstance(floor, int | float | np.number):
        raise DataError(f"floor = {floor!r}: expected a number, 0 to below 1")
    if not (floor == 0 or np.finfo(np.float64).tiny <= floor < 1):
        raise DataError(f"floor = {floor}: expected 0, or from 2.3e-308 to below 1")
    return float(floor)
