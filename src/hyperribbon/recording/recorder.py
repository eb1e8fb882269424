"""Recording from a training loop that is not ours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.errors import ConfigError, DataError
from hyperribbon.probability.distributions import as_numpy, check_size
from hyperribbon.recording.recording import Recording
from hyperribbon.training.state import random_state, set_random_state

Inputs = Tensor | np.ndarray | Mapping[str, Tensor | np.ndarray]


class Recorder:
    """Record what a network predicts, checkpoint by checkpoint, from any training loop.

    Each checkpoint is kept as soon as it is made, in ``<name>.recording`` beside ``<name>.zarr``.
    When the ``with`` block ends, the store is published whole; if an exception ends it, or the
    process is killed, a Recorder of the same training goes on with what was kept. Then a training
    that starts again from an earlier step replaces the later checkpoints, and says so. A published
    store can be gone on with, too, but no checkpoint in it is ever replaced.

    Parameters
    ----------
    path : of the store to publish, ending in .zarr
    inputs : array or tensor (N, ...) or a mapping of such, as the model takes them; a mapping is
        passed as keywords
    labels : (N,) true classes, integers from 0
    test_inputs, test_labels : the same of test samples; studies need them, functions of arrays
        do not
    network, optimiser : what tables and figures call it; letters, digits, - and _
    seed : int; trainings that differ by it alone are one configuration
    n_classes : int, C; by default that of the first outputs
    steps_per_epoch : number, for epochs in tables and figures
    outputs : what the model returns, "logits" or "probabilities"
    batch_size : int, samples a call of the model
    metadata : mapping that JSON can hold, kept with the store

    Raises
    ------
    ConfigError
        If the path, a name or another word is malformed.
    DataError
        If inputs and labels do not agree, or a number is not what it should be.
    StoreError
        On entering: if what was recorded there is of other samples, in another order or with other
        labels, classes, names, seed or metadata, or another process records there.

    Examples
    --------
    >>> import tempfile, torch, hyperribbon as hr
    >>> x, y = torch.randn(60, 8), torch.arange(60) % 3
    >>> model = torch.nn.Linear(8, 3)
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     with hr.Recorder(f"{runs}/linear.zarr", x, y, network="Linear") as rec:
    ...         for step in range(0, 30, 10):
    ...             rec.checkpoint(model, step=step)
    ...     rec.steps
    [0, 10, 20]
    """

    def __init__(
        self,
        path: str | Path,
        inputs: Inputs,
        labels,
        *,
        network: str,
        optimiser: str = "unknown",
        seed: int = 0,
        test_inputs: Inputs | None = None,
        test_labels=None,
        n_classes: int | None = None,
        steps_per_epoch: float | None = None,
        outputs: Literal["logits", "probabilities"] = "logits",
        batch_size: int = 500,
        metadata: Mapping[str, object] | None = None,
    ):
        if outputs not in ("logits", "probabilities"):
            raise ConfigError(f'outputs = {outputs!r}: expected "logits" or "probabilities"')
        if (test_inputs is None) != (test_labels is None):
            raise ConfigError("test_inputs, test_labels: one without the other; expected both")
        self._logits = outputs == "logits"
        self._batch_size = check_size(batch_size, "batch_size")
        self._inputs, known = {"train": inputs}, {"train": labels}
        if test_inputs is not None:
            self._inputs["test"], known["test"] = test_inputs, test_labels
        for split, samples in self._inputs.items():
            if {len(array) for array in _arrays(samples).values()} != {len(known[split])}:
                counts = {name: len(array) for name, array in _arrays(samples).items()}
                raise DataError(
                    f"{split}: {len(known[split])} labels, expected as many as "
                    + ", ".join(f"{name} ({count})" for name, count in counts.items())
                )
        self._recording = Recording(
            path,
            known,
            {split: _sha256(samples) for split, samples in self._inputs.items()},
            network=network,
            optimiser=optimiser,
            seed=seed,
            n_classes=n_classes,
            steps_per_epoch=steps_per_epoch,
            metadata=metadata,
        )

    def __enter__(self) -> Recorder:
        self._recording.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self._recording.__exit__(*error)

    @property
    def steps(self) -> list[int]:
        """Steps recorded so far."""
        return self._recording.steps

    def checkpoint(self, model: Callable, *, step: int) -> None:
        """Record the predictions of a model on all samples.

        A torch module is evaluated on its device, in evaluation mode and without gradient; then
        every submodule is in the mode that it was in, and global random numbers go on as if
        nothing had happened. Anything else that can be called is given the inputs as they are.

        Parameters
        ----------
        model : called with a batch; returns (n, C), or something that has this as ``logits``
        step : optimiser steps taken, more than at the checkpoint before

        Raises
        ------
        DataError
            If the step does not increase, or outputs are not of shape (N, C), not finite or, as
            probabilities, do not sum to 1.
        StoreError
            If the step is published already, or the recorder is used outside its block.
        """
        self._recording.check_next(step)
        device = _device(model)
        with _undisturbed(model, device), torch.no_grad():
            predictions = {
                split: self._predict(model, samples, device, f"step {step}, {split} outputs")
                for split, samples in self._inputs.items()
            }
        self._recording.add(step, predictions)

    def _predict(
        self, model: Callable, samples: Inputs, device: torch.device | None, name: str
    ) -> np.ndarray:
        """Probabilities (N, C) float32."""
        parts = []
        arrays = _arrays(samples)
        n = len(next(iter(arrays.values())))
        for start in range(0, n, self._batch_size):
            part = slice(start, start + self._batch_size)
            batch = {key: _on(device, array[part]) for key, array in arrays.items()}
            found = model(**batch) if isinstance(samples, Mapping) else model(*batch.values())
            rows = as_numpy(getattr(found, "logits", found), name)
            if rows.ndim != 2:
                raise DataError(f"{name}: shape {rows.shape}, expected (samples, classes)")
            if self._logits:
                rows = torch.from_numpy(rows).double().softmax(dim=1).numpy()
            parts.append(rows.astype(np.float32))
        return np.concatenate(parts)


def _arrays(samples: Inputs) -> Mapping[str, Tensor | np.ndarray]:
    return samples if isinstance(samples, Mapping) else {"inputs": samples}


def _device(model: Callable) -> torch.device | None:
    """Where a torch module is; None of anything else."""
    if not isinstance(model, nn.Module):
        return None
    tensors = chain(model.parameters(), model.buffers(), [torch.empty(0)])
    return next(tensors).device


def _on(device: torch.device | None, batch):
    """A batch as a tensor on the device; as it is without one."""
    return batch if device is None else torch.as_tensor(batch).to(device)


@contextmanager
def _undisturbed(model: Callable, device: torch.device | None) -> Iterator[None]:
    """Evaluation mode, and afterwards every mode and random number as before."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    device = device or torch.device("cpu")
    state = random_state(device)
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.training = mode
        set_random_state(state, device)


def _sha256(samples: Inputs) -> str | None:
    """Hash of samples in their order, equal for tensors and arrays; None if they are neither."""
    content = hashlib.sha256()
    for name, array in sorted(_arrays(samples).items()):
        if isinstance(array, Tensor):
            flat = array.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
        elif isinstance(array, np.ndarray) and not array.dtype.hasobject:
            flat = np.ascontiguousarray(array)
        else:
            return None
        kind = str(array.dtype).removeprefix("torch.")
        content.update(f"{name} {kind} {tuple(array.shape)}".encode())
        content.update(flat)
    return content.hexdigest()
