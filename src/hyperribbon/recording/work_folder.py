"""The checkpoints of a recording that is not published yet, in a folder next to its store.

Until it is published, ``<name>.recording`` next to ``<name>.zarr`` holds

========================  ======================================================================
``lock``                  held by the process that records; the system releases it
``recording.json``        what is recorded: names, seed and hashes of the samples
``samples.npz``           labels, and hashes of the inputs where they are known, for `watching`;
                          nothing else needs the file
``{split}_predictions``   predictions, one file per checkpoint, under its step; the name is that
                          of their form, see `hyperribbon.storage.predictions`
``<step>.json``           loss and error of a checkpoint, written last: the checkpoint is complete;
                          or that the training had diverged there, and has no predictions
========================  ======================================================================
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import zarr

from hyperribbon.recording.shards import in_parts
from hyperribbon.storage.dataset import link
from hyperribbon.storage.files import remove, written_whole
from hyperribbon.storage.predictions import (
    PREDICTION_FORMS,
    as_stored,
    chunk_of,
    create_checkpoints,
    open_predictions,
    predictions_variable,
)

logger = logging.getLogger(__name__)

Curves = Mapping[str, Mapping[str, float]]  # loss and error, by split
_DIVERGED = {"diverged": True}


class WorkFolder:
    """Complete checkpoints in a folder, by their steps.

    Parameters
    ----------
    path : Path
        The folder.
    sizes : mapping
        Number of samples, by split.
    form : str
        Form of the predictions; see `hyperribbon.storage.predictions`.

    Attributes
    ----------
    steps : set of int
        Steps of the checkpoints, as of the last call of `read`.
    """

    def __init__(self, path: Path, sizes: Mapping[str, int], form: str = "float32"):
        self.path, self.sizes, self.form = path, dict(sizes), form
        self.steps: set[int] = set()
        self._arrays: dict[str, zarr.Array] = {}

    @property
    def about(self) -> Path:
        """The file that says what is recorded."""
        return self.path / "recording.json"

    @property
    def diverged_step(self) -> int | None:
        """The step at which the training had diverged, which is the last; None if it had not."""
        last = max(self.steps, default=None)
        return None if last is None or self.curves(last) is not None else last

    @property
    def samples(self) -> Path:
        """The file with labels and hashes of the inputs."""
        return self.path / "samples.npz"

    def keep_samples(
        self, labels: Mapping[str, np.ndarray], input_hashes: Mapping[str, np.ndarray | None]
    ) -> None:
        """Keep labels (N,), and a hash of each sample's inputs where they are known, by split."""
        arrays = {f"{split}_label": values for split, values in labels.items()}
        known = {split: found for split, found in input_hashes.items() if found is not None}
        arrays |= {f"{split}_input_hash": found for split, found in known.items()}
        with written_whole(self.samples) as partial, partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)

    def read(self) -> int | None:
        """Find the checkpoints; returns the number of classes, None if there are none."""
        self._arrays = {}
        self.steps = {int(path.stem) for path in self.path.glob("[0-9]*.json")}
        if not self.steps:
            return None
        return zarr.open_array(self._array(next(iter(self.sizes))), mode="r").shape[-1]

    def open(self, n_classes: int, like: Path | None = None) -> None:
        """Open the arrays, and create them if there is no checkpoint, as in a published store."""
        if self._arrays:
            return
        for split, n in self.sizes.items():
            if not self.steps:  # nothing that may be there counts
                remove(self._array(split))
                array = create_checkpoints(self._array(split), n, n_classes)
                published = None if like is None else open_predictions(like, split)
                in_parts(array, PREDICTION_FORMS[self.form].dtype, published)
        self._arrays = {
            split: zarr.open_array(self._array(split), mode="r+") for split in self.sizes
        }

    def keep(self, step: int, predictions: Mapping[str, np.ndarray], curves: Curves) -> None:
        """Keep a checkpoint: its predictions (N, C) by split, and its loss and error."""
        for split, P in predictions.items():
            self._arrays[split][0, step] = as_stored(P, self.form)
        self._write_mark(step, curves)

    def keep_diverged(self, step: int) -> None:
        """Keep a checkpoint at which the training had diverged."""
        self._write_mark(step, _DIVERGED)

    def link_from(self, store: Path, k: int, step: int, curves: Curves) -> None:
        """Make a checkpoint of a published store one of this folder."""
        for split in self.sizes:
            there = store / predictions_variable(split, self.form)
            self._link(chunk_of(there, k), chunk_of(self._array(split), step))
        self._write_mark(step, curves)

    def link_to(self, store: Path, k: int, step: int) -> None:
        """Make the predictions of a checkpoint those of a store."""
        if self.curves(step) is None:
            return
        for split in self.sizes:
            there = store / predictions_variable(split, self.form)
            self._link(chunk_of(self._array(split), step), chunk_of(there, k))

    def divide(self, split: str, array: zarr.Array) -> None:
        """Give an empty array of a store the parts of the array here."""
        in_parts(array, like=zarr.open_array(self._array(split), mode="r"))

    def curves(self, step: int) -> Curves | None:
        """Loss and error of a checkpoint; None where the training had diverged."""
        found = json.loads(self._mark(step).read_text())
        return None if found == _DIVERGED else found

    def drop_from(self, step: int) -> None:
        """Remove the checkpoints of this step and later ones.

        A training that was started again from an earlier step had left them.
        """
        dropped = sorted(k for k in self.steps if k >= step)
        if dropped:
            replaced = "%s: steps %d to %d were recorded before; these %d checkpoints are replaced"
            logger.warning(replaced, self.path, dropped[0], dropped[-1], len(dropped))
        for k in reversed(dropped):
            self._mark(k).unlink()
            self.steps.remove(k)
        for k in dropped:
            for split in self.sizes:
                chunk_of(self._array(split), k).unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder with everything in it."""
        remove(self.path)
        self.steps.clear()

    def _write_mark(self, step: int, curves: Mapping[str, object]) -> None:
        with written_whole(self._mark(step)) as partial:
            partial.write_text(json.dumps(curves))
        self.steps.add(step)

    def _link(self, source: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        link(source, target)

    def _array(self, split: str) -> Path:
        return self.path / predictions_variable(split, self.form)

    def _mark(self, step: int) -> Path:
        return self.path / f"{step}.json"
