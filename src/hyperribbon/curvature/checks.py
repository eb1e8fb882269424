"""What the functions of this package ask of their arguments."""

import numpy as np

from hyperribbon.errors import DataError


def check_spectrum(eigenvalues: np.ndarray) -> np.ndarray:
    """Eigenvalues (p,) as finite float64, one or more."""
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.ndim != 1 or not values.size or not np.isfinite(values).all():
        raise DataError(
            f"eigenvalues: shape {values.shape}, {np.isfinite(values).sum()} of them finite, "
            "expected (p,) finite numbers, 1 or more"
        )
    return values


def check_samples(n: int) -> int:
    """The number of training samples: 2 or more, as the formulae divide by n - 1."""
    return check_count(n, "n", 2)


def check_count(value: int, name: str, least: int = 1) -> int:
    """An integer, so many or more."""
    if not (np.ndim(value) == 0 and least <= value < np.inf and value == int(value)):
        raise DataError(f"{name}: {value}, expected an integer, {least} or more")
    return int(value)


def check_epsilon(epsilon: float | np.ndarray) -> np.ndarray:
    """Inverse variances of the prior, above 0 and finite, as float64."""
    array = np.asarray(epsilon, dtype=np.float64)
    if not (np.isfinite(array) & (array > 0)).all():
        raise DataError(f"epsilon: {epsilon}, expected above 0 and finite")
    return array


def check_positive(value: float, name: str) -> float:
    """A number above 0 and finite."""
    if not (np.ndim(value) == 0 and 0 < value < np.inf):
        raise DataError(f"{name}: {value}, expected one number above 0 and finite")
    return float(value)


def check_nonnegative(value: float, name: str) -> float:
    """A number, 0 or more and finite."""
    if not (np.ndim(value) == 0 and 0 <= value < np.inf):
        raise DataError(f"{name}: {value}, expected one finite number, 0 or more")
    return float(value)
