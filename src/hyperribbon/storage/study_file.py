"""Reading the file of a study as its author means it.

YAML 1.1, which Snakemake reads, takes the last of two equal keys, ``010`` for 8 and ``6:40`` for
400. Here these are refused, with their line, before Snakemake's reading of the file is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from hyperribbon.errors import ConfigError

TAG = "tag:yaml.org,2002:"
KINDS = ("str", "int", "float", "bool", "null", "timestamp", "seq", "map")
BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


def read_study_file(path: str | Path) -> dict[str, Any]:
    r"""Read the file of a study, YAML or JSON, and refuse what YAML misreads.

    Raises
    ------
    ConfigError
        If the file does not exist, is not UTF-8, not YAML or no mapping; if a mapping has a key
        twice or one that is not text; or if YAML reads a value as a number in base 8 or 60, or as
        a date. The message is one line, with the number of the line in the file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "mine.yaml")
    ...     _ = path.write_text("training:\n  epochs: 8\n  seeds: 2\n  epochs: 3\n")
    ...     try:
    ...         read_study_file(path)
    ...     except ConfigError as error:
    ...         print(str(error).replace(folder, "my"))
    my/mine.yaml, line 4: training.epochs is given twice, first in line 2
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    study = read_study_text(_decoded(content, str(path)), str(path))
    if not isinstance(study, dict):
        given = "is empty" if study is None else f"holds {_kind(study)}"
        raise ConfigError(f"{path}: {given}, expected a mapping of keys to values")
    return study


def read_overrides(arguments: Sequence[str] | None) -> dict[str, Any]:
    """Values of ``--config KEY=VALUE ...``, read as in a study's file.

    Snakemake would read numbers inside mappings as text.

    >>> read_overrides(["study=short", "training={epochs: 2}"])
    {'study': 'short', 'training': {'epochs': 2}}
    """
    pairs = (argument.partition("=") for argument in arguments or ())
    return {key: read_study_text(value, f"--config {key}") for key, _, value in pairs}


def read_study_text(text: str, where: str) -> Any:
    """Value of a text in YAML or JSON; see `read_study_file`.

    Parameters
    ----------
    text : str
        YAML or JSON.
    where : str
        What the text is, for error messages.
    """
    try:
        return json.loads(text, object_pairs_hook=_distinct)
    except _Twice:
        text = text.replace("\t", " ")  # JSON, but not YAML, takes a tab for a space
    except (ValueError, RecursionError):
        pass  # not JSON, but perhaps YAML
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        for number, problem in _problems(node, (), (), set()):
            raise ConfigError(f"{where}, line {number}: {problem}")
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        about = " ".join(f"{error.context or ''} {error.problem or ''}".split())
        if "\\t" in about:
            about += "; indent by spaces, not tabs"
        raise ConfigError(f"{where}{line}: not YAML ({about})") from None
    except yaml.YAMLError as error:  # a character that text may not have
        raise ConfigError(f"{where}: not YAML ({' '.join(str(error).split())})") from None
    except ValueError as error:  # a value that is not what its tag says, such as !!int x
        raise ConfigError(f"{where}: not YAML ({error})") from None
    except RecursionError:
        raise ConfigError(f"{where}: nested too deeply") from None


class _Twice(Exception):
    """A key is given twice in JSON."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _decoded(content: bytes, where: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        marks = (name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark))
        line = content[: error.start].count(b"\n") + 1
        given = next(marks, f"not UTF-8 in line {line}")
        raise ConfigError(
            f"{where}: is {given}, expected text in UTF-8; save it in that encoding"
        ) from None


def _kind(value: object) -> str:
    return "a list" if isinstance(value, list) else "a single value"


def _problems(
    node: yaml.Node, path: tuple[str, ...], parents: tuple[int, ...], done: set[int]
) -> Iterator[tuple[int, str]]:
    """Line and description of each value that YAML misreads, in the order of the file."""
    if node.tag.removeprefix(TAG) not in KINDS:
        yield _line(node), f"{'.'.join(path)}: a study has no values of YAML's type {node.tag}"
    if isinstance(node, yaml.ScalarNode):
        problem = _of_scalar(node)
        if problem:
            given = node.value if len(node.value) <= 60 else node.value[:57] + "..."
            yield _line(node), f"{'.'.join(path) or 'value'} = {given}: {problem}"
        return
    if id(node) in parents:
        yield _line(node), f"{'.'.join(path)}: refers to itself"
    if id(node) in done:  # an alias
        return
    done.add(id(node))
    parents = (*parents, id(node))
    if isinstance(node, yaml.SequenceNode):
        for k, item in enumerate(node.value):
            yield from _problems(item, (*path, str(k)), parents, done)
        return
    first: dict[str, int] = {}
    for key, value in node.value:
        full = ".".join((*path, key.value if isinstance(key, yaml.ScalarNode) else ""))
        if key.tag not in (f"{TAG}str", f"{TAG}merge"):
            yield _line(key), _of_key(key, full)
            return
        if key.value in first:
            yield _line(key), f"{full} is given twice, first in line {first[key.value]}"
        first[key.value] = _line(key)
        yield from _problems(value, (*path, key.value), parents, done)


def _of_key(key: yaml.Node, full: str) -> str:
    if not isinstance(key, yaml.ScalarNode):
        return "a mapping or a list as a key; text that begins with a brace or bracket needs quotes"
    kind = key.tag.removeprefix(TAG)
    words = {"bool": "true or false", "null": "nothing", "timestamp": "a date"}
    read = words.get(kind, "a number" if kind in ("int", "float") else f"of type {kind}")
    return f"{full}: a key must be text, and YAML reads it as {read}; put it in quotes"


def _of_scalar(node: yaml.ScalarNode) -> str | None:
    kind, text = node.tag.removeprefix(TAG), node.value
    if kind == "int" and len(text) > 100:  # Python reads 4,300
        return "has too many digits"
    if kind == "timestamp":
        return "YAML reads it as a date; put it in quotes"
    base = None
    if kind in ("int", "float") and ":" in text:
        base, instead = 60, "text needs quotes"
    elif kind == "int" and re.fullmatch(r"[-+]?0[0-7_]+", text):
        base, instead = 8, "leave out the leading 0; text needs quotes"
    if base is None:
        return None
    number = yaml.SafeLoader("").construct_object(node)
    return f"YAML reads it as {number:g}, in base {base}; {instead}"


def _line(node: yaml.Node) -> int:
    return node.start_mark.line + 1
