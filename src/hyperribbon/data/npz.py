"""Your own arrays, in a NumPy ``.npz`` file."""

from pathlib import Path

import numpy as np

from hyperribbon.data.parts import Part, named_parts
from hyperribbon.errors import DataError, first_line


def load(path: str | Path) -> list[Part]:
    """Parts of a data set in a file; for the names of its arrays see `named_parts`.

    Raises
    ------
    DataError
        If there is no such file, it is damaged, holds objects, or lacks an array.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except Exception as error:  # with damaged bytes, zipfile and NumPy raise nearly anything
        raise DataError(
            f"{path}: not a file of NumPy's format npz, or damaged ({first_line(error)})"
        ) from None
    return named_parts(arrays, str(path))
