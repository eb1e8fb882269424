"""Styles, scripts and templates of the pages that a study writes, each in a file of its own.

A module that names a file of this folder in its text depends on it, for `code_version`; so call
`asset` and `asset_path` with literal names.
"""

from importlib.resources import files
from pathlib import Path


def asset(name: str) -> str:
    """Text of a file of this folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> "font-family" in asset("page.css")
    True
    """
    return asset_path(name).read_text(encoding="utf-8")


def asset_path(name: str) -> Path:
    """Where a file of this folder is, for programs that take a path."""
    return Path(str(files(__name__).joinpath(name)))
