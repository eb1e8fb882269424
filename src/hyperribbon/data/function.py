"""Your own arrays, from a Python function."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from hyperribbon.data.parts import PARTS, WHOLE, Part, named_parts
from hyperribbon.errors import DataError, in_own_code
from hyperribbon.probability.arrays import as_numpy

NAMES = {*WHOLE, *PARTS}


def load(entry_point: str) -> list[Part]:
    """Parts of a data set that a function returns; for the names of its arrays see `named_parts`.

    Parameters
    ----------
    entry_point : str
        ``module:function``, called without arguments.

    Raises
    ------
    DataError
        If there is no such function, if it fails, or if an array that it returns is missing, not
        numeric or masked.
    """
    module, name = entry_point.split(":")
    try:
        arrays = getattr(import_module(module), name)()
    except Exception as error:  # another author's code may raise anything
        raise DataError(f"{entry_point}: {in_own_code(error)}") from None
    if not isinstance(arrays, Mapping):
        raise DataError(f"{entry_point}: returned {type(arrays).__name__}, expected a mapping")
    found = {
        key: as_numpy(value, f"{entry_point}: {key}") if key in NAMES else value
        for key, value in arrays.items()
    }
    return named_parts(found, entry_point)
