"""The code that a step runs, as one hash. A rule carries it, and runs again when it changes.

The hash covers the syntax trees of a module and of every module of the package that it imports,
directly or not, and the versions of those imported libraries that decide numbers or pictures.
Comments, docstrings, formatting and the times of files do not count. An ``__init__`` that only
passes names on, and perhaps says which packages it `needs`, is looked through: an import of one of
its names depends on the module that defines the name, not on its neighbours. Nothing is imported,
so torch is not loaded. A module that is imported by a computed name is not seen, so a rule names it
next to the step. A style, script or template of the pages counts, to the byte, for every module
that names its file.

The configuration reaches a step as its parameters, with every default filled in. Therefore the
modules that only read and check the configuration are not part of any step's code: a new key or
another default runs only the rules whose parameters it changes. Nor are the modules that declare
the parts of a study, or the package's own ``__init__``, which names the public API.

What a plugin registers is a piece of code, too, such as ``mine.py::metric total_variation``; see
`plugin_code`.
"""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from hyperribbon.studies.plugin_code import OF, code_of_piece, without_docstrings

PACKAGE = "hyperribbon"
ROOT = Path(__file__).parents[1]
# Modules that only read and check the configuration, or declare what a part has.
DECLARING = re.compile(
    rf"{PACKAGE}(\.config(\..+)?|\.studies(\.(study|part|parts|\w+\.(config|part|figure_list)))?)?"
)
PAGES = ("reporting", "pages")  # folder of styles, scripts and templates
# Distributions, by the name under which they are imported.
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
    """Hash of the code of modules, of all that they import, and of the libraries used.

    Parameters
    ----------
    *modules : str
        Dotted names of modules of this package or of libraries, and pieces of plugins.

    Returns
    -------
    str
        16 hexadecimal digits.

    Raises
    ------
    ModuleNotFoundError
        If this package has no such module.
    FileNotFoundError
        If there is no such plugin.

    Examples
    --------
    >>> code_version("hyperribbon.errors") == code_version("hyperribbon.storage.files")
    False
    """
    pieces = [code_of_piece(name) for name in modules if OF in name]
    imported = [_origin(*pair) if pair[1] else pair[0] for _, pairs in pieces for pair in pairs]
    closure = import_closure(*(name for name in modules if OF not in name), *_that_count(imported))
    content = hashlib.sha256()
    for digest, _ in pieces:
        content.update(f"{digest}\n".encode())
    for name in sorted(closure):
        content.update(f"{name} {_fingerprint(name)}\n".encode())
    return content.hexdigest()[:16]


def import_closure(*modules: str) -> set[str]:
    """The given modules and all that they import, directly or not: of this package, and libraries.

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
    """The hash of the code and files of a module of this package, or the version of a library."""
    if name.split(".")[0] != PACKAGE:
        try:
            return version(LIBRARIES[name])
        except PackageNotFoundError:  # installed only in the environment of the job
            return "elsewhere"
    source = _source_of(name)
    return " ".join([source.digest, *map(_file_sha256, sorted(source.strings & _page_files()))])


@cache
def _page_files() -> set[str]:
    files = filter(Path.is_file, ROOT.joinpath(*PAGES).glob("*"))  # not __pycache__
    return {path.name for path in files if path.suffix != ".py"}


@cache
def _file_sha256(name: str) -> str:
    return hashlib.sha256(ROOT.joinpath(*PAGES, name).read_bytes()).hexdigest()


class _Source(NamedTuple):
    """What counts in a module: its statements without docstrings, its imports, and a hash."""

    body: list[ast.stmt]
    imports: list[ast.Import | ast.ImportFrom]
    strings: set[str]  # that could be a file's name
    digest: str


@cache
def _source_of(name: str) -> _Source:
    path = _path(name)
    if path is None:
        raise ModuleNotFoundError(f"{name}: no such module in {PACKAGE}", name=name)
    return _parsed(path.read_bytes())


@cache
def _parsed(text: bytes) -> _Source:
    tree = without_docstrings(ast.parse(text))
    nodes = list(ast.walk(tree))
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    constants = (node.value for node in nodes if isinstance(node, ast.Constant))
    strings = {value for value in constants if isinstance(value, str) and "." in value}
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    return _Source(tree.body, imports, strings, digest)


@cache
def _path(name: str) -> Path | None:
    """File of a module of this package."""
    base = ROOT.joinpath(*name.split(".")[1:])
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((path for path in candidates if path.exists()), None)


def _is_package(name: str) -> bool:
    path = _path(name)
    return path is not None and path.name == "__init__.py"


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
    return _that_count(found)


def _that_count(imported: Iterable[str]) -> list[str]:
    """Modules of this package, and libraries, among all that is imported."""
    tops = [(name, name.split(".")[0]) for name in imported]
    ours = [name for name, top in tops if top == PACKAGE]
    return ours + [top for _, top in tops if top in LIBRARIES]


def _source(node: ast.ImportFrom, name: str) -> str:
    """Full name of the module that a module imports from."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    if _is_package(name):
        parts.append("")
    return ".".join([*parts[: -node.level], *filter(None, [node.module])])


def _origin(source: str, name: str) -> str:
    """Module that a name imported from ``source`` leads to."""
    if source.split(".")[0] != PACKAGE:
        return source
    if source == PACKAGE and name in _public():
        return _origin(f"{PACKAGE}.{_public()[name]}", name)
    if _path(f"{source}.{name}"):
        return f"{source}.{name}"
    passed_on = _passed_on(source)
    return _origin(*passed_on[name]) if passed_on and name in passed_on else source


@cache
def _public() -> dict[str, str]:
    """Module of each public name, which the package's own ``__init__`` finds when asked for it."""
    for node in _source_of(PACKAGE).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            return {n: home for home, names in ast.literal_eval(node.value).items() for n in names}
    return {}


@cache
def _passed_on(package: str) -> dict[str, tuple[str, str]] | None:
    """Names that an ``__init__`` passes on, and from where, if it does nothing else."""
    if not _counts(package):
        return {}
    if not _is_package(package):
        return None
    names: dict[str, tuple[str, str]] = {}
    for node in _source_of(package).body:
        if isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
            source = _source(node, package)
            names |= {alias.asname or alias.name: (source, alias.name) for alias in node.names}
        elif not ast.unparse(node).startswith(("__all__ = ", "needs(")):
            return None
    return names
