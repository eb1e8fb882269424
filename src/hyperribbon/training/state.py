"""The state from which a training continues bit-equal, in one file."""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hyperribbon.errors import StoreError
from hyperribbon.numerics.random_state import random_state, set_random_state
from hyperribbon.storage.files import written_whole

__all__ = [
    "Purpose",
    "load_state",
    "random_state",
    "save_state",
    "seed_all",
    "set_random_state",
    "stream",
]


def seed_all(seed: int) -> None:
    """Seed every global source of random numbers."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


class Purpose(IntEnum):
    """What a stream of random numbers is for; the numbers decide the streams."""

    AUGMENTATION = 0  # of the training
    VIEWS = 1  # a method's own augmentation
    ORDER = 2  # of the samples of a method
    LABELS = 3  # which samples have one


def stream(seed: int, count: int, purpose: Purpose) -> np.random.Generator:
    """A counter-based generator: the streams of other seeds, counts and purposes do not overlap.

    Parameters
    ----------
    seed : int
        Seed of a training.
    count : int
        The step or the epoch.
    purpose : Purpose
        What is drawn.

    Examples
    --------
    >>> first, again, other = (stream(0, count, Purpose.ORDER) for count in (7, 7, 8))
    >>> first.random() == again.random(), again.random() == other.random()
    (True, False)
    """
    return np.random.Generator(np.random.Philox(key=seed, counter=[0, count, purpose, 0]))


def save_state(path: str | Path, state: Mapping[str, Any]) -> None:
    """Write tensors, numbers and text in dictionaries, lists and tuples; all or nothing."""
    # In memory first, because torch's own writer hides what went wrong when the disk is full.
    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    content = buffer.getbuffer()
    with written_whole(path) as partial, partial.open("wb") as file:
        file.write(hashlib.sha256(content).digest())
        file.write(content)


def load_state(path: str | Path) -> dict[str, Any]:
    """Read what `save_state` wrote, to the CPU, without running any code in it.

    Raises
    ------
    StoreError
        If the file is damaged.
    """
    content = Path(path).read_bytes()
    digest, content = content[:32], content[32:]
    if hashlib.sha256(content).digest() != digest:
        raise StoreError(f"{path}: damaged")
    return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
