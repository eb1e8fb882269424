"""The configuration of networks that learn a regression (Cowlagi & Chaudhari, Fig. 2 b to d)."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from hyperribbon.config.fields import Count, Positive, Widths, refuse
from hyperribbon.studies.part import PartSection


class RegressionConfig(PartSection):
    """Perceptrons that learn the Boston housing data, and spectra of their Fisher matrices.

    They train by full-batch Adam in float64; spectra are complete. Activations are tanh, without
    BatchNorm.
    """

    networks: Annotated[tuple[Widths, ...], Field(min_length=1, max_length=8)] = (
        (50,),
        (20,),
        (100,),
        (50, 50),
        (50, 50, 50),
    )
    """Units of each hidden layer; figures show the first network throughout its training, and on
    random data of the same size."""
    epochs: Annotated[int, Field(strict=True, ge=2, le=1_000_000)] = 500
    """Steps of a training, each on all samples."""
    learning_rate: Positive = 0.01
    """Initial learning rate; it decays to 0 along a cosine."""
    seeds: Count = 3
    """Trainings of each network, from seeds 0, 1, ..."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        for k, widths in enumerate(self.networks):
            if widths in self.networks[:k]:
                raise refuse("networks", widths, "must not repeat")
        return self
