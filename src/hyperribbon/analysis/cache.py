"""What was computed from stores, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from hyperribbon.storage.digest import digest
from hyperribbon.storage.files import written_whole

Arrays = Mapping[str, np.ndarray]


class Cache:
    """Small arrays by name, for one set of stores and the code that is installed.

    The folder is ``$XDG_CACHE_HOME/hyperribbon/analysis``, by default in ``~/.cache``. It may be
    deleted at any time. A file of other stores, or of other code, is never taken.

    Parameters
    ----------
    inputs : mapping or None
        Digests of the stores by name; without them, nothing is kept.
    """

    def __init__(self, inputs: Mapping[str, str] | None):
        self._folder = None
        if inputs is not None:
            # Not the names: stores may lie elsewhere, but their order is that of the models.
            self._folder = cache_folder("analysis", list(inputs.values()))

    def get(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """The arrays of a name, computed unless they are kept; kept then, if that is possible."""
        if self._folder is None:
            return compute()
        path = self._folder / f"{name}.npz"
        try:
            with np.load(path, allow_pickle=False) as kept:
                return dict(kept)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError):
            found = compute()  # not kept, or damaged
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(path) as partial, partial.open("wb") as file:
                np.savez(file, allow_pickle=False, **found)
        except OSError:  # a full disk, or a folder that cannot be written to
            pass
        return found


def cache_folder(kind: str, key: object) -> Path:
    """Folder in the user's cache for what the installed code computed from something.

    Parameters
    ----------
    kind : name of a folder
    key : what distinguishes the inputs; must be JSON
    """
    home = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return home / "hyperribbon" / kind / digest([key, _code()])[:32]


@cache
def _code() -> str:
    """Digest of the library's code, so that results of other code are not taken for its own."""
    content = hashlib.sha256()
    root = Path(__file__).parents[1]
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] != "studies":
            content.update(path.read_bytes())
    return content.hexdigest()
