"""Predictions that are imprinted from a network's features (thesis 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import nn

from hyperribbon.errors import DataError
from hyperribbon.networks.layer_output import LayerOutput, flat_rows
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_numpy
from hyperribbon.recording.evaluation import array_of
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
        if not isinstance(model, nn.Module):
            raise DataError(
                f"{name}: features = {self.features!r}, and the model, of type "
                f"{type(model).__name__}, has no layers; expected a torch module, or as features a "
                "function of the model and a batch"
            )
        try:
            output = LayerOutput(model, self.features)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        with output:
            yield output

    def rows(self, found: Any, n: int, name: str) -> np.ndarray:
        """Features (n, F) float32 or float64."""
        if isinstance(self.features, str):
            try:
                found = flat_rows(found, n, self.features)
            except DataError as error:
                raise DataError(f"{name}: {error}") from None
        rows = as_numpy(array_of(found, f"{name} features"), f"{name} features")
        if rows.ndim < 2 or len(rows) != n:
            raise DataError(f"{name} features: shape {rows.shape}, expected ({n}, features)")
        return rows.reshape(n, -1)

    def predicting(
        self, train: list[np.ndarray], name: str
    ) -> Callable[[np.ndarray, str], np.ndarray]:
        """Imprint all classes from the train samples."""
        sums, start = ClassSums(self.n_classes), 0
        try:
            for rows in train:
                sums.add(rows, self.labels[start : start + len(rows)])
                start += len(rows)
            weights = sums.weights()
        except DataError as error:
            raise DataError(f"{name}, train {error}") from None

        def predict(rows: np.ndarray, name: str) -> np.ndarray:
            try:
                return imprinted_predictions(rows, weights).astype(np.float32, copy=False)
            except DataError as error:
                raise DataError(f"{name} {error}") from None

        return predict

    def finish(self, name: str) -> None:
        """Nothing is left to refuse."""
