"""Recording of predictions that were made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.recording.labels import read_labels
from hyperribbon.recording.recording import Recording
from hyperribbon.recording.tokens import as_vocabulary


def record_predictions(
    path: str | Path,
    predictions: Iterable | None = None,
    labels=None,
    *,
    network: str,
    optimiser: str = "unknown",
    seed: int = 0,
    test_predictions: Iterable | None = None,
    test_labels=None,
    steps: Iterable[int] | None = None,
    steps_per_epoch: float | None = None,
    metadata: Mapping[str, object] | None = None,
    form: str = "float32",
    vocabulary: Sequence[str] | Mapping[str, int] | None = None,
) -> None:
    """Write the predictions of a training to a store, as `Recorder` does from a training loop.

    Parameters
    ----------
    path : path
        The store; .zarr is added if it is missing. Nothing may be there.
    predictions : array-like of shape (K, N, C), or iterable
        Probabilities, or an iterator over arrays (N, C) such as scikit-learn's
        ``staged_predict_proba(X)``, of which one is in memory at a time. Probabilities in half
        precision are normalised, because its rounding shows in their sums. One probability per
        sample, (N,) or (N, 1), is that of the second of two classes. Where predictions are not
        finite, the training is taken to have diverged, with a warning.
    labels : array-like of shape (N,)
        True classes, as for a `Recorder`: integers from 0, class c being column c of the
        predictions, or names in sorted order. Samples with label -100 are left out.
    network, optimiser : str
        Names in tables and figures.
    seed : int
        Trainings that differ only by the seed are one configuration.
    test_predictions, test_labels : optional
        The same for test samples, which may also be given alone. Studies need both.
    steps : iterable of int, optional
        K increasing steps; by default 0, 1, ..., K - 1.
    steps_per_epoch : float, optional
        Steps per epoch, for epochs in tables and figures.
    metadata : mapping, optional
        Anything else that JSON can hold, kept with the store.
    form, vocabulary : optional
        As for a `Recorder`.

    Raises
    ------
    ConfigError
        If a name or another argument is malformed.
    DataError
        If predictions are not (N, C) distributions, or the numbers of train and test predictions
        and steps differ.
    StoreError
        If something is at the path already, or nothing was predicted.

    Examples
    --------
    >>> import tempfile, numpy as np, hyperribbon as hr
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(5, 20))
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     hr.record_predictions(f"{runs}/random.zarr", P, np.arange(20) % 3, network="Random")
    """
    given: dict[str, Any] = {"predictions": predictions, "test_predictions": test_predictions}
    known: dict[str, Any] = {"train": labels, "test": test_labels}
    for (name, found), classes in zip(given.items(), known.values(), strict=True):
        if (found is None) != (classes is None):
            words = f"{name}, {name.replace('predictions', 'labels')}"
            raise ConfigError(f"{words}: one without the other; expected both")
    given = {name: found for name, found in given.items() if found is not None}
    if not given:
        raise ConfigError("predictions, test_predictions: neither given; expected one or both")
    tokens = as_vocabulary(vocabulary)
    n_classes = None if tokens is None else len(tokens)
    read, class_names = read_labels({k: v for k, v in known.items() if v is not None}, n_classes)
    if isinstance(predictions, Iterator) and predictions is test_predictions:
        raise DataError(
            "predictions, test_predictions: one iterator, which would give every other one to each"
        )
    if steps is not None:
        given["steps"] = steps
    given = {name: _one_by_one(values, name) for name, values in given.items()}
    recording = Recording(
        path,
        read,
        class_names,
        network=network,
        optimiser=optimiser,
        seed=seed,
        n_classes=n_classes,
        steps_per_epoch=steps_per_epoch,
        metadata=metadata,
        form=form,
        vocabulary=tokens,
    )
    if recording.path.exists():
        raise StoreError(f"{recording.path}: exists already, not replaced")
    with recording:
        recording.drop_from(0)  # left by a killed process, whose predictions come again
        try:
            for k, row in enumerate(zip_longest(*given.values())):
                found = dict(zip(given, row, strict=True))
                missing = [name for name, value in found.items() if value is None]
                if missing:
                    raise DataError(
                        f"{', '.join(missing)}: only {k}, expected equally many of each"
                    )
                step = found.pop("steps", k)
                rows = {
                    split: labels.kept().rows(P, f"step {step}, {split} predictions")
                    for (split, labels), P in zip(read.items(), found.values(), strict=True)
                }
                recording.add(step, rows)
        except BaseException:
            recording.discard()
            raise


def _one_by_one(values: Iterable, name: str) -> Iterator:
    """Iterate over what is given for each checkpoint; a DataError if that is impossible."""
    if not isinstance(values, Mapping | str | bytes) and not hasattr(values, "columns"):
        try:
            return iter(values)
        except TypeError:  # no iterable
            pass
    expected = "integers" if name == "steps" else "(N, C) for each checkpoint, such as (K, N, C)"
    raise DataError(f"{name}: of type {type(values).__name__}, expected {expected}")
