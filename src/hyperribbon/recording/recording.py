"""The predictions store of one training in the making, checkpoint by checkpoint.

The published store consists of hard links to the files of the work folder
(:mod:`hyperribbon.recording.work_folder`). A recording that continues begins with links to what is
published. The folder thus always has everything, and is removed when all is published.
"""

from __future__ import annotations

import hashlib
import json
import logging
import weakref
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from pathlib import Path

import numpy as np

from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.probability.distributions import check_labels, check_size
from hyperribbon.recording.arrays import as_predictions, check_positive
from hyperribbon.recording.curves import loss_and_error_of
from hyperribbon.recording.external import recorded_configuration
from hyperribbon.recording.labels import Labels
from hyperribbon.recording.names import check_name, store_path
from hyperribbon.recording.store import hashes_of_kept, write_store
from hyperribbon.recording.work_folder import WorkFolder
from hyperribbon.storage.dataset import open_dataset, publish, remove_leftovers
from hyperribbon.storage.digest import canonical_json, digest
from hyperribbon.storage.files import remove, written_whole
from hyperribbon.storage.locks import locked
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.predictions import PREDICTION_FORMS

logger = logging.getLogger(__name__)

_KEPT = "%s: not published; its %d checkpoints are kept, and it can be continued"


class Recording:
    """Predictions of one training, kept as they come and published at the end.

    Use it in a ``with`` block, which locks the work folder, and publishes at the end unless an
    exception ends the block. Opened again, it continues from what it has.

    Parameters
    ----------
    path : path
        The store to publish; .zarr is added if it is missing.
    labels : mapping
        Labels, by split.
    class_names : sequence of str or None
        Names of the classes, if the labels were names.
    inputs_sha256, input_hashes : mapping, optional
        Hashes of all samples and of each sample (N,), by split; None where unknown.
    network, optimiser : str
        Names in tables and figures.
    seed : int
        Seed of the training.
    n_classes : int or None
        Number of classes, C; None for that of the first predictions.
    steps_per_epoch : float or None
        None if it is not known.
    metadata : mapping or None
        Anything else that JSON can hold.
    form : {"float32", "sqrt_float16"}
        Form of the predictions in the store.
    vocabulary : sequence of str, optional
        The token that each class is.

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
        If a number is not what it should be.
    StoreError
        On entering, if something else is there, or another process records there.
    """

    def __init__(
        self,
        path: str | PathLike,
        labels: Mapping[str, Labels],
        class_names: Sequence[str] | None = None,
        inputs_sha256: Mapping[str, str | None] | None = None,
        input_hashes: Mapping[str, np.ndarray | None] | None = None,
        *,
        network: str,
        optimiser: str,
        seed: int,
        n_classes: int | None,
        steps_per_epoch: float | None,
        metadata: Mapping[str, object] | None,
        form: str = "float32",
        vocabulary: Sequence[str] | None = None,
    ):
        if form not in PREDICTION_FORMS:
            expected = " or ".join(f'"{name}"' for name in PREDICTION_FORMS)
            raise ConfigError(f'form = "{form}": expected {expected}')
        self.path = store_path(path)
        self.folder = self.path.with_suffix(".recording")
        if n_classes is not None:
            n_classes = check_size(n_classes, "n_classes", least=2, most=2**31)
        self.n_classes = len(class_names) if class_names is not None else n_classes
        self._labels, self._vocabulary = dict(labels), vocabulary
        coarse = {}
        widths = {found.top.shape[1] for found in self._labels.values() if found.top is not None}
        if widths:
            coarse = {"top_classes": {"kept": max(widths), "of": self.n_classes}}
            self.n_classes = max(widths) + 1
        self._hashes = input_hashes or {}
        if steps_per_epoch is not None:
            steps_per_epoch = check_positive(steps_per_epoch, "steps_per_epoch")
        try:
            described = json.loads(canonical_json(dict(metadata or {})))
        except (TypeError, ValueError) as error:
            raise ConfigError(f"metadata: expected what JSON can hold ({error})") from None
        self.configuration = {
            "network_name": check_name("network", network),
            "optimiser_name": check_name("optimiser", optimiser),
            "seed": check_size(seed, "seed", least=0),
            "steps_per_epoch": steps_per_epoch,
            "metadata": described,
            "samples": {
                split: {
                    "number": len(values),
                    "labels_sha256": digest(values.classes.tolist()),
                    "inputs_sha256": (inputs_sha256 or {}).get(split),
                }
                | ({"kept_sha256": digest(values.index.tolist())} if values.ignored else {})
                | ({} if values.top is None else {"top_classes_sha256": _sha256(values.top)})
                for split, values in self._labels.items()
            },
            "recorded": True,
        } | coarse
        if class_names is not None:
            self.configuration["class_names"] = list(class_names)
        if form != "float32":
            self.configuration["form"] = form
        if vocabulary is not None:
            self.configuration["vocabulary_sha256"] = digest(list(vocabulary))
        sizes = {split: len(values) for split, values in self._labels.items()}
        self._work = WorkFolder(self.folder, sizes, form)
        self._published: set[int] = set()
        self._replace = False  # whether a store at the path may be replaced
        self._last: int | None = None  # step recorded since this was opened
        self._lock: ExitStack | None = None
        self._forgotten: weakref.finalize | None = None

    @property
    def steps(self) -> list[int]:
        """Steps recorded so far, including published ones and one at which it had diverged."""
        return sorted(self._work.steps)

    @property
    def published(self) -> list[int]:
        """Steps that were published when this was opened."""
        return sorted(self._published)

    @property
    def is_open(self) -> bool:
        """Whether checkpoints can be added."""
        return self._lock is not None

    def __enter__(self) -> Recording:
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(self.folder, wait=False))
            except BlockingIOError:
                raise StoreError(
                    f"{self.folder}: another process, or another Recorder, is recording here"
                ) from None
            try:
                self._begin()
            except BaseException:
                if not self._work.about.exists():  # nothing was recorded here
                    self._work.remove()
                raise
            self._lock = stack.pop_all()
        self._last = None
        self._forgotten = weakref.finalize(self, _say_kept, self._work, self._published)
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        assert self._lock is not None and self._forgotten is not None
        self._forgotten.detach()
        with self._lock:
            self._lock = None
            if kind is None:
                self._publish()
            elif self._work.steps == self._published:  # nothing new, if anything
                self.discard()
            else:
                logger.warning(_KEPT, self.folder, len(self.steps))

    def add(self, step: int, predictions: Mapping[str, object]) -> None:
        """Keep a checkpoint's predictions.

        If they are not finite, the training had diverged: the step is kept as the one at which it
        had, and later checkpoints are left out.

        Parameters
        ----------
        step : int
            Optimiser steps taken, more than at the previous checkpoint.
        predictions : mapping
            Probabilities (M, C) of the samples, or tokens, that count, by split; if few classes are
            kept, (M, k + 2), as of `hyperribbon.recording.top_classes.coarse_grained`.

        Raises
        ------
        DataError
            If the step does not increase, or the predictions are not (N, C) distributions.
        StoreError
            If the step is published already.
        """
        step = self.check_next(step)
        if self.has_diverged(step):
            return
        n_classes = self.n_classes
        found: dict[str, np.ndarray] = {}
        others: dict[str, np.ndarray] = {}  # the largest probability among those not kept
        for split, labels in self._labels.items():
            name, P = f"step {step}, {split} predictions", predictions[split]
            if labels.top is not None:
                P, others[split] = np.split(np.asarray(P), [-1], axis=1)
            found[split] = as_predictions(P, name, len(labels), n_classes)
            n_classes = found[split].shape[1]
        assert n_classes is not None  # of the first split, if no other
        self._open(n_classes)
        self._work.drop_from(step)
        lost = {split: int(np.isnan(P).any(axis=1).sum()) for split, P in found.items()}
        if any(lost.values()):
            self._work.keep_diverged(step)
            where = [f"{n} of {len(found[split])} {split} samples" for split, n in lost.items()]
            diverged = "%s: diverged at step %d (no finite predictions of %s); %s"
            left_out = "later checkpoints are left out"
            logger.warning(diverged, self.path, step, ", ".join(where), left_out)
        else:
            curves = {
                split: loss_and_error_of(P, self._labels[split].recorded, others.get(split))
                for split, P in found.items()
            }
            self._work.keep(step, found, curves)
        self._last = step

    def has_diverged(self, step: int) -> bool:
        """Whether the training had diverged before a step."""
        diverged = self._work.diverged_step
        return diverged is not None and step > diverged

    def discard(self) -> None:
        """Remove the work folder; a published store stays."""
        self._work.remove()

    def check_next(self, step: int) -> int:
        """The step as an int if it may come next; otherwise the errors of `add`."""
        if self._lock is None:
            raise StoreError(f"{self.path}: not open; nothing is recorded after the end")
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
        """Remove the checkpoints of this step and later ones."""
        self._work.drop_from(step)

    def _begin(self) -> None:
        """Find what was recorded before, and check that it is of the same training."""
        about = self._work.about
        begun, there = about.exists(), self.path.exists()
        whole = there and manifest_path(self.path).exists()
        if begun:
            try:
                self._compare(about, json.loads(about.read_text()))
            except ValueError:
                raise StoreError(f"{about}: damaged") from None
        if there and not (begun or whole):
            raise StoreError(f"{self.path}: exists already, without its manifest; not replaced")
        if there:
            self._compare(self.path, recorded_configuration(self.path))
        self._replace, self._published = there, set()
        n_classes = self._work.read()
        if n_classes is not None:
            self._reopen(n_classes)
        if whole:
            self._link_published()
        remove_leftovers(self.path)
        self._work.keep_samples(
            {split: found.classes for split, found in self._labels.items()},
            hashes_of_kept(self._labels, self._hashes),
        )
        with written_whole(about) as partial:
            partial.write_text(json.dumps(self.configuration, indent=1))
        if self.steps:
            logger.info("%s: continues after step %d", self.path, self.steps[-1])

    def _link_published(self) -> None:
        """Link the checkpoints of the published store into the work folder."""
        store = open_dataset(self.path)
        self._reopen(store.sizes["class"], self.path)
        self._published = set(store["step"].values.tolist())
        for k, step in enumerate(store["step"].values.tolist()):
            if step in self._work.steps:
                continue
            if step == store["diverged_step"].item():
                self._work.keep_diverged(step)
                continue
            curves = {
                split: {name: float(store[f"{split}_{name}"][0, k]) for name in ("loss", "error")}
                for split in self._labels
            }
            self._work.link_from(self.path, k, step, curves)

    def _publish(self) -> None:
        """Publish the store, and remove the work folder."""
        nothing = not self._work.steps
        if self._work.steps != self._published:
            publish(self.path, self._build, replace=self._replace)
        remove(self.folder)
        if nothing:
            raise StoreError(f"{self.path}: no checkpoint was recorded; nothing to publish")

    def _build(self, partial: Path) -> None:
        assert self.n_classes is not None  # something was recorded
        write_store(
            partial, self.configuration, self._labels, self._hashes, self._work, self.n_classes,
            self._vocabulary,
        )  # fmt: skip

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

    def _reopen(self, n_classes: int, published: Path | None = None) -> None:
        """Open the arrays for as many classes as were recorded, and refuse another number."""
        if self.n_classes not in (None, n_classes):
            raise StoreError(
                f"{self.path}: recorded with {n_classes} classes, given n_classes = "
                f"{self.n_classes}"
            )
        self._open(n_classes, published)

    def _open(self, n_classes: int, published: Path | None = None) -> None:
        """Open the arrays in the work folder, and create them if necessary."""
        for split, labels in self._labels.items():
            try:
                check_labels(labels.recorded, n_classes)
            except DataError as error:
                raise DataError(f"{split} {error}") from None
        self._work.open(n_classes, published)
        self.n_classes = n_classes


def _sha256(array: np.ndarray) -> str:
    return hashlib.sha256(f"{array.dtype} {array.shape}".encode() + array.tobytes()).hexdigest()


def _say_kept(work: WorkFolder, published: set[int]) -> None:
    """Say that a recording was not published; called if it is forgotten while it is open."""
    if work.steps != published:
        logger.warning(_KEPT, work.path, len(work.steps))


def _flat(mapping: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested mappings as one, with dots in its keys."""
    flat: dict[str, object] = {}
    for key, value in mapping.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
