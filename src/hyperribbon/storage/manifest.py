"""Manifests: the files of a store, with their checksums.

The manifest of ``A.zarr`` is ``A.json`` next to it. It is written last, so that its presence says
that the store is complete. It holds only what follows from the content, so that equal stores have
equal manifests, and a checksum of itself. The loose files of a study also have manifests
(:mod:`hyperribbon.storage.loose_files`).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from hyperribbon.bars import bar_over
from hyperribbon.errors import StoreError
from hyperribbon.storage.files import written_whole

LAYOUT = 2  # version of the layout of stores
METADATA = "zarr.json"  # file of a store and of each array in it
_NAMED = 10  # damaged files of one store that a message names


def manifest_path(store: str | Path) -> Path:
    """Path of the manifest of a store.

    >>> manifest_path("results/smoke/predictions/ViT-Adam-1f.zarr").name
    'ViT-Adam-1f.json'
    """
    return Path(store).with_suffix(".json")


def store_path(manifest: str | Path) -> Path:
    """Path of the store of a manifest."""
    return Path(manifest).with_suffix(".zarr")


@dataclass(frozen=True)
class Manifest:
    """Checksums and sizes of a store's files, and checksums of what it was computed from.

    Parameters
    ----------
    files : mapping
        SHA-256 in hexadecimal, by path inside the store.
    inputs : mapping
        SHA-256 that the manifests of other stores had when this one was computed from them, by
        their names.
    sizes : mapping
        Bytes, by path inside the store; empty if an older version wrote the manifest.
    """

    files: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        store: str | Path,
        inputs: Mapping[str, str] | None = None,
        *,
        names: Iterable[str] | None = None,
        progress_bar: bool = False,
    ) -> Manifest:
        """Compute the manifest of a store from all of its files, or from those with given names."""
        store = Path(store)
        names = sorted(_files(store) if names is None else names)
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            digests = pool.map(lambda name: file_sha256(store / name), names)
            title = store.name if progress_bar else None
            files = dict(zip(names, bar_over(digests, title, total=len(names)), strict=True))
        sizes = {name: (store / name).stat().st_size for name in names}
        return cls(files, dict(inputs or {}), sizes)

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """Read a manifest.

        Raises
        ------
        StoreError
            If it is missing, not readable, not a manifest, damaged or of another layout version.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_bytes())
            check_layout(path, content["layout"])
            own = content.pop("sha256", None)
            whole = own is None or own == _digest(content)  # an older version wrote none
            content = {"sizes": {}, **content}
            mappings = [dict(content[name]) for name in ("files", "inputs", "sizes")]
            whole = whole and content.keys() == {"layout", "files", "inputs", "sizes"}
        except FileNotFoundError:
            raise _missing(path) from None
        except OSError as error:
            raise StoreError(f"{path}: not readable ({error.strerror})") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            raise StoreError(f"{path}: not a manifest of hyperribbon, or damaged")
        return cls(*mappings)

    def write(self, path: str | Path) -> None:
        """Write to a file, completely or not at all."""
        content = {
            "layout": LAYOUT,
            "inputs": dict(self.inputs),
            "files": dict(self.files),
            "sizes": dict(self.sizes),
        }
        content["sha256"] = _digest(content)
        with written_whole(path) as partial:
            partial.write_text(json.dumps(content, indent=0, sort_keys=True))

    def digest(self, *prefixes: str) -> str:
        """SHA-256 of the files whose paths begin with a prefix; without prefixes, of all files.

        Only what follows the prefix counts, so that equal files in other folders have an equal
        hash.
        """
        content = hashlib.sha256()
        for prefix in prefixes or ("",):
            for name, digest in sorted(self.files.items()):
                if name.startswith(prefix):
                    content.update(f"{name.removeprefix(prefix)} {digest}\n".encode())
            content.update(b"\n")
        return content.hexdigest()

    def damage(self, store: str | Path, *, progress_bar: bool = False) -> dict[str, str]:
        """Files of a store that are ``missing``, ``changed`` or ``foreign``, by name."""
        found = set(_files(Path(store)))
        wrong = self._strays(found)
        known = [name for name in found if name in self.files]
        for name, digest in Manifest.of(
            store, names=known, progress_bar=progress_bar
        ).files.items():
            if digest != self.files[name]:
                wrong[name] = "changed"
        return dict(sorted(wrong.items()))

    def gaps(self, store: str | Path) -> dict[str, str]:
        """Damage that shows without reading the arrays: in names, sizes and metadata."""
        store = Path(store)
        found = set(_files(store))
        wrong = self._strays(found)
        for name in found & self.files.keys():
            path = store / name
            size, expected = path.stat().st_size, self.sizes.get(name)
            if expected is not None and size != expected:
                wrong[name] = f"{size} bytes, expected {expected}"
            elif path.name == METADATA and file_sha256(path) != self.files[name]:
                wrong[name] = "changed"
        return dict(sorted(wrong.items()))

    def _strays(self, found: set[str]) -> dict[str, str]:
        """The files that are missing or foreign, given those found in a store."""
        return {
            **{name: "missing" for name in self.files if name not in found},
            **{name: "foreign" for name in found if name not in self.files},
        }


