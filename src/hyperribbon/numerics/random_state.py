"""State of the global random numbers of Python, NumPy and, where it is imported, torch."""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np


def random_state(device: Any = None) -> dict[str, Any]:
    """State of every global source of random numbers.

    Parameters
    ----------
    device : torch.device, optional
        Device whose random numbers count too.

    Examples
    --------
    >>> before = random_state()
    >>> first = random.random()
    >>> set_random_state(before)
    >>> random.random() == first
    True
    """
    legacy: Any = np.random.get_state(legacy=True)  # a tuple, by this argument
    kind, keys, *rest = legacy
    found: dict[str, Any] = {"python": random.getstate(), "numpy": (kind, keys.tolist(), *rest)}
    torch = sys.modules.get("torch")
    if torch is not None:
        cuda = device is not None and device.type == "cuda"
        found["torch"] = torch.get_rng_state()
        found["cuda"] = torch.cuda.get_rng_state(device) if cuda else None
    return found


def set_random_state(state: Mapping[str, Any], device: Any = None) -> None:
    """Restore a state that `random_state` returned."""
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    if "torch" in state:
        torch = sys.modules["torch"]
        torch.set_rng_state(state["torch"])
        if state["cuda"] is not None and device is not None and device.type == "cuda":
            torch.cuda.set_rng_state(state["cuda"], device)


def same_random_state(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two states are the same: no random number was drawn between them."""
    return all(
        bool((value == other[key]).all()) if hasattr(value, "detach") else value == other[key]
        for key, value in one.items()
    )
