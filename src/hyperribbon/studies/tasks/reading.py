"""Reading predictions once, where they fit into memory."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

ONE, SEVERAL = 2e8, 6e8  # bytes of a training, and of all that are compared


def in_memory(P: Any) -> Any:
    """A training's predictions (K, N, C) as an array, or as they are if they are too large."""
    return np.asarray(P[:]) if 4 * prod(P.shape) <= ONE else P


def all_in_memory(parts: list[Any]) -> list[Any]:
    """Predictions of several trainings as arrays, or as they are if they are too large together."""
    total = sum(4 * prod(P.shape) for P in parts)
    return [np.asarray(P[:]) for P in parts] if total <= SEVERAL else parts
