"""Fashion-MNIST, 60,000 and 10,000 articles of clothing of 28 x 28 pixels (arXiv:1708.07747)."""

from hyperribbon.data.cache import RawFiles
from hyperribbon.data.idx import NAMES, load_idx
from hyperribbon.data.parts import Part
from hyperribbon.data.sources import DebianPackage, Download

MD5 = (
    "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "9018921c3c673c538a1fc5bad174d6f9",
    "8181f5470baa50b63fa0f6fddb340f0a",
    "15d484375f8d13e6eb1aabb0c3f46965",
)
FILES = RawFiles(
    "fashion_mnist",
    dict(zip(NAMES, MD5, strict=True)),
    [
        Download("https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion"),
        DebianPackage("dataset-fashion-mnist", "/usr/share/datasets/fashion-mnist"),
    ],
)


def load() -> list[Part]:
    """Train and test part, images (N, 1, 28, 28) uint8; fetched if necessary."""
    return load_idx(FILES)
