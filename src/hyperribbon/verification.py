"""Are the results still what was written: every file of every store, against its manifest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from hyperribbon.errors import StoreError
from hyperribbon.manifest import Manifest, manifest_path, outdated, store_path
from hyperribbon.store import open_dataset

_NAMED = 10  # files of one store that are named, of those that are wrong


class Finding(NamedTuple):
    """Something wrong with the results.

    piece : what to delete, so that the next run makes it again
    what : in words
    """

    piece: Path
    what: str


def verify(results: str | Path, *, progress: bool = False) -> Iterator[Finding]:
    """Check the data and all stores of a study.

    Parameters
    ----------
    results : folder of the study
    progress : show a bar; quiet when the output is not a terminal

    Yields
    ------
    Finding
        One a damaged piece; none if all is well. Reads every byte once.

    Examples
    --------
    >>> list(verify("results/of/no/study"))
    []
    """
    results = Path(results)
    folders = sorted({path.parent for path in results.glob("*/*.zarr")} - {results / "work"})
    manifests = {path for folder in folders for path in folder.glob("*.json")}
    stores = {path for folder in [results, *folders] for path in folder.glob("*.zarr")}
    manifests |= {manifest_path(path) for path in stores}
    manifests |= set(results.glob("data.json"))
    for manifest in sorted(manifests):
        store = store_path(manifest)
        what = _fault(manifest, store, progress)
        if what:
            yield Finding(store if store.exists() else manifest, what)


def _fault(manifest: Path, store: Path, progress: bool) -> str | None:
    """What is wrong with a store."""
    if not store.exists():
        return f"{store}: missing, though its manifest is there"
    try:
        wrong = Manifest.read(manifest).damage(store, progress=progress)
    except StoreError as error:
        return _older_layout(store) or str(error)
    if wrong:
        named = [f"{name} ({how})" for name, how in list(wrong.items())[:_NAMED]]
        more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
        return f"{store}: damaged in {', '.join(named)}{more}"
    changed = outdated(manifest)
    if changed:
        return f"{store}: computed from other content than now lies in {', '.join(changed)}"
    return None


def _older_layout(store: Path) -> str | None:
    """That a store is of an older layout, when manifests were not written yet."""
    try:
        open_dataset(store)
    except StoreError as error:
        return str(error)
    return None
