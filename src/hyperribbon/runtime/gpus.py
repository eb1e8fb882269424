"""The GPUs of this machine, and exclusive use of one of them, without importing torch."""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

logger = logging.getLogger(__name__)

_NO_DEVICE = ("", "-1", "NoDevFiles")  # the last one is Slurm's


def count_gpus() -> int:
    """Number of GPUs that a job started here may use: CUDA_VISIBLE_DEVICES, or all present."""
    return len(_visible_gpus())


@contextmanager
def claimed_gpu() -> Iterator[str | None]:
    """Have one of this machine's GPUs exclusively, so that jobs that run at once share them out.

    The first free GPU of those that :func:`count_gpus` counts becomes the only one that this
    process and its children see. They keep it until the end of the block, or until the process
    dies; while all are taken, this waits. Enter the block before torch uses CUDA. With one GPU or
    none there is nothing to choose, and nothing is done.

    Yields
    ------
    str or None
        The GPU's name in CUDA_VISIBLE_DEVICES; None if there was nothing to choose.

    Examples
    --------
    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, CUDA_VISIBLE_DEVICES="4,5"):
    ...     with claimed_gpu() as first, claimed_gpu() as second:
    ...         print(first, second)
    4 None
    """
    gpus = _visible_gpus()
    if len(gpus) < 2:
        yield None
        return
    before = dict(os.environ)
    gpu, lock = _wait_for_one(gpus)
    with lock, ExitStack() as stack:
        stack.callback(_restore, before, "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER")
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
        # Otherwise CUDA counts from the fastest GPU, and equal numbers need not be equal GPUs.
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
        logger.info("GPU %s is taken by this job", gpu)
        yield gpu


def _visible_gpus() -> list[str]:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return [str(k) for k in range(len(list(Path("/dev").glob("nvidia[0-9]*"))))]
    return [gpu for gpu in map(str.strip, visible.split(",")) if gpu not in _NO_DEVICE]


def _wait_for_one(gpus: list[str]) -> tuple[str, TextIO]:
    """The first free GPU, and the locked file that reserves it."""
    reported = False
    while True:
        for gpu in gpus:
            handle = _lock_file(gpu).open("a")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return gpu, handle
            except BlockingIOError:
                handle.close()
        if not reported:
            logger.warning("all GPUs (%s) are taken; waiting for one", ", ".join(gpus))
            reported = True
        time.sleep(1)


def _lock_file(gpu: str) -> Path:
    # Slurm may number GPUs per job: equal names are equal GPUs only within one job.
    job = os.environ.get("SLURM_JOB_ID", "")
    name = "-".join(["hyperribbon", str(os.getuid()), job, "gpu", gpu.replace("/", "-")])
    return Path(tempfile.gettempdir(), f"{name}.lock")


def _restore(before: dict[str, str], *names: str) -> None:
    for name in names:
        if name in before:
            os.environ[name] = before[name]
        else:
            os.environ.pop(name, None)
