"""Trainings and their checkpoints in folders, whether they are being recorded or published.

A look costs one ``stat`` per training as long as nothing changes. While a training is recorded, its
checkpoints are in a work folder (`hyperribbon.recording.work_folder`); once it is published, they
are in a store, whose files are links to the same ones. So a checkpoint is the same before and after
if its file is: same inode, size and time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from hyperribbon.errors import StoreError, first_line
from hyperribbon.recording.work_folder import WorkFolder
from hyperribbon.storage.dataset import SPLITS, read_dataset
from hyperribbon.storage.manifest import manifest_path
from hyperribbon.storage.predictions import (
    Trajectory,
    chunk_of,
    predictions_variable,
    stored_form,
)

_SPLITS: tuple[str, ...] = SPLITS
_RACY = 2e9  # ns after a change in which another may have the same time

Identity = tuple[int, int, int]  # inode, size and time of a file
Marks = dict[str, tuple[Identity, "Checkpoint | None"]]  # of a work folder, by their names


@dataclass(frozen=True)
class Checkpoint:
    """Where the predictions of a checkpoint are.

    array : folder of the Zarr array (seed, checkpoint, N, C), by split
    place : position (seed, checkpoint) in it
    files : identity of the file, by split
    curves : loss (nats) and error, by split
    """

    array: Mapping[str, Path]
    place: tuple[int, int]
    files: Mapping[str, Identity]
    curves: Mapping[str, Mapping[str, float]]

    def read(self, split: str) -> np.ndarray:
        """Predictions (N, C).

        Raises
        ------
        StoreError
            If the file is not there (any more), or is damaged.
        """
        path, (seed, k) = self.array[split], self.place
        try:
            array = zarr.open_array(path, mode="r")
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(first_line(error)) from None
        return Trajectory(array, seed)[k : k + 1][0]


@dataclass
class Training:
    """One training: what it is of, and its checkpoints by step."""

    key: str
    path: Path
    network: str
    optimiser: str
    seed: int
    n_classes: int
    labels: Mapping[str, np.ndarray]
    """(N,) true classes by split; none for recordings of older versions, until published."""
    about: Mapping[str, Any]
    """The configuration; its ``samples`` are numbers and hashes."""
    hashes: Mapping[str, np.ndarray]
    """(N,) hashes of the inputs by split, where they are known."""
    checkpoints: dict[int, Checkpoint] = field(default_factory=dict)
    diverged_step: int | None = None
    finished: bool = False


class Folders:
    """What there is to watch.

    Parameters
    ----------
    paths : sequence of path
        Folders of recordings, or recordings: NAME.zarr, NAME.recording or NAME.

    Raises
    ------
    StoreError
        If a path is neither a folder nor a recording.
    """

    def __init__(self, paths: Sequence[str | Path]):
        self.paths = [Path(path).expanduser() for path in paths]
        for path in self.paths:
            if not (path.is_dir() or path.with_name(f"{path.name}.recording").is_dir()
                    or path.with_name(f"{path.name}.zarr").is_dir()):  # fmt: skip
                raise StoreError(
                    f"{path}: no such folder or recording; expected the folder into which a "
                    "Recorder records (make it, if no training has begun)"
                )
        self._seen: dict[Path, tuple[object, int, list[Training]]] = {}  # stamps, time, trainings
        self._marks: dict[Path, Marks] = {}

    def look(self) -> tuple[list[Training], dict[str, str]]:
        """Find trainings, and what is wrong by the name of its recording, each in one line."""
        trainings: list[Training] = []
        problems: dict[str, str] = {}
        bases = self._bases()
        for base in bases:
            name = base.name if len({b.name for b in bases}) == len(bases) else str(base)
            try:
                trainings += self._at(base, name)
            except StoreError as error:
                problems[name] = first_line(error)
            except (OSError, ValueError, KeyError) as error:
                problems[name] = f"{name}: not readable ({first_line(error)})"
            else:
                continue
            self._seen.pop(base, None)
        for known in (self._seen, self._marks):
            for base in known.keys() - set(bases):
                del known[base]
        return trainings, problems

    def _bases(self) -> list[Path]:
        """Paths of recordings without their endings, sorted within each folder."""
        found: dict[Path, None] = {}
        for path in self.paths:
            if path.suffix in (".zarr", ".recording") or not path.is_dir():
                own = path.suffix in (".zarr", ".recording")
                found[path.with_suffix("") if own else path] = None
                continue
            try:
                names = [p for p in path.iterdir() if p.suffix in (".zarr", ".recording")]
            except OSError:  # removed meanwhile
                continue
            found |= {p.with_suffix(""): None for p in sorted(names) if not p.name.startswith(".")}
        return list(found)

    def _at(self, base: Path, name: str) -> list[Training]:
        """The trainings of one recording; several seeds only in a store of a study."""
        work, store = base.with_name(f"{base.name}.recording"), base.with_name(f"{base.name}.zarr")
        now = time.time_ns()
        stamps = _stamp(work), _stamp(manifest_path(store))
        seen = self._seen.get(base)
        if seen is not None and seen[0] == stamps and seen[2]:
            # A change just before it was read may have the same time as one just after: it is read
            # again, once, when later changes have another time.
            changed = max((stamp[2] for stamp in stamps if stamp is not None), default=0)
            if seen[1] - changed > _RACY or now - changed <= _RACY:
                return seen[2]
        published = _published(store, name) if stamps[1] else []
        marks = self._marks.setdefault(base, {})
        recorded = _recorded(work, base, name, marks) if stamps[0] else None
        if recorded is not None:
            if len(published) == 1:  # one that is continued, or whose work folder is being removed
                recorded.checkpoints = published[0].checkpoints | recorded.checkpoints
                recorded.labels = recorded.labels or published[0].labels
            published = [recorded]
        elif not published and store.exists() and not stamps[0]:
            raise StoreError(f"{store}: without its manifest, {manifest_path(store).name}; being "
                             "written, or copied without it")  # fmt: skip
        if seen is not None and list(map(_content, seen[2])) == list(map(_content, published)):
            published = seen[2]  # so that what depends on them need not be done again
        self._seen[base] = stamps, now, published
        return published


def _content(one: Training) -> tuple[object, ...]:
    return one.key, one.path, one.about, one.checkpoints, one.diverged_step, one.finished


def _stamp(path: Path) -> Identity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _recorded(folder: Path, base: Path, name: str, marks: Marks) -> Training | None:
    """The training of a work folder; None if it has just begun, or is being removed.

    Only marks other than the given ones, which are brought up to date, are read.
    """
    work = WorkFolder(folder, {})
    try:
        about = json.loads(work.about.read_text(encoding="utf-8"))
        splits = list(about["samples"])
        who = about["network_name"], about["optimiser_name"], int(about["seed"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise StoreError(f"{work.about}: damaged, or not of a Recorder") from None
    labels, hashes = _samples(work)
    found = Training(name, base, *who, 0, labels, about, hashes)
    files = list(os.scandir(folder))
    forms = {split: stored_form([file.name for file in files], split) for split in splits}
    arrays = {s: folder / predictions_variable(s, form or "float32") for s, form in forms.items()}
    there: Marks = {}
    for file in files:
        step, _, kind = file.name.partition(".")
        if kind != "json" or not step.isdecimal():
            continue
        try:
            about_it = file.stat()
            stamp = about_it.st_ino, about_it.st_size, about_it.st_mtime_ns
            known = marks.get(file.name)
            there[file.name] = (
                known
                if known is not None and known[0] == stamp
                else (stamp, _marked(Path(file.path), int(step), arrays))
            )
        except FileNotFoundError:  # replaced meanwhile: seen at the next look
            continue
    marks.clear()
    marks.update(there)
    for name_of_file, (_, checkpoint) in there.items():
        at = int(name_of_file.partition(".")[0])
        if checkpoint is None:
            found.diverged_step = at
        else:
            found.checkpoints[at] = checkpoint
    if found.checkpoints:
        try:
            array = zarr.open_array(next(iter(arrays.values())), mode="r")
        except FileNotFoundError:
            return None
        found.n_classes = array.shape[-1]
    return found


def _marked(mark: Path, step: int, arrays: Mapping[str, Path]) -> Checkpoint | None:
    """The checkpoint of a mark; None if the training had diverged there.

    Raises
    ------
    FileNotFoundError
        If it is being replaced, or not copied yet.
    """
    try:
        curves = json.loads(mark.read_text())
    except ValueError:
        raise StoreError(f"{mark}: damaged") from None
    if curves.get("diverged"):
        return None
    files = {split: _stamp(chunk_of(array, step)) for split, array in arrays.items()}
    there = {split: stamp for split, stamp in files.items() if stamp is not None}
    if len(there) < len(files):
        raise FileNotFoundError(mark)
    return Checkpoint(arrays, (0, step), there, curves)


def _samples(work: WorkFolder) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Labels and hashes of the inputs, by split, as far as a work folder has them."""
    try:
        with np.load(work.samples, allow_pickle=False) as kept:
            arrays = dict(kept)
    except FileNotFoundError:  # of an older version
        arrays = {}
    except (ValueError, OSError, EOFError, KeyError):
        raise StoreError(f"{work.samples}: damaged") from None
    labels, hashes = (
        {split: arrays[f"{split}_{what}"] for split in _SPLITS if f"{split}_{what}" in arrays}
        for what in ("label", "input_hash")
    )
    return labels, hashes


