"""How stores lie on disk: Zarr v3, labelled, published whole.

``xarray.open_zarr(path)`` shows every store with its dimensions and coordinates. The layout of a
predictions store is in `hyperribbon.storage.predictions`.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import xarray as xr
import zarr
from zarr.codecs import Crc32cCodec

from hyperribbon.errors import StoreError, first_line
from hyperribbon.storage.files import partial_path, remove_partial
from hyperribbon.storage.manifest import (
    LAYOUT,
    Manifest,
    check_complete,
    check_layout,
    manifest_path,
)

Split = Literal["train", "test"]
SPLITS: tuple[Split, Split] = ("train", "test")
# Only a checksum: compression saves 8 % of predictions, and doubles the time to read them.
CODECS = [Crc32cCodec()]


def link(source: str | Path, target: str | Path) -> None:
    """Make a file appear at a second path: a hard link, where the file system has them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def publish(
    path: str | Path,
    build: Callable[[Path], object],
    *,
    replace: bool = False,
    inputs: Mapping[str, str] | None = None,
) -> None:
    """Build a store beside its place, then put it there by one rename, and its manifest after it.

    Parameters
    ----------
    path : of the store
    build : makes the store at the path that it is given; metadata are consolidated after it
    replace : whether what lies at ``path`` already may go
    inputs : digests of what the store was computed from, by name, for the manifest

    Raises
    ------
    StoreError
        If something lies there that may not be replaced.
    """
    path = Path(path)
    partial, old = partial_path(path), partial_path(path.with_name(f"{path.name}.old"))
    try:
        build(partial)
        _consolidate(partial)
        manifest = Manifest.of(partial, inputs)
        if replace or not path.exists():
            manifest_path(path).unlink(missing_ok=True)  # first: without it the store is void
        if replace and path.is_dir():
            path.rename(old)  # whole: a process killed while it removed would leave half a store
        try:
            partial.rename(path)
        except OSError as error:
            if not path.exists():
                raise
            raise StoreError(f"{path}: exists already, not replaced ({error.strerror})") from None
        manifest.write(manifest_path(path))
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def remove_leftovers(path: str | Path) -> None:
    """Remove what killed processes left beside a store that they were publishing.

    For whoever knows that no other process is publishing there.
    """
    remove_partial(path)
    remove_partial(manifest_path(path))


def _consolidate(path: str | Path) -> None:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(path)


def write_dataset(
    dataset: xr.Dataset,
    path: str | Path,
    linked: Mapping[str, Path] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> None:
    """Write a whole dataset to a Zarr store and publish it, in place of an older one.

    Parameters
    ----------
    dataset : Dataset
    path : of the store
    linked : by name, folders of Zarr arrays, too large to copy, that are to be in it, too
    inputs : digests of what it was computed from, by name, for the manifest
    """
    encoding = {
        name: {"compressors": CODECS}
        for name, variable in dataset.variables.items()
        if variable.dtype != object
    }

    def build(partial: Path) -> None:
        whole = dataset.assign_attrs(format=LAYOUT)
        whole.to_zarr(partial, zarr_format=3, consolidated=False, encoding=encoding)
        for name, folder in (linked or {}).items():
            shutil.copytree(folder, partial / name, copy_function=link)

    publish(path, build, replace=True, inputs=inputs)


def open_dataset(path: str | Path) -> xr.Dataset:
    """Open a store of this package, lazily.

    Raises
    ------
    StoreError
        If the path is no Zarr store, or one of another layout version, or if its manifest says
        that a file is missing.
    """
    if manifest_path(path).exists():
        check_complete(path)
    return read_dataset(path)


def read_dataset(path: str | Path) -> xr.Dataset:
    """The same, though files of it may be missing."""
    try:
        dataset = xr.open_zarr(path, chunks=None)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: not a Zarr store, or damaged ({first_line(error)})") from None
    check_layout(path, dataset.attrs.get("format", 1))
    return dataset
