"""Registries: names, what they stand for, and what users add to them from files of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from hyperribbon.errors import DataError

Entry = TypeVar("Entry")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_noted: list[list[tuple[str, str]]] = []


class Registry(dict[str, Entry]):
    """What is known by a name: what is built in, and what users register.

    Parameters
    ----------
    kind : str
        What the names are of, such as ``metric``, for messages.
    built_in : mapping
        What there is from the start, by name.

    Examples
    --------
    >>> shapes = Registry("shape", {"disc": "a full circle"})
    >>> shapes.register("ring", "a disc with a hole", definition="ring")
    >>> shapes.find("ring")
    'a disc with a hole'
    >>> shapes.find("cube")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.DataError: shape = 'cube': expected one of disc, ring
    """

    def __init__(self, kind: str, built_in: Mapping[str, Entry]):
        super().__init__(built_in)
        self.kind = kind
        self.built_in = frozenset(built_in)
        self._origins: dict[str, object] = {}

    def register(self, name: str, entry: Entry, definition: Any) -> None:
        """Add an entry.

        A name can be given again only to the same thing: a function or class of the same module
        and name, as when the cell of a notebook runs twice. The new one then replaces the old one.

        Parameters
        ----------
        name : str
            Letters, digits, - and _.
        entry : object
            What `find` returns.
        definition : object
            The function or class that the user wrote, or several.

        Raises
        ------
        DataError
            If the name is malformed, built in, or taken by something else.
        """
        given = f"{self.kind} = {name!r}"
        if not isinstance(name, str) or NAME.fullmatch(name) is None:
            expected = "letters, digits, - and _, beginning with a letter or digit, at most 40"
            raise DataError(f"{given}: expected a name of {expected}")
        if name in self.built_in:
            raise DataError(f"{given}: is built in, expected another name")
        origin = _origin(definition)
        if name in self and self._origins.get(name) != origin:
            raise DataError(
                f"{given}: is registered already, as {_words(self._origins.get(name))}; expected "
                f"another name for {_words(origin)}"
            )
        self[name], self._origins[name] = entry, origin
        for notes in _noted:
            notes.append((self.kind, name))

    def find(self, name: object) -> Entry:
        """Look up an entry.

        Raises
        ------
        DataError
            If there is none of that name; the message lists what there is.
        """
        if not isinstance(name, str) or name not in self:
            raise DataError(f"{self.kind} = {name!r}: expected one of {', '.join(self)}")
        return self[name]


@contextmanager
def registered() -> Iterator[list[tuple[str, str]]]:
    """Kind and name of all that is registered within a block, whatever the registry."""
    notes: list[tuple[str, str]] = []
    _noted.append(notes)
    try:
        yield notes
    finally:
        _noted.remove(notes)


def _origin(definition: Any) -> object:
    """Where a function or class is defined, by module and name; anything else is itself."""
    if isinstance(definition, tuple):
        return tuple(map(_origin, definition))
    name = getattr(definition, "__qualname__", None)
    return definition if name is None else f"{definition.__module__}.{name}"


def _words(origin: object) -> str:
    return " with ".join(map(str, origin)) if isinstance(origin, tuple) else str(origin)
