"""What decides whether a rule runs again.

Parameters decide alone: each rule carries the version of its code, its settings, and a hash of the
same of the rules before it, its *key*. The times of files, which a touch, a copy or a checkout
changes, count for nothing while all of this is as it was when the study was last complete. Such a
rule is *settled*: what was deleted of it is made again without what follows, because it will be the
same.

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


class Keys(Mapping[str, str]):
    """The keys of the rules of a study, by name, and which of them are settled.

    Parameters
    ----------
    recorded : the keys with which the study was last complete
    remade : rules whose stores are no longer those that others were computed from

    A rule may have pieces, which count alone: the piece ``grid-0.5`` of ``synthetic_train`` has the
    name ``synthetic_train grid-0.5``.
    """

    def __init__(self, recorded: Mapping[str, str] | None = None, remade: Collection[str] = ()):
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
        step : of the rule
        *upstream : names of the rules before it, or of pieces of them
        modules : that its code imports by a computed name
        **settings : what else decides its results
        """
        decisive = {
            "code": code_version(step_module(step), *modules),
            "upstream": digest([self[name] for name in upstream])[:LENGTH],
            **settings,
        }
        self.remember(step, decisive, *upstream)
        return decisive

    def remember(self, name: str, decisive: object, *upstream: str) -> None:
        """Note a key, and whether it is settled.

        Parameters
        ----------
        name : of a rule, or of a piece of it
        decisive : all that decides its results; must be JSON
        *upstream : names of what comes before it
        """
        self._keys[name] = digest(decisive)[:LENGTH]
        as_before = self._recorded.get(name) == self[name] and name not in self._remade
        if as_before and self._settled.issuperset(upstream):
            self._settled.add(name)

    def each(
        self,
        step: str,
        pieces: Iterable[str],
        upstream: Callable[[str], Sequence[str]] = lambda piece: (),
        **settings: Callable[[str], Any],
    ) -> dict[str, dict[str, Any]]:
        """Parameters of a rule for each piece of its work.

        Parameters
        ----------
        step : of the rule
        pieces : names
        upstream : names what comes before a piece
        **settings : as of `parameters`, each a function of the piece
        """
        found, before = {}, {}
        for piece in pieces:
            before[piece] = upstream(piece)
            of_piece = {name: value(piece) for name, value in settings.items()}
            found[piece] = self.parameters(step, *before[piece], **of_piece)
        for piece, decisive in found.items():
            self.remember(f"{step} {piece}", decisive, *before[piece])
        self.remember(step, found, *(name for names in before.values() for name in names))
        return found

    def is_settled(self, name: str) -> bool:
        """Whether the results of a rule, or of a piece, are what they were."""
        return name in self._settled

    def stale(self) -> list[str]:
        """Rules whose results are those of other code or settings than today's."""
        return [
            name
            for name, key in self.items()
            if " " not in name and self._recorded and self._recorded.get(name) != key
        ]


def recorded_keys(path: str | Path) -> dict[str, str]:
    """The keys of a file, as it was written when the study was last complete; empty without it."""
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def remade_rules(results: str | Path, started: Iterable[str]) -> set[str]:
    """Rules whose stores are no longer those that others were computed from.

    So it is after a store was deleted and trained again on a GPU, which is not bit-equal.

    Parameters
    ----------
    results : folder of a study
    started : ids of the configurations that start from another's weights
    """
    rules = {"predictions": "train", "distance": "distance", "progress": "progress"}
    names: set[str] = set()
    sha256_of = cache(file_sha256)
    kinds = ["distance", "embedding", "progress", "trajectories", "curvature"]
    manifests = [path for kind in kinds for path in Path(results, kind).glob("*.json")]
    manifests += [Path(results, "predictions", f"{id}.json") for id in started]
    for manifest in manifests:
        with suppress(OSError, StoreError):  # `verify` names it
            names.update(outdated(manifest, sha256_of))
    found = {f"train {name.split('/')[1]}" for name in names if name.startswith("predictions/")}
    kinds = [name.split("/")[0] for name in names]
    return found | {rules[kind] for kind in kinds if kind in rules}
