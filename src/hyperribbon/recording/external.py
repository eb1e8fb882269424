"""Recorded stores that a study lists, found and checked before any job starts.

Imports neither numpy nor zarr, so that the Snakefile parses quickly.
"""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hyperribbon.errors import StoreError
from hyperribbon.storage.manifest import METADATA, check_layout, check_whole

_NAMED = 5  # stores that are named, of those that are not whole


def recorded_configuration(path: str | Path) -> dict[str, Any]:
    """What a recorded store is of: names, seed, metadata, hashes of the samples.

    Raises
    ------
    StoreError
        If it is no store that `hyperribbon.Recorder` or `record_predictions` wrote, or one of
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
    """Recorded stores that paths and patterns name, in that order, those of a pattern sorted.

    Parameters
    ----------
    patterns : paths of stores, or patterns with ``*``, ``?``, ``[...]`` and ``**``
    trained : network, optimiser and seed of the trainings that they must be told apart from
    check : whether to compare names, sizes and metadata of their files with their manifests

    Returns
    -------
    list of Path

    Raises
    ------
    StoreError
        If a pattern finds nothing, a store is missing, foreign, without test samples or not whole,
        its path has braces, or two trainings have the same network, optimiser and seed.

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
        if "test" not in configuration["samples"]:
            raise StoreError(
                f"{path}: recorded without test samples, which a study needs; record with "
                "test_labels"
            )
        keys = ("network_name", "optimiser_name", "seed")
        who = tuple(configuration[key] for key in keys)
        if who in owners:
            raise StoreError(
                f"{path}: network {who[0]}, optimiser {who[1]}, seed {who[2]}, as {owners[who]}; "
                "expected names or seeds that tell them apart"
            )
        owners[who] = str(path)
    if check:
        _check_whole(found)
    return list(found)


def _check_whole(paths: Iterable[Path]) -> None:
    """Refuse stores that are not as they were recorded, all of them in one line."""
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
        raise StoreError(f"{named}; copy or record again what is named, with its manifest")
