"""The Boston housing table that ships inside the package mlxtend: 506 tracts, 13 inputs, prices."""

import hashlib

import numpy as np

from hyperribbon.errors import DataError

SHA256 = "a452688f7de3e21b6013d6c370ad53e04c3181c33ad9f0dd91b8b2f67317e787"


def load() -> tuple[np.ndarray, np.ndarray]:
    """Read the table, and check it by content.

    Returns
    -------
    inputs (506, 13) and targets (506,), float64, as they are: columns differ in scale by thousands

    Raises
    ------
    DataError
        If mlxtend is missing, or the content is not the one expected.

    References
    ----------
    Harrison & Rubinfeld 1978. Its column B is built on the share of Black residents: a table to
    compare with what was published on it, not to predict prices with.
    """
    try:
        from mlxtend.data import boston_housing_data
    except ImportError as error:
        raise DataError(f"data set boston: needs the package mlxtend ({error})") from None
    inputs, targets = boston_housing_data()
    found = hashlib.sha256(inputs.tobytes() + targets.tobytes()).hexdigest()
    if found != SHA256:
        raise DataError(
            f"data set boston: the table inside mlxtend has SHA-256 {found}, expected {SHA256}; "
            "reinstall mlxtend 0.25"
        )
    return inputs, targets
