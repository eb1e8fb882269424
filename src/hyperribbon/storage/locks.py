"""Locks on folders of work in progress, each for one process at a time."""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hyperribbon.errors import StoreError

logger = logging.getLogger(__name__)


@contextmanager
def locked(folder: Path, *, wait: bool = True) -> Iterator[None]:
    """Lock a folder, which is created if necessary; the lock ends however the process dies.

    Raises
    ------
    BlockingIOError
        If another process holds the lock, and ``wait`` is false.
    StoreError
        If a file lies where the folder should be.
    """
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = (folder / "lock").open("a")
        except FileNotFoundError:  # removed between the two
            continue
        except (FileExistsError, NotADirectoryError):
            raise StoreError(f"{folder}: a file is where this work folder should be") from None
        with handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not wait:
                    raise
                logger.warning("%s: another process is at work here; waiting for it", folder)
                fcntl.flock(handle, fcntl.LOCK_EX)
            # The former holder may have removed the folder, with the file that is locked now.
            if _same_file(folder / "lock", handle.fileno()):
                yield
                return


def _same_file(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
