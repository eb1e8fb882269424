"""Predictions of a model on all samples, without changing anything in the training around it."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

from hyperribbon.errors import DataError
from hyperribbon.probability.distributions import SUM_TOLERANCE, as_numpy, sum_tolerance
from hyperribbon.recording.arrays import ONE_OUTPUT, as_predictions, refuse_missing, sum_to_one
from hyperribbon.recording.samples import Samples
from hyperribbon.training.state import random_state, set_random_state

_FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WRAPPERS = (nn.DataParallel, nn.parallel.DistributedDataParallel)


class Reading(Protocol):
    """How predictions come from what is called with each batch."""

    @property
    def rounding(self) -> float:
        """How far two predictions of the same sample may be apart."""

    def calling(self, model: Callable, name: str) -> AbstractContextManager[Callable]:
        """What is called with a batch, in a block."""

    def rows(self, found: Any, n: int, name: str) -> np.ndarray:
        """One row per sample of a batch."""

    def predicting(
        self, train: list[np.ndarray], name: str
    ) -> Callable[[np.ndarray, str], np.ndarray]:
        """Function from rows, with a name for errors, to probabilities, given all train rows."""

    def finish(self, name: str) -> None:
        """Refuse what all predictions together show."""


def evaluate(
    model: Callable,
    samples: Mapping[str, Samples],
    reading: Reading,
    *,
    batch_size: int,
    name: str,
) -> dict[str, np.ndarray]:
    """Probabilities (N, C) float32 of a model, by split.

    Torch modules, whether the model itself or modules that it calls, run in evaluation mode,
    without gradients, outside autocast, with full float32 products and not compiled. Afterwards
    their modes and the global random numbers of Python, NumPy and torch are as before.

    The first batch is evaluated twice; all batches are if global random numbers were drawn.

    Parameters
    ----------
    model : callable
        Called with a batch; what it returns is what the reading takes.
    samples : mapping
        Samples by split, train samples first.
    reading : Reading
        `Outputs`, or `hyperribbon.recording.imprinted.ImprintedFeatures`.
    batch_size : int
        Samples per call of the model.
    name : str
        Name of the checkpoint in error messages.

    Raises
    ------
    DataError
        If outputs do not have the shape (n, C), are probabilities where logits are expected, or
        differ between two calls with the same samples.
    """
    model = _callable(model, name)
    device = _device(model, name)
    parts: dict[str, list[np.ndarray]] = {}
    predict = None
    with ExitStack() as stack:
        random_now = stack.enter_context(_undisturbed(model, device))
        stack.enter_context(torch.no_grad())
        stack.enter_context(_full_precision())
        called = stack.enter_context(reading.calling(model, name))
        module = isinstance(model, nn.Module)
        run = _Run(called, module, device, _dtype(model), reading, name)
        before = random_now()
        for split, inputs in samples.items():
            rows: Iterable = (run(inputs, part) for part in inputs.batches(batch_size))
            if predict is None:
                rows = list(rows)
                predict = reading.predicting(rows, name)
            parts[split] = [predict(batch, f"{name}, {split}") for batch in rows]
        assert predict is not None  # there are train samples
        drawn = not _equal(before, random_now())
        for split, inputs in samples.items():
            again = inputs.batches(batch_size)
            for part, P in zip(again if drawn else again[:1], parts[split], strict=False):
                second = predict(run(inputs, part), f"{name}, {split}")
                _compare(P, second, reading.rounding, f"{name}, {split} outputs")
            if not drawn:
                break
    reading.finish(name)
    return {split: np.concatenate(rows) for split, rows in parts.items()}


@dataclass
class _Run:
    """One model, called batch by batch."""

    called: Callable
    module: bool
    device: torch.device | None
    dtype: torch.dtype | None
    reading: Reading
    name: str

    def __call__(self, samples: Samples, part: slice) -> np.ndarray:
        """What is read of some samples."""
        given = (part, self.device, self.dtype)
        batch = samples.tensors(*given) if self.module else samples.batch(part)
        try:
            found = self.called(**batch) if samples.named else self.called(*batch.values())
        except DataError as error:
            raise DataError(f"{self.name}: {error}") from None
        except Exception as error:
            shown = ", ".join(f"{name}: {_description(rows)}" for name, rows in batch.items())
            error.add_note(f"{self.name}: the model was called with {shown}")
            raise
        return self.reading.rows(found, part.stop - part.start, f"{self.name}, {samples.split}")


@dataclass
class Outputs:
    """Logits or probabilities that a model returns, and what they showed so far.

    Parameters
    ----------
    logits : bool
        Whether the model returns logits; otherwise it returns probabilities.
    """

    logits: bool
    sum_to_one: bool = True
    within_one: bool = True
    rounding: float = SUM_TOLERANCE
    n_classes: int | None = None

    def calling(self, model: Callable, name: str) -> AbstractContextManager[Callable]:
        """The model itself."""
        return nullcontext(model)

    def rows(self, found: Any, n: int, name: str) -> np.ndarray:
        """Probabilities (n, C) float32."""
        name = f"{name} outputs"
        outputs = array_of(found, name)
        self.rounding = max(self.rounding, sum_tolerance(outputs))
        if not self.logits:
            rows = as_predictions(_shaped(outputs, n, self.n_classes, name), name, n, None)
        else:
            rows = _shaped(as_numpy(outputs, name), n, self.n_classes, name).astype(np.float64)
            self.sum_to_one &= sum_to_one(rows)
            self.within_one &= bool(rows.min() > 0 and rows.max() < 1)
            rows = torch.from_numpy(np.ascontiguousarray(rows)).softmax(dim=1).float().numpy()
        self.n_classes = rows.shape[1]
        return rows

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
        if self.logits and self.within_one:
            warnings.warn(
                "every logit lies between 0 and 1, as after a sigmoid; their softmax is recorded. "
                "Independent probabilities are no distribution over classes: give what comes "
                "before",
                stacklevel=4,
            )


def _compare(P: np.ndarray, again: np.ndarray, rounding: float, name: str) -> None:
    """Refuse predictions of the same samples that differ by more than rounding."""
    apart = np.abs(P - again).max()
    if apart > rounding:
        raise DataError(
            f"{name}: two calls with the same samples give probabilities up to {apart:.2g} apart; "
            "expected a model without chance and memory (dropout needs training=self.training, "
            "augmentation belongs before the model)"
        )


def _callable(model: Callable, name: str) -> Callable:
    """The model without DataParallel; a DataError if it cannot be called."""
    while isinstance(model, _WRAPPERS):
        model = model.module
    if not callable(model):
        kind = type(model).__name__
        raise DataError(
            f"{name}: the model, of type {kind}, cannot be called; expected a torch module or a "
            "function of a batch, such as its predict_proba"
        )
    classes = getattr(getattr(model, "__self__", None), "classes_", None)  # scikit-learn's
    if (
        isinstance(classes, np.ndarray)
        and classes.dtype.kind in "iu"
        and classes.ndim == 1
        and not np.array_equal(classes, np.arange(len(classes)))
    ):
        raise DataError(
            f"{name}: the model's columns are classes {', '.join(map(str, classes[:20]))}; "
            f"expected 0 to {len(classes) - 1}, in this order"
        )
    return model


def _device(model: Callable, name: str) -> torch.device | None:
    """Device of a torch module; None for anything else, and for a module without tensors."""
    if not isinstance(model, nn.Module):
        return None
    devices = [tensor.device for tensor in [*model.parameters(), *model.buffers()]]
    real = [device for device in devices if device.type != "meta"]
    if devices and not real:
        raise DataError(f"{name}: the model is on the meta device, where tensors hold no numbers")
    return real[0] if real else None


def _dtype(model: Callable) -> torch.dtype | None:
    """Floating-point type of a torch module's parameters; None if there are several or none."""
    parameters = model.parameters() if isinstance(model, nn.Module) else ()
    found = {parameter.dtype for parameter in parameters if parameter.is_floating_point()}
    return found.pop() if len(found) == 1 and found <= set(_FLOATING) else None


