"""The configuration of a study of the geometry of representations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hyperribbon.config.configuration import DIRECT, Configuration
from hyperribbon.config.fields import (
    Count,
    Names,
    Natural,
    NonNegative,
    Positive,
    Section,
    Widths,
    distinct,
    refuse,
)
from hyperribbon.studies.part import PartSection

if TYPE_CHECKING:
    from hyperribbon.studies.study import Study

Task = Literal["xor", "sinusoid"]
Activation = Literal["sigmoid", "erf", "tanh", "gelu", "relu"]
SmoothActivation = Literal["sigmoid", "erf", "tanh", "gelu"]
Steps = Annotated[int, Field(strict=True, ge=3, le=1000)]
Seeds = Annotated[int, Field(strict=True, ge=1, le=1000)]


class PlaneTaskConfig(Section):
    """How networks learn a task in the plane, by full-batch gradient descent."""

    epochs: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    """Steps of a training."""
    learning_rate: Positive
    """Learning rate."""


class XorConfig(PlaneTaskConfig):
    """XOR: four points, of which opposite ones have the same class."""

    epochs: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 2000
    """Steps of a training."""
    learning_rate: Positive = 0.02
    """Learning rate."""


class SinusoidConfig(PlaneTaskConfig):
    """400 points on both sides of a sine."""

    epochs: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 10_000
    """Steps of a training."""
    learning_rate: Positive = 0.1
    """Learning rate."""


class PlanesConfig(Section):
    """Networks that learn tasks in the plane, and maps of their metric through training.

    The standard network has one hidden layer; in each variant, one thing is different. Beside those
    listed here, variants are networks whose labels are random (not of XOR), and networks in the
    NTK's parametrisation.
    """

    xor: XorConfig | None = XorConfig()
    """XOR; `null` leaves it out."""
    sinusoid: SinusoidConfig | None = SinusoidConfig()
    """Two classes on both sides of a sine; `null` leaves it out."""
    width: Count = 250
    """Hidden units of the standard network."""
    activation: Activation = "sigmoid"
    """Nonlinearity of the standard network."""
    momentum: Annotated[NonNegative, Field(lt=1)] = 0.9
    """Momentum of all trainings."""
    weight_decay: NonNegative = 1e-4
    """Weight decay of the standard training."""
    seeds: Seeds = 10
    """Trainings of the standard network."""
    variant_seeds: Seeds = 4
    """Trainings of each variant."""
    widths: Annotated[tuple[Count, ...], AfterValidator(distinct)] = (10, 50, 100)
    """Other widths."""
    weight_decays: Annotated[tuple[NonNegative, ...], AfterValidator(distinct)] = (0.0, 1e-3)
    """Other weight decays."""
    activations: Annotated[tuple[Activation, ...], AfterValidator(distinct)] = (
        "erf",
        "tanh",
        "gelu",
        "relu",
    )
    """Other nonlinearities."""
    deep: Annotated[tuple[Widths, ...], AfterValidator(distinct)] = ((8, 8, 8),)
    """Deeper networks, by the units of each hidden layer; they learn the sinusoid only."""
    moments: Annotated[int, Field(strict=True, ge=2, le=100)] = 10
    """Moments of a training that are looked at: its beginning, and later ones evenly spaced in the
    logarithm, to its end."""
    grid: Annotated[int, Field(strict=True, ge=8, le=400)] = 41
    """Points per side of the grid on which the metric is computed."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.tasks():
            raise refuse("xor", None, "a task; sinusoid is null as well")
        for key, value, standard in (
            ("widths", self.widths, self.width),
            ("weight_decays", self.weight_decays, self.weight_decay),
            ("activations", self.activations, self.activation),
        ):
            if standard in value:
                expected = f"others than {standard}, which the standard network has"
                raise refuse(key, value, expected)
        return self

    def tasks(self) -> dict[Task, PlaneTaskConfig]:
        """The tasks to be learned, by name."""
        found: dict[Task, PlaneTaskConfig] = {}
        if self.xor is not None:
            found["xor"] = self.xor
        if self.sinusoid is not None:
            found["sinusoid"] = self.sinusoid
        return found