def _published(path: Path, name: str) -> list[Training]:
    """The trainings of a published store, one per seed."""
    store = read_dataset(path)
    splits = [split for split in _SPLITS if f"{split}_label" in store]
    try:
        about = json.loads(store.attrs["configuration"])
        who = about["network_name"], about["optimiser_name"]
        forms = {split: stored_form(store, split) for split in splits}
        arrays = {s: path / predictions_variable(s, form) for s, form in forms.items() if form}
    except (KeyError, ValueError, TypeError):
        raise StoreError(f"{path}: not a predictions store of hyperribbon") from None
    labels, hashes = (
        {split: store[f"{split}_{what}"].values for split in _SPLITS if f"{split}_{what}" in store}
        for what in ("label", "input_hash")
    )
    curves = {
        (split, of): store[f"{split}_{of}"].values for split in splits for of in ("loss", "error")
    }
    steps, seeds = store["step"].values.tolist(), store["seed"].values.tolist()
    found = []
    for s, seed in enumerate(seeds):
        key = name if len(seeds) == 1 else f"{name}, seed {seed}"
        one = Training(key, path, *who, seed, store.sizes["class"], labels, about, hashes)
        one.finished = True
        diverged = int(store["diverged_step"].values[s])
        one.diverged_step = diverged if diverged >= 0 else None
        for k, step in enumerate(steps):
            files = {
                split: _stamp(Path(array, "c", str(s), str(k), "0", "0"))
                for split, array in arrays.items()
            }
            there = {split: stamp for split, stamp in files.items() if stamp is not None}
            if len(there) == len(files):
                of = {
                    split: {what: float(curves[split, what][s, k]) for what in ("loss", "error")}
                    for split in splits
                }
                one.checkpoints[step] = Checkpoint(arrays, (s, k), there, of)
        found.append(one)
    return found
