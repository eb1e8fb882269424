"""Verification of results: every file that has a checksum is compared with its manifest."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from hyperribbon.errors import StoreError
from hyperribbon.storage import loose_files
from hyperribbon.storage.dataset import read_dataset
from hyperribbon.storage.manifest import Manifest, in_words, manifest_path, outdated, store_path

# Folders without checksums: files there are no results, or may be deleted.
UNCHECKED = (loose_files.LOGS, "benchmarks", "work")


class Finding(NamedTuple):
    """Something wrong with the results.

    Attributes
    ----------
    piece : Path or None
        What to delete, so that the next run makes it again; None for a recording, which no run
        can make.
    what : str
        Description.
    """

    piece: Path | None
    what: str


@dataclass
class Verification:
    """What was compared with checksums, and the result.

    Attributes
    ----------
    stores : int
        Number of stores that were read, with all their files.
    files : int
        Number of tables, figures, pages and other loose files that were read.
    findings : list of Finding
        One for each damaged piece; empty if all is well.
    unknown : list of Path
        Loose files without checksums, which were not compared: a user's own, and those that an
        older version wrote.
    """

    stores: int = 0
    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)


def verify(
    results: str | Path, recorded: Iterable[str | Path] = (), *, progress_bar: bool = False
) -> Verification:
    """Check everything that a study left, and the recordings that it uses, reading every byte once.

    Parameters
    ----------
    results : path
        Folder of results of the study.
    recorded : iterable of path
        Manifests of stores that were recorded elsewhere.
    progress_bar : bool
        Whether to show a progress bar; none is shown if the output is not a terminal.

    Examples
    --------
    >>> verify("results/of/no/study").findings
    []
    """
    results = Path(results)
    folders = sorted({path.parent for path in results.glob("*/*.zarr")} - {results / "work"})
    manifests = {path for folder in folders for path in folder.glob("*.json")}
    stores = {path for folder in [results, *folders] for path in folder.glob("*.zarr")}
    manifests |= {manifest_path(path) for path in stores}
    manifests |= set(results.glob("data.json"))
    elsewhere = set(map(Path, recorded))
    found = Verification()
    for manifest in sorted(manifests | elsewhere):
        store = store_path(manifest)
        found.stores += store.exists()
        what = _fault(manifest, store, progress_bar)
        if what and manifest in elsewhere:
            advice = "copy or record it again, with its manifest"
            found.findings.append(Finding(None, f"{what}; {advice}"))
        elif what:
            found.findings.append(Finding(store if store.exists() else manifest, what))
    compare_loose_files(results, manifests, found)
    return found


def faults_of(stores: Iterable[str | Path], *, progress_bar: bool = False) -> list[str]:
    """What is wrong with stores, in words, reading every byte once; empty if nothing is.

    Parameters
    ----------
    stores : iterable of path
        Stores with their manifests.
    progress_bar : bool
        Whether to show a progress bar; none is shown if the output is not a terminal.

    Examples
    --------
    >>> faults_of(["nowhere.zarr"])
    ['nowhere.zarr: missing']
    """
    found = (_fault(manifest_path(store), Path(store), progress_bar) for store in stores)
    return [what for what in found if what]


def _fault(manifest: Path, store: Path, progress_bar: bool) -> str | None:
    """What is wrong with a store."""
    if not store.exists():
        there = ", though its manifest is there" if manifest.exists() else ""
        return f"{store}: missing{there}"
    try:
        wrong = Manifest.read(manifest).damage(store, progress_bar=progress_bar)
        changed = outdated(manifest)
    except StoreError as error:
        return _older_layout(store) or str(error)
    except OSError as error:
        return f"{error.filename}: not readable ({error.strerror})"
    if wrong:
        return f"{store}: damaged in {in_words(wrong)}"
    if changed:
        return f"{store}: computed from content other than what now lies in {', '.join(changed)}"
    return None


def _older_layout(store: Path) -> str | None:
    """The error of a store with an older layout, from when manifests were not written yet."""
    try:
        read_dataset(store)
    except StoreError as error:
        return str(error)
    return None


def compare_loose_files(results: Path, store_manifests: set[Path], found: Verification) -> None:
    """Compare loose files with the checksums that the steps left, and note files without any."""
    known = set(store_manifests)
    for manifest in loose_files.manifests(results):
        known.add(manifest)
        step = manifest.relative_to(results / loose_files.CHECKSUMS).parts[0].removesuffix(".json")
        try:
            summed = Manifest.read(manifest)
        except StoreError as error:
            remedy = f"delete it; --forcerun {step} makes it again, with its files"
            found.findings.append(Finding(manifest, f"{error}; {remedy}"))
            continue
        for name in summed.files:
            path = results / name
            known.add(path)
            found.files += path.exists()
            try:
                changed = Manifest.of(results, names=[name]).files != {name: summed.files[name]}
            except FileNotFoundError:
                found.findings.append(Finding(manifest, f"{path}: missing; {step} wrote it"))
            except OSError as error:
                found.findings.append(Finding(path, f"{path}: not readable ({error.strerror})"))
            else:
                if changed:
                    what = f"{path}: changed since {step} wrote it"
                    found.findings.append(Finding(path, what))
    for folder, inside, names in os.walk(results):  # also while a study writes and deletes there
        top = Path(folder) == results
        inside[:] = [
            name for name in inside if not (name.endswith(".zarr") or (top and name in UNCHECKED))
        ]
        paths = (Path(folder, name) for name in names if not name.startswith("."))
        found.unknown += [path for path in paths if path not in known]
    found.unknown.sort()
