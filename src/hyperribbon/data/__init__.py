"""Data sets: fetched, checked by content, split, and stored so that they can be mapped.

Each has a module of its name here, with ``load()``, which gives its parts, and with ``fetch()`` if
its raw files come from elsewhere. To add one, see CONTRIBUTING.md.
"""

from hyperribbon.data.dataset import Dataset
from hyperribbon.data.prepare import prepare

__all__ = ["Dataset", "prepare"]