def in_words(wrong: Mapping[str, str]) -> str:
    """Describe damaged files, naming the first of them.

    >>> in_words({"c/0": "missing", "c/1": "foreign"})
    'c/0 (missing), c/1 (foreign)'
    """
    named = [f"{name} ({how})" for name, how in list(wrong.items())[:_NAMED]]
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return f"{', '.join(named)}{more}"


def check_complete(store: str | Path) -> None:
    """Refuse a store that lacks a file, because a missing chunk would be read as NaN.

    Raises
    ------
    StoreError
        If a file is missing, naming the store and the files; or if the manifest is missing or
        damaged.
    """
    manifest = Manifest.read(manifest_path(store))
    missing = {name: "missing" for name in manifest.files if not Path(store, name).exists()}
    if missing:
        raise StoreError(f"{store}: damaged in {in_words(missing)}")


def check_whole(store: str | Path) -> None:
    """Refuse a store with a file that is missing, cut short, foreign or not readable.

    Names, sizes and metadata are compared with the manifest. The arrays are not read, because their
    chunks carry checksums, which are compared when they are read.

    Raises
    ------
    StoreError
        If a file is damaged, naming the store and the files; or if the manifest is missing or
        damaged.
    """
    manifest = Manifest.read(manifest_path(store))
    try:
        wrong = manifest.gaps(store)
    except OSError as error:
        raise StoreError(f"{error.filename}: not readable ({error.strerror})") from None
    if wrong:
        raise StoreError(f"{store}: damaged in {in_words(wrong)}")


def inputs_of(
    stores: Iterable[str | Path], elsewhere: Container[str | Path] = ()
) -> dict[str, str]:
    """SHA-256 of the manifests of stores, by name, for the manifest of a store computed from them.

    The stores in ``elsewhere``, outside the folder of results, are named by their paths.

    Raises
    ------
    StoreError
        If a manifest is missing.
    """
    found = {}
    for store in stores:
        path = manifest_path(store)
        name = path.with_suffix("") if store in elsewhere else f"{path.parent.name}/{path.stem}"
        try:
            found[str(name)] = file_sha256(path)
        except FileNotFoundError:
            raise _missing(path) from None
    return found


def outdated(manifest: str | Path, sha256_of: Callable[[Path], str] | None = None) -> list[str]:
    """Names of the stores that have changed since a store was computed from them.

    They are looked for in the folder of results that holds the manifest; recordings are looked for
    at their paths, relative to the working directory. A store that is gone counts as changed.

    Parameters
    ----------
    manifest : path
        Manifest of the store that was computed.
    sha256_of : callable, optional
        Hash of a file; pass a cached one to ask about many stores.

    Raises
    ------
    StoreError
        If the manifest is missing or damaged.
    """
    sha256_of = sha256_of or file_sha256
    manifest = Path(manifest)
    results = manifest.parent.parent
    wrong = []
    for name, digest in Manifest.read(manifest).inputs.items():
        places = (results / f"{name}.json", Path(f"{name}.json"))
        path = next(filter(Path.exists, places), None)
        if path is None or sha256_of(path) != digest:
            wrong.append(name)
    return wrong


def _missing(path: Path) -> StoreError:
    return StoreError(f"{path}: missing; without it {store_path(path).name} is not complete")


def check_layout(path: str | Path, layout: object) -> None:
    """Refuse another version of the layout with a StoreError."""
    if layout != LAYOUT:
        raise StoreError(
            f"{path}: layout version {layout}, expected {LAYOUT}; delete it and run again, or use "
            "the version of hyperribbon that wrote it"
        )


def _files(store: Path, inside: str = "") -> Iterator[str]:
    """Paths of all files but hidden ones, such as those of Snakemake or file managers."""
    if not (inside or store.is_dir()):
        return
    with os.scandir(store / inside) as entries:
        for entry in entries:
            if entry.is_dir():
                yield from _files(store, f"{inside}{entry.name}/")
            elif not entry.name.startswith("."):
                yield f"{inside}{entry.name}"


def _digest(content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
