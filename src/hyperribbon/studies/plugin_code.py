"""The code of what a plugin registers: of its file, and of files beside it.

Of the file itself, functions and classes at its top count only if what is registered needs them, so
that a change of a figure trains no network that the same file registers. All other statements
count. Nothing is imported.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "hyperribbon"
OF = "::"  # between the file and what it registers
REGISTERING = {f"register_{kind}" for kind in ("metric", "network", "figure", "claim")}


@cache
def code_of_piece(piece: str) -> tuple[str, list[tuple[str, str]]]:
    """Hash of the code of what a file registers, and what it imports from elsewhere.

    Parameters
    ----------
    piece : str
        The file, and the kind and name of what is registered, ``mine.py::metric mine``.

    Returns
    -------
    digest : str
        SHA-256 of statements of the file, and of all files beside it that it imports.
    imports : list of tuple
        Module and name of each import from elsewhere; the name is empty if all is imported.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    path, _, registered = piece.partition(OF)
    file = Path(path)
    content, imports, done = hashlib.sha256(registered.encode()), [], {file}
    left = [(file, _needed(_parsed(file), *registered.split(" ")))]
    while left:
        here, body = left.pop()
        name = here.relative_to(file.parent)
        content.update(f"{name.as_posix()} {ast.dump(ast.Module(body, []))}\n".encode())
        for source, imported in _imported_by(body, name):
            beside = set(_beside(file.parent, source, imported))
            left += [(found, _parsed(found)) for found in sorted(beside - done)]
            done |= beside
            if not beside:
                imports.append((source, imported))
    return content.hexdigest(), imports


def without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree without strings that stand alone: docstrings, and those below attributes."""

    class Remover(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
            alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return None if alone else node

        def generic_visit(self, node: ast.AST) -> ast.AST:
            return node if isinstance(node, ast.expr) else super().generic_visit(node)

    return Remover().visit(tree)


def _parsed(file: Path) -> list[ast.stmt]:
    return without_docstrings(ast.parse(file.read_bytes())).body


def _needed(body: list[ast.stmt], kind: str, name: str) -> list[ast.stmt]:
    """The statements that decide what is registered under a name.

    If it is not found there, because its name is computed for one, these are all statements.
    """
    registered = [_registered_by(node) for node in body]
    wanted = [(f"register_{kind}", name) in (calls or ()) for calls in registered]
    if not any(wanted):
        return body
    kept = [is_wanted or calls is None for is_wanted, calls in zip(wanted, registered, strict=True)]
    before = 0
    while sum(kept) > before:
        before = sum(kept)
        names = set(_names_in(node for node, keep in zip(body, kept, strict=True) if keep))
        kept = [
            keep or getattr(node, "name", None) in names
            for node, keep in zip(body, kept, strict=True)
        ]
    return [node for node, keep in zip(body, kept, strict=True) if keep]


def _registered_by(node: ast.stmt) -> list[tuple[str, str]] | None:
    """Which functions register what under which names in a statement that does nothing else.

    The definition of a function or class registers what its decorators register. None if the
    statement does anything else.
    """
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        functions = [_registering(decorator) for decorator in node.decorator_list]
        return [(function, node.name) for function in functions] if all(functions) else None
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and node.value.args:
        function, first = _registering(node.value), node.value.args[0]
        if function and isinstance(first, ast.Constant):
            return [(function, str(first.value))]
    return None


def _registering(node: ast.expr) -> str:
    """Name of this package's function that a call calls to register something; else empty."""
    function = node.func if isinstance(node, ast.Call) else None
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name if name in REGISTERING else ""


def _names_in(body: Iterable[ast.stmt]) -> Iterator[str]:
    for node in body:
        yield from (part.id for part in ast.walk(node) if isinstance(part, ast.Name))


def _imported_by(body: list[ast.stmt], file: Path) -> Iterator[tuple[str, str]]:
    """Module and name of each import; what is used as ``hr.progress`` is imported, too."""
    nodes = [part for node in body for part in ast.walk(node)]
    aliases = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            ours = (alias for alias in node.names if alias.name == PACKAGE)
            aliases |= {alias.asname or alias.name for alias in ours}
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            around = file.parts[: -node.level] if node.level else ()
            source = ".".join([*around, *filter(None, [node.module])])
            yield from ((source, alias.name) for alias in node.names)
    for node in nodes:
        match node:
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in aliases:
                yield PACKAGE, attribute


def _beside(folder: Path, source: str, name: str) -> Iterator[Path]:
    """Files in a folder that run when a module, or a name from it, is imported."""
    parts = [*filter(None, source.split(".")), *filter(None, [name])]
    for k in range(1, len(parts) + 1):
        base = folder.joinpath(*parts[:k])
        candidates = (base / "__init__.py", base.with_suffix(".py"))
        yield from (path for path in candidates if path.exists())
