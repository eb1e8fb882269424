"""The digits inside scikit-learn: 1,797 images of 8 x 8 pixels with values 0 to 16."""

import numpy as np
from sklearn.datasets import load_digits

from hyperribbon.data.parts import Part, embedded_part

SHA256 = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


def load() -> list[Part]:
    """Read the images (1797, 1, 8, 8) and labels, and check them by content.

    Raises
    ------
    DataError
        If the content is not the expected one.

    Examples
    --------
    >>> [digits] = load()
    >>> digits.images.shape
    (1797, 1, 8, 8)
    """
    images, labels = (array.astype(np.uint8) for array in load_digits(return_X_y=True))
    images = images.reshape(-1, 1, 8, 8)
    return [embedded_part("digits", "scikit-learn", "1.9", images, labels, SHA256)]
