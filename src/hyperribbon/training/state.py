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
from hyperribbon.storage.files import written_whole


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


def random_state(device: torch.device) -> dict[str, Any]:
    """State of every global source of random numbers, including the device's."""
    legacy: Any = np.random.get_state(legacy=True)  # a tuple, by this argument
    kind, keys, *rest = legacy
    return {
        "python": random.getstate(),
        "numpy": (kind, keys.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def set_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Restore a state that `random_state` returned."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["torch"])
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(state["cuda"], device)


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
