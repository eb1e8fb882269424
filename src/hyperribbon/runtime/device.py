"""The device on which networks are trained and analysed."""

from __future__ import annotations

import logging
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from hyperribbon.errors import HyperribbonError
from hyperribbon.runtime.gpus import claimed_gpu
from hyperribbon.runtime.uncompiled import leave_compiler_out

logger = logging.getLogger(__name__)


def resolve_device(device: str) -> torch.device:
    """The device of a name, where ``auto`` is the GPU if there is one.

    Raises
    ------
    HyperribbonError
        If the name is unknown, or ``cuda`` is asked for and torch sees no GPU.
    """
    if device not in ("auto", "cuda", "cpu"):
        raise HyperribbonError(f"training.device = {device!r}: expected auto, cuda or cpu")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device == "cuda" and not torch.cuda.is_available():
        raise HyperribbonError('training.device = "cuda": torch sees no GPU here; use "cpu"')
    return torch.device(device)


def be_deterministic(device: torch.device, *, compiled: bool = False) -> None:
    """Have torch compute bit by bit the same each time; on a GPU, warn of what cannot be.

    Parameters
    ----------
    device : where it computes
    compiled : whether networks go through `torch.compile`
    """
    warn_only = device.type != "cpu"
    if compiled:
        torch.use_deterministic_algorithms(True, warn_only=warn_only)
    else:
        torch.set_deterministic_debug_mode("warn" if warn_only else "error")
        leave_compiler_out()


@contextmanager
def own_gpu(wanted: str, n_gpus: int) -> Iterator[None]:
    """Have a GPU exclusively, unless the CPU is wanted.

    A job to which a cluster gave a GPU does not fall back to the CPU. On your own machine, ``auto``
    does so, even if there is a GPU that torch cannot use.

    Parameters
    ----------
    wanted : {"auto", "cuda", "cpu"}
        The device that is wanted.
    n_gpus : int
        Number of GPUs that the job was given.

    Raises
    ------
    HyperribbonError
        If a GPU was given, and torch sees none.
    """
    if wanted == "cpu":
        yield
        return
    with claimed_gpu():
        if n_gpus and not torch.cuda.is_available():
            seen = "sees no GPU" if torch.version.cuda else "is built without CUDA"
            fault = f"{platform.node()}: this job was given gpu={n_gpus}, and torch {seen} there"
            if wanted == "cuda" or "SLURM_JOB_ID" in os.environ:
                raise HyperribbonError(
                    f"{fault}; install torch for CUDA, send the job to nodes with GPUs, or set "
                    'training.device to "cpu"'
                )
            logger.warning("%s; it runs on the CPU", fault)
        yield
