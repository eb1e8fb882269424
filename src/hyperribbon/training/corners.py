"""Trainings by way of random-label corners: first to random labels, then to the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import Manifest, manifest_path
from hyperribbon.storage.predictions import load_weights

_SEED = 2_20  # of the labels, together with the corner's number; the number of the figure


def random_labels(n: int, n_classes: int, corner: int) -> np.ndarray:
    """Labels (N,) of a random-label corner, drawn uniformly for each sample (thesis 2.5.4).

    >>> random_labels(5, 3, corner=1)
    array([0, 1, 1, 1, 1])
    """
    return np.random.default_rng((_SEED, corner)).integers(n_classes, size=n)


def partly_random_labels(labels: np.ndarray, n_classes: int, fraction: float) -> np.ndarray:
    """Labels (N,), a fraction of which is replaced by uniformly drawn ones (Fig. 4.11).

    On average 1/C of the drawn labels are the true ones. A larger fraction keeps the labels that a
    smaller one draws.

    >>> partly_random_labels(np.array([0, 1, 2, 0]), 3, 0.5)
    array([2, 2, 2, 0])
    """
    rng = np.random.default_rng(_SEED)
    drawn = rng.integers(n_classes, size=len(labels))
    chosen = rng.permutation(len(labels))[: round(fraction * len(labels))]
    found = labels.copy()
    found[chosen] = drawn[chosen]
    return found


class Start:
    """The predictions store of the trainings from whose weights others start.

    Parameters
    ----------
    path : path
        The store.
    step : int, optional
        Step of the checkpoint; by default, the last.
    """

    def __init__(self, path: str | Path, step: int | None = None):
        self.path, self.step = Path(path), step

    def digest(self, seed: int) -> str:
        """SHA-256 of the weights that are kept for a seed."""
        manifest = Manifest.read(manifest_path(self.path))
        return manifest.digest(f"weights/c/{seed}/")

    def weights(self, seed: int) -> dict[str, Tensor] | None:
        """The weights of a seed, by the names of ``state_dict``; None if it diverged."""
        store = open_dataset(self.path)
        if store["diverged_step"].sel(seed=seed) >= 0:
            return None
        step = int(store["step"][-1]) if self.step is None else self.step
        found = load_weights(store, seed, step)
        return {name: torch.from_numpy(values.copy()) for name, values in found.items()}
