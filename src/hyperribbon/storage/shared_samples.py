"""Which samples two families of trainings share, and where they are in each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

FEWEST = 50  # shared samples that are enough to compare models on, if there are more in each family
# Keys of a study's section of data that choose among the samples of a source, or decide how
# networks see them. All others say which source it is.
CHOOSING = ("train_size", "test_size", "split_seed", "groups")
SHOWING = ("image_size", "stored_size", "standardise")


class NotShared(Exception):
    """Two families share no samples, or too few; the message says why."""


class Samples(NamedTuple):
    """What is known about the samples of one split."""

    n_classes: int
    """Number of classes, C."""
    labels: np.ndarray | None
    """True classes (N,), if they are known."""
    data: Mapping[str, Any] | None = None
    """The section of the data, of a study's own trainings."""
    places: np.ndarray | None = None
    """Positions (N,) in the source that the section names."""
    hashes: np.ndarray | None = None
    """Hash (N,) of each sample's inputs, if they are known."""

    def taken(self, places: np.ndarray) -> Samples:
        """Some of the samples, by their positions."""
        arrays = (self.labels, self.places, self.hashes)
        labels, of_source, hashes = (None if x is None else x[places] for x in arrays)
        return Samples(self.n_classes, labels, self.data, of_source, hashes)


def shared_samples(ours: Samples, theirs: Samples) -> tuple[np.ndarray, np.ndarray]:
    """Find the samples that two families share.

    Samples of the same source, such as CIFAR-10, are recognised by their position in it, however
    many of them a study has and at whatever resolution. Samples of recordings are recognised by
    hashes of their inputs. Where neither is known, samples are the same if as many have equal
    labels in the same order, as for recordings that are opened together.

    Parameters
    ----------
    ours, theirs : Samples
        Of the same split.

    Returns
    -------
    here, there : ndarray of int, shape (n,)
        Positions in ours, increasing, and in theirs.

    Raises
    ------
    NotShared
        If there are none, saying why.

    Examples
    --------
    >>> labels = np.array([0, 1, 1, 0])
    >>> few = Samples(2, labels[[2, 3]], {"name": "digits", "train_size": 2}, np.array([5, 9]))
    >>> more = Samples(2, labels, {"name": "digits", "train_size": 4}, np.array([1, 2, 5, 9]))
    >>> [places.tolist() for places in shared_samples(few, more)]
    [[0, 1], [2, 3]]
    """
    if ours.n_classes != theirs.n_classes:
        raise NotShared(f"{theirs.n_classes} classes, not {ours.n_classes}")
    if ours.data is not None and theirs.data is not None:
        return _of_source(ours, theirs)
    if ours.hashes is not None and theirs.hashes is not None:
        found = _common(ours.hashes, theirs.hashes)
        # Networks may receive different features of the same samples: then labels decide.
        if len(found[0]):
            return _with_equal_labels(ours, theirs, found)
    if ours.labels is None or theirs.labels is None:
        raise NotShared("nothing tells which samples are the same, not even labels")
    n, m = len(ours.labels), len(theirs.labels)
    if n != m:
        raise NotShared(f"{m:,} samples, not {n:,}, and nothing tells which of them are the same")
    return _with_equal_labels(ours, theirs, (np.arange(n), np.arange(n)))


def _of_source(ours: Samples, theirs: Samples) -> tuple[np.ndarray, np.ndarray]:
    assert ours.data is not None
    assert theirs.data is not None
    for key in dict.fromkeys([*ours.data, *theirs.data]):
        given, expected = theirs.data.get(key), ours.data.get(key)
        if key not in CHOOSING + SHOWING and given != expected:
            raise NotShared(f"of other data (data.{key} = {given}, not {expected})")
    assert ours.places is not None
    assert theirs.places is not None
    found = _common(ours.places, theirs.places)
    if not len(found[0]):
        raise NotShared(f"other samples of {ours.data.get('name')}")
    return _with_equal_labels(ours, theirs, found)


def common_places(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the values that occur once in each of two arrays, in the order of the first.

    >>> [places.tolist() for places in common_places(np.array([5, 6, 6, 8]), np.array([8, 5, 6]))]
    [[0, 3], [1, 0]]
    """
    once = [np.unique(values, return_index=True, return_counts=True) for values in (ours, theirs)]
    (a, i), (b, j) = ((values[n == 1], at[n == 1]) for values, at, n in once)
    _, here, there = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    here, there = i[here], j[there]
    order = np.argsort(here)
    return here[order], there[order]


def _common(ours: np.ndarray, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places of the samples that occur in both; of equal samples, all."""
    if np.array_equal(ours, theirs):
        return np.arange(len(ours)), np.arange(len(ours))
    return common_places(ours, theirs)


def _with_equal_labels(
    ours: Samples, theirs: Samples, found: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The samples that were found; refused if a label shows that they are not the same."""
    if ours.labels is None or theirs.labels is None:
        return found
    here, there = found
    other = np.flatnonzero(ours.labels[here] != theirs.labels[there])
    if len(other):
        k = other[0]
        raise NotShared(
            f"other labels: sample {there[k]} has {theirs.labels[there[k]]}, not "
            f"{ours.labels[here[k]]}"
        )
    return found
