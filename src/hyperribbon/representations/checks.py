"""Checks of arrays at the door."""

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.arrays import as_float64


def finite_array(array, name: str, *axes: str) -> np.ndarray:
    """Convert any array of numbers to float64, if it has these axes and is finite.

    Parameters
    ----------
    array : any array, or lists of numbers
    name : what to call it in errors
    *axes : names of its axes, for errors; any number of axes if there are none

    Raises
    ------
    DataError
        If it has other axes, an empty one, or a number that is NaN or infinite.

    Examples
    --------
    >>> finite_array([[1, 2]], "x", "B", "d")
    array([[1., 2.]])
    >>> finite_array([1, np.nan], "b", "n")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: b: 1 numbers are NaN or infinite
    """
    values = as_float64(array, name)
    if axes and (values.ndim != len(axes) or not values.size):
        expected = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
        raise DataError(f"{name}: shape {values.shape}, expected {expected}")
    if not np.isfinite(values).all():
        raise DataError(f"{name}: {np.sum(~np.isfinite(values))} numbers are NaN or infinite")
    return values
