"""What decides whether a rule runs again.

A rule carries the version of its code, its settings, and a hash of the keys of the rules before it.
These parameters alone decide whether it runs again; its *key* is their hash. A rule is *settled* if
its key, and those of all rules before it, are what they were when the study was last complete. The
times of its files, which a touch, a copy or a checkout changes, then count for nothing, and what
was deleted of it is made again without what follows, because the results will be the same.

>>> keys = Keys()
>>> distance = keys.parameters("distance", geodesic_points=51)
>>> embed = keys.parameters("embed", "distance", components=10)
>>> again = Keys(recorded=dict(keys))
>>> again.parameters("distance", geodesic_points=101) == distance
False
>>> again.parameters("embed", "distance", components=10) == embed
False
>>> again.is_settled("distance"), again.is_settled("embed")
(False, False)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from hyperribbon.errors import StoreError
from hyperribbon.storage.digest import digest
from hyperribbon.storage.manifest import file_sha256, outdated
from hyperribbon.studies.code_version import code_version
from hyperribbon.studies.parts import step_module

LENGTH = 16  # hexadecimal digits of a key
# Stores that record what they were computed from, as do predictions that start from others.
DERIVED = ("distance", "embedding", "progress", "trajectories", "curvature", "representations",
           "task_means")  # fmt: skip
# Rules that write stores from which others are computed, by the folder of the stores.
WRITERS = {"predictions": "train", "distance": "distance", "progress": "progress"}


class Keys(Mapping[str, str]):
    """The keys of the rules of a study, by name, and which of the rules are settled.

    A rule may work piece by piece, each of which has a key of its own: the piece ``grid-0.5`` of
    the rule ``synthetic_train`` has the name ``synthetic_train grid-0.5``.

    Parameters
    ----------
    recorded : mapping, optional
        The keys with which the study was last complete.
    remade : collection of str, optional
        Rules and pieces whose stores are no longer those from which others were computed.
    """

    def __init__(
        self, recorded: Mapping[str, str] | None = None, remade: Collection[str] = ()
    ) -> None:
        self._keys: dict[str, str] = {}
        self._recorded, self._remade = dict(recorded or {}), set(remade)
        self._settled: set[str] = set()

    def __getitem__(self, name: str) -> str:
        return self._keys[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def parameters(
        self, step: str, *upstream: str, modules: Iterable[str] = (), **settings: Any
    ) -> dict[str, Any]:
        """Parameters of a rule that decide its results.

        Parameters
        ----------
        step : str
            The step of the rule.
        *upstream : str
            Names of the rules before it, or of pieces of them.
        modules : iterable of str
            Modules that its code imports by a computed name.
        **settings
            Everything else that decides its results; must be JSON.

        Returns
        -------
        dict
            ``code``, ``upstream`` and the settings.

        Raises
        ------
        KeyError
            If there is no such step, or a rule before it has no key yet.
        """
        decisive = self._decisive(step, upstream, modules, settings)
        self.remember(step, decisive, *upstream)
        return decisive

    def each(
        self,
        step: str,
        pieces: Iterable[str],
        upstream: Callable[[str], Sequence[str]] = lambda piece: (),
        modules: Callable[[str], Iterable[str]] = lambda piece: (),
        **settings: Callable[[str], Any],
    ) -> dict[str, dict[str, Any]]:
        """Parameters of a rule for each piece of its work.

        The arguments are those of `parameters`, but each is a function of the piece.

        Parameters
        ----------
        step : str
            The step of the rule.
        pieces : iterable of str
            Names of the pieces.
        upstream, modules, **settings : callable
            Functions of the name of a piece.

        Returns
        -------
        dict
            The parameters, by piece.
        """
        before = {piece: upstream(piece) for piece in pieces}
        found = {}
        for piece, names in before.items():
            values = {name: value(piece) for name, value in settings.items()}
            found[piece] = self._decisive(step, names, modules(piece), values)
            self.remember(f"{step} {piece}", found[piece], *names)
        self.remember(step, found, *(name for names in before.values() for name in names))
        return found

    def remember(self, name: str, decisive: object, *upstream: str) -> None:
        """Note the key of a rule or a piece, and whether it is settled.

        Parameters
        ----------
        name : str
            The rule, or a piece of it.
        decisive : object
            Everything that decides its results; must be JSON.
        *upstream : str
            Names of what comes before it.
        """
        self._keys[name] = digest(decisive)[:LENGTH]
        as_before = self._recorded.get(name) == self[name] and name not in self._remade
        if as_before and self._settled.issuperset(upstream):
            self._settled.add(name)
        else:
            self._settled.discard(name)

    def is_settled(self, name: str) -> bool:
        """Whether the results of a rule, or of a piece, are what they were."""
        return name in self._settled

    def stale(self) -> list[str]:
        """Rules whose results, if the study was ever complete, are of other code or settings."""
        return [
            name
            for name, key in self.items()
            if " " not in name and self._recorded and self._recorded.get(name) != key
        ]

    def _decisive(
        self,
        step: str,
        upstream: Sequence[str],
        modules: Iterable[str],
        settings: Mapping[str, Any],
    ) -> dict[str, Any]:
        return {
            "code": code_version(step_module(step), *modules),
            "upstream": digest([self[name] for name in upstream])[:LENGTH],
            **settings,
        }


def recorded_keys(path: str | Path) -> dict[str, str]:
    """The keys that a study left when it was last complete; empty if there are none."""
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def remade_rules(results: str | Path, started: Iterable[str]) -> set[str]:
    """Rules whose stores are no longer those from which others were computed.

    This happens when a store is deleted and trained again on a GPU, which is not bit-equal.

    Parameters
    ----------
    results : path
        Folder of the results of a study.
    started : iterable of str
        Ids of the configurations that start from the weights of another.

    Returns
    -------
    set of str
        Names of rules and of pieces, such as ``train`` and ``train AllCNN-Adam-1f``.
    """
    manifests = [path for kind in DERIVED for path in Path(results, kind).glob("*.json")]
    manifests += [Path(results, "predictions", f"{id}.json") for id in started]
    sha256_of = cache(file_sha256)
    found: set[str] = set()
    for manifest in manifests:
        with suppress(OSError, StoreError):  # `verify` reports a damaged manifest
            for name in outdated(manifest, sha256_of):
                kind, _, piece = name.partition("/")
                if kind in WRITERS:
                    found.add(WRITERS[kind])
                if kind == "predictions":
                    found.add(f"train {piece}")
    return found
