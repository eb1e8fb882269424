"""Studies that share samples, as one family each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hyperribbon.analysis.across.joined import JoinedModels, Member, evenly_along_trainings
from hyperribbon.analysis.study import Study
from hyperribbon.storage.dataset import Split
from hyperribbon.storage.shared_samples import (
    CHOOSING,
    FEWEST,
    NotShared,
    Samples,
    shared_samples,
)

MODELS = 3000  # of a picture, at most; every study may have an equal part of them


class Picture(NamedTuple):
    """Studies that share samples, in one embedding; or one study that shares none."""

    study: Study
    """The models of all of them, with the column ``study`` in its table of models."""
    names: tuple[str, ...]
    """Of the studies."""
    about: tuple[str, ...]
    """Sentences that say which samples and models are in the picture."""


class _Group:
    """Studies that share samples, with the places of these in each of them."""

    def __init__(self, name: str, study: Study):
        models = study.geometry().models
        self.names, self.models = [name], [models]
        self.places: dict[Split, list[np.ndarray]] = {
            split: [np.arange(_count(models, split))] for split in study.splits
        }
        self.not_shared: dict[str, str] = {}  # why, by split

    def add(self, name: str, models: Any) -> None:
        """Add a study, on the samples that it shares with all others; NotShared if it has none."""
        found: dict[Split, list[np.ndarray]] = {}
        reasons: dict[str, list[str]] = {}
        for split, places in self.places.items():
            try:
                found[split] = self._common(split, places, models)
            except NotShared as error:
                reasons.setdefault(str(error), []).append(split)
        if not found:
            said = [
                f"{' and '.join(splits)}: {reason}" if len(reasons) > 1 else reason
                for reason, splits in reasons.items()
            ]
            raise NotShared("; ".join(said))
        self.names.append(name)
        self.models.append(models)
        self.places = found
        for reason, splits in reasons.items():
            self.not_shared |= dict.fromkeys(splits, f"{name}: {reason}")

    def _common(self, split: Split, places: list[np.ndarray], models: Any) -> list[np.ndarray]:
        if split not in models.splits:
            raise NotShared(f"no {split} predictions")
        known = models.known_samples(split)
        here, there = shared_samples(self.models[0].known_samples(split), known)
        common = np.intersect1d(places[0], here)
        kept = [of[np.isin(places[0], common)] for of in places]
        kept.append(there[np.isin(here, common)])
        whole = [_count(of, split) == len(common) for of in (*self.models, models)]
        if len(common) < FEWEST and not all(whole):
            raise NotShared(f"only {len(common)} {split} samples in common, fewer than {FEWEST}")
        return kept


def pictures_of(studies: Mapping[str, Study]) -> tuple[list[Picture], list[str]]:
    """Put studies that share samples together.

    A study joins the first ones with which it shares at least 50 samples of a split, or all
    samples. Of each study, models are taken evenly along its trainings.

    Parameters
    ----------
    studies : mapping
        Studies by name.

    Returns
    -------
    pictures : list of Picture
        In the order of their first studies.
    apart : list of str
        A sentence for every study that does not share samples with the first, and why.
    """
    groups: list[_Group] = []
    apart: list[str] = []
    for name, study in studies.items():
        models = study.geometry().models
        for k, group in enumerate(groups):
            try:
                group.add(name, models)
                break
            except NotShared as reason:
                if k == 0:
                    others = _listed(group.names)
                    apart.append(f"{name} is not in one picture with {others}: {reason}.")
        else:
            groups.append(_Group(name, study))
    return [_picture(group, studies) for group in groups], apart


def _picture(group: _Group, studies: Mapping[str, Study]) -> Picture:
    first = studies[group.names[0]]
    most = MODELS // len(group.names)
    taken = [evenly_along_trainings(models, most) for models in group.models]
    members = [
        Member(
            name, models, rows,
            {split: _if_some(of[k], _count(models, split)) for split, of in group.places.items()},
        )
        for k, (name, models, rows) in enumerate(zip(group.names, group.models, taken, strict=True))
    ]  # fmt: skip
    images: dict[str, Any] = {
        split: _images(first.images(split), members[0].samples[split])
        for split in group.places
        if first.images(split) is not None
    }
    study = Study(
        JoinedModels(members),
        " + ".join(group.names),
        images=images,
        class_names=first.class_names,
    )
    return Picture(study, tuple(group.names), tuple(_about(group, taken)))


def _about(group: _Group, taken: Sequence[np.ndarray]) -> list[str]:
    """Which samples and models are taken, and how differently networks see the samples."""
    names, several = _listed(group.names), len(group.names) > 1
    said = []
    for split, places in group.places.items():
        n, counts = len(places[0]), [_count(models, split) for models in group.models]
        if several:
            of = "all of them" if set(counts) == {n} else f"of {_each(counts, group.names)}"
            said.append(f"{n:,} {split} samples ({of})")
        else:
            said.append(f"{n:,} {split} samples")
    sentences = [f"{names} {'share' if several else 'has'} {' and '.join(said)}."]
    for missing, reason in group.not_shared.items():
        sentences.append(f"They do not share {missing} samples ({reason}).")
    sentences += _differences(group)
    totals = [len(models) for models in group.models]
    if any(len(rows) < total for rows, total in zip(taken, totals, strict=True)):
        chosen = [
            f"all {total:,} of {name}" if len(rows) == total
            else f"{len(rows):,} of {total:,} of {name}"
            for rows, total, name in zip(taken, totals, group.names, strict=True)
        ]  # fmt: skip
        sentences.append(f"Models, evenly spaced along each training: {', '.join(chosen)}.")
    return sentences


def _differences(group: _Group) -> list[str]:
    """Keys of the data that differ, but that choose samples."""
    split = next(iter(group.places))
    known: list[Samples] = [models.known_samples(split) for models in group.models]
    sections = [samples.data for samples in known]
    if any(section is None for section in sections):
        return []
    found = []
    for key in sections[0] or {}:
        values = [section.get(key) for section in sections if section is not None]
        if key not in CHOOSING and any(value != values[0] for value in values):
            found.append(f"data.{key} is {_each(values, group.names)}")
    return [f"Their networks do not see them alike: {'; '.join(found)}."] if found else []


def _each(values: Sequence[Any], names: Sequence[str]) -> str:
    """Values with the studies that have them.

    >>> _each([1500, 400], ["a", "b"])
    '1,500 (a), 400 (b)'
    """
    shown = [f"{value:,}" if isinstance(value, int) else str(value) for value in values]
    return ", ".join(f"{value} ({name})" for value, name in zip(shown, names, strict=True))


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _count(models: Any, split: Split) -> int:
    """Number of samples of a split."""
    return next(iter(models.trajectories(split))).shape[1]


def _if_some(places: np.ndarray, count: int) -> np.ndarray | None:
    """Positions of samples; None if they are all, in their order."""
    return None if np.array_equal(places, np.arange(count)) else places


class _Images:
    """Images of some samples, read where they are indexed, as a Zarr array is."""

    def __init__(self, images: Any, places: np.ndarray):
        self._images, self._places = images, places
        self.shape = (len(places), *images.shape[1:])

    @property
    def oindex(self) -> _Images:
        """What positions are taken of."""
        return self

    def __getitem__(self, chosen: np.ndarray) -> np.ndarray:
        places = self._places[chosen]
        stored = hasattr(self._images, "oindex")
        return self._images.oindex[places] if stored else np.asarray(self._images)[places]


def _images(images: Any, places: np.ndarray | None) -> Any:
    return images if places is None else _Images(images, places)
