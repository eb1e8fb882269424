"""The configuration of a study that trains on synthetic sloppy data (thesis 2.5.5, 4.7.1).

Defaults are those of the dissertation where it gives values. It gives neither the learning rate nor
the length of the trainings of 2.5.5, so these are as for the other networks of chapter 2 (2.5.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.data import Decay, KnownName, decay_name
from hyperribbon.config.fields import (
    BelowOne,
    Count,
    Label,
    Natural,
    Positive,
    Section,
    Widths,
    distinct,
    refuse,
)
from hyperribbon.config.training import (
    AdamPConfig,
    OptimiserConfig,
    SGDConfig,
    check_batch_size,
)
from hyperribbon.storage.digest import canonical_json
from hyperribbon.studies.part import PartSection

Experiment = Literal["grid", "corners"]


def _distinguishable(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(map(decay_name, values))) < len(values):
        raise PydanticCustomError("impossible", "must differ in their first six digits")
    return values


Counts = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(distinct)]
Decays = Annotated[tuple[Decay, ...], Field(min_length=1), AfterValidator(_distinguishable)]


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


class SyntheticDataConfig(Section):
    """Gaussian inputs with variances 50 c exp(-c i), labelled by a random teacher.

    The teacher is a network with one hidden layer.
    """

    features: Annotated[int, Field(strict=True, ge=3, le=100_000)] = 200
    """Number of inputs of a network."""
    classes: Annotated[int, Field(strict=True, ge=2, le=1000)] = 5
    """Number of classes."""
    teacher_width: Count = 50
    """Hidden units of the teacher."""
    train_size: Count = 5_000
    """Training samples."""
    test_size: Count = 1_000
    """Test samples."""
    seed: Natural = 0
    """Seed of the inputs and the teacher; for different decays, only the variances differ."""


class SyntheticCornersConfig(Section):
    """The first network, by name, is also trained from initialisation corners.

    An initialisation corner is a region of the prediction space where trainings start.
    """

    counts: Counts = (1, 2, 5, 10)
    """Numbers of initialisation corners whose trainings are embedded together."""
    trajectories: Count = 200
    """Trainings per embedding, the same for each number of corners; different optimisers start from
    the same weights."""
    batch_size: Count = 100
    """Samples per step."""
    epochs: Count = 200
    """Passes over the training set."""
    slice: BelowOne = 0.005
    """Fraction of the training after which trainings are compared, in addition to their start."""


class StudentsConfig(Section):
    """Students trained by Adam on the labels of teachers until they interpolate (4.7.1).

    Both are networks with one hidden layer, without BatchNorm.
    """

    teacher_widths: Counts = (20, 50)
    """Hidden units of the teachers."""
    student_widths: Counts = (10, 50, 500)
    """Hidden units of the students."""
    decays: Decays = (0.001, 0.01, 0.1, 0.5)
    """Sloppiness c of the inputs."""
    features: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 200
    """Number of inputs of a network."""
    classes: Annotated[int, Field(strict=True, ge=2, le=1000)] = 10
    """Number of classes."""
    train_size: Count = 50_000
    """Training samples."""
    test_size: Count = 10_000
    """Test samples."""
    data_seed: Natural = 2
    """Seed of inputs and teachers; a teacher that leaves a class without samples is refused."""
    seeds: Count = 3
    """Number of students of each kind."""
    batch_size: Count = 500
    """Samples per step."""
    epochs: Count = 50
    """Passes over the training set."""
    learning_rate: Positive = 0.001
    """Initial learning rate; it decays along a cosine, step by step."""
    final_learning_rate: Positive = 1e-5
    """Learning rate at the end of training."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_batch_size("batch_size", self.batch_size, "train_size", self.train_size)
        if self.final_learning_rate > self.learning_rate:
            expected = f"at most learning_rate = {self.learning_rate}"
            raise refuse("final_learning_rate", self.final_learning_rate, expected)
        return self


class SyntheticExperiment(Section):
    """The trainings on the data of one decay that share one store.

    Attributes
    ----------
    reference_batch : batch size to which the optimisers' learning rates refer
    seeds : number of networks that start near each corner; corner 0 is PyTorch's initialisation
    slice : fraction of the training at which an additional checkpoint is recorded, if not 0
    """

    name: Experiment
    decay: Decay
    data: SyntheticDataConfig
    networks: dict[Label, Widths]
    optimisers: dict[Label, OptimiserConfig]
    batch_sizes: Counts
    reference_batch: Count
    seeds: dict[int, int]
    epochs: Count
    checkpoints: Count
    record_train: Count
    slice: BelowOne = 0.0
    splits: tuple[Literal["train", "test"], ...]

    @property
    def id(self) -> str:
        """Name of its store, such as ``grid-0.001``."""
        return f"{self.name}-{decay_name(self.decay)}"

    @property
    def trainings(self) -> int:
        """Number of trainings."""
        kinds = len(self.networks), len(self.optimisers), len(self.batch_sizes)
        return prod(kinds) * sum(self.seeds.values())

    @property
    def prediction_bytes(self) -> int:
        """Bytes of the predictions of all its models, in float32."""
        sizes = {"train": self.record_train, "test": self.data.test_size}
        samples = sum(sizes[split] for split in self.splits)
        checkpoints = self.checkpoints + (self.slice > 0)
        return 4 * self.trainings * checkpoints * samples * self.data.classes

    def optimiser(self, name: str, batch_size: int) -> OptimiserConfig:
        """An optimiser, with learning rates in proportion to the batch size (2.5.2)."""
        config = self.optimisers[name]
        factor = batch_size / self.reference_batch
        rates = ("learning_rate", "final_learning_rate")
        return config.model_copy(update={rate: getattr(config, rate) * factor for rate in rates})

    def to_json(self) -> str:
        """The experiment as canonical JSON."""
        return canonical_json(self.model_dump(mode="json"))


