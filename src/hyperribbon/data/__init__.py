"""Data sets: fetched, checked by content, split, and stored so that they can be mapped.

Each data set has a module of its name here, whose ``load()`` returns its parts and whose ``FILES``,
if its raw files come from elsewhere, fetches them. `prepare` turns parts into a `Dataset`; begin
there. `parts` says what a part is, `images` how images lie on disk, `cache` and `sources` where raw
files come from. To add a data set, see CONTRIBUTING.md.
"""

from hyperribbon.extras import needs

needs("torch", "workflow", "hyperribbon.data")
needs("pydantic", "workflow", "hyperribbon.data")

from hyperribbon.data.dataset import Dataset
from hyperribbon.data.prepare import prepare

__all__ = ["Dataset", "prepare"]