def array_of(found: Any, name: str) -> Any:
    """The array among what a model returned."""
    if isinstance(found, Mapping) and not hasattr(found, "logits"):
        if "logits" not in found:
            keys = ", ".join(map(str, found))
            raise DataError(f"{name}: a mapping of {keys}; expected an array, or one with logits")
        found = found["logits"]
    found = getattr(found, "logits", found)
    if found is None:
        raise DataError(f"{name}: None, expected an array (samples, classes)")
    several = isinstance(found, list | tuple) and any(np.ndim(item) > 1 for item in found)
    if several or isinstance(found, tuple):
        raise DataError(
            f"{name}: a {type(found).__name__} of {len(found)}, expected one array (samples, "
            "classes); give a module or function that returns this one alone"
        )
    refuse_missing(found, name)
    return found


def _shaped(rows, n: int, n_classes: int | None, name: str):
    """Outputs of shape (n, C) with C > 1; others raise a DataError."""
    shape = tuple(getattr(rows, "shape", np.shape(rows)))
    if shape in ((n,), (n, 1)):
        raise DataError(f"{name}: shape {shape}; {ONE_OUTPUT}")
    if len(shape) != 2 or shape != (n, n_classes or shape[1]):
        raise DataError(f"{name}: shape {shape}, expected ({n}, {n_classes or 'classes'})")
    return rows


