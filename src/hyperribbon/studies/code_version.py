"""Which code a step runs, as one hash: a rule carries it, and runs again when it changes.

The hash is over the syntax trees of a module and of every module of the package that it imports,
directly or not, and over the versions of the libraries among them that decide numbers or pictures.
Comments, docstrings and formatting do not count, nor when a file was written. An ``__init__`` that
only passes names on is looked through: who imports a name from it depends on the module that
defines the name, not on its neighbours. Nothing is imported, so torch is not loaded. A module that
is imported by a computed name is not seen; a rule names it beside the step.

What a study says reaches a step as its parameters, with every default filled in; so the modules
that only read and check the configuration are no part of any step's code, and a new key or another
default runs just the rules whose parameters it changes; nor are those that declare what the parts
of a study have. The package's own ``__init__`` names the public API, and computes nothing.
"""

from __future__ import annotations

import ast
import hashlib
import re
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

PACKAGE = "hyperribbon"
ROOT = Path(__file__).parents[1]
# Modules that only read and check the configuration, or declare what a part has.
DECLARING = re.compile(
    rf"{PACKAGE}(\.config(\..+)?|\.studies(\.(study|part|parts|\w+\.(config|part|figure_list)))?)?"
)
# Distributions, by the name they are imported by.
LIBRARIES = {
    "PIL": "pillow",
    "matplotlib": "matplotlib",
    "mlxtend": "mlxtend",
    "numba": "numba",
    "numpy": "numpy",
    "pandas": "pandas",
    "plotly": "plotly",
    "pytorch_optimizer": "pytorch-optimizer",
    "scipy": "scipy",
    "seaborn": "seaborn",
    "sklearn": "scikit-learn",
    "snakemake": "snakemake",
    "torch": "torch",
}


@cache
def code_version(*modules: str) -> str:
    """Hash of the code of modules, of all they import, and of the libraries used.

    Parameters
    ----------
    *modules : dotted names, of this package or of a library

    Returns
    -------
    str, 16 hexadecimal digits

    Raises
    ------
    ModuleNotFoundError
        If this package has no such module.

    Examples
    --------
    >>> code_version("hyperribbon.errors") == code_version("hyperribbon.storage.files")
    False
    """
    closure = import_closure(*modules)
    content = hashlib.sha256()
    for name in sorted(closure):
        content.update(f"{name} {_fingerprint(name)}\n".encode())
    return content.hexdigest()[:16]


def import_closure(*modules: str) -> set[str]:
    """Modules of this package that the given ones import, themselves included, and libraries.

    >>> sorted(import_closure("hyperribbon.errors"))
    ['hyperribbon.errors']
    """
    found: set[str] = set()
    left = list(modules)
    while left:
        name = left.pop()
        if name in found or not _counts(name):
            continue
        found.add(name)
        if name.split(".")[0] == PACKAGE:
            left += _imports(name)
    return found


def _counts(name: str) -> bool:
    """Whether a module is part of a step's code at all."""
    return DECLARING.fullmatch(name) is None


@cache
def _fingerprint(name: str) -> str:
    """Of a module of this package, the hash of its code; of a library, its version."""
    if name.split(".")[0] != PACKAGE:
        try:
            return version(LIBRARIES[name])
        except PackageNotFoundError:  # it is in the environment of the job only
            return "elsewhere"
    return _source_of(name).digest


class _Source(NamedTuple):
    """What counts of a module's text: its statements without docstrings, imports, their hash."""

    body: list[ast.stmt]
    imports: list[ast.Import | ast.ImportFrom]
    digest: str


@cache
def _source_of(name: str) -> _Source:
    path = _path(name)
    if path is None:
        raise ModuleNotFoundError(f"{name}: no such module in {PACKAGE}", name=name)
    return _parsed(path.read_bytes())


@cache
def _parsed(text: bytes) -> _Source:
    tree = _without_docstrings(ast.parse(text))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return _Source(tree.body, imports, hashlib.sha256(ast.dump(tree).encode()).hexdigest())


@cache
def _path(name: str) -> Path | None:
    """File of a module of this package."""
    base = ROOT.joinpath(*name.split(".")[1:])
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.exists()), None)


@cache
def _imports(name: str) -> list[str]:
    """Modules of this package and libraries that a module depends on."""
    parts = name.split(".")
    around = [".".join(parts[:k]) for k in range(1, len(parts))]  # their __init__ runs first
    found = [package for package in around if _passed_on(package) is None]
    for node in _source_of(name).imports:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        else:
            source = _source(node, name)
            found += [_origin(source, alias.name) for alias in node.names]
    tops = [(imported, imported.split(".")[0]) for imported in found]
    ours = [imported for imported, top in tops if top == PACKAGE]
    return ours + [top for _, top in tops if top in LIBRARIES]


def _source(node: ast.ImportFrom, name: str) -> str:
    """Full name of what a module imports from."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    if _path(name).name == "__init__.py":
        parts.append("")
    return ".".join([*parts[: -node.level], *filter(None, [node.module])])


def _origin(source: str, name: str) -> str:
    """Module that a name imported from ``source`` leads to."""
    if source.split(".")[0] != PACKAGE:
        return source
    if _path(f"{source}.{name}"):
        return f"{source}.{name}"
    passed_on = _passed_on(source)
    return _origin(*passed_on[name]) if passed_on and name in passed_on else source


@cache
def _passed_on(package: str) -> dict[str, tuple[str, str]] | None:
    """Names that an ``__init__`` passes on, and from where, if it does nothing else."""
    if not _counts(package):
        return {}
    if _path(package).name != "__init__.py":
        return None
    names = {}
    for node in _source_of(package).body:
        if isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
            source = _source(node, package)
            names |= {alias.asname or alias.name: (source, alias.name) for alias in node.names}
        elif not (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"):
            return None
    return names


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """The tree, without the strings that stand alone: docstrings, and those under attributes."""

    class Remover(ast.NodeTransformer):
        def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
            alone = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
            return None if alone else node

    return Remover().visit(tree)