class WidthsConfig(Section):
    """Layers with random weights, compared with the spherical symmetry of infinitely wide ones.

    Weights and biases have variance 1.
    """

    activations: Annotated[
        tuple[SmoothActivation, ...], Field(min_length=1), AfterValidator(distinct)
    ] = ("erf", "sigmoid", "tanh", "gelu")
    """Nonlinearities."""
    widths: Annotated[tuple[Count, ...], Field(min_length=3)] = (50, 200, 800, 3200, 12_800)
    """Numbers of units, increasing."""
    radii: Annotated[tuple[Positive, ...], Field(min_length=1), AfterValidator(distinct)] = (
        0.5,
        1.0,
        2.0,
    )
    """Distances from the origin at which the metric is computed."""
    dimension: Annotated[int, Field(strict=True, ge=2, le=20)] = 2
    """Dimension of the inputs."""
    draws: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 40
    """Layers of each width."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.widths) != sorted(set(self.widths)) or self.widths[0] <= self.dimension:
            expected = f"increasing numbers above dimension = {self.dimension}"
            raise refuse("widths", self.widths, expected)
        return self


class ImagesConfig(Section):
    """The metric of the study's own networks between images and around them, at their snapshots.

    The features are the inputs of the classifier.
    """

    networks: Names | None = None
    """Names of the networks; by default, all of the study."""
    seeds: Seeds = 1
    """Trainings of each configuration that are looked at: the first ones that did not diverge."""
    pairs: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 8
    """Pairs of test images of different classes, and as many of the same class."""
    steps: Steps = 25
    """Points on the path between two images."""
    neighbours: Count = 10
    """Nearest neighbours that the graph of training images joins, along which the second kind of
    path goes. It has at most 10,000 of them, evenly spaced."""
    planes: Annotated[int, Field(strict=True, ge=0, le=100)] = 1
    """Planes through three test images of different classes, for the first seed."""
    plane_grid: Annotated[int, Field(strict=True, ge=5, le=400)] = 41
    """Points per side of the grid on such a plane."""
    spectra: Annotated[int, Field(strict=True, ge=1, le=1000)] = 4
    """Test images at which the eigenvalues of the metric are computed."""
    seed: Natural = 0
    """Seed by which images are chosen; all networks have the same."""


class RepresentationsConfig(PartSection):
    """The metric that a network's features pull back to its inputs (Zavatone-Veth et al.).

    At least one of the sections must be given.
    """

    planes: PlanesConfig | None = None
    """Tasks in the plane, which are learned by networks of their own; by default, none."""
    widths: WidthsConfig | None = None
    """Random layers of several widths; by default, none."""
    images: ImagesConfig | None = None
    """The study's own networks; by default, none."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.planes is None and self.widths is None and self.images is None:
            raise refuse("planes", None, "at least one of planes, widths, images")
        return self

    def check(self, study: Study) -> None:
        """Refuse images without trainings, unknown networks and snapshots that are not kept."""
        if self.images is None:
            return
        if study.training is None:
            expected = "without data, networks, optimisers and training there are none to look at"
            raise refuse("representations.images", "given", expected)
        assert study.networks and study.data, "checked before the sections"
        for name in self.images.networks or ():
            if name not in study.networks:
                expected = f"one of networks: {', '.join(study.networks)}"
                raise refuse("representations.images.networks", name, expected)
        kept = study.training.keep_weights
        if not {0.0, 1.0} <= set(kept):
            expected = "with representations.images must contain 0.0 and 1.0"
            raise refuse("training.keep_weights", kept, expected)
        if self.images.neighbours >= study.data.train_size:
            expected = f"less than data.train_size = {study.data.train_size}"
            raise refuse("representations.images.neighbours", self.images.neighbours, expected)

    def configurations(self, study: Study) -> list[Configuration]:
        """The configurations whose metric is computed."""
        if self.images is None:
            return []
        wanted = self.images.networks
        return [
            c
            for c in study.configurations()
            if c.stage == DIRECT and (wanted is None or c.network_name in wanted)
        ]
