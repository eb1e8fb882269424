"""The section of a study that trains on synthetic sloppy data (thesis 2.5.5, 4.7.1).

Defaults are the dissertation's, where it says them. It says no learning rate and no length of the
trainings of 2.5.5; those of the other networks of chapter 2 are taken (2.5.2).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Annotated, Literal, Self

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


def _told_apart(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(set(map(decay_name, values))) < len(values):
        raise PydanticCustomError("impossible", "must differ in their first six digits")
    return values


Counts = Annotated[tuple[Count, ...], Field(min_length=1), AfterValidator(distinct)]
Decays = Annotated[tuple[Decay, ...], Field(min_length=1), AfterValidator(_told_apart)]


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)


class SyntheticDataConfig(Section):
    """Gaussian inputs of variances 50 c exp(-c i), labelled by a random network of one hidden
    layer.
    """

    features: Annotated[int, Field(strict=True, ge=3, le=100_000)] = 200
    """Inputs of a network."""
    classes: Annotated[int, Field(strict=True, ge=2, le=1000)] = 5
    """Classes."""
    teacher_width: Count = 50
    """Hidden units of the network that labels."""
    train_size: Count = 5_000
    """Training samples."""
    test_size: Count = 1_000
    """Test samples."""
    seed: Natural = 0
    """Of the inputs and the teacher, which are the same for every decay but for the variances."""


class SyntheticCornersConfig(Section):
    """The first of the networks, by name, is also trained from corners of the prediction space."""

    counts: Counts = (1, 2, 5, 10)
    """Numbers of corners whose trainings are embedded together."""
    trajectories: Count = 200
    """Trainings embedded, the same for each number of corners; those of the optimisers start from
    the same weights."""
    batch_size: Count = 100
    """Samples a step."""
    epochs: Count = 200
    """Passes over the training set."""
    slice: BelowOne = 0.005
    """Part of the training after which trainings are compared with each other, beside the start."""


class StudentsConfig(Section):
    """Networks of one hidden layer, without BatchNorm, trained by Adam on labels of others, to
    interpolate (4.7.1).
    """

    teacher_widths: Counts = (20, 50)
    """Hidden units of the networks that label."""
    student_widths: Counts = (10, 50, 500)
    """Hidden units of the networks that are trained."""
    decays: Decays = (0.001, 0.01, 0.1, 0.5)
    """Sloppiness c of the inputs."""
    features: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 200
    """Inputs of a network."""
    classes: Annotated[int, Field(strict=True, ge=2, le=1000)] = 10
    """Classes."""
    train_size: Count = 50_000
    """Training samples."""
    test_size: Count = 10_000
    """Test samples."""
    data_seed: Natural = 2
    """Of the inputs and the teachers; a teacher that leaves a class without samples is refused."""
    seeds: Count = 3
    """Students of each kind."""
    batch_size: Count = 500
    """Samples a step."""
    epochs: Count = 50
    """Passes over the training set."""
    learning_rate: Positive = 0.001
    """Initial learning rate; it decays by a cosine, step by step."""
    final_learning_rate: Positive = 1e-5
    """Learning rate at the end."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        check_batch_size("batch_size", self.batch_size, "train_size", self.train_size)
        if self.final_learning_rate > self.learning_rate:
            expected = f"at most learning_rate = {self.learning_rate}"
            raise refuse("final_learning_rate", self.final_learning_rate, expected)
        return self


