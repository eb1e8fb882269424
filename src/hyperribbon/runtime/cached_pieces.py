"""Finished pieces of a long job, kept in its work folder until the job is published."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hyperribbon.storage.files import written_whole
from hyperribbon.storage.manifest import file_sha256

logger = logging.getLogger(__name__)


def keep(path: str | Path, compute: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return arrays that were computed before, if they are undamaged; otherwise compute them.

    Parameters
    ----------
    path : path
        Path without suffix. The arrays are at ``.npz``; their SHA-256, written last, at
        ``.sha256``.
    compute : callable
        Returns the arrays by name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = keep(f"{folder}/one", lambda: {"a": np.arange(3)})
    ...     keep(f"{folder}/one", dict)["a"].tolist()
    [0, 1, 2]
    """
    arrays, checksum = (Path(f"{path}.{suffix}") for suffix in ("npz", "sha256"))
    if arrays.exists() and checksum.exists():
        if file_sha256(arrays) == checksum.read_text():
            with np.load(arrays) as stored:
                return dict(stored)
        logger.warning("%s: not what was written; computed again", arrays)
    checksum.unlink(missing_ok=True)
    found = compute()
    with written_whole(arrays) as partial, partial.open("wb") as file:
        np.savez(file, **found)  # type: ignore[arg-type]  # names are none of its own arguments
    with written_whole(checksum) as partial:
        partial.write_text(file_sha256(arrays))
    return found
