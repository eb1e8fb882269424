"""Predictions of a model on all samples, without changing anything in the training around it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from hyperribbon.errors import DataError
from hyperribbon.numerics.random_state import (
    random_state,
    same_random_state,
    set_random_state,
)
from hyperribbon.recording.labels import Kept, Labels
from hyperribbon.recording.samples import Samples


class Reading(Protocol):
    """How predictions come from what is called with each batch."""

    @property
    def rounding(self) -> float:
        """How far two predictions of the same sample may be apart."""

    def calling(self, model: Any, name: str) -> AbstractContextManager[Callable]:
        """What is called with a batch, in a block."""

    def rows(self, found: Any, kept: Kept, name: str) -> np.ndarray:
        """One row for each sample, or token, of a batch that counts."""

    def predicting(
        self, train: list[np.ndarray], name: str
    ) -> Callable[[np.ndarray, str], np.ndarray]:
        """Function from rows, with a name for errors, to probabilities; given all train rows."""

    def finish(self, name: str) -> None:
        """Refuse what all predictions together show."""


def evaluate(
    model: Any,
    samples: Mapping[str, Samples],
    reading: Reading,
    labels: Mapping[str, Labels] | None = None,
    *,
    batch_size: int,
    name: str,
) -> dict[str, np.ndarray]:
    """Probabilities (N, C) float32 of a model, by split; NaN where outputs are not finite.

    Torch modules, whether the model itself or modules that it calls, run in evaluation mode,
    without gradients, outside autocast, with full float32 products and not compiled. Afterwards
    their modes and the global random numbers of Python, NumPy and torch are as before.

    The first batch is evaluated twice; all batches are if global random numbers were drawn.

    Parameters
    ----------
    model : callable or estimator
        Called with a batch; what it returns is what the reading takes.
    samples : mapping
        Samples by split, train samples first.
    reading : Reading
        `hyperribbon.recording.outputs.Outputs`, or
        `hyperribbon.recording.imprinted.ImprintedFeatures`.
    labels : mapping, optional
        Labels by split, which say what counts; by default, every sample does.
    batch_size : int
        Samples per call of the model.
    name : str
        Name of the checkpoint in error messages.

    Raises
    ------
    DataError
        If outputs do not have the shape (n, C), are probabilities where logits are expected, or
        differ between two calls with the same samples; or if they are not finite because the inputs
        are not.
    """
    parts: dict[str, list[np.ndarray]] = {}
    predict = None
    with ExitStack() as stack:
        model, device, tensors = _prepared(model, stack, name)
        before = random_state(device)
        stack.callback(set_random_state, before, device)
        run = _Run(
            stack.enter_context(reading.calling(model, name)), tensors, reading, labels, name
        )
        for split, inputs in samples.items():
            rows: Iterable = (run(inputs, part) for part in inputs.batches(batch_size))
            if predict is None:
                rows = list(rows)
                predict = reading.predicting(rows, name)
            parts[split] = [predict(batch, f"{name}, {split}") for batch in rows]
        assert predict is not None  # there are samples
        drawn = not same_random_state(before, random_state(device))
        for split, inputs in samples.items():
            again = inputs.batches(batch_size)
            for part, P in zip(again if drawn else again[:1], parts[split], strict=False):
                second = predict(run(inputs, part), f"{name}, {split}")
                _compare(P, second, reading.rounding, f"{name}, {split} outputs")
            if not drawn:
                break
    reading.finish(name)
    found = {split: np.concatenate(rows) for split, rows in parts.items()}
    for split, P in found.items():
        _refuse_bad_inputs(P, samples[split], (labels or {}).get(split), name)
    return found


def _prepared(
    model: Any, stack: ExitStack, name: str
) -> tuple[Any, Any, Callable[[Mapping, str], Mapping] | None]:
    """The model, its device, and what makes tensors of a batch if it is a torch module."""
    torch = sys.modules.get("torch")
    if torch is None:  # nothing here is torch's
        return model, None, None
    from hyperribbon.recording.torch_modules import as_tensors, device_of, evaluating, unwrapped

    model = unwrapped(model)
    device = device_of(model, name)
    stack.enter_context(evaluating(model))
    if not isinstance(model, torch.nn.Module):
        return model, device, None
    return model, device, lambda batch, split: as_tensors(batch, model, split, name)


@dataclass
class _Run:
    """One model, called batch by batch."""

    called: Callable
    tensors: Callable[[Mapping, str], Mapping] | None
    reading: Reading
    labels: Mapping[str, Labels] | None
    name: str

    def __call__(self, samples: Samples, part: slice) -> np.ndarray:
        """What is read of some samples."""
        batch: Mapping[str, Any] = samples.batch(part)
        if self.tensors is not None:
            batch = self.tensors(batch, samples.split)
        try:
            found = self.called(**batch) if samples.named else self.called(*batch.values())
        except DataError as error:
            raise DataError(f"{self.name}: {error}") from None
        except Exception as error:
            shown = ", ".join(f"{name}: {_description(rows)}" for name, rows in batch.items())
            error.add_note(f"{self.name}: the model was called with {shown}")
            raise
        labels = (self.labels or {}).get(samples.split)
        kept = Kept((part.stop - part.start,)) if labels is None else labels.kept(part)
        return self.reading.rows(found, kept, f"{self.name}, {samples.split}")


def _compare(P: np.ndarray, again: np.ndarray, rounding: float, name: str) -> None:
    """Refuse predictions of the same samples that differ by more than rounding."""
    apart = np.abs(P - again).max(initial=0)
    if apart > rounding:
        raise DataError(
            f"{name}: two calls with the same samples give probabilities up to {apart:.2g} apart; "
            "expected a model without chance and memory (dropout needs training=self.training, "
            "augmentation belongs before the model)"
        )


def _refuse_bad_inputs(P: np.ndarray, samples: Samples, labels: Labels | None, name: str) -> None:
    """Refuse inputs that are not finite if they are why predictions are not."""
    bad = np.flatnonzero(~np.isfinite(P).all(axis=1))
    if not len(bad):
        return
    owners = bad if labels is None else labels.index[bad] // math.prod(labels.shape[1:])
    causes = owners[samples.not_finite()[owners]]
    if len(causes):
        raise DataError(
            f"{name}: {samples.split} inputs: sample {causes[0]} has numbers that are NaN or "
            "infinite, and predictions are not finite either; leave such samples out"
        )


def _description(rows: Any) -> str:
    shape = getattr(rows, "shape", None)
    size = f"{len(rows)} items" if shape is None else f"shape {tuple(shape)}"
    return f"{type(rows).__name__} {getattr(rows, 'dtype', '')} {size}".replace("  ", " ")
