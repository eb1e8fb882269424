"""Recorded stores that a study lists, found and checked before any job starts.

This module imports neither numpy nor zarr, so that the Snakefile parses quickly.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hyperribbon.errors import StoreError
from hyperribbon.storage.manifest import METADATA, check_layout, check_whole

_NAMED = 5  # damaged stores that a message names


def recorded_configuration(path: str | Path) -> dict[str, Any]:
    """Configuration of a recorded store: names, seed, metadata, hashes of the samples.

    Raises
    ------
    StoreError
        If it is not a store that `hyperribbon.Recorder` or `record_predictions` wrote, or has
        another layout version.
    """
    path = Path(path)
    try:
        text = (path / METADATA).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        text = b"{}"
    except OSError as error:
        raise StoreError(f"{path / METADATA}: not readable ({error.strerror})") from None
    try:
        metadata = json.loads(text)
    except ValueError:
        raise StoreError(f"{path}: damaged in {METADATA} (cut short, or not JSON)") from None
    try:
        attributes = metadata["attributes"]
        configuration = json.loads(attributes["configuration"])
        recorded, layout = configuration.get("recorded"), attributes["format"]
    except (ValueError, KeyError, TypeError, AttributeError):
        recorded, layout = False, None
    if not recorded:
        raise StoreError(
            f"{path}: not a recorded store; expected one that hyperribbon.Recorder or "
            "record_predictions wrote"
        )
    check_layout(path, layout)
    return configuration


def find_recorded(
    patterns: Iterable[str], trained: Iterable[tuple[str, str, int]] = (), *, check: bool = True
) -> list[Path]:
    """Recorded stores that paths and patterns name, in their order, sorted within each pattern.

    Parameters
    ----------
    patterns : iterable of str
        Paths of stores, or patterns with ``*``, ``?``, ``[...]`` and ``**``.
    trained : iterable of tuple
        Network, optimiser and seed of the trainings from which recordings must differ.
    check : bool
        Whether to compare names, sizes and metadata of their files with their manifests.

    Returns
    -------
    list of Path
        The stores.

    Raises
    ------
    StoreError
        If a pattern finds nothing; if a store is missing, foreign, damaged or without test samples,
        or has braces in its path; or if two trainings have the same network, optimiser and seed.

    Examples
    --------
    >>> find_recorded([])
    []
    >>> find_recorded(["runs/nowhere-*.zarr"])
    Traceback (most recent call last):
    ...
    hyperribbon.errors.StoreError: configuration: external = "runs/nowhere-*.zarr": no such store
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        stores = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207, takes absolute ones
        if not stores:
            raise StoreError(f'configuration: external = "{pattern}": no such store')
        found |= dict.fromkeys(map(Path, stores))
    owners: dict[tuple, str] = dict.fromkeys(trained, "a training of this study")
    for path in found:
        if {"{", "}"} & set(str(path)):
            raise StoreError(f"{path}: braces mean wildcards to Snakemake; expected none in a path")
        configuration = recorded_configuration(path)
        for split, labels in (("train", "labels"), ("test", "test_labels")):
            if split not in configuration["samples"]:
                raise StoreError(
                    f"{path}: recorded without {split} samples, which a study needs; record with "
                    f"{labels}"
                )
        if "top_classes" in configuration:
            raise StoreError(
                f"{path}: recorded with top_classes, whose ignorance a study of the workflow does "
                "not know; use hyperribbon.Study.from_runs"
            )
        keys = ("network_name", "optimiser_name", "seed")
        who = tuple(configuration[key] for key in keys)
        if who in owners:
            raise StoreError(
                f"{path}: network {who[0]}, optimiser {who[1]}, seed {who[2]}, as {owners[who]}; "
                "expected names or seeds that distinguish them"
            )
        owners[who] = str(path)
    if check:
        _check_whole(found)
    return list(found)


def _check_whole(paths: Iterable[Path]) -> None:
    """Refuse stores that are not as they were recorded, in one line for all of them."""
    faults = []
    for path in paths:
        try:
            check_whole(path)
        except StoreError as error:
            faults.append(str(error))
    if faults:
        named = "; ".join(faults[:_NAMED]) + (
            f"; and {len(faults) - _NAMED} more stores" if len(faults) > _NAMED else ""
        )
        raise StoreError(f"{named}; copy or record these again, with their manifests")
