"""Names of networks and optimisers, paths of stores, and the ids that are made from names."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from hyperribbon.errors import ConfigError
from hyperribbon.storage.digest import digest

_LONGEST = 200  # characters of a name, and
_SLUG = 40  # of what stands for it in ids
_PLAIN = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{0,{_SLUG - 1}}}")


def check_name(key: str, value: object) -> str:
    r"""The name, as figures and tables show it; a ConfigError unless it is one printable line.

    >>> check_name("network", "ResNet18 (ImageNet)")
    'ResNet18 (ImageNet)'
    >>> check_name("network", "two\nlines")
    Traceback (most recent call last):
    ...
    hyperribbon.errors.ConfigError: network = 'two\nlines': expected a name, 1 to 200 characters
    """
    name = value.strip() if isinstance(value, str) else ""
    if not (name and name.isprintable() and len(name) <= _LONGEST):
        shown = repr(value) if len(repr(value)) <= _LONGEST else f"{repr(value)[:_LONGEST]}..."
        raise ConfigError(f"{key} = {shown}: expected a name, 1 to {_LONGEST} characters")
    return name


def slug(name: str) -> str:
    """Letters, digits, - and _ that stand for a name in ids; perhaps none.

    >>> slug("ResNet18 (ImageNet)"), slug("ViT_b-16"), slug("Fußgänger"), slug("网络")
    ('ResNet18-ImageNet', 'ViT_b-16', 'Fu-ganger', '')
    """
    if _PLAIN.fullmatch(name):
        return name
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[^A-Za-z0-9_]+", "-", plain)[:_SLUG].strip("-_")


def configuration_id(network: str, optimiser: str, metadata: object) -> str:
    """The id of a configuration: the same for all its seeds, and another for any other name.

    >>> one, other = (configuration_id(name, "SGD", {}) for name in ("Net (a)", "Net [a]"))
    >>> one[:9] == other[:9] == "Net-a-SGD", one == other
    (True, False)
    """
    kind = digest([network, optimiser, metadata])[:8]
    return "-".join(filter(None, [slug(network), slug(optimiser), kind]))


def store_path(path: str | os.PathLike) -> Path:
    """The path of a store: ``~`` is the home folder, and .zarr is added if it is missing.

    Raises
    ------
    ConfigError
        If it is no path, or the path of a folder.

    Examples
    --------
    >>> store_path("runs/net-0.5").as_posix(), store_path("runs/net-0.zarr").as_posix()
    ('runs/net-0.5.zarr', 'runs/net-0.zarr')
    """
    expected = "expected the path of a store, such as runs/net-0.zarr"
    if not isinstance(path, str | os.PathLike):
        raise ConfigError(f"path = {path!r}: {expected}")
    text = os.fspath(path)
    try:
        found = Path(text).expanduser()
    except (TypeError, RuntimeError) as error:  # bytes; no such user
        raise ConfigError(f"path = {path!r}: {expected} ({error})") from None
    if found.suffix == ".zarr":
        return found
    if not found.name or text.endswith(("/", os.sep)) or found.is_dir():
        raise ConfigError(f"path = {text}: a folder; {expected}")
    return found.with_name(f"{found.name}.zarr")


def listed(names: Sequence[object], most: int = 20) -> str:
    """The first names, in one line."""
    return ", ".join(map(str, names[:most])) + ", ..." * (len(names) > most)
