"""Checks of arguments that the functions of this package share."""

from typing import Any

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import as_numpy

MOST = 2**53  # float64 cannot represent all integers above this one


def check_spectrum(eigenvalues: np.ndarray) -> np.ndarray:
    """Eigenvalues (p,) as finite float64, one or more."""
    values = as_numpy(eigenvalues, "eigenvalues").astype(np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise DataError(
            f"eigenvalues: shape {values.shape}, {np.isfinite(values).sum()} of them finite, "
            "expected (p,) finite numbers, one or more"
        )
    return values


def check_samples(n: int) -> int:
    """The number of training samples: 2 or more, as the formulae divide by n - 1."""
    return check_count(n, "n", 2)


def check_count(value: int, name: str, least: int = 1, most: int = MOST) -> int:
    """An integer from ``least`` to ``most``."""
    number = _is_number(value) and least <= value <= most and value == int(value)
    if not number:
        unbounded = most == MOST and not (_is_number(value) and value > most)
        expected = f"{least} or more" if unbounded else f"{least} to {most:,}"
        raise DataError(f"{name}: {value!r}, expected an integer, {expected}")
    return int(value)


def check_epsilon(epsilon: float | np.ndarray) -> np.ndarray:
    """Inverse variances of the prior, above 0 and finite, as float64."""
    array = as_numpy(epsilon, "epsilon").astype(np.float64)
    if not (np.isfinite(array) & (array > 0)).all():
        raise DataError(f"epsilon: {epsilon}, expected above 0 and finite")
    return array


def check_positive(value: float, name: str) -> float:
    """A number above 0 and finite."""
    if not (_is_number(value) and 0 < value < np.inf):
        raise DataError(f"{name}: {value!r}, expected one number above 0 and finite")
    return float(value)


def check_nonnegative(value: float, name: str) -> float:
    """A number, 0 or more and finite."""
    if not (_is_number(value) and 0 <= value < np.inf):
        raise DataError(f"{name}: {value!r}, expected one finite number, 0 or more")
    return float(value)


def _is_number(value: Any) -> bool:
    """Whether it is one real number, Python's or an array's, within the range of float64."""
    if isinstance(value, bool | np.bool_ | str | bytes) or np.ndim(value) != 0:
        return False
    try:
        return float(value) == value
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return False
