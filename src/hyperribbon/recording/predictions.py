"""Recording predictions that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.recording.recording import Recording


def record_predictions(
    path: str | Path,
    predictions: Iterable,
    labels,
    *,
    network: str,
    optimiser: str = "unknown",
    seed: int = 0,
    test_predictions: Iterable | None = None,
    test_labels=None,
    steps: Iterable[int] | None = None,
    steps_per_epoch: float | None = None,
    metadata: Mapping[str, object] | None = None,
) -> None:
    """Write a training's predictions to a store, as `Recorder` does from its loop.

    Parameters
    ----------
    path : of the store, ending in .zarr; nothing may be there
    predictions : array (K, N, C) of probabilities, or (N, C) one after the other, such as
        scikit-learn's ``staged_predict_proba(X)``; one is held in memory at a time. In half
        precision, whose rounding shows in their sums, they are normalised
    labels : (N,) true classes, integers from 0; class c is column c of the predictions
    network, optimiser : what tables and figures call it; letters, digits, - and _
    seed : int; trainings that differ by it alone are one configuration
    test_predictions, test_labels : the same of test samples; studies need them
    steps : K integers that increase, by default 0, 1, ..., K - 1
    steps_per_epoch : number, for epochs in tables and figures
    metadata : mapping that JSON can hold, kept with the store

    Raises
    ------
    ConfigError
        If a name or another argument is malformed.
    DataError
        If predictions are not (N, C) distributions, or there are not as many of each.
    StoreError
        If something is at the path already, or nothing was predicted.

    Examples
    --------
    >>> import tempfile, numpy as np, hyperribbon as hr
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 20))
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     hr.record_predictions(f"{runs}/random.zarr", P, np.arange(20) % 3, network="Random")
    """
    if (test_predictions is None) != (test_labels is None):
        raise ConfigError("test_predictions, test_labels: one without the other; expected both")
    known, given = {"train": labels}, {"predictions": predictions}
    if test_predictions is not None:
        known["test"], given["test_predictions"] = test_labels, test_predictions
    if isinstance(predictions, Iterator) and predictions is test_predictions:
        raise DataError(
            "predictions, test_predictions: one iterator, which would give every other one to each"
        )
    if steps is not None:
        given["steps"] = steps
    given = {name: _one_by_one(values, name) for name, values in given.items()}
    recording = Recording(
        path,
        known,
        network=network,
        optimiser=optimiser,
        seed=seed,
        n_classes=None,
        steps_per_epoch=steps_per_epoch,
        metadata=metadata,
    )
    if recording.path.exists():
        raise StoreError(f"{path}: exists already, not replaced")
    with recording:
        recording.drop_from(0)  # what a killed process left; its predictions come again
        try:
            for k, row in enumerate(zip_longest(*given.values())):
                found = dict(zip(given, row, strict=True))
                missing = [name for name, value in found.items() if value is None]
                if missing:
                    raise DataError(f"{', '.join(missing)}: only {k}, expected as many of each")
                step = found.pop("steps", k)
                recording.add(step, dict(zip(known, found.values(), strict=True)))
        except BaseException:
            recording.discard()
            raise


def _one_by_one(values: Iterable, name: str) -> Iterator:
    """What is given for each checkpoint, in turn; else a DataError."""
    if not isinstance(values, Mapping | str | bytes) and not hasattr(values, "columns"):
        try:
            return iter(values)
        except TypeError:  # not of several
            pass
    expected = "integers" if name == "steps" else "(N, C) for each checkpoint, such as (K, N, C)"
    raise DataError(f"{name}: of type {type(values).__name__}, expected {expected}")