def _description(rows: Any) -> str:
    shape = getattr(rows, "shape", None)
    size = f"{len(rows)} items" if shape is None else f"shape {tuple(shape)}"
    return f"{type(rows).__name__} {getattr(rows, 'dtype', '')} {size}".replace("  ", " ")


@contextmanager
def _undisturbed(
    model: Callable, device: torch.device | None
) -> Iterator[Callable[[], Mapping[str, object]]]:
    """Put modules in evaluation mode, and restore every mode and random number afterwards.

    Yields a function that returns the state of the global random numbers.
    """
    if device is None:
        device = torch.device("cuda" if torch.cuda.is_initialized() else "cpu")
    modes: dict[nn.Module, bool] = {}

    def evaluated(module: nn.Module, *_: object) -> None:
        """Put a module in evaluation mode, with all of its submodules."""
        parts = [part for part in module.modules() if part not in modes]
        # All modes are read before any is set, because a compiled module shares the mode of the
        # module in it. A frozen script has none.
        found = {part: part.training for part in parts if hasattr(part, "training")}
        for part in found:
            part.training = False
        modes.update(found)

    random_now = functools.partial(random_state, device)
    state = random_now()
    # Compiled networks run uncompiled: the compiler cannot follow the hook, and would compile again
    # for evaluation. If its module is not imported, nothing is compiled.
    eager = "torch._dynamo" in sys.modules
    stance = torch.compiler.set_stance("force_eager") if eager else nullcontext()
    hook = register_module_forward_pre_hook(evaluated)  # for modules that are not part of the model
    try:
        for owner in (model, getattr(model, "__self__", None)):
            if isinstance(owner, nn.Module):
                evaluated(owner)
        with stance, warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Using `torch.compile.*global hooks")
            yield random_now
    finally:
        hook.remove()
        for part, mode in reversed(modes.items()):
            part.training = mode
        set_random_state(state, device)


def _equal(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether two states of random numbers are the same."""
    return all(
        torch.equal(before[key], after[key])
        if isinstance(before[key], torch.Tensor)
        else before[key] == after[key]
        for key in before
    )


@contextmanager
def _full_precision() -> Iterator[None]:
    """Turn off autocast, and the rounding of float32 to TensorFloat-32 or bfloat16 in products."""
    backends: Any = torch.backends  # whose stubs lack the newer settings
    places = [
        *(backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn),
        *(backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn),
    ]
    with ExitStack() as stack:
        for kind in ("cpu", "cuda", "mps", "xpu"):
            if torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, enabled=False))
        for place in places:
            stack.callback(setattr, place, "fp32_precision", place.fp32_precision)
        # Torch has a second, older interface to the same settings. Reading it fails while the two
        # disagree, as they do if only the newer one was used; if reading works, both are set.
        try:
            precision, tf32 = torch.get_float32_matmul_precision(), backends.cudnn.allow_tf32
        except RuntimeError:
            pass
        else:
            stack.callback(torch.set_float32_matmul_precision, precision)
            stack.callback(setattr, backends.cudnn, "allow_tf32", tf32)
            torch.set_float32_matmul_precision("highest")
            backends.cudnn.allow_tf32 = False
        for place in places:
            place.fp32_precision = "ieee"
        yield
