"""Distances and coordinates, kept in the user's cache folder for a watcher's restart."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from hyperribbon.analysis.cache import cache_folder
from hyperribbon.errors import StoreError
from hyperribbon.storage.files import written_whole
from hyperribbon.storage.locks import locked


class Kept:
    """What one watcher keeps, in ``$XDG_CACHE_HOME/hyperribbon/watch``; it may be deleted.

    Parameters
    ----------
    paths : sequence of path
        What is watched.

    Attributes
    ----------
    fault : str or None
        Why nothing is kept, in one line.
    """

    def __init__(self, paths: Sequence[Path]):
        folder = cache_folder("watch", sorted(str(path.resolve()) for path in paths))
        self._file, self._held = folder / "picture.npz", ExitStack()
        self.fault: str | None = None
        self._mine = True
        try:
            self._held.enter_context(locked(folder, wait=False))
        except BlockingIOError:
            self._mine = False
            self.fault = (
                "another watcher watches these recordings, too; both only read them, and this one "
                "keeps nothing for a restart"
            )
        except (OSError, StoreError) as error:
            self.fault = f"{folder}: nothing is kept for a restart ({error})"

    def read(self) -> dict[str, np.ndarray] | None:
        """What was kept; None if there is nothing, or it is damaged."""
        try:
            with np.load(self._file, allow_pickle=False) as kept:
                return dict(kept)
        except (OSError, ValueError, zipfile.BadZipFile, EOFError, KeyError):
            return None

    def write(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep arrays, unless another watcher does; `fault` says if that was not possible."""
        if not self._mine:
            return
        try:
            with written_whole(self._file) as partial, partial.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)
        except OSError as error:  # a full disk
            self.fault = f"{self._file.parent}: nothing is kept for a restart ({error.strerror})"
        else:
            self.fault = None

    def close(self) -> None:
        """Let other watchers keep what these recordings show."""
        self._held.close()
