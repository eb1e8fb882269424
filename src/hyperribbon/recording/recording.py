"""The predictions store of one training in the making, checkpoint by checkpoint.

Until it is published, ``<name>.recording`` next to ``<name>.zarr`` holds

========================  ======================================================================
``lock``                  held by the process that records; the system releases it
``recording.json``        what is recorded: names, seed and hashes of the samples
``{split}_predictions``   predictions, one file per checkpoint, under its step
``<step>.json``           loss and error of a checkpoint, written last: the checkpoint is complete
========================  ======================================================================

The published store consists of hard links to these files. A recording that continues begins with
links to what is published. The folder thus always has everything, and is removed when all is
published.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import numpy as np
import zarr
from pydantic import TypeAdapter, ValidationError

from hyperribbon.config.fields import Label
from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.probability.distance import FLOOR
from hyperribbon.probability.distributions import check_size
from hyperribbon.recording.arrays import as_labels, as_predictions, check_positive
from hyperribbon.recording.external import recorded_configuration
from hyperribbon.storage.dataset import link, open_dataset, publish, remove_leftovers
from hyperribbon.storage.digest import canonical_json, digest
from hyperribbon.storage.files import remove, written_whole
from hyperribbon.storage.locks import locked
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.predictions import chunk_of, create_checkpoints, create_predictions
from hyperribbon.storage.provenance import versions

logger = logging.getLogger(__name__)


class Recording:
    """Predictions of one training, kept as they come and published at the end.

    Use it in a ``with`` block, which locks the work folder, and publishes at the end unless an
    exception ends the block. Opened again, it continues from what it has.

    Parameters
    ----------
    path : path
        The store to publish, ending in .zarr.
    labels : mapping
        True classes (N,), by split.
    inputs_sha256 : mapping, optional
        Hashes of the samples by split, None where unknown.
    network, optimiser : str
        Names of letters, digits, - and _.
    seed : int
        Seed of the training.
    n_classes : int or None
        Number of classes, C; None for that of the first predictions.
    steps_per_epoch : float or None
        None if it is not known.
    metadata : mapping or None
        Anything else that JSON can hold.

    Attributes
    ----------
    configuration : dict
        Everything in which a recording must agree to be continued.
    path, folder : Path
        The store and the work folder.

    Raises
    ------
    ConfigError
        If the path, a name or the metadata are malformed.
    DataError
        If labels are no classes, or a number is not what it should be.
    StoreError
        On entering, if something else is there, or another process records there.
    """

    def __init__(
        self,
        path: str | Path,
        labels: Mapping[str, object],
        inputs_sha256: Mapping[str, str | None] | None = None,
        *,
        network: str,
        optimiser: str,
        seed: int,
        n_classes: int | None,
        steps_per_epoch: float | None,
        metadata: Mapping[str, object] | None,
    ):
        self.path = Path(path) if isinstance(path, str | PathLike) else Path()
        if self.path.suffix != ".zarr":
            raise ConfigError(f"path = {path}: expected the path of a store, ending in .zarr")
        self.folder = self.path.with_suffix(".recording")
        if n_classes is not None:
            n_classes = check_size(n_classes, "n_classes", least=2, most=2**31)
        self._n_classes = n_classes
        self._labels = {
            split: as_labels(values, f"{split} labels", n_classes)
            for split, values in labels.items()
        }
        if steps_per_epoch is not None:
            steps_per_epoch = check_positive(steps_per_epoch, "steps_per_epoch")
        try:
            described = json.loads(canonical_json(dict(metadata or {})))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"metadata: expected what JSON can hold ({error})") from None
        self.configuration = {
            "network_name": _name("network", network),
            "optimiser_name": _name("optimiser", optimiser),
            "seed": check_size(seed, "seed", least=0),
            "steps_per_epoch": steps_per_epoch,
            "metadata": described,
            "samples": {
                split: {
                    "number": len(values),
                    "labels_sha256": digest(values.tolist()),
                    "inputs_sha256": (inputs_sha256 or {}).get(split),
                }
                for split, values in self._labels.items()
            },
            "recorded": True,
        }
        self._arrays: dict[str, zarr.Array] = {}
        self._recorded: set[int] = set()
        self._published: set[int] = set()
        self._replace = False  # whether a store at the path may be replaced
        self._last: int | None = None  # step recorded since this was opened
        self._lock: ExitStack | None = None

    @property
    def steps(self) -> list[int]:
        """Steps recorded so far, including published ones."""
        return sorted(self._recorded)

    def __enter__(self) -> Recording:
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.folder, wait=False))
            except BlockingIOError:
                raise StoreError(f"{self.folder}: another process is recording here") from None
            try:
                self._begin()
            except BaseException:
                if not self._about.exists():  # nothing was recorded here
                    shutil.rmtree(self.folder)
                raise
            self._lock = stack.pop_all()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        assert self._lock is not None
        with self._lock:
            self._lock = None
            if kind is None:
                self._publish()
            elif self._recorded == self._published:  # nothing new, if anything
                self.discard()
            else:
                kept = "%s: not published; its %d checkpoints are kept, and it can be continued"
                logger.warning(kept, self.folder, len(self._recorded))

    def add(self, step: int, predictions: Mapping[str, object]) -> None:
        """Keep a checkpoint's predictions.

        Parameters
        ----------
        step : int
            Optimiser steps taken, more than at the previous checkpoint.
        predictions : mapping
            Probabilities (N, C), by split.

        Raises
        ------
        DataError
            If the step does not increase, or the predictions are not (N, C) distributions.
        StoreError
            If the step is published already.
        """
        step = self.check_next(step)
        n_classes = self._n_classes
        found: dict[str, np.ndarray] = {}
        for split, labels in self._labels.items():
            name = f"step {step}, {split} predictions"
            P = as_predictions(predictions[split], name, len(labels), n_classes)
            n_classes, found[split] = P.shape[1], P
        assert n_classes is not None  # of the first split, if no other
        self._open(n_classes)
        self.drop_from(step)
        for split, P in found.items():
            self._arrays[split][0, step] = P
        self._write_mark(
            step, {split: _loss_and_error(P, self._labels[split]) for split, P in found.items()}
        )
        self._last = step

    def discard(self) -> None:
        """Remove the work folder; a published store stays."""
        remove(self.folder)
        self._recorded.clear()

    def check_next(self, step: int) -> int:
        """The step as an int if it may come next; otherwise the errors of `add`."""
        if self._lock is None:
            raise StoreError(f"{self.path}: not open; record in a `with` block")
        number = check_size(step, "step", least=0)
        if self._last is not None and number <= self._last:
            raise DataError(f"step = {step}: expected more than the previous step, {self._last}")
        if self._published and number <= max(self._published):
            raise StoreError(
                f"{self.path}: published already up to step {max(self._published)}, given step "
                f"{number}; continue after it, or delete the store to start again"
            )
        return number

    def drop_from(self, step: int) -> None:
        """Remove the checkpoints of this step and later ones.

        A training that was started again from an earlier step had left them.
        """
        dropped = [k for k in self.steps if k >= step]
        if dropped:
            replaced = "%s: steps %d to %d were recorded before; these %d checkpoints are replaced"
            logger.warning(replaced, self.folder, dropped[0], dropped[-1], len(dropped))
        for k in reversed(dropped):
            self._mark(k).unlink()
            self._recorded.remove(k)
        for k in dropped:
            for split in self._labels:
                chunk_of(self._array(split), k).unlink()

    def _begin(self) -> None:
        """Find what was recorded before, and check that it is of the same training."""
        begun, there = self._about.exists(), self.path.exists()
        whole = there and manifest_path(self.path).exists()
        if begun:
            try:
                self._compare(self._about, json.loads(self._about.read_text()))
            except ValueError:
                raise StoreError(f"{self._about}: damaged") from None
        if there and not (begun or whole):
            raise StoreError(f"{self.path}: exists already, without its manifest; not replaced")
        if there:
            self._compare(self.path, recorded_configuration(self.path))
        self._replace = there
        self._recorded = {int(path.stem) for path in self.folder.glob("[0-9]*.json")}
        if self._recorded:
            self._reopen(zarr.open_array(self._array("train"), mode="r").shape[-1])
        if whole:
            self._link_published()
        remove_leftovers(self.path)
        with written_whole(self._about) as partial:
            partial.write_text(json.dumps(self.configuration, indent=1))
        if self._recorded:
            logger.info("%s: continues after step %d", self.path, self.steps[-1])

    def _link_published(self) -> None:
        """Link the checkpoints of the published store into the work folder."""
        store = open_dataset(self.path)
        self._reopen(store.sizes["class"])
        self._published = set(store["step"].values.tolist())
        for k, step in enumerate(store["step"].values.tolist()):
            if step in self._recorded:
                continue
            curves = {}
            for split in self._labels:
                target = chunk_of(self._array(split), step)
                target.parent.mkdir(parents=True, exist_ok=True)
                link(chunk_of(self.path / f"{split}_predictions", k), target)
                curves[split] = {
                    name: float(store[f"{split}_{name}"][0, k]) for name in ("loss", "error")
                }
            self._write_mark(step, curves)

    def _publish(self) -> None:
        """Publish the store, and remove the work folder."""
        if self._recorded != self._published:
            publish(self.path, self._build, replace=self._replace)
        shutil.rmtree(self.folder)
        if not self._recorded:
            raise StoreError(f"{self.path}: no checkpoint was recorded; nothing to publish")

    def _build(self, partial: Path) -> None:
        assert self._n_classes is not None  # something was recorded
        about = self.configuration
        names = about["network_name"], about["optimiser_name"]
        kind = digest([*names, about["metadata"]])[:8]  # the same for all seeds
        create_predictions(
            partial,
            seeds=[about["seed"]],
            steps=self.steps,
            steps_per_epoch=about["steps_per_epoch"],
            labels=self._labels,
            index={split: np.arange(len(values)) for split, values in self._labels.items()},
            n_classes=self._n_classes,
            attributes={
                "configuration": json.dumps(about),
                "configuration_id": "-".join([*names, kind]),
                "data_sha256": digest(about["samples"]),
                "versions": json.dumps(versions("torch", "numpy", "zarr", "xarray")),
            },
        )
        arrays = dict(zarr.open_group(partial, mode="r+").arrays())
        marks = [json.loads(self._mark(step).read_text()) for step in self.steps]
        for split in self._labels:
            for name in ("loss", "error"):
                arrays[f"{split}_{name}"][0] = [mark[split][name] for mark in marks]
            for k, step in enumerate(self.steps):
                target = chunk_of(partial / f"{split}_predictions", k)
                target.parent.mkdir(parents=True, exist_ok=True)
                link(chunk_of(self._array(split), step), target)

    def _compare(self, where: Path, before: Mapping[str, object]) -> None:
        """Refuse to continue a recording of another training or of other samples."""
        old, new = _flat(before), _flat(self.configuration)
        for key in [*new, *old]:
            if old.get(key) != new.get(key):
                raise StoreError(
                    f"{where}: recorded with {key} = {json.dumps(old.get(key))}, given "
                    f"{json.dumps(new.get(key))}; a store holds one training, on the same "
                    "samples in the same order"
                )

    def _reopen(self, n_classes: int) -> None:
        """Open the arrays for as many classes as were recorded, and refuse another number."""
        if self._n_classes not in (None, n_classes):
            raise StoreError(
                f"{self.path}: recorded with {n_classes} classes, given n_classes = "
                f"{self._n_classes}"
            )
        self._open(n_classes)

    def _open(self, n_classes: int) -> None:
        """Open the arrays in the work folder, and create them if necessary."""
        if self._arrays:
            return
        for split, labels in self._labels.items():
            as_labels(labels, f"{split} labels", n_classes)
            path = self._array(split)
            if not self._recorded:  # nothing that may be there counts
                remove(path)
                create_checkpoints(path, len(labels), n_classes)
        self._arrays = {
            split: zarr.open_array(self._array(split), mode="r+") for split in self._labels
        }
        self._n_classes = n_classes

    def _write_mark(self, step: int, curves: Mapping[str, Mapping[str, float]]) -> None:
        with written_whole(self._mark(step)) as partial:
            partial.write_text(json.dumps(curves))
        self._recorded.add(step)

    @property
    def _about(self) -> Path:
        return self.folder / "recording.json"

    def _array(self, split: str) -> Path:
        return self.folder / f"{split}_predictions"

    def _mark(self, step: int) -> Path:
        return self.folder / f"{step}.json"


def _loss_and_error(P: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Mean cross-entropy in nats, and the fraction misclassified.

    The loss is twice the distance to the truth, and its maximum is twice that of the distance.
    """
    truth = P[np.arange(len(labels)), labels].astype(np.float64)
    loss = -np.log(np.maximum(truth, FLOOR**2)).mean()
    return {"loss": float(loss), "error": float((P.argmax(axis=1) != labels).mean())}


def _name(key: str, value: object) -> str:
    try:
        return TypeAdapter(Label).validate_python(value)
    except ValidationError:
        expected = "at most 40 letters, digits, - and _, beginning with a letter or digit"
        raise ConfigError(f"{key} = {value!r}: expected {expected}") from None


def _flat(mapping: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested mappings as one, with dots in its keys."""
    flat: dict[str, object] = {}
    for key, value in mapping.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
