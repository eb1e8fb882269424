"""Watch trainings: find their checkpoints, have them placed, and say what is going on."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from operator import is_
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from hyperribbon.errors import DataError, StoreError, first_line
from hyperribbon.numerics.blocks import evenly
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.watching.kept import Kept
from hyperribbon.watching.live import Live, Name, Row
from hyperribbon.watching.recordings import Checkpoint, Folders, Training
from hyperribbon.watching.references import BATCH
from hyperribbon.watching.samples import SameSamples
from hyperribbon.watching.view import View, rounded

PAUSE = 0.2  # s between two looks
AGAIN = 5.0  # s until a checkpoint that could not be read is tried again
KEEP = 300.0  # s between two times that distances are kept
LINES = 50  # about what happened, in the page


class Watcher:
    """Trainings in folders as a picture that grows; what a page shows is its `view`.

    Recordings are only read. `look` does everything once; `run` does so until `stop`, with
    embeddings of many models in a thread of their own.

    Parameters
    ----------
    paths : sequence of path
        Folders of recordings, or recordings.
    split : {"train", "test"}, optional
        The samples on which models are compared; by default train, if the first training has them.
    say : callable, optional
        Called with each line about what happens.

    Attributes
    ----------
    view : View
        What a page shows.

    Raises
    ------
    StoreError
        If a path is neither a folder nor a recording.
    DataError
        If there is no such split.

    Examples
    --------
    >>> import json, tempfile, hyperribbon as hr
    >>> P = np.random.default_rng(0).dirichlet(np.ones(3), size=(4, 30)).astype(np.float32)
    >>> with tempfile.TemporaryDirectory() as runs:
    ...     store = hr.record_predictions(f"{runs}/net-0", P, np.arange(30) % 3, network="Net")
    ...     watcher = Watcher([runs])
    ...     watcher.look()
    ...     state = json.loads(watcher.view.read(-1, -1, 0))
    >>> state["models"]["step"], [one["name"] for one in state["trainings"]]
    ([0, 1, 2, 3], ['net-0'])
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        split: str | None = None,
        say: Callable[[str], object] | None = None,
    ):
        if split not in (None, *SPLITS):
            raise DataError(f"split = {split!r}: expected {' or '.join(SPLITS)}")
        self._folders, self._chosen, self._say = Folders(paths), split, say
        self._same: SameSamples | None = None
        self._live: Live | None = None
        self._seen: list[Training] = []  # at the last look, with what was wrong there
        self._faults: dict[str, str] = {}
        self._lasting: dict[str, str] = {}
        self._trainings: list[Training] = []
        self._found: dict[Name, Checkpoint] = {}
        self._problems: dict[str, str] = {}
        self._later: dict[Name, float] = {}  # when to try again what could not be read
        self._failed: set[Name] = set()  # what could not be read at the last try
        self._events: deque[list] = deque(maxlen=LINES)
        self._waiting = 0  # checkpoints found but not placed yet
        self._shown = (0, 0)  # generation and number of models in the view
        self._stopped = threading.Event()
        self._kept = Kept(self._folders.paths)
        self._keep_at = time.monotonic() + KEEP
        self._kept_of: tuple[int, int] | None = None  # generation and number of models
        self.view = View()
        if self._kept.fault is not None:
            self._happened(self._kept.fault)
        self._show()  # a page may ask before the first look is over

    def run(self) -> None:
        """Look until `stop` is called."""
        with threadpool_limits(1):  # trainings need the other cores
            while not self._stopped.is_set():
                self.look(background=True)
                if time.monotonic() > self._keep_at:
                    self._keep()
                self._stopped.wait(PAUSE)
        self.close()

    def stop(self) -> None:
        """End `run`; may be called from any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Keep distances and coordinates, so that a restart shows the same picture at once."""
        if self._live is not None:
            self._live.stop()
            self._keep()
        self._kept.close()

    def look(self, *, background: bool = False) -> None:
        """Look once: take out what is gone, place what is new, and embed afresh if that is due."""
        found, faults = self._folders.look()
        # A fault that is there once is of a folder that is being moved or removed.
        problems = {name: line for name, line in faults.items() if name in self._faults}
        known = len(found) == len(self._seen) and all(map(is_, found, self._seen))
        alike = faults == self._faults and problems == self._lasting
        if known and alike and not (self._later or self._failed):
            if self._live is not None:
                self._live.embed(background=background)
            self._show()
            return
        self._seen, self._faults, self._lasting = found, faults, dict(problems)
        before = [one.key for one in self._trainings]
        self._trainings = self._comparable([one for one in found if one.checkpoints], problems)
        if self._live is not None and before != [one.key for one in self._trainings]:
            self._live.renumber()  # models name their training by its number
        self._found = {
            (one.key, step): one.checkpoints[step]
            for one in self._trainings
            for step in sorted(one.checkpoints)
        }
        if self._trainings and self._live is None:
            self._begin(problems)
        if self._live is not None:
            self._drop(self._live)
            self._place(self._live, problems, background)
        for name in sorted(problems.keys() - self._problems.keys()):
            self._happened(problems[name])
        self._problems = problems
        self._show()

    def _comparable(self, found: list[Training], problems: dict[str, str]) -> list[Training]:
        """The trainings on the same samples; the others are among the problems."""
        known = set() if self._live is None else {row.name[0] for row in self._live.rows}
        if self._live is not None and known and not known & {one.key for one in found}:
            self._found = {}
            self._drop(self._live)
            self._same = self._live = None  # others may be of other samples
        if self._same is None:
            if not found:
                return []
            there = next(iter(found[0].checkpoints.values())).array
            self._same = SameSamples(self._chosen or next(s for s in SPLITS if s in there))
        good = []
        for one in found:
            fault = self._same.fault(one)
            if fault is None:
                good.append(one)
            else:
                problems[one.key] = fault
        return good

    def _begin(self, problems: dict[str, str]) -> None:
        """An empty picture of the first training's samples, or the one that was kept."""
        assert self._same is not None and self._same.first is not None
        first, split, labels = self._same.first, self._same.split, self._same.labels
        n = first.about["samples"][split]["number"] if labels is None else len(labels)
        try:
            self._live = Live(split, (int(n), first.n_classes), labels)
        except DataError as error:
            problems[first.key] = str(error)
            return
        kept = self._kept.read()
        if kept is not None:
            try:
                self._live.restore(kept, self._found, self._show)
            except (DataError, StoreError):  # of something else: begin anew
                self._live = Live(split, (int(n), first.n_classes), labels)

    def _drop(self, live: Live) -> None:
        """Take models out whose files are gone or replaced, and say so."""
        for names, what in zip(live.drop(self._found), ("gone", "replaced"), strict=True):
            for key, count in Counter(key for key, _ in names).items():
                counted = f"{count} checkpoint" if count == 1 else f"{count} checkpoints"
                then = "taken out of the picture" if what == "gone" else "placed anew"
                self._happened(f"{key}: {counted} {what}; {then}")

    def _place(self, live: Live, problems: dict[str, str], background: bool) -> None:
        """Place what is new, and embed afresh if that is due."""
        known, now = {row.name for row in live.rows}, time.monotonic()
        new = [
            (name, checkpoint)
            for name, checkpoint in self._found.items()
            if name not in known and self._later.get(name, 0.0) <= now
        ]
        if len(new) > live.most:  # references first, evenly among all
            first = evenly(len(new), live.most)
            new = [new[k] for k in (*first, *np.setdiff1d(np.arange(len(new)), first))]
        for start in range(0, len(new), BATCH):
            if self._stopped.is_set():
                return
            self._waiting = len(new) - start
            some = new[start : start + BATCH]
            failed = live.add(some)
            for name, _ in some:
                self._later.pop(name, None)
            for name, error in failed:
                if name in self._failed:  # not just moved while its training was published
                    (key, step), self._later[name] = name, time.monotonic() + AGAIN
                    why = f"step {step} cannot be read, and is tried again ({first_line(error)})"
                    problems[key] = f"{key}: {why}"
            self._failed.difference_update(name for name, _ in some)
            self._failed.update(name for name, _ in failed)
            live.embed(background=background)
            self._show()
        self._waiting = 0
        live.embed(background=background)
        for key in {key for key, _ in self._later.keys() & self._found.keys()}:
            if key in self._problems:
                problems.setdefault(key, self._problems[key])

    def _keep(self) -> None:
        now = None if self._live is None else (self._live.generation, len(self._live.rows))
        arrays = None if self._live is None or now == self._kept_of else self._live.arrays()
        if arrays is not None:
            before = self._kept.fault
            self._kept.write(arrays)
            if self._kept.fault is None:
                self._kept_of = now
            elif self._kept.fault != before:
                self._happened(self._kept.fault)
        self._keep_at = time.monotonic() + KEEP

    def _happened(self, line: str) -> None:
        self._events.append([round(time.time(), 1), line])
        if self._say is not None:
            self._say(line)

    def _show(self) -> None:
        """Bring the view up to date."""
        live, about = self._live, self._about()
        if live is None:
            self._shown = 0, 0
            self.view.show(0, about, {})
            return
        with live.lock:
            generation, n = live.generation, len(live.rows)
            first = self._shown[1] if generation == self._shown[0] else 0
            rows, X = live.rows[first:], live.picture.coordinates[first:]
            fitted, curve = live.picture.embedding, live.picture.geodesic()
        about |= {
            "split": live.split,
            "samples": live.shape[0],
            "models_in_all": n,
            "references": len(live.picture.references.slots()),
            "axes": [] if fitted is None else fitted.kinds,
            "explained_stress": None if fitted is None else rounded([fitted.explained_stress])[0],
            "geodesic": None if curve is None else [rounded(point) for point in curve],
        }
        self.view.show(generation, about, self._columns(rows, X), first=first)
        self._shown = generation, n

    def _about(self) -> dict[str, Any]:
        return {
            "trainings": [
                {
                    "name": one.key,
                    "network": one.network,
                    "optimiser": one.optimiser,
                    "seed": one.seed,
                    "finished": one.finished,
                    "diverged": one.diverged_step,
                }
                for one in self._trainings
            ],
            "watched": [str(path) for path in self._folders.paths],
            "problems": [self._problems[name] for name in sorted(self._problems)],
            "events": list(self._events),
            "waiting": self._waiting,
        }

    def _columns(self, rows: Sequence[Row], X: np.ndarray) -> dict[str, list]:
        """Columns of the page: training, step, coordinates, progress, losses and errors."""
        number = {one.key: k for k, one in enumerate(self._trainings)}
        columns: dict[str, list] = {
            "training": [number.get(row.name[0], -1) for row in rows],
            "step": [row.name[1] for row in rows],
            "point": [rounded(x) for x in X],
            "progress": rounded(row.progress for row in rows),
        }
        for split in SPLITS:
            for what in ("loss", "error"):
                columns[f"{split}_{what}"] = rounded(
                    row.checkpoint.curves.get(split, {}).get(what) for row in rows
                )
        return columns
