"""Manifests: what lies in a store, file by file, with checksums.

The manifest of ``A.zarr`` is ``A.json`` beside it, written last: its presence says that the store
is whole. It holds nothing but what follows from the content, so equal stores have equal manifests,
and a checksum of itself. The loose files of a study have manifests, too
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

from tqdm import tqdm

from hyperribbon.errors import StoreError
from hyperribbon.storage.files import written_whole

LAYOUT = 2  # of the stores; raised when what lies where in them changes
METADATA = "zarr.json"  # of a store and of each array in it
_NAMED = 10  # files of one store that are named, of those that are wrong


def manifest_path(store: str | Path) -> Path:
    """Where the manifest of a store is.

    >>> manifest_path("results/smoke/predictions/ViT-Adam-1f.zarr").name
    'ViT-Adam-1f.json'
    """
    return Path(store).with_suffix(".json")


def store_path(manifest: str | Path) -> Path:
    """Where the store of a manifest is."""
    return Path(manifest).with_suffix(".zarr")


@dataclass(frozen=True)
class Manifest:
    """Checksums and sizes of a store's files, and checksums of what it was computed from.

    Parameters
    ----------
    files : by path inside the store, SHA-256 in hexadecimal
    inputs : by name of another store, the SHA-256 that its manifest had when this one was
        computed from it
    sizes : by path inside the store, bytes; empty if an older version wrote the manifest
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
        progress: bool = False,
    ) -> Manifest:
        """Read every file of a store, or those with the names given, and sum it up."""
        store = Path(store)
        names = sorted(_files(store) if names is None else names)
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            digests = tqdm(
                pool.map(lambda name: file_sha256(store / name), names),
                desc=store.name,
                total=len(names),
                unit="file",
                leave=False,
                disable=None if progress else True,
            )
            files = dict(zip(names, digests, strict=True))
        sizes = {name: (store / name).stat().st_size for name in names}
        return cls(files, dict(inputs or {}), sizes)

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """Read a manifest.

        Raises
        ------
        StoreError
            If it is missing, not readable, no manifest, damaged or of another layout version.
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
        """Write to a file, whole or not at all."""
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
        """SHA-256 of the files whose path begins so; of all without a prefix.

        Equal for equal files: what follows the prefix counts, the prefix does not.
        """
        content = hashlib.sha256()
        for prefix in prefixes or ("",):
            for name, digest in sorted(self.files.items()):
                if name.startswith(prefix):
                    content.update(f"{name.removeprefix(prefix)} {digest}\n".encode())
            content.update(b"\n")
        return content.hexdigest()

    def damage(self, store: str | Path, *, progress: bool = False) -> dict[str, str]:
        """Files of a store that are not what they were: ``missing``, ``changed`` or ``foreign``."""
        found = set(_files(Path(store)))
        wrong = self._strays(found)
        known = [name for name in found if name in self.files]
        for name, digest in Manifest.of(store, names=known, progress=progress).files.items():
            if digest != self.files[name]:
                wrong[name] = "changed"
        return dict(sorted(wrong.items()))

    def gaps(self, store: str | Path) -> dict[str, str]:
        """The same as far as it shows without reading the arrays: names, sizes, metadata."""
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
        """Which files are missing or foreign, of those found in a store."""
        return {
            **{name: "missing" for name in self.files if name not in found},
            **{name: "foreign" for name in found if name not in self.files},
        }


def in_words(wrong: Mapping[str, str]) -> str:
    """Files that are wrong, the first of them by name.

    >>> in_words({"c/0": "missing", "c/1": "foreign"})
    'c/0 (missing), c/1 (foreign)'
    """
    named = [f"{name} ({how})" for name, how in list(wrong.items())[:_NAMED]]
    more = f" and {len(wrong) - _NAMED} more" if len(wrong) > _NAMED else ""
    return f"{', '.join(named)}{more}"


def check_complete(store: str | Path) -> None:
    """Refuse a store of which a file is missing: a missing chunk would be read as NaN.

    Raises
    ------
    StoreError
        Naming the store and the files; and if the manifest is missing or damaged.
    """
    manifest = Manifest.read(manifest_path(store))
    missing = {name: "missing" for name in manifest.files if not Path(store, name).exists()}
    if missing:
        raise StoreError(f"{store}: damaged in {in_words(missing)}")


def check_whole(store: str | Path) -> None:
    """Refuse a store of which a file is missing, cut short, foreign or not readable.

    Names, sizes and metadata are compared with the manifest. The arrays are not read: their chunks
    carry checksums, which are compared when they are read.

    Raises
    ------
    StoreError
        Naming the store and the files; and if the manifest is missing or damaged.
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
    """SHA-256 of the manifests of stores, by name, for the manifest of what follows from them.

    Stores outside the study's folder of results, ``elsewhere``, are named by their path.

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
    """Names of the stores that are no longer what a store was computed from.

    Looks for them in the folder of results that the manifest is in, and for recordings where they
    were, seen from the working directory; one that is gone counts too.
    ``sha256_of`` is for whoever asks of many stores that were computed from the same.
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
    return StoreError(f"{path}: missing; without it {store_path(path).name} is not whole")


def check_layout(path: str | Path, layout: object) -> None:
    """Refuse what another version of hyperribbon laid out otherwise, with a StoreError."""
    if layout != LAYOUT:
        raise StoreError(
            f"{path}: layout version {layout}, expected {LAYOUT}; delete it and run again, or use "
            "the version of hyperribbon that wrote it"
        )


def _files(store: Path, inside: str = "") -> Iterator[str]:
    """All but hidden ones, which nothing reads: of Snakemake, of file managers, of copying."""
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
