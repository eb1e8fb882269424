"""The configuration of a study of linear regression in closed form (thesis 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from hyperribbon.config.data import DATA_SOURCES, Decay, KnownName
from hyperribbon.config.fields import Count, Natural, Positive, Section, Widths, distinct, refuse
from hyperribbon.studies.part import PartSection

# Steps of gradient descent in closed form; with more, results only round to their limit.
Steps = Annotated[int, Field(strict=True, ge=1, le=10**12)]
LEAST_EXPONENT = 600  # exp(-745) is 0 in float64
Ratio = Annotated[Positive, Field(ge=1e-6, le=1e6)]
Points = Annotated[int, Field(strict=True, ge=2, le=1000)]


class Span(Section):
    """Values from first to last."""

    if TYPE_CHECKING:  # subclasses give these their types
        first: float
        last: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.last <= self.first:
            raise refuse("last", self.last, f"above first = {self.first:g}")
        return self


class SlopesConfig(Span):
    """Slopes c of the phase diagram, evenly spaced; the eigenvalues of K are exp(-c (i - 1))."""

    first: Decay = 0.02
    """Smallest slope."""
    last: Decay = 1.0
    """Largest slope."""
    number: Points = 50
    """Number of slopes."""


class StepsConfig(Span):
    """Lengths T of training of the phase diagram, evenly spaced in their logarithm."""

    first: Steps = 1
    """Smallest length."""
    last: Steps = 10**8
    """Largest length."""
    number: Points = 50
    """Number of lengths; fewer, if rounding to integers makes some equal."""


class RatiosConfig(Span):
    """Ratios sigma_* / sigma_w of true to initial weights of the phase diagram.

    They are evenly spaced in their logarithm.
    """

    first: Ratio = 0.1
    """Smallest ratio."""
    last: Ratio = 100.0
    """Largest ratio."""
    number: Points = 20
    """Number of ratios."""


class LinearExperimentsConfig(Section):
    """Linear models and wide networks trained on real data, compared with the theory."""

    data: Annotated[tuple[KnownName, ...], Field(min_length=1), AfterValidator(distinct)] = (
        "mnist5k",
    )
    """Data sets; the targets are +1 for the first half of the classes, -1 for the others."""
    decay: Decay = 0.1
    """Slope c of a further data set: Gaussian inputs with targets from a linear teacher."""
    samples: Annotated[int, Field(strict=True, ge=10, le=2000)] = 200
    """Training samples of each data set, with equal class proportions."""
    image_size: Annotated[int, Field(strict=True, ge=4, le=28)] = 14
    """Images are averaged down to this many pixels per side."""
    ratios: Annotated[tuple[Ratio, ...], Field(min_length=1), AfterValidator(distinct)] = (
        1.0,
        10.0,
    )
    """Ratios sigma_* / sigma_w of linear models and kernel machines."""
    networks: Annotated[tuple[Widths, ...], Field(min_length=1), AfterValidator(distinct)] = (
        (16,),
        (64,),
        (256,),
        (1024,),
    )
    """Units of each hidden layer of the networks."""
    models: Annotated[int, Field(strict=True, ge=2, le=10_000)] = 20
    """Trainings of each kind of network, from different initial weights; of linear models, there
    are always 1,000."""
    steps: Count = 1000
    """Steps of gradient descent."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name in self.data:
            facts = DATA_SOURCES[name]
            most = sum(facts.n_samples) - facts.n_classes  # one per class is left for testing
            if self.samples > most:
                raise refuse("samples", self.samples, f"at most {most} for {name}")
        return self


class LinearConfig(PartSection):
    """Trajectories of linear regression in closed form (thesis 5).

    The study computes how many dimensions their manifold has, its phase diagram, bounds, variants,
    and, on request, trainings on real data.
    """

    samples: Annotated[int, Field(strict=True, ge=10, le=500)] = 50
    """Number n of samples of a linear regression, and of eigenvalues of K."""
    draws: Annotated[int, Field(strict=True, ge=2, le=1000)] = 10
    """Draws of the true weights, over which the phase diagram is averaged."""
    fraction: Annotated[Positive, Field(lt=1)] = 0.95
    """Fraction of the variance of all points on all trajectories that the dimensions must hold."""
    seed: Natural = 0
    """Seed of all draws."""
    slopes: SlopesConfig = SlopesConfig()
    """Slopes of the phase diagram."""
    steps: StepsConfig = StepsConfig()
    """Lengths of training of the phase diagram."""
    ratios: RatiosConfig = RatiosConfig()
    """Ratios of weights of the phase diagram."""
    experiments: LinearExperimentsConfig | None = None
    """Trainings on real data to compare with the theory; by default, none."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        most = LEAST_EXPONENT / (self.samples - 1)
        if self.slopes.last > most:
            expected = f"at most {most:.3g} with samples = {self.samples}, for which the smallest "
            expected += f"eigenvalue exp(-c (i - 1)) is exp(-{LEAST_EXPONENT})"
            raise refuse("slopes.last", self.slopes.last, expected)
        return self
