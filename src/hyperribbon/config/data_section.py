"""What the sections of all data sets have in common."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Annotated, ClassVar, Self

from pydantic import Field, model_validator

from hyperribbon.config.fields import Section, refuse
from hyperribbon.errors import ConfigError

IN_MEMORY = 4 * 2**30  # bytes of stored samples that are loaded; more stay on disk

Samples = Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)]
Classes = Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
PathText = Annotated[str, Field(strict=True, min_length=1)]


class DataSection(Section):
    """What the sections of all data sets have in common.

    Attributes
    ----------
    fetched : bool
        Whether raw files are fetched into a cache before the data are prepared.
    """

    fetched: ClassVar[bool] = False

    name: str
    if TYPE_CHECKING:  # each section declares these itself, with its own defaults
        train_size: int
        test_size: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a sample as the networks see it: (channels, height, width) or (features,)."""
        raise NotImplementedError

    @property
    def n_classes(self) -> int:
        """Number of classes, C."""
        raise NotImplementedError

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers; the numbers if they have none."""
        return tuple(map(str, range(self.n_classes)))

    @property
    def class_sizes(self) -> tuple[int, ...] | None:
        """Train samples of each class; None if they are not known before the data are read."""
        return None

    @property
    def groups_of_classes(self) -> tuple[tuple[int, ...], ...] | None:
        """Classes of the source that are merged into one; None if each stays as it is."""
        return None

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """Shape of a stored sample, of which networks see the centre."""
        return self.input_shape

    @property
    def source_shape(self) -> tuple[int, ...]:
        """Shape of a sample in the source, which is averaged down to the stored shape."""
        return self.stored_shape

    @property
    def standardises(self) -> bool:
        """Whether networks see samples of mean 0 and standard deviation 1 in each channel."""
        return True

    @property
    def stored_itemsize(self) -> int:
        """Bytes per stored number, at most; images that are not resized stay uint8."""
        return 1 if self.stored_shape == self.source_shape else 4

    @property
    def memory_bytes(self) -> tuple[int, int]:
        """Bytes of all samples as they are stored and as a network sees them, at most.

        Both are 0 if the data stay on disk.
        """
        numbers = (self.train_size + self.test_size) * prod(self.stored_shape)
        stored = numbers * self.stored_itemsize
        return (stored, 4 * numbers) if stored < IN_MEMORY else (0, 0)

    @property
    def resolved(self) -> dict[str, object]:
        """What follows from the keys and also decides what is stored."""
        names = "input_shape", "stored_shape", "source_shape", "n_classes", "standardises"
        return {name: getattr(self, name) for name in names}

    @property
    def load_arguments(self) -> dict[str, object]:
        """Keyword arguments of ``load`` in the data set's module."""
        return {}

    def fingerprint(self) -> str:
        """Hash of the content that the section only points to; empty if it points to none.

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
                expected = f"at least one sample per class, {self.n_classes}"
                raise refuse(key, getattr(self, key), expected)
        return self


def absent(key: str, value: str, expected: str) -> ConfigError:
    """Error of a key that points to something that is not there."""
    return ConfigError(f'configuration: data.{key} = "{value}": not there, expected {expected}')
