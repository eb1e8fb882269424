"""Seeds of one job trained at once, each in a process of its own.

A network that is too small to fill the device leaves most of it idle: a GPU between the kernels,
several cores wherever a step does not split. Processes fill it, whatever the architecture, and do
not change a seed's predictions, which are bit-equal on the CPU. (One computation over stacked
weights is faster only where a step is all overhead, and it sums in another order.)
"""

from __future__ import annotations

import ctypes
import logging
import multiprocessing
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path

import torch

from hyperribbon.errors import HyperribbonError
from hyperribbon.runtime.device import be_deterministic
from hyperribbon.training.plan import Plan
from hyperribbon.training.seed import SeedTraining

logger = logging.getLogger("hyperribbon")


def train_seeds(
    plan: Plan, folder: Path, seeds: Sequence[int], device: torch.device, processes: int
) -> None:
    """Train seeds of a job, some at once.

    Parameters
    ----------
    plan : Plan
        Plan of the job.
    folder : Path
        Work folder of the job.
    seeds : sequence of int
        Seeds to train; for a single one, or a single process, no process is started.
    device : torch.device
        Device to train on.
    processes : int
        Number of seeds at once.

    Raises
    ------
    HyperribbonError
        As raised by `SeedTraining.train`, or if a process was killed.
    """
    processes = min(processes, len(seeds))
    if processes <= 1:
        _set_up(plan, device)
        for seed in seeds:
            SeedTraining(plan, folder, seed).train(device)
        return
    context = multiprocessing.get_context("spawn")  # a forked one could not use CUDA
    messages = context.Queue()
    listener = QueueListener(messages, *logger.handlers)
    listener.start()
    pool = ProcessPoolExecutor(
        processes,
        context,
        initializer=_begin,
        initargs=(messages, logger.level, plan, folder, device),
    )
    try:
        with pool:
            futures = [pool.submit(_train, seed) for seed in seeds]
            try:
                for future in as_completed(futures):
                    future.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # those at work may end
                raise
    except BrokenProcessPool:
        raise HyperribbonError(
            f"{plan.configuration.id}: a process that trained a seed was killed, perhaps for lack "
            "of memory; what is finished is kept"
        ) from None
    finally:
        listener.stop()


def set_up(threads: int = 1, device: torch.device | str = "cpu", *, compiled: bool = False) -> None:
    """Prepare this process for training: fast, and bit-equal on the CPU with as many threads.

    Parameters
    ----------
    threads : of torch
    device : where it computes
    compiled : whether networks go through `torch.compile`
    """
    keep_freed_memory()
    torch.set_num_threads(threads)
    be_deterministic(torch.device(device), compiled=compiled)


def keep_freed_memory() -> None:
    """Have glibc keep freed blocks instead of returning each activation to the system.

    Otherwise page faults take a quarter of a small network's training time on the CPU.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # not glibc
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 32 << 20)
    mallopt(m_trim_threshold, 1 << 30)


_job: tuple[Plan, Path, torch.device]  # in a process that was started; handed over once


def _begin(messages, level: int, plan: Plan, folder: Path, device: torch.device) -> None:
    """Take the job in a new process, send messages to the first process, and die with it."""
    global _job
    _job = plan, folder, device
    threading.Thread(target=_die_with_parent, daemon=True).start()
    logger.handlers[:] = [QueueHandler(messages)]
    logger.setLevel(level)
    _set_up(plan, device)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _train(seed: int) -> None:
    plan, folder, device = _job
    SeedTraining(plan, folder, seed).train(device)


def _set_up(plan: Plan, device: torch.device) -> None:
    training = plan.configuration.training
    set_up(training.threads, device, compiled=training.compile)
