"""Predictions that are imprinted from a network's features (thesis 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_numpy
from hyperribbon.recording.labels import Kept
from hyperribbon.recording.outputs import array_of
from hyperribbon.tasks.class_sums import ClassSums
from hyperribbon.tasks.imprinting import imprinted_predictions


@dataclass(frozen=True)
class ImprintedFeatures:
    """Features of a layer or function, imprinted from the train samples at every checkpoint.

    Parameters
    ----------
    features : str or callable
        Name of a layer in ``network.named_modules()``, or a function of the model and a batch.
    labels : (N,) int
        True classes of the train samples.
    n_classes : int
        Number of classes, C.
    """

    features: str | Callable
    labels: np.ndarray
    n_classes: int
    rounding: float = SUM_TOLERANCE

    @property
    def described(self) -> str:
        """Name of the layer or function."""
        if isinstance(self.features, str):
            return self.features
        return getattr(self.features, "__qualname__", type(self.features).__qualname__)

    @contextmanager
    def calling(self, model: Callable, name: str) -> Iterator[Callable]:
        """The layer's output as a function of a batch, while it is hooked to the network."""
        if not isinstance(self.features, str):
            function = self.features
            yield lambda *inputs, **named: function(model, *inputs, **named)
            return
        model = getattr(model, "_orig_mod", model)  # of torch.compile
        if not hasattr(model, "named_modules"):
            raise DataError(
                f"{name}: features = {self.features!r}, and the model, of type "
                f"{type(model).__name__}, has no layers; expected a torch module, or as features a "
                "function of the model and a batch"
            )
        from hyperribbon.networks.layer_output import LayerOutput  # which imports torch

        network: Any = model
        try:
            output = LayerOutput(network, self.features)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        with output:
            yield output

    def rows(self, found: Any, kept: Kept, name: str) -> np.ndarray:
        """Features (m, F), float32 or float64, of the samples that count."""
        n = kept.shape[0]
        if isinstance(self.features, str):
            from hyperribbon.networks.layer_output import flat_rows

            try:
                found = flat_rows(found, n, self.features)
            except DataError as error:
                raise DataError(f"{name}: {error}") from None
        rows = as_numpy(array_of(found, f"{name} features"), f"{name} features")
        if rows.ndim < 2 or len(rows) != n:
            raise DataError(f"{name} features: shape {rows.shape}, expected ({n}, features)")
        rows = rows.reshape(n, -1)
        return rows if kept.index is None else rows[kept.index]

    def predicting(
        self, train: list[np.ndarray], name: str
    ) -> Callable[[np.ndarray, str], np.ndarray]:
        """Imprint all classes from the train samples; features that are not finite give NaN."""
        if not all(np.isfinite(rows).all() for rows in train):
            return lambda rows, name: np.full((len(rows), self.n_classes), np.nan, np.float32)
        sums, start = ClassSums(self.n_classes), 0
        try:
            for rows in filter(len, train):
                sums.add(rows, self.labels[start : start + len(rows)])
                start += len(rows)
            weights = sums.weights()
        except DataError as error:
            raise DataError(f"{name}, train {error}") from None

        def predict(rows: np.ndarray, name: str) -> np.ndarray:
            found = np.full((len(rows), self.n_classes), np.nan, np.float32)
            finite = np.isfinite(rows).all(axis=1)
            try:
                if finite.any():
                    found[finite] = imprinted_predictions(rows[finite], weights)
                return found
            except DataError as error:
                raise DataError(f"{name} {error}") from None

        return predict

    def finish(self, name: str) -> None:
        """Nothing is left to refuse."""
