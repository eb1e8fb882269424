"""Checksums of what a study leaves outside its stores: tables, figures and pages.

Each step leaves a manifest of the files that it wrote: ``checksums/<step>.json`` in the folder of
results, as its log is ``logs/<step>.log``. Therefore checksums stay right when only some steps run
again, and steps that run at once do not wait for each other. Names in a manifest are relative to
the folder of results, which may be copied or moved.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hyperribbon.storage.manifest import Manifest

CHECKSUMS, LOGS = "checksums", "logs"


def sum_up(outputs: Iterable[str | Path], log: str | Path) -> None:
    """Leave checksums of the files that a step wrote; stores have their own manifests.

    Parameters
    ----------
    outputs : iterable of path
        Paths in the folder of results; folders are left out.
    log : path
        Log of the step, in the folder ``logs`` of the results. For a log elsewhere, nothing is
        done.
    """
    logs = next((folder for folder in Path(log).parents if folder.name == LOGS), None)
    files = [path for path in map(Path, outputs) if path.is_file()]
    if logs is None or not files:
        return
    results = logs.parent
    manifest = results / CHECKSUMS / Path(log).relative_to(logs).with_suffix(".json")
    names = [path.relative_to(results).as_posix() for path in files]
    manifest.parent.mkdir(parents=True, exist_ok=True)
    Manifest.of(results, names=names).write(manifest)


def manifests(results: str | Path) -> list[Path]:
    """The manifests that the steps of a study left, sorted."""
    return sorted(Path(results, CHECKSUMS).rglob("*.json"))
