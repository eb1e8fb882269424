"""Manifests: what lies in a store, file by file, with checksums.

The manifest of ``A.zarr`` is ``A.json`` beside it, written last: its presence says that the store
is whole. It holds nothing but what follows from the content, so equal stores have equal manifests.
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
from hyperribbon.files import written_whole

LAYOUT = 2  # of the stores; raised when what lies where in them changes


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
    """Checksums of a store's files, and of what it was computed from.

    Parameters
    ----------
    files : by path inside the store, SHA-256 in hexadecimal
    inputs : by name of another store, the SHA-256 that its manifest had when this one was
        computed from it
    """

    files: Mapping[str, str]
    inputs: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, store: str | Path, inputs: Mapping[str, str] | None = None, *, progress: bool = False
    ) -> Manifest:
        """Read every file of a store, and sum it up."""
        store = Path(store)
        names = sorted(_files(store))
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            digests = tqdm(
                pool.map(lambda name: file_sha256(store / name), names),
                desc=store.name,
                total=len(names),
                unit="file",
                leave=False,
                disable=None if progress else True,
            )
            return cls(dict(zip(names, digests, strict=True)), dict(inputs or {}))

    @classmethod
    def read(cls, path: str | Path) -> Manifest:
        """Read a manifest.

        Raises
        ------
        StoreError
            If it is missing, no manifest, or of another layout version.
        """
        path = Path(path)
        try:
            content = json.loads(path.read_text())
            layout = content["layout"]
            files, inputs = dict(content["files"]), dict(content["inputs"])
        except FileNotFoundError:
            raise _missing(path) from None
        except (ValueError, KeyError, TypeError):
            raise StoreError(f"{path}: not a manifest of hyperribbon, or damaged") from None
        check_layout(path, layout)
        return cls(files, inputs)

    def write(self, path: str | Path) -> None:
        """Write to a file, whole or not at all."""
        content = {"layout": LAYOUT, "inputs": self.inputs, "files": self.files}
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
        found = Manifest.of(store, progress=progress).files
        wrong = {name: "missing" for name in self.files if name not in found}
        for name, digest in found.items():
            if name not in self.files:
                wrong[name] = "foreign"
            elif digest != self.files[name]:
                wrong[name] = "changed"
        return dict(sorted(wrong.items()))


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


def _files(store: Path) -> Iterator[str]:
    for folder, _, names in os.walk(store):
        for name in names:
            if name != ".snakemake_timestamp":  # Snakemake's own
                yield (Path(folder) / name).relative_to(store).as_posix()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
