"""Work folders of trainings in progress."""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from pathlib import Path

from hyperribbon.storage.locks import locked

logger = logging.getLogger(__name__)

KEY_LENGTH = 8


def work_folder(work: str | Path, configuration_id: str, key: str) -> Path:
    """Work folder of a job."""
    return Path(work) / f"{configuration_id}-{key[:KEY_LENGTH]}"


def remove_superseded(folder: Path) -> None:
    """Remove the work on the same configuration under other keys, unless a process is at it.

    It belongs to older code, data or versions, and would take space forever.
    """
    for other in folder.parent.glob(folder.name[:-KEY_LENGTH] + "?" * KEY_LENGTH):
        if other != folder and other.is_dir():
            with suppress(BlockingIOError), locked(other, wait=False):
                logger.info("%s: of other code, data or versions; removed", other)
                shutil.rmtree(other, ignore_errors=True)
