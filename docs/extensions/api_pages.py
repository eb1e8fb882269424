"""The API reference: a page for each room, with every public name of it, from the docstrings."""

import inspect
import re
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import hyperribbon as hr

PACKAGE = hr.__name__
# Modules that are public although the docstrings of their rooms do not name them.
ALSO = {
    "embedding": [f"{PACKAGE}.embedding.bases.{name}" for name in ("tangents", "monitoring")],
    "linear": [f"{PACKAGE}.linear.bounds"],
    "probability": [
        f"{PACKAGE}.probability.{name}"
        for name in ("progress_average", "scores", "shuffling", "tangent_space")
    ],
}


def write(folder: Path) -> None:
    """Write the index of the API and a page for each room."""
    (folder / "api").mkdir()
    rooms = [*hr._ROOMS, "errors", "studies"]
    for room in rooms:
        (folder / "api" / f"{room}.rst").write_text(room_page(room))
    (folder / "api" / "index.rst").write_text(index_page(rooms))


def index_page(rooms: list[str]) -> str:
    """Names of the package itself, and all rooms."""
    table = _table("Room", {f":doc:`{room}`": _first(import_module(_full(room))) for room in rooms})
    names = {f"{PACKAGE}.{name}": name for name in sorted(hr._HOME_OF)}
    at_hand = {f":py:obj:`hr.{n} <{full}>`": _first(_value(full)) for full, n in names.items()}
    return "\n".join(
        [
            *_heading("API reference", "="),
            "After ``import hyperribbon as hr``, these names are at hand:",
            "",
            *_table("Name", at_hand),
            "Everything else is in a room, such as ``hr.linear.ribbon_dimension``.",
            "",
            *table,
            "",
            ".. toctree::",
            "   :hidden:",
            "",
            *(f"   {room}" for room in rooms),
            "",
        ]
    )


def room_page(room: str) -> str:
    """The docstring of a room, a table of its names, and each of them in full."""
    module = import_module(_full(room))
    if room == "studies":
        names = {f"{PACKAGE}.{n}": n for n, home in hr._HOME_OF.items() if home.startswith(room)}
    else:
        names = public_names(room, module)
    lines = [*_heading(_full(room), "="), *_module(_full(room)), *_members(names)]
    for name in [*named_modules(module), *ALSO.get(room, [])]:
        if name in names:
            continue  # a function that has the name of its module
        inner = import_module(name)
        members = {f"{name}.{n}": n for n in _defined(inner)}
        documented = {_identity(full) for full in names}
        members = {full: n for full, n in members.items() if _identity(full) not in documented}
        if members:
            lines += [*_heading(name, "-"), *_module(name), *_members(members)]
    return "\n".join(lines) + "\n"


def public_names(room: str, module) -> dict[str, str]:
    """Short name of each public name of a room, by the one to document: the one that users type."""
    homes = hr._HOME_OF
    short = list(getattr(module, "__all__", []))
    short += [n for n, home in homes.items() if home.split(".")[0] == room and n not in short]
    if room == "plot":  # its functions are used as hr.plot.embedding
        homes = {}
    return {
        f"{PACKAGE}.{n}" if n in homes and n != "open_study" else f"{_full(room)}.{n}": n
        for n in sorted(short, key=lambda n: (n[0].islower(), n))
    }


def named_modules(room) -> list[str]:
    """Modules of a room that its docstring names, which makes them public."""
    if not hasattr(room, "__path__") or room.__name__ == f"{PACKAGE}.studies":
        return []
    words = re.findall(r"`([\w.]+)`", room.__doc__ or "")
    found = []
    for word in words:
        full = word if word.startswith(f"{room.__name__}.") else f"{room.__name__}.{word}"
        if full.count(".") == 2 and find_spec(full) is not None and full not in found:
            found.append(full)
    return found


def _defined(module) -> list[str]:
    """Public functions and classes that a module defines, or its `__all__`."""
    if hasattr(module, "__all__"):
        return list(module.__all__)
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
        and value.__doc__
    ]


def _members(names: dict[str, str]) -> list[str]:
    if not names:
        return []
    lines = _table("Name", {f":py:obj:`~{full}`": _first(_value(full)) for full in names})
    for full in names:
        if _kind(full) == "data":
            lines += [f".. py:data:: {full}", "", f"   {_in_words(_value(full))}", ""]
        else:
            lines += [f".. auto{_kind(full)}:: {full}", ""]
    return lines


def _in_words(value) -> str:
    """What a constant is."""
    if isinstance(value, Mapping):
        return f"A mapping from {', '.join(f'``{name}``' for name in value)}."
    return f"``{value!r}``"


def _kind(full: str) -> str:
    value = _value(full)
    if inspect.isclass(value):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if callable(value) else "data"


def _value(full: str):
    place, _, name = full.rpartition(".")
    return getattr(import_module(place), name)


def _identity(full: str) -> int:
    return id(_value(full))


def _module(name: str) -> list[str]:
    return [f".. automodule:: {name}", "   :no-members:", ""]


def _full(room: str) -> str:
    return f"{PACKAGE}.{room}"


def _first(value) -> str:
    """The first paragraph of a docstring; of a constant, what it is."""
    if not (inspect.ismodule(value) or inspect.isroutine(value) or inspect.isclass(value)):
        return "A mapping." if isinstance(value, Mapping) else "A constant."
    return re.sub(r"\s+", " ", (value.__doc__ or "").split("\n\n")[0]).strip()


def _heading(title: str, line: str) -> list[str]:
    return [title, line * len(title), ""]


def _table(head: str, rows: dict[str, str]) -> list[str]:
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 30 70", ""]
    lines += [f"   * - {head}", "     - About"]
    for name, about in rows.items():
        lines += [f"   * - {name}", f"     - {about}"]
    return [*lines, ""]
