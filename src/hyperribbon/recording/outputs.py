"""What models return, as probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import softmax

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_numpy, sum_tolerance
from hyperribbon.recording.arrays import as_predictions, refuse_missing, sum_to_one
from hyperribbon.recording.labels import Kept
from hyperribbon.recording.names import listed
from hyperribbon.recording.top_classes import coarse_grained

_AT_ONCE = 2**22  # logits in float64


@dataclass
class Outputs:
    """Logits or probabilities that a model returns, and what they showed so far.

    Parameters
    ----------
    logits : bool, optional
        Whether the model returns logits; otherwise it returns probabilities. By default, an
        estimator's ``predict_proba`` returns probabilities, and anything else logits.
    n_classes : int, optional
        Number of classes, C, if it is known.
    class_names : sequence of str, optional
        Names of the classes, if the labels are names.
    n_labelled : int
        Number of classes up to the last label, for the order of an estimator's classes.
    """

    logits: bool | None = None
    n_classes: int | None = None
    class_names: Sequence[str] | None = None
    n_labelled: int = 0
    sum_to_one: bool = True
    within_one: bool = True
    largest: float = 0
    rounding: float = SUM_TOLERANCE
    _columns: Sequence[int] | None = None  # the class of each column, unless it is its position

    @contextmanager
    def calling(self, model: Any, name: str) -> Iterator[Callable]:
        """The model, or its ``predict_proba``."""
        given = model
        estimator = not callable(model)
        if estimator:
            model = getattr(model, "predict_proba", None)
            if not callable(model):
                raise DataError(
                    f"{name}: the model, of type {type(given).__name__}, cannot be called; "
                    "expected a torch module, a function of a batch, or an estimator that has "
                    "predict_proba"
                )
        if estimator and self.logits:
            raise DataError(
                f'{name}: outputs = "logits", and the model, of type {type(given).__name__}, '
                "has probabilities; leave outputs out, or give a function that returns logits"
            )
        if self.logits is None:
            self.logits = not estimator and getattr(model, "__name__", "") != "predict_proba"
        owner: Any = getattr(model, "__self__", None)
        classes: Any = getattr(owner, "classes_", None)  # scikit-learn's
        if np.ndim(classes) == 1 and np.size(classes):
            self._columns = self._order(np.asarray(classes).tolist(), name)
        yield model

    def rows(self, found: Any, kept: Kept, name: str) -> np.ndarray:
        """Probabilities (m, C) float32 of the samples that count; NaN where one is not finite.

        If few classes are kept, (m, k + 2), as of `coarse_grained`.
        """
        name = f"{name} outputs"
        width = None if self._columns else self.n_classes
        outputs = kept.rows(array_of(found, name, kept, width), name)
        self.rounding = max(self.rounding, sum_tolerance(outputs))
        n = len(outputs)
        if self.logits:
            rows = self._of_logits(as_numpy(outputs, name))
        else:
            rows = as_predictions(outputs, name, n, None)
        if self._columns is not None and rows.shape[1] == len(self._columns):
            placed = np.zeros((n, self.n_classes or len(self._columns)), np.float32)
            placed[:, self._columns] = rows
            rows = placed
        if rows.shape[1] != (self.n_classes or rows.shape[1]):
            why = (
                "" if self.class_names is None else f": {self.n_classes} names are among the labels"
            )
            raise DataError(f"{name}: shape {rows.shape}, expected ({n}, {self.n_classes}){why}")
        self.n_classes = rows.shape[1]
        return rows if kept.top is None else coarse_grained(rows, kept.top)

    def predicting(
        self, train: list[np.ndarray], name: str
    ) -> Callable[[np.ndarray, str], np.ndarray]:
        """They are predictions already."""
        return lambda rows, name: rows

    def finish(self, name: str) -> None:
        """Refuse probabilities that were given as logits."""
        if self.logits and self.sum_to_one:
            raise DataError(
                f'{name}: "logits" that are nonnegative and whose every row sums to 1, which are '
                'probabilities; record them with Recorder(..., outputs="probabilities"), or give '
                "what comes before the softmax"
            )
        if self.logits and self.within_one and self.largest > 0:
            warnings.warn(
                "every logit lies between 0 and 1, as after a sigmoid; their softmax is "
                'recorded. A sigmoid of one output needs outputs="probabilities"; independent '
                "probabilities are no distribution over classes: give what comes before",
                stacklevel=4,
            )

    def _of_logits(self, rows: np.ndarray) -> np.ndarray:
        """Probabilities (m, C) of logits; of large vocabularies, some samples at a time."""
        step = max(1, _AT_ONCE // max(1, rows.shape[1]))
        parts = [
            self._probabilities(rows[start : start + step].astype(np.float64))
            for start in range(0, max(1, len(rows)), step)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _probabilities(self, rows: np.ndarray) -> np.ndarray:
        """The softmax of logits; of one column z, that of (0, z)."""
        if rows.size:
            self.sum_to_one &= rows.shape[1] > 1 and sum_to_one(rows)
            self.within_one &= bool(rows.min() >= 0 and rows.max() <= 1)
            self.largest = max(self.largest, rows.max())
        if rows.shape[1] == 1:
            rows = np.concatenate([np.zeros_like(rows), rows], axis=1)
        with np.errstate(invalid="ignore", over="ignore"):
            P = softmax(rows, axis=1) if rows.size else rows
        return P.astype(np.float32)

    def _order(self, classes: list, name: str) -> list[int] | None:
        """The class of each column of an estimator; None if they are in order."""
        known: list = list(self.class_names or [])
        text = isinstance(classes[0], str)
        if text and not known:
            known = sorted(classes)
        if not text:  # booleans are 0 and 1
            classes = [int(c) if c == int(c) else c for c in classes]
            if classes == list(range(len(classes))):
                return None
            known = list(range(self.n_classes or self.n_labelled or len(classes)))
        others = [c for c in classes if c not in known]
        if others:
            expected = f"0 to {len(known) - 1}" if not text else listed(known)
            raise DataError(
                f"{name}: the model's columns are classes {listed(classes)}; expected {expected}, "
                "the classes of the labels"
            )
        if self.logits and len(classes) < len(known):
            raise DataError(f"{name}: logits of {len(classes)} classes, expected {len(known)}")
        self.n_classes = len(known)
        return None if classes == known else [known.index(c) for c in classes]


def array_of(found: Any, name: str, kept: Kept | None = None, n_classes: int | None = None) -> Any:
    """The array among what a model returned.

    That is its ``logits``, as attribute or key, if it has them. Of a tuple or list of several
    arrays, it is the first with one row per sample and C columns.

    Raises
    ------
    DataError
        If there is none; or if several have different numbers of columns, and C is not known.
    """
    if isinstance(found, Mapping) and not hasattr(found, "logits"):
        if "logits" not in found:
            keys = ", ".join(map(str, found))
            raise DataError(f"{name}: a mapping of {keys}; expected an array, or one with logits")
        found = found["logits"]
    found = getattr(found, "logits", found)
    if found is None:
        raise DataError(f"{name}: None, expected an array (samples, classes)")
    if isinstance(found, list | tuple) and any(len(_shape(item)) > 1 for item in found):
        found = _first(found, name, kept, n_classes)
    refuse_missing(found, name)
    return found


def _first(found: Sequence, name: str, kept: Kept | None, n_classes: int | None) -> Any:
    """The first array of outputs among several."""
    rows = None if kept is None else kept.shape
    fits = [
        item
        for item in found
        if len(_shape(item)) == (2 if rows is None else len(rows) + 1)
        and (rows is None or _shape(item)[:-1] == rows)
        and _shape(item)[-1] == (n_classes or _shape(item)[-1])
    ]
    widths = {_shape(item)[-1] for item in fits}
    if len(widths) != 1:
        shapes = ", ".join(str(_shape(item)) for item in found)
        expected = "one of shape (samples, classes)" if not fits else "n_classes to choose by"
        raise DataError(
            f"{name}: a {type(found).__name__} of {len(found)}, of shapes {shapes}; expected "
            f"{expected}"
        )
    return fits[0]


def _shape(item: Any) -> tuple[int, ...]:
    """Shape of an array; (0,) of anything else, such as a row that is a list."""
    return tuple(getattr(item, "shape", (0,)))
