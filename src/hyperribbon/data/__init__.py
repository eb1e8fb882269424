"""Data sets: read, checked by content, split, resized, standardised.

To add one: write a module here with ``load() -> (images, labels)`` and add its facts to
``hyperribbon.config.DATA_SOURCES``.
"""

from hyperribbon.data.dataset import Dataset
from hyperribbon.data.prepare import prepare

__all__ = ["Dataset", "prepare"]