class SyntheticExperiment(Section):
    """What is trained on the data of one decay, of which one store is made.

    reference_batch : that which the optimisers' learning rates are of
    seeds : of each corner, how many networks start near it; corner 0 is PyTorch's initialisation
    slice : part of the training at which a checkpoint more is recorded, if not 0
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
        kinds = len(self.networks), len(self.optimisers), len(self.batch_sizes)
        return prod(kinds) * sum(self.seeds.values())

    @property
    def prediction_bytes(self) -> int:
        """Of all its models, in float32."""
        sizes = {"train": self.record_train, "test": self.data.test_size}
        samples = sum(sizes[split] for split in self.splits)
        checkpoints = self.checkpoints + (self.slice > 0)
        return 4 * self.trainings * checkpoints * samples * self.data.classes

    def optimiser(self, name: str, batch_size: int) -> OptimiserConfig:
        """An optimiser, with learning rates in proportion to the batch (2.5.2)."""
        config = self.optimisers[name]
        factor = batch_size / self.reference_batch
        rates = ("learning_rate", "final_learning_rate")
        return config.model_copy(update={rate: getattr(config, rate) * factor for rate in rates})

    def to_json(self) -> str:
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
    """Networks trained on Gaussian inputs of variances 50 c exp(-c i), for a range of c (2.5.5)."""

    data: SyntheticDataConfig = SyntheticDataConfig()
    """The data."""
    decays: Decays = (0.001, 0.01, 0.1, 0.5, 1.0)
    """Sloppiness c of the inputs; every network is trained on each."""
    shown: Annotated[Decays, Field(max_length=3)] = (0.001, 0.5)
    """Those of `decays` whose embeddings are drawn, and that trainings from corners are of."""
    beside: KnownName | None = None
    """Images whose spectrum is drawn beside that of the inputs (2.25); by default, none."""
    networks: Annotated[dict[Label, Widths], Field(min_length=1)] = Field(
        default_factory=lambda: {"1-hidden": (512,), "2-hidden": (512, 512)}
    )
    """Units of each hidden layer, by the name that figures and tables show; with BatchNorm."""
    optimisers: Annotated[dict[Label, OptimiserConfig], Field(min_length=1)] = Field(
        default_factory=_default_optimisers
    )
    """The optimisers, by name; learning rates are those of the first of `batch_sizes`, and in
    proportion to the batch for others."""
    batch_sizes: Counts = (200, 500)
    """Samples a step; every network is trained with each."""
    seeds: Count = 10
    """Trainings of each kind, from seeds 0, 1, ..."""
    epochs: Count = 200
    """Passes over the training set."""
    checkpoints: Annotated[int, Field(strict=True, ge=2, le=1000)] = 60
    """Models recorded a training: the k-th, from 0, after (k / (checkpoints - 1))^2 of the steps,
    and after k steps at least."""
    record_train: Count = 1_000
    """Training samples, evenly spaced, whose predictions are recorded (2.5.3.3)."""
    corners: SyntheticCornersConfig = SyntheticCornersConfig()
    """Trainings from corners."""
    students: StudentsConfig = StudentsConfig()
    """Students that interpolate."""

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
                expected = f"at most one a step and one before: {key} gives {steps} steps"
                raise refuse("checkpoints", self.checkpoints, expected)
        for name, optimiser in self.optimisers.items():
            key = f"optimisers.{name}"
            if isinstance(optimiser, AdamPConfig):
                raise refuse(f"{key}.algorithm", "adamp", "cannot train stacked networks")
            if optimiser.batch_size is not None:
                raise refuse(f"{key}.batch_size", optimiser.batch_size, "batch_sizes says it here")
        parts = [n * len(self.optimisers) for n in self.corners.counts]
        trajectories = self.corners.trajectories
        if any(trajectories % n for n in parts) or trajectories < 2 * len(self.optimisers):
            expected = (
                f"must be a multiple of each of corners.counts times {len(self.optimisers)} "
                f"optimisers, {_listed(parts)}, and two seeds of each optimiser at least"
            )
            raise refuse("corners.trajectories", trajectories, expected)
        return self

    def experiment(self, name: Experiment, decay: float) -> SyntheticExperiment:
        """What is trained on the data of one decay: the grid, or from corners."""
        common = {
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
        """Of each corner, from 1, how many networks the smallest number of corners takes of it."""
        each = self.corners.trajectories // len(self.optimisers)
        counts = sorted(self.corners.counts)
        return {
            corner: each // min(n for n in counts if n >= corner)
            for corner in range(1, counts[-1] + 1)
        }
