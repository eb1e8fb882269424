"""Files of users that register metrics, networks, figures and claims: how a study names them.

A study lists them under ``plugins``. They are imported while its configuration is checked, so that
what is wrong with them is said before any job starts, and again in each job, which is a process of
its own and finds their paths in its environment.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import AfterValidator

from hyperribbon.config.data_section import PathText
from hyperribbon.config.fields import distinct, refuse
from hyperribbon.errors import ConfigError, DataError, HyperribbonError, in_own_code
from hyperribbon.registry import registered

ENVIRONMENT = "HYPERRIBBON_PLUGINS"  # where jobs find the paths, as JSON


class Piece(NamedTuple):
    """What a file registers: a metric, network, figure or claim, by its name."""

    path: str
    kind: str
    name: str

    @property
    def code(self) -> str:
        """How `hyperribbon.studies.code_version` calls it."""
        return f"{self.path}::{self.kind} {self.name}"


_LOADED: dict[Path, list[tuple[str, str]]] = {}


def load(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Import files, each once in a process; for a key of a configuration.

    Parameters
    ----------
    paths : tuple of str
        Python files, relative to the working directory.

    Raises
    ------
    PydanticCustomError
        If one is not there, cannot be imported, or registers nothing.
    """
    for place, path in enumerate(paths):
        try:
            _load(Path(path).resolve())
        except HyperribbonError as error:
            raise refuse(str(place), path, str(error)) from None
    return paths


Plugins = Annotated[tuple[PathText, ...], AfterValidator(distinct), AfterValidator(load)]


def pieces(paths: Iterable[str], kind: str) -> list[Piece]:
    """What files that are loaded register of a kind, in their order.

    Parameters
    ----------
    paths : iterable of str
        The files.
    kind : "metric", "network", "figure" or "claim"
        What is looked for.
    """
    return [
        Piece(path, kind, name)
        for path in paths
        for found, name in _LOADED[Path(path).resolve()]
        if found == kind
    ]


def code_of_network(paths: Iterable[str], architecture: str) -> str:
    """Module of an architecture, or the piece of a file that registers it.

    >>> code_of_network([], "vit")
    'hyperribbon.networks.vit'
    """
    own = {piece.name: piece.code for piece in pieces(paths, "network")}
    return own.get(architecture, f"hyperribbon.networks.{architecture}")


def hand_to_jobs(paths: Iterable[str]) -> None:
    """Let the processes that this one starts load files, and no others."""
    files = [str(Path(path).resolve()) for path in paths]
    os.environ[ENVIRONMENT] = json.dumps(files) if files else ""


def load_in_job() -> None:
    """Load the files that `hand_to_jobs` left.

    Raises
    ------
    ConfigError
        If one cannot be loaded here.
    """
    for path in json.loads(os.environ.get(ENVIRONMENT) or "[]"):
        try:
            _load(Path(path))
        except HyperribbonError as error:
            raise ConfigError(f"{path}: {error}") from None


def _load(file: Path) -> None:
    if file in _LOADED:
        return
    if not file.is_file():
        raise DataError("not there, expected a Python file")
    if file.suffix != ".py" or "." in file.stem:
        raise DataError("expected a Python file, NAME.py")
    # At the end, so that what is installed comes first: modules beside the file are found.
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))
    importlib.invalidate_caches()
    found = _place_of(file.stem)
    if found != str(file):
        raise DataError(f"{file.stem} is the name of another module, {found}; rename the file")
    with registered() as names:
        try:
            if file.stem in sys.modules:
                importlib.reload(sys.modules[file.stem])
            else:
                importlib.import_module(file.stem)
        except HyperribbonError:
            raise
        except (Exception, SystemExit) as error:  # another author's code may raise anything
            raise DataError(in_own_code(error)) from None
    if not names:
        calls = "register_metric, register_network, register_figure or register_claim"
        raise DataError(f"registers nothing, expected calls of hyperribbon's {calls}")
    _LOADED[file] = list(dict.fromkeys(names))


def _place_of(module: str) -> str | None:
    """The file of a module, wherever it is found first."""
    try:
        spec = find_spec(module)
    except ValueError:  # it is imported and does not say from where
        return None
    return None if spec is None else str(Path(spec.origin or "").resolve())
