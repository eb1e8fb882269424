"""The predictions store of one training in the making, checkpoint by checkpoint.

Until it is published, ``<name>.recording`` beside ``<name>.zarr`` holds

========================  ======================================================================
``lock``                  held by the process that records; the system lets go of it
``recording.json``        what is recorded: names, seed and hashes of the samples
``{split}_predictions``   predictions, one file a checkpoint, under its step
``<step>.json``           loss and error of a checkpoint, written last: the checkpoint is whole
========================  ======================================================================

The published store is made of hard links to these files. A recording that goes on begins with
links to what is published, so the folder always has everything, and goes when all is published.
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
    """One training's predictions, kept as they come and published whole at the end.

    Used in a ``with`` block: it holds the folder of work, and publishes at the end unless an
    exception ends the block. Opened again, it goes on with what it has.

    Parameters
    ----------
    path : of the store to publish, ending in .zarr
    labels : by split, (N,) true classes
    inputs_sha256 : by split, hash of the samples, where it is known
    network, optimiser : names, of letters, digits, - and _
    seed : int
    n_classes : int, C; by default that of the first predictions
    steps_per_epoch : number, or None if it is not known
    metadata : what else JSON can say of the training

    Attributes
    ----------
    configuration : dict, all that a recording must agree with to go on
    path, folder : Path, of the store and of the work

    Raises
    ------
    ConfigError
        If the path, a name or the metadata are malformed.
    DataError
        If labels are no classes, or a number is not what it should be.
    StoreError
        On entering: if what is there is of something else, or another process records there.
    """

    def __init__(
        self,
        path: str | Path,
        labels: Mapping[str, object],
        inputs_sha256: Mapping[str, str] | None = None,
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
        self._replace = False  # whether what lies at the path may go
        self._last: int | None = None  # step recorded since this was opened
        self._lock: ExitStack | None = None

    @property
    def steps(self) -> list[int]:
        """Steps recorded so far, published ones too."""
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
                if not self._about.exists():  # nothing was begun here
                    shutil.rmtree(self.folder)
                raise
            self._lock = stack.pop_all()
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        with self._lock:
            self._lock = None
            if kind is None:
                self._publish()
            elif self._recorded == self._published:  # nothing new, if anything
                self.discard()
            else:
                kept = "%s: not published; its %d checkpoints are kept, and it can be gone on with"
                logger.warning(kept, self.folder, len(self._recorded))

    def add(self, step: int, predictions: Mapping[str, object]) -> None:
        """Keep a checkpoint's predictions.

        Parameters
        ----------
        step : optimiser steps taken, more than at the checkpoint before
        predictions : by split, (N, C) probabilities

        Raises
        ------
        DataError
            If the step does not increase, or the predictions are not (N, C) distributions.
        StoreError
            If the step is published already.
        """
        step = self.check_next(step)
        n_classes, found = self._n_classes, {}
        for split, labels in self._labels.items():
            name = f"step {step}, {split} predictions"
            P = as_predictions(predictions[split], name, len(labels), n_classes)
            n_classes, found[split] = P.shape[1], P
        self._open(n_classes)
        self.drop_from(step)
        for split, P in found.items():
            self._arrays[split][0, step] = P
        self._write_mark(
            step, {split: _loss_and_error(P, self._labels[split]) for split, P in found.items()}
        )
        self._last = step

    def discard(self) -> None:
        """Remove the work; what is published stays."""
        remove(self.folder)
        self._recorded.clear()

    def check_next(self, step: int) -> int:
        """A step that may come next as an int; else the errors of `add`."""
        if self._lock is None:
            raise StoreError(f"{self.path}: not open; record in a `with` block")
        number = check_size(step, "step", least=0)
        if self._last is not None and number <= self._last:
            raise DataError(f"step = {step}: expected more than the step before, {self._last}")
        if self._published and number <= max(self._published):
            raise StoreError(
                f"{self.path}: published already up to step {max(self._published)}, given step "
                f"{number}; go on after it, or delete the store to record anew"
            )
        return number

    def drop_from(self, step: int) -> None:
        """Remove the checkpoints of this step and later ones.

        They are what a training left that was started again from an earlier step.
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
        """Find what was recorded before, and see that it is of the same training."""
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
            logger.info("%s: goes on after step %d", self.path, self.steps[-1])

    def _link_published(self) -> None:
        """Let the checkpoints of the published store be here, too."""
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
        """Put the store in its place; nothing of the work is left."""
        if self._recorded != self._published:
            publish(self.path, self._build, replace=self._replace)
        shutil.rmtree(self.folder)
        if not self._recorded:
            raise StoreError(f"{self.path}: no checkpoint was recorded; nothing to publish")

    def _build(self, partial: Path) -> None:
        about = self.configuration
        names = about["network_name"], about["optimiser_name"]
        kind = digest([*names, about["metadata"]])[:8]  # what the seeds have in common
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
        group = zarr.open_group(partial, mode="r+")
        marks = [json.loads(self._mark(step).read_text()) for step in self.steps]
        for split in self._labels:
            for name in ("loss", "error"):
                group[f"{split}_{name}"][0] = [mark[split][name] for mark in marks]
            for k, step in enumerate(self.steps):
                target = chunk_of(partial / f"{split}_predictions", k)
                target.parent.mkdir(parents=True, exist_ok=True)
                link(chunk_of(self._array(split), step), target)

    def _compare(self, where: Path, before: Mapping[str, object]) -> None:
        """Refuse to go on with what is of another training or of other samples."""
        old, new = _flat(before), _flat(self.configuration)
        for key in [*new, *old]:
            if old.get(key) != new.get(key):
                raise StoreError(
                    f"{where}: recorded with {key} = {json.dumps(old.get(key))}, given "
                    f"{json.dumps(new.get(key))}; a store is of one training, on the same samples "
                    "in the same order"
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
        """Open the arrays of work, made if need be."""
        if self._arrays:
            return
        for split, labels in self._labels.items():
            as_labels(labels, f"{split} labels", n_classes)
            path = self._array(split)
            if not self._recorded:  # none of what may be there counts
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

    The loss is twice the distance to the truth, so it has twice its greatest value, too.
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
    flat = {}
    for key, value in mapping.items():
        inner = isinstance(value, dict)
        flat |= _flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value}
    return flat
