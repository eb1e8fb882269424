"""The configuration of a study of class manifolds and their inversion (arXiv:2303.05161)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hyperribbon.config.data import DATA_SOURCES, KnownName
from hyperribbon.config.fields import Count, Natural, Positive, Section, distinct, refuse
from hyperribbon.studies.part import PartSection

Runs = Annotated[int, Field(strict=True, ge=2, le=100)]
Units = Annotated[int, Field(strict=True, ge=1, le=1000)]
Depth = Annotated[int, Field(strict=True, ge=2, le=5)]
Size = Annotated[int, Field(strict=True, ge=64, le=60_000)]
LEAST_PIXELS = 16  # of a convolutional network


class InversionDataConfig(Section):
    """How long networks train on a data set, until well after the inversion."""

    learning_rate: Positive = 0.2
    """Learning rate of gradient descent."""
    epochs: Annotated[int, Field(strict=True, ge=10, le=10_000)] = 120
    """Steps of gradient descent, each on all samples."""
    image_size: Annotated[int, Field(strict=True, ge=4, le=32)] | None = None
    """Images are averaged down to this many pixels per side; by default they are not."""


class InversionConfig(PartSection):
    """Class manifolds of tanh networks through training, and where they invert.

    The labels are the parity of the class. The usual network has one hidden layer and trains by
    gradient descent; each other condition differs from it in one respect.
    """

    data: Annotated[dict[KnownName, InversionDataConfig], Field(min_length=1)]
    """Data sets, and how networks train on each."""
    samples: Size = 8192
    """Training images, the first of each data set; others test."""
    width: Units = 20
    """Hidden units of the usual network, and of each layer of a deeper one."""
    runs: Runs = 12
    """Initialisations of the usual network."""
    fewer_runs: Runs = 4
    """Initialisations of each other condition."""
    widths: Annotated[tuple[Units, ...], AfterValidator(distinct)] = (10, 50)
    """Hidden units of other networks."""
    depths: Annotated[tuple[Depth, ...], AfterValidator(distinct)] = (2, 3)
    """Hidden layers of other networks."""
    subsamples: Annotated[tuple[Size, ...], AfterValidator(distinct)] = (512, 1024, 2048, 4096)
    """Numbers of training images of other trainings."""
    adam: Annotated[tuple[Positive, ...], AfterValidator(distinct)] = (0.001, 0.003)
    """Learning rates of Adam."""
    batch_size: Count = 256
    """Samples of a step of SGD, which has a tenth of the learning rate."""
    groupings: Annotated[int, Field(strict=True, ge=0, le=20)] = 4
    """Random groupings of the classes in two, as tasks beside parity."""
    convolutional_runs: Annotated[int, Field(strict=True, ge=0, le=20)] = 2
    """Initialisations of a small convolutional network; 0 for none."""
    watched: Count = 1000
    """Training samples whose predictions are embedded."""
    seed: Natural = 0
    """Seed of initial weights and of all draws."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key in ("batch_size", "watched"):
            if getattr(self, key) > self.samples:
                raise refuse(key, getattr(self, key), f"at most samples = {self.samples}")
        for size in self.subsamples:
            if size >= self.samples:
                raise refuse("subsamples", size, f"below samples = {self.samples}")
        for name, section in self.data.items():
            facts = DATA_SOURCES[name]
            most = facts.n_samples[0] - (len(facts.n_samples) == 1)  # one is left for testing
            if self.samples > most:
                raise refuse("samples", self.samples, f"at most {most} for {name}")
            pixels = facts.shape[1]
            if section.image_size is not None and section.image_size > pixels:
                raise refuse(f"data.{name}.image_size", section.image_size, f"at most {pixels}")
            if self.convolutional_runs and (section.image_size or pixels) < LEAST_PIXELS:
                expected = f"0, because images of {name} have fewer than {LEAST_PIXELS} pixels"
                raise refuse("convolutional_runs", self.convolutional_runs, f"{expected} per side")
        return self
