"""Checkpoints in a picture: which model is which file, and what is kept of them."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hyperribbon.errors import DataError, StoreError
from hyperribbon.probability import progress
from hyperribbon.watching.picture import Fitting, Picture, embed
from hyperribbon.watching.recordings import Checkpoint, Identity
from hyperribbon.watching.references import References

logger = logging.getLogger(__name__)

REST = 20  # times as long as an embedding took, nothing but newcomers is computed
AT_ONCE = 200  # references up to which an embedding takes no time worth a thread

_GENERATIONS = itertools.count(1)

Name = tuple[str, int]  # of a model: its training, and its step


@dataclass
class Row:
    """A model in the picture; its progress is None where labels are not known."""

    name: Name
    file: Identity
    checkpoint: Checkpoint
    progress: float | None


class Live:
    """A picture of checkpoints, placed as they come.

    Parameters
    ----------
    split : str
        The samples on which models are compared.
    shape : tuple of int
        Numbers of samples and classes, (N, C).
    labels : (N,) int, optional
        True classes.

    Attributes
    ----------
    rows : list of Row
        The models, in the order of the picture.
    generation : int
        Another number whenever places have changed.

    Raises
    ------
    DataError
        If models of this shape are too large.
    """

    def __init__(self, split: str, shape: tuple[int, int], labels: np.ndarray | None):
        self.split, self.shape, self._labels = split, shape, labels
        self.picture = Picture(References(*shape, labels))
        self.rows: list[Row] = []
        self.generation = next(_GENERATIONS)
        self.lock = threading.RLock()
        self._fitting: threading.Thread | None = None
        self._rested = 0.0  # when the next embedding may be made
        self._stopped = False

    @property
    def most(self) -> int:
        """Number of models that are compared with every other one."""
        return self.picture.references.most

    def add(self, new: Sequence[tuple[Name, Checkpoint]]) -> list[tuple[Name, Exception]]:
        """Read checkpoints and place them; returns those that cannot be read, and why."""
        read, P, failed = [], [], list[tuple[Name, Exception]]()
        for name, checkpoint in new:
            try:
                predicted = checkpoint.read(self.split)
                if predicted.shape != self.shape:
                    raise DataError(f"shape {predicted.shape}, expected {self.shape}")
            except (StoreError, DataError) as error:
                failed.append((name, error))
            else:
                read.append((name, checkpoint))
                P.append(predicted)
        if read:
            try:
                self._place(read, np.stack(P))
            except DataError:  # find out which it is
                for one, predicted in zip(read, P, strict=True):
                    try:
                        self._place([one], predicted[None])
                    except DataError as error:
                        failed.append((one[0], error))
        return failed

    def _place(self, read: Sequence[tuple[Name, Checkpoint]], P: np.ndarray) -> None:
        found: list[float | None] = [None] * len(P)
        if self._labels is not None:
            found = np.asarray(progress(P, self._labels, threads=1)).tolist()
        with self.lock:
            self.picture.add(P)
            for (name, checkpoint), s in zip(read, found, strict=True):
                self.rows.append(Row(name, checkpoint.files[self.split], checkpoint, s))

    def drop(self, there: Mapping[Name, Checkpoint]) -> tuple[list[Name], list[Name]]:
        """Take models out whose files are gone, or replaced; returns the names of both kinds."""
        gone, replaced, out = list[Name](), list[Name](), list[int]()
        for k, row in enumerate(self.rows):
            found = there.get(row.name)
            if found is not None and found.files.get(self.split) == row.file:
                row.checkpoint = found
                continue
            out.append(k)
            (gone if found is None else replaced).append(row.name)
        if out:
            with self.lock:
                left = self.picture.remove(out)
                self.rows = [self.rows[k] for k in left]
                self.generation = next(_GENERATIONS)
        return gone, replaced

    def renumber(self) -> None:
        """Begin a new generation: what a page knows of the models no longer holds."""
        with self.lock:
            self.generation = next(_GENERATIONS)

    def embed(self, *, background: bool = False) -> None:
        """Make a fresh embedding if one is due, in a thread of its own if that is wanted."""
        if self._fitting is not None and self._fitting.is_alive():
            return
        if background and time.monotonic() < self._rested:
            return
        with self.lock:
            newcomers, fitting = np.empty(0, int), None
            if self.picture.is_due():
                fitting = self.picture.fitting()
            elif self.picture.embedding is not None:
                newcomers = self.picture.newcomers()
        if fitting is None and not len(newcomers):
            return
        if background and (fitting is None or len(fitting.slots) > AT_ONCE):
            self._fitting = threading.Thread(target=self._afresh, args=(fitting, newcomers))
            self._fitting.start()
        else:
            self._afresh(fitting, newcomers)

    def _afresh(self, fitting: Fitting | None, newcomers: np.ndarray) -> None:
        start = time.monotonic()
        try:
            if fitting is not None:
                self._show(embed(fitting), fitting)
            else:
                self._exchange(newcomers)
        except (StoreError, DataError, IndexError) as error:  # files that are being replaced
            logger.info("no fresh embedding: %s", error)
        end = time.monotonic()
        self._rested = end + REST * (end - start)

    def _show(self, fitted, fitting: Fitting) -> None:
        with self.lock:
            if self.picture.show(fitted, fitting):
                self.generation = next(_GENERATIONS)

    def _exchange(self, newcomers: np.ndarray) -> None:
        """Make newcomers references, which takes a while, and embed afresh."""
        references, removals = self.picture.references, self.picture.removals

        def stop() -> bool:
            return self._stopped or self.picture.removals != removals

        renewed = references.renew(newcomers, self._read, stop)
        if renewed is None:
            return
        with self.lock:  # until there is an embedding for the new references, none can be placed
            if not stop():
                references.exchange(renewed, self._read)
                fitting = self.picture.fitting()
                self._show(embed(fitting), fitting)

    def _read(self, rows: np.ndarray) -> np.ndarray:
        return np.stack([self.rows[row].checkpoint.read(self.split) for row in rows])

    def stop(self) -> None:
        """Wait for an embedding that is being made."""
        self._stopped = True
        if self._fitting is not None:
            self._fitting.join()

    def arrays(self) -> dict[str, np.ndarray] | None:
        """What `restore` takes; None if there is no embedding yet."""
        with self.lock:
            if self.picture.embedding is None or not self.rows:
                return None
            progress = [np.nan if row.progress is None else row.progress for row in self.rows]
            return self.picture.references.arrays() | {
                "split": np.array(self.split),
                "shape": np.array(self.shape),
                "training": np.array([row.name[0] for row in self.rows]),
                "step": np.array([row.name[1] for row in self.rows]),
                "files": np.array([row.file for row in self.rows], dtype=np.uint64),
                "progress": np.array(progress),
                "coordinates": self.picture.coordinates,
                "signature": np.asarray(self.picture.signature),
            }

    def restore(
        self,
        kept: Mapping[str, np.ndarray],
        there: Mapping[Name, Checkpoint],
        shown: Callable[[], object],
    ) -> None:
        """Take what was kept of models whose files are still there, and read the references.

        Parameters
        ----------
        kept : mapping
            What `arrays` returned, perhaps in another process.
        there : mapping
            The checkpoints.
        shown : callable
            Called once there are coordinates, before predictions are read.

        Raises
        ------
        DataError
            If what was kept is of something else, or does not fit together.
        """
        try:
            if str(kept["split"]) != self.split or tuple(kept["shape"].tolist()) != self.shape:
                raise DataError("kept: of other samples")
            names = list(zip(kept["training"].tolist(), kept["step"].tolist(), strict=True))
            files = [tuple(file) for file in kept["files"].tolist()]
            values = [None if np.isnan(s) else s for s in kept["progress"].tolist()]
            lost = [k for k, name in enumerate(names) if name not in there]
            nowhere = Checkpoint({}, (0, 0), {}, {})
            rows = [
                Row(name, file, there.get(name, nowhere), s)
                for name, file, s in zip(names, files, values, strict=True)
            ]
            X = kept["coordinates"]
            fit = X.shape == (len(rows), 3) and kept["signature"].shape == (3,)
            if len(lost) == len(rows) or not fit:
                raise DataError("kept: of other models")
            self.picture.references.restore(kept["distance"], kept["of_slot"], kept["curve"])
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(f"kept: damaged ({error})") from None
        self.picture.restore(X, kept["signature"])
        self.rows = rows
        self.drop(there)
        self.embed()
        shown()
        self.picture.references.pack(self._read)
