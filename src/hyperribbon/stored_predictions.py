"""The forms in which predictions lie in a store, and how they are read.

================  ==============================  ======  ========================================
form              variable                        type    content
================  ==============================  ======  ========================================
``float32``       ``{split}_predictions``         float32 probabilities
``sqrt_float16``  ``{split}_sqrt_predictions``    float16 their square roots, in half the space
================  ==============================  ======  ========================================

Square roots are what distances are made of. In float16 they are off by at most 2^-11 of themselves
(3e-8 where they are below 6e-5), so a model is stored as one within a Bhattacharyya distance of
2^-23, or 1.2e-7 nats. What is read is probabilities in float32, whatever the form.
"""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path
from typing import NamedTuple

import numpy as np
import zarr

from hyperribbon.errors import StoreError, first_line


class Form(NamedTuple):
    """One of the forms above."""

    variable: str
    dtype: str
    content: str
    roots: bool


PREDICTION_FORMS = {
    "float32": Form("predictions", "float32", "predicted probabilities", False),
    "sqrt_float16": Form(
        "sqrt_predictions", "float16", "square roots of predicted probabilities", True
    ),
}


def predictions_variable(split: str, form: str) -> str:
    """Name of the variable that holds the predictions of a split.

    >>> predictions_variable("train", "sqrt_float16")
    'train_sqrt_predictions'
    """
    return f"{split}_{PREDICTION_FORMS[form].variable}"


def as_stored(P: np.ndarray, form: str) -> np.ndarray:
    """Probabilities as they are stored.

    >>> as_stored(np.array([[0.25, 0.75]]), "sqrt_float16").tolist()
    [[0.5, 0.8662109375]]
    """
    kept = PREDICTION_FORMS[form]
    return (np.sqrt(P) if kept.roots else P).astype(kept.dtype)


def stored_form(store: Container[str], split: str) -> str | None:
    """The form of a split's predictions among the variables of a store; None if there are none."""
    forms = (form for form in PREDICTION_FORMS if predictions_variable(split, form) in store)
    return next(forms, None)


def open_predictions(path: str | Path, split: str) -> zarr.Array:
    """The predictions (seed, checkpoint, N, C) of a split, in the form in which they are stored."""
    form = stored_form([folder.name for folder in Path(path).iterdir()], split)
    # Many chunks a call of the codecs: half the time, for they are small.
    with zarr.config.set({"codec_pipeline.batch_size": 32}):
        return zarr.open_array(Path(path, predictions_variable(split, form)), mode="r")


class Trajectory:
    """A training's predictions (K, N, C) in a store, read where they are sliced.

    A third of the time that dask takes for as many small chunks; can be sent to another process.

    Parameters
    ----------
    predictions : as of `open_predictions`
    seed : int, position in the store
    """

    def __init__(self, predictions: zarr.Array, seed: int):
        if predictions.dtype not in (np.float32, np.float16):
            raise StoreError(f"predictions of {predictions.dtype}, expected float32 or float16")
        self._predictions, self._seed = predictions, seed
        self.shape, self.dtype = predictions.shape[1:], np.dtype("float32")
        self.chunks = predictions.chunks[1:]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key) -> np.ndarray:
        key = key if isinstance(key, tuple) else (key,)
        if self._predictions.dtype == self.dtype:
            return self._read(key)
        # Whole distributions, since rounded ones no longer sum to 1.
        P = np.square(self._read(key[:2]), dtype=np.float32)
        P /= P.sum(axis=-1, keepdims=True)
        return P[(..., *key[2:])]

    def _read(self, key: tuple) -> np.ndarray:
        """As stored; a StoreError that names the array if a chunk is damaged."""
        try:
            return self._predictions[(self._seed, *key)]
        except (OSError, ValueError) as error:
            where = str(self._predictions.store_path).removeprefix("file://")
            raise StoreError(f"{where}: damaged or not readable ({first_line(error)})") from None

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.asarray(self[:], dtype=dtype)
