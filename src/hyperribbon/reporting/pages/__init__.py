"""Styles, scripts and templates of the pages that a study writes, each in a file of its own.

A module that calls `asset` with a literal name depends on that file: `code_version` looks for the
names of these files in its text.
"""

from importlib.resources import files


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
    return files(__name__).joinpath(name).read_text(encoding="utf-8")
