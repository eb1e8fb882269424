"""Models of several studies as one family, on the samples that they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hyperribbon.bars import bar_over
from hyperribbon.numerics.blocks import evenly
from hyperribbon.probability.scores import loss_and_error
from hyperribbon.probability.views import Selection, selections
from hyperribbon.storage.dataset import Split
from hyperribbon.storage.digest import digest
from hyperribbon.storage.shared_samples import Samples
from hyperribbon.storage.tables import TRAINING_KEYS


class Member(NamedTuple):
    """A study in a family of several, and what is taken of it."""

    name: str
    models: Any
    """`hyperribbon.storage.models.Models` or what has its interface."""
    rows: np.ndarray
    """Rows (k,) of its table of models, increasing."""
    samples: Mapping[Split, np.ndarray | None]
    """Positions of samples, by split; None for all, in their order."""


class JoinedModels:
    """Models of several studies, with the interface of `hyperribbon.storage.models.Models`.

    Parameters
    ----------
    members : sequence of Member
        Their samples, in each split, are the same in the same order.

    Attributes
    ----------
    table, trainings, configurations, n_classes, splits
        As those of `Models`, with the study as first column. The name of a configuration begins
        with that of its study. Losses and errors are those on the samples that are taken.
    """

    def __init__(self, members: Sequence[Member]):
        self.members = tuple(members)
        first = self.members[0]
        self.splits: tuple[Split, ...] = tuple(first.samples)
        self.n_classes = first.models.n_classes
        tables = [self._table(member) for member in self.members]
        self.table = pd.concat(tables, ignore_index=True)
        keys = [_first_rows(member) for member in self.members]
        starts = np.cumsum([0, *map(len, tables)])[:-1]
        firsts = np.concatenate([start + rows for start, rows in zip(starts, keys, strict=True)])
        self.trainings = self.table.loc[firsts, ["study", *TRAINING_KEYS]].reset_index(drop=True)
        self.trainings["diverged_step"] = -1
        self.configurations = pd.concat(
            [_named(member.models.configurations, member) for member in self.members],
            ignore_index=True,
        )
        self.inputs = self._inputs()

    def _table(self, member: Member) -> pd.DataFrame:
        """The rows of a member, with losses and errors on its samples."""
        rows = member.models.table.iloc[member.rows].reset_index(drop=True)
        for split, samples in member.samples.items():
            if samples is None:
                continue
            labels = member.models.labels(split)
            if labels is not None:
                parts = selections(member.models.trajectories(split), member.rows, samples)
                shown = bar_over(parts, f"{split} losses of {member.name}")
                found = [loss_and_error(P, labels[samples]) for P in shown]
                names = [f"{split}_loss", f"{split}_error"]
                rows[names] = np.concatenate(found, axis=1).T
        curves = [f"{split}_{name}" for split in self.splits for name in ("loss", "error")]
        columns = [*TRAINING_KEYS, "checkpoint", "step", "epoch", *curves]
        return _named(rows[columns], member)

    def _inputs(self) -> dict[str, str] | None:
        """What identifies the models and their samples; None if something of it is an array."""
        found: dict[str, str] = {}
        for k, member in enumerate(self.members):
            if member.models.inputs is None:
                return None
            found |= {f"{k} {name}": sha256 for name, sha256 in member.models.inputs.items()}
            places = [None if x is None else x.tolist() for x in member.samples.values()]
            found[f"{k} taken"] = digest([member.rows.tolist(), places, list(member.samples)])
        return found

    def __len__(self) -> int:
        return len(self.table)

    def labels(self, split: Split) -> np.ndarray | None:
        """True classes (n,) of the samples, if one of the studies knows them."""
        for member in self.members:
            found, samples = member.models.labels(split), member.samples[split]
            if found is not None:
                return found if samples is None else found[samples]
        return None

    def known_samples(self, split: Split) -> Samples:
        """What is known about the samples; see `hyperribbon.storage.models.Models`."""
        first = self.members[0]
        known, samples = first.models.known_samples(split), first.samples[split]
        return known if samples is None else known.taken(samples)

    def class_names(self) -> list[str] | None:
        """Names of the classes, if a study has them."""
        named = (member.models.class_names() for member in self.members)
        return next(filter(None, named), None)

    def trajectories(self, split: Split) -> Iterator[Selection]:
        """Each training's predictions (k, n, C), in the order of the table, lazily."""
        for member in self.members:
            trajectories = member.models.trajectories(split)
            yield from selections(trajectories, member.rows, member.samples[split])

    def training_keys(self) -> pd.DataFrame:
        """One row per training, in the order of the table."""
        return self.trainings.drop(columns="diverged_step")


def evenly_along_trainings(models: Any, most: int) -> np.ndarray:
    """Rows of a table of models, evenly spaced along each training; all, if they are few.

    Every training keeps its first and its last model. If there are so many trainings that this
    would be too many, models are evenly spread over the table.

    Parameters
    ----------
    models : `hyperribbon.storage.models.Models` or what has its interface
    most : number of rows, at most

    Returns
    -------
    (k,) int, increasing
    """
    lengths = _lengths(models)
    total = sum(lengths)
    if total <= most:
        return np.arange(total)
    if 2 * len(lengths) > most:
        return evenly(total, most)
    # What is left after two of each training, in proportion to what each has.
    share = (most - 2 * len(lengths)) / total
    starts = np.cumsum([0, *lengths])[:-1]
    return np.concatenate(
        [
            start + _with_ends(length, min(length, 2 + int(share * length)))
            for start, length in zip(starts, lengths, strict=True)
        ]
    )


def _with_ends(n: int, count: int) -> np.ndarray:
    """Evenly spaced positions, ``count`` of 0..n-1, with the first and the last."""
    return np.arange(count) * (n - 1) // max(count - 1, 1)


def _lengths(models: Any) -> list[int]:
    """Numbers of models of the trainings, in their order."""
    return [P.shape[0] for P in models.trajectories(models.splits[0])]


def _first_rows(member: Member) -> np.ndarray:
    """Positions, among the rows of a member, of the first one of each training."""
    training = np.repeat(np.arange(len(lengths := _lengths(member.models))), lengths)[member.rows]
    return np.flatnonzero(np.diff(training, prepend=-1))


def _named(table: pd.DataFrame, member: Member) -> pd.DataFrame:
    """A table with the study as first column and in the names of configurations."""
    table = table.assign(configuration=f"{member.name}: " + table["configuration"])
    table.insert(0, "study", member.name)
    return table
