"""Sections of your own data: a file, a store or a function."""

from __future__ import annotations

import hashlib
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from hyperribbon.config.data_section import Classes, DataSection, PathText, Samples, absent
from hyperribbon.config.fields import Count, Flag, Natural, refuse
from hyperribbon.storage.manifest import file_sha256

SampleShape = Annotated[tuple[Count, ...], Field(min_length=1, max_length=3)]
EntryPoint = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
]


class OwnData(DataSection):
    """Your own arrays."""

    shape: SampleShape
    """Shape of a sample: `[channels, height, width]` or `[features]`."""
    classes: Classes
    """Classes; labels are 0, 1, ..., classes - 1."""
    train_size: Samples
    """Training samples; if fewer than there are, they are drawn with equal class proportions."""
    test_size: Samples
    """Test samples; if fewer than there are, they are drawn with equal class proportions."""
    split_seed: Natural = 0
    """Seed of the split, and of the draw if there are more samples than needed."""
    standardise: Flag = True
    """Give networks samples of mean 0 and standard deviation 1 in each channel of the train set."""

    @property
    def n_classes(self) -> int:
        """The classes that the section states."""
        return self.classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape that the section states."""
        return self.shape

    @property
    def standardises(self) -> bool:
        """Whether the section asks for it."""
        return self.standardise

    @property
    def stored_itemsize(self) -> int:
        """4, because the arrays may be float32."""
        return 4

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.shape) == 2:
            expected = "must be [channels, height, width] or [features]"
            raise refuse("shape", list(self.shape), expected)
        *first, last = self.shape
        # Signals of many channels are no such images: they are long.
        if first and last <= 4 < min(first) and max(first) <= 4 * min(first):
            expected = "looks like [height, width, channels]; channels come first, in arrays, too"
            raise refuse("shape", list(self.shape), expected)
        return self


class OwnFiles(OwnData):
    """Your own arrays at a path."""

    path: PathText

    @property
    def load_arguments(self) -> dict[str, object]:
        """The path."""
        return {"path": self.path}


class NpzConfig(OwnFiles):
    """Your own arrays in a NumPy `.npz` file."""

    name: Literal["npz"]
    """Which data set."""
    path: PathText
    """The file. It holds `train_images`, `train_labels`, `test_images` and `test_labels`, or
    `images` and `labels`, which are split."""

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        if not Path(self.path).is_file():
            raise absent("path", self.path, "a file of NumPy's format npz")
        return file_sha256(Path(self.path))


class ZarrConfig(OwnFiles):
    """Your own arrays in a Zarr store; they need not fit into memory."""

    name: Literal["zarr"]
    """Which data set."""
    path: PathText
    """The store. It holds `train_images`, `train_labels`, `test_images` and `test_labels`, or
    `images` and `labels`, which are split."""

    def fingerprint(self) -> str:
        """SHA-256 of the names and contents of its files."""
        store = Path(self.path)
        if not store.is_dir():
            raise absent("path", self.path, "a folder that is a Zarr store")
        content = hashlib.sha256()
        for file in sorted(path for path in store.rglob("*") if path.is_file()):
            content.update(f"{file.relative_to(store).as_posix()} {file_sha256(file)}\n".encode())
        return content.hexdigest()


class FunctionConfig(OwnData):
    """Your own arrays from a Python function."""

    name: Literal["function"]
    """Which data set."""
    entry_point: EntryPoint
    """The function, `module:function`, called without arguments. It returns a mapping that holds
    `train_images`, `train_labels`, `test_images` and `test_labels`, or `images` and `labels`, which
    are split."""

    @property
    def load_arguments(self) -> dict[str, object]:
        """The function's name."""
        return {"entry_point": self.entry_point}

    def fingerprint(self) -> str:
        """SHA-256 of the module's file, which is found without importing it."""
        module = self.entry_point.split(":")[0]
        parts = module.split(".")
        places: list[str] | None = [str(Path.cwd()), *sys.path]
        spec = None
        for k in range(1, len(parts) + 1):
            spec = PathFinder.find_spec(".".join(parts[:k]), places) if places else None
            places = list(spec.submodule_search_locations or []) if spec else None
        if spec is None or not spec.has_location or spec.origin is None:
            expected = f"a module {module} here or among the installed ones"
            raise absent("entry_point", self.entry_point, expected)
        return file_sha256(Path(spec.origin))
