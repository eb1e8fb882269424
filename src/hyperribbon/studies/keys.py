"""The keys that decide whether a rule runs again.

Only parameters decide: each rule carries the version of its code, its settings, and a hash of the
same for the rules before it. All these together give the rule's *key*. The times of files, which a
touch, a copy or a checkout changes, do not count as long as keys are as they were when the study
was last complete. Such a rule is *settled*: if some of its outputs are deleted, they are
regenerated without rerunning what follows, because they will be the same.

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
    remade : rules whose stores are no longer those from which others were computed

    A rule may have pieces, which count separately: the piece ``grid-0.5`` of ``synthetic_train``
    has the name ``synthetic_train grid-0.5``.
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
        """Parameters of a rule that determine its results.

        Parameters
        ----------
        step : name of the rule's step
        *upstream : names of the rules before it, or of pieces of them
        modules : modules that its code imports by a computed name
        **settings : everything else that determines its results
        """
        decisive = {
            "code": code_version(step_module(step), *modules),
            "upstream": digest([self[name] for name in upstream])[:LENGTH],
            **settings,
        }
        self.remember(step, decisive, *upstream)
        return decisive

    def remember(self, name: str, decisive: object, *upstream: str) -> None:
        """Record a key, and whether it is settled.

        Parameters
        ----------
        name : name of a rule, or of a piece of it
        decisive : everything that determines its results, as JSON
        *upstream : names of the rules or pieces before it
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
        step : name of the rule's step
        pieces : names of the pieces
        upstream : function that returns the names of what comes before a piece
        **settings : as in `parameters`, but functions of the piece
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
        """Whether the results of a rule, or of a piece, are unchanged."""
        return name in self._settled

    def stale(self) -> list[str]:
        """Rules whose results come from code or settings other than the present ones."""
        return [
            name
            for name, key in self.items()
            if " " not in name and self._recorded and self._recorded.get(name) != key
        ]


def recorded_keys(path: str | Path) -> dict[str, str]:
    """The keys in the file written when the study was last complete; empty if there is none."""
    try:
        return dict(json.loads(Path(path).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def remade_rules(results: str | Path, started: Iterable[str]) -> set[str]:
    """Rules whose stores are no longer those from which others were computed.

    This happens if a store was deleted and trained again on a GPU, which is not bit-equal.

    Parameters
    ----------
    results : folder of a study's results
    started : ids of the configurations that start from the weights of another
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
