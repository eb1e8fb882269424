"""How stores lie on disk: Zarr v3, labelled, published atomically.

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
# Only a checksum: compression saves 8 % of the space of predictions, but doubles the time to read.
CODECS = [Crc32cCodec()]


def link(source: str | Path, target: str | Path) -> None:
    """Make a file appear at a second path, by a hard link if the file system has them."""
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
    """Build a store next to its place, then move it there by one rename, and add its manifest.

    Parameters
    ----------
    path : path
        The store.
    build : callable
        Makes the store at the path that it is given; its metadata are consolidated afterwards.
    replace : bool
        Whether an older store at ``path`` may be replaced.
    inputs : mapping, optional
        Digests of what the store was computed from, by name, for the manifest.

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
            path.rename(old)  # a process killed during a removal would leave half a store
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
    """Remove what killed processes left next to a store that they were publishing.

    Call it only if no other process is publishing there.
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
    """Write a complete dataset to a Zarr store and publish it, in place of an older one.

    Parameters
    ----------
    dataset : xarray.Dataset
        What to write.
    path : path
        The store.
    linked : mapping, optional
        Folders of further Zarr arrays, too large to copy, by their names in the store.
    inputs : mapping, optional
        Digests of what the store was computed from, by name, for the manifest.
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
        If the path is not a Zarr store, has another layout version, or lacks a file that its
        manifest lists.
    """
    if manifest_path(path).exists():
        check_complete(path)
    return read_dataset(path)


def read_dataset(path: str | Path) -> xr.Dataset:
    """Open a store like `open_dataset`, without looking for missing files.

    Raises
    ------
    StoreError
        If the path is not a Zarr store, or has another layout version.
    """
    try:
        dataset = xr.open_zarr(path, chunks=None)
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"{path}: not a Zarr store, or damaged ({first_line(error)})") from None
    check_layout(path, dataset.attrs.get("format", 1))
    return dataset
