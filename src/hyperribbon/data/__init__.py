"""Data sets: read, checked by content, split, resized, standardised.

To add one: write a module here with ``load() -> (images, labels)``, add it to ``SOURCES`` and its
facts to ``hyperribbon.config.DATA_SOURCES``.
"""

from hyperribbon.data import mnist5k
from hyperribbon.data.dataset import Dataset
from hyperribbon.data.prepare import prepare

SOURCES = {"mnist5k": mnist5k.load}

__all__ = ["SOURCES", "Dataset", "prepare"]
