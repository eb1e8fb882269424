"""KMNIST, 60,000 and 10,000 cursive Japanese characters of 28 x 28 pixels (arXiv:1812.01718).

Its licence is CC BY-SA 4.0.
"""

from hyperribbon.data.cache import RawFiles
from hyperribbon.data.idx import NAMES, load_idx
from hyperribbon.data.parts import Part
from hyperribbon.data.sources import Download

MD5 = (  # of the packed files
    "bdb82020997e1d708af4cf47b453dcf7",
    "e144d726b3acfaa3e44228e80efcd344",
    "5c965bf0a639b31b8f53240b1b52f4d7",
    "7320c461ea6c1c855c0b718fb2a4b134",
)
FILES = RawFiles(
    "kmnist",
    {f"{name}.gz": md5 for name, md5 in zip(NAMES, MD5, strict=True)},
    [Download("https://codh.rois.ac.jp/kmnist/dataset/kmnist", unpack=False)],
)


def load() -> list[Part]:
    """Train and test part, images (N, 1, 28, 28) uint8; fetched if necessary."""
    return load_idx(FILES)
