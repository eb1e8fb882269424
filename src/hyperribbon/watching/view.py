"""What a page shows, as JSON; a page asks again and again for what is new."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


class View:
    """The newest state, for any number of readers in other threads.

    Models are only ever added, until a new generation begins: then places have changed, and readers
    need all of them again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version, self._generation = 0, 0
        self._about: dict[str, Any] = {}
        self._columns: dict[str, list] = {}

    def show(
        self,
        generation: int,
        about: Mapping[str, Any],
        columns: Mapping[str, Sequence],
        *,
        first: int = 0,
    ) -> None:
        """Show a state.

        Parameters
        ----------
        generation : int
            Other than before if models changed that are shown already.
        about : mapping
            Everything but the models.
        columns : mapping
            Columns of equal length with one entry per model, from the model ``first`` on.
        """
        with self._lock:
            n = len(next(iter(columns.values()), ()))
            if generation == self._generation and about == self._about and not n:
                return
            if generation != self._generation or not self._columns:
                self._columns = {name: [] for name in columns}
            for name, values in columns.items():
                del self._columns[name][first:]
                self._columns[name] += values
            self._generation, self._about = generation, dict(about)
            self._version += 1

    def read(self, version: int, generation: int, first: int) -> bytes | None:
        """JSON of what is new to a reader; None if nothing is.

        Parameters
        ----------
        version, generation : int
            Those that the reader has; -1 if it has none.
        first : int
            Number of models that it has of this generation.
        """
        with self._lock:
            if version == self._version:
                return None
            if generation != self._generation:
                first = 0
            state = {
                "version": self._version,
                "generation": self._generation,
                "first": first,
                "models": {name: column[first:] for name, column in self._columns.items()},
                **self._about,
            }
        return json.dumps(state, separators=(",", ":"), allow_nan=False).encode()


def rounded(values: Iterable[float | None]) -> list[float | None]:
    """Values to five digits, more than a screen shows; None if they are not finite.

    >>> rounded([0.123456, float("nan"), None])
    [0.12346, None, None]
    """
    return [
        float(f"{value:.5g}") if value is not None and np.isfinite(value) else None
        for value in values
    ]