def _default_optimisers() -> dict[str, OptimiserConfig]:
    plain = SGDConfig(algorithm="sgd", learning_rate=0.1)
    nesterov = plain.model_copy(update={"momentum": 0.9, "nesterov": True})
    decayed = {"weight_decay": 1e-5}
    return {
        "SGD": plain,
        "SGD-wd": plain.model_copy(update=decayed),
        "Nesterov": nesterov,
        "Nesterov-wd": nesterov.model_copy(update=decayed),
    }


class SyntheticConfig(PartSection):
    """Networks trained on Gaussian inputs with variances 50 c exp(-c i), for several c (2.5.5)."""

    data: SyntheticDataConfig = SyntheticDataConfig()
    """The synthetic data."""
    decays: Decays = (0.001, 0.01, 0.1, 0.5, 1.0)
    """Sloppiness c of the inputs; every network is trained on each."""
    shown: Annotated[Decays, Field(max_length=3)] = (0.001, 0.5)
    """Decays, out of `decays`, whose embeddings are drawn and that have trainings from corners."""
    beside: KnownName | None = None
    """Images whose spectrum is drawn together with that of the inputs (2.25); by default, none."""
    networks: Annotated[dict[Label, Widths], Field(min_length=1)] = Field(
        default_factory=lambda: {"1-hidden": (512,), "2-hidden": (512, 512)}
    )
    """Units of each hidden layer, by the name that figures and tables show; with BatchNorm."""
    optimisers: Annotated[dict[Label, OptimiserConfig], Field(min_length=1)] = Field(
        default_factory=_default_optimisers
    )
    """Optimisers, by name; learning rates apply to the first of `batch_sizes`, and are scaled in
    proportion to the batch size for the others."""
    batch_sizes: Counts = (200, 500)
    """Samples per step; every network is trained with each."""
    seeds: Count = 10
    """Trainings of each kind, from seeds 0, 1, ..."""
    epochs: Count = 200
    """Passes over the training set."""
    checkpoints: Annotated[int, Field(strict=True, ge=2, le=1000)] = 60
    """Models recorded per training: number k, from 0, after a fraction (k / (checkpoints - 1))^2 of
    the steps, and after at least k steps."""
    record_train: Count = 1_000
    """Number of training samples, evenly spaced, whose predictions are recorded (2.5.3.3)."""
    corners: SyntheticCornersConfig = SyntheticCornersConfig()
    """Trainings from initialisation corners."""
    students: StudentsConfig = StudentsConfig()
    """Students that interpolate the labels of teachers."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for decay in self.shown:
            if decay not in self.decays:
                raise refuse("shown", decay, f"one of decays: {_listed(self.decays)}")
        size = self.data.train_size
        for batch_size in self.batch_sizes:
            check_batch_size("batch_sizes", batch_size, "data.train_size", size)
        check_batch_size("corners.batch_size", self.corners.batch_size, "data.train_size", size)
        if self.record_train > size:
            raise refuse("record_train", self.record_train, f"at most data.train_size = {size}")
        for key, epochs, batch_size in (
            ("epochs", self.epochs, max(self.batch_sizes)),
            ("corners.epochs", self.corners.epochs, self.corners.batch_size),
        ):
            steps = epochs * (size // batch_size)
            if self.checkpoints > steps + 1:
                expected = f"at most one per step and one before: {key} gives {steps} steps"
                raise refuse("checkpoints", self.checkpoints, expected)
        for name, optimiser in self.optimisers.items():
            key = f"optimisers.{name}"
            if isinstance(optimiser, AdamPConfig):
                raise refuse(f"{key}.algorithm", "adamp", "cannot train stacked networks")
            if optimiser.batch_size is not None:
                expected = "not in synthetic, where batch_sizes sets it"
                raise refuse(f"{key}.batch_size", optimiser.batch_size, expected)
        parts = [n * len(self.optimisers) for n in self.corners.counts]
        trajectories = self.corners.trajectories
        if any(trajectories % n for n in parts) or trajectories < 2 * len(self.optimisers):
            expected = (
                f"must be a multiple of each of corners.counts times {len(self.optimisers)} "
                f"optimisers, {_listed(parts)}, with at least two seeds for each optimiser"
            )
            raise refuse("corners.trajectories", trajectories, expected)
        return self

    def experiment(self, name: Experiment, decay: float) -> SyntheticExperiment:
        """The trainings on the data of one decay: the grid, or those from corners."""
        common: dict[str, Any] = {
            "name": name,
            "decay": decay,
            "data": self.data,
            "optimisers": self.optimisers,
            "reference_batch": self.batch_sizes[0],
            "checkpoints": self.checkpoints,
            "record_train": self.record_train,
        }
        if name == "grid":
            return SyntheticExperiment(
                networks=self.networks,
                batch_sizes=self.batch_sizes,
                seeds={0: self.seeds},
                epochs=self.epochs,
                splits=("train", "test"),
                **common,
            )
        first = min(self.networks)
        return SyntheticExperiment(
            networks={first: self.networks[first]},
            batch_sizes=(self.corners.batch_size,),
            seeds=self.corner_seeds(),
            epochs=self.corners.epochs,
            slice=self.corners.slice,
            splits=("train",),
            **common,
        )

    def corner_seeds(self) -> dict[int, int]:
        """Number of networks that start near each corner, from 1, by corner.

        The smallest embedding that contains a corner needs that many of it.
        """
        each = self.corners.trajectories // len(self.optimisers)
        counts = sorted(self.corners.counts)
        return {
            corner: each // min(n for n in counts if n >= corner)
            for corner in range(1, counts[-1] + 1)
        }
