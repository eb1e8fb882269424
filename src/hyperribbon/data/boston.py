"""The Boston housing table inside the package mlxtend: 506 tracts, 13 inputs, prices."""

import hashlib

import numpy as np

from hyperribbon.errors import DataError

SHA256 = "a452688f7de3e21b6013d6c370ad53e04c3181c33ad9f0dd91b8b2f67317e787"


def load() -> tuple[np.ndarray, np.ndarray]:
    """Read the table, and check it by content.

    Returns
    -------
    inputs : ndarray of float64, shape (506, 13)
        Unscaled; columns differ in scale by factors of thousands.
    targets : ndarray of float64, shape (506,)
        Prices.

    Raises
    ------
    DataError
        If mlxtend is missing, or the content is not the expected one.

    References
    ----------
    Harrison & Rubinfeld 1978. The column B is computed from the share of Black residents: use the
    table to compare with published results, not to predict prices.
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
