"""Files that are written completely or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """A hidden path next to the given one, which replaces it if the block raises nothing."""
    partial = partial_path(path)
    try:
        yield partial
        partial.replace(path)
    finally:
        remove(partial)


def partial_path(path: str | Path) -> Path:
    """Hidden path next to a path, for this process alone; nothing is there."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    remove(partial)  # left by a dead process of the same id
    return partial


def remove_partial(path: str | Path) -> None:
    """Remove the hidden files next to a path that killed processes left.

    Call it only if no other process is writing to the path.
    """
    path = Path(path)
    for partial in path.parent.glob(f".{escape(path.name)}.*.partial"):
        remove(partial)


def remove(path: str | Path) -> None:
    """Remove a file, or a folder with everything in it, if there is one."""
    path = Path(path)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
