"""The cache of raw files, which are fetched from one source after the other and checked.

The cache is the folder that the environment variable HYPERRIBBON_DATA names, by default
``hyperribbon`` in the user's cache folder, with a folder for each data set. A file counts only if
it has its published MD5.

The package pooch would replace only the download itself, a tenth of this module and `sources`. It
checks the hash of what it downloads, but the published hashes are mostly those of unpacked files;
and it knows no packages of npm or Debian, no lock between processes and no limit on the size.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hyperribbon.errors import DataError, first_line
from hyperribbon.storage.files import remove, written_whole
from hyperribbon.storage.locks import locked

logger = logging.getLogger(__name__)

RECORD = "source.json"  # in the folder of a data set; says where its files came from
_FETCHING = ".fetching-"


class Unavailable(Exception):
    """A source cannot be used; the message is a short reason."""


class Source(Protocol):
    """Where raw files come from."""

    @property
    def title(self) -> str:
        """Name of the source, for messages."""

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Put files of these names into a folder, or raise `Unavailable` or OSError."""


@dataclass(frozen=True)
class RawFiles:
    """The raw files of a data set.

    Parameters
    ----------
    name : str
        Name of the data set, and of its folder in the cache.
    md5 : mapping
        Published MD5 in hexadecimal, by file name.
    sources : sequence of Source
        Sources, in the order in which they are tried.
    """

    name: str
    md5: Mapping[str, str]
    sources: Sequence[Source]

    @property
    def folder(self) -> Path:
        """Folder of the files in the cache."""
        default = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "hyperribbon"
        return Path(os.environ.get("HYPERRIBBON_DATA") or default) / self.name

    def fetch(self) -> dict[str, Any]:
        """Ensure that every file lies in the cache and is the published one.

        Returns
        -------
        dict
            ``files``, their MD5 by name, and ``source``, where they came from.

        Raises
        ------
        DataError
            If no source provides them. The message says why, and which files to put where.
        """
        if self._wrong():
            with locked(self.folder):
                wrong = self._wrong()  # another process may have fetched them meanwhile
                if wrong:
                    self._fetch(wrong)
        try:
            source = json.loads((self.folder / RECORD).read_text())["source"]
        except (OSError, ValueError, KeyError, TypeError):
            source = "the cache"
        return {"files": dict(self.md5), "source": source}

    def read(self, name: str) -> bytes:
        """The content of a file.

        Raises
        ------
        DataError
            If it is not the published content.
        """
        content = (self.folder / name).read_bytes()
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != self.md5[name]:
            raise DataError(
                f"{self.folder / name}: MD5 {found}, expected {self.md5[name]}; delete it and run "
                "again"
            )
        return content

    def _wrong(self) -> list[str]:
        """Names of files that are missing or not the published ones."""
        wrong = []
        for name, expected in self.md5.items():
            path = self.folder / name
            found = _md5(path)
            if found and found != expected:
                logger.warning("%s: MD5 %s, expected %s; not used", path, found, expected)
            if found != expected:
                wrong.append(name)
        return wrong

    def _fetch(self, wrong: list[str]) -> None:
        for left in self.folder.glob(f"{_FETCHING}*"):  # left by a killed process
            remove(left)
        reasons = []
        for source in self.sources:
            logger.info("data set %s: from %s", self.name, source.title)
            with tempfile.TemporaryDirectory(dir=self.folder, prefix=_FETCHING) as place:
                try:
                    source.put(wrong, Path(place))
                    for name in wrong:
                        found = _md5(Path(place) / name)
                        if found != self.md5[name]:
                            raise Unavailable(
                                f"{name} has MD5 {found}, expected {self.md5[name]}"
                                if found
                                else f"{name} is not in it"
                            )
                except (Unavailable, OSError) as error:
                    reasons.append(f"{source.title} ({first_line(error)})")
                    logger.warning("data set %s: not from %s", self.name, reasons[-1])
                    continue
                for name in wrong:
                    (Path(place) / name).replace(self.folder / name)
            with written_whole(self.folder / RECORD) as partial:
                partial.write_text(json.dumps({"source": source.title}))
            return
        raise DataError(
            f"data set {self.name}: cannot be fetched from {'; '.join(reasons)}. Fetch it on a "
            f"machine that can, and put {', '.join(self.md5)} into {self.folder}"
        )


def _md5(path: Path) -> str | None:
    try:
        with path.open("rb") as content:
            return hashlib.file_digest(
                content, lambda: hashlib.md5(usedforsecurity=False)
            ).hexdigest()
    except FileNotFoundError:
        return None
