"""Sections that describe the training: optimisers, batches, checkpoints."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.fields import (
    BelowOne,
    Count,
    Flag,
    Fraction,
    NonNegative,
    Positive,
    Section,
    refuse,
)


class SGDConfig(Section):
    """Stochastic gradient descent, with momentum if asked."""

    algorithm: Literal["sgd"]
    """Which optimiser."""
    learning_rate: Positive
    """Initial learning rate; it decays to 0 by a cosine, step by step."""
    momentum: BelowOne = 0.0
    """Momentum."""
    nesterov: Flag = False
    """Nesterov's acceleration; needs momentum."""
    weight_decay: NonNegative = 0.0
    """L2 penalty."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise refuse("nesterov", True, "needs momentum > 0")
        return self


class AdamConfig(Section):
    """Adam."""

    algorithm: Literal["adam"]
    """Which optimiser."""
    learning_rate: Positive
    """Initial learning rate; it decays to 0 by a cosine, step by step."""
    weight_decay: NonNegative = 0.0
    """L2 penalty."""


OptimiserConfig = Annotated[SGDConfig | AdamConfig, Field(discriminator="algorithm")]


def _increasing(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)):
        raise PydanticCustomError("impossible", "must increase, without repeats")
    return values


class TrainingConfig(Section):
    """How every network is trained."""

    epochs: Count
    """Passes over the training set."""
    batch_size: Count
    """Samples a step; an incomplete last batch of an epoch is left out."""
    seeds: Count = 3
    """Trainings a configuration, from seeds 0, 1, ..."""
    calibrate_batchnorm: Flag = True
    """Estimate BatchNorm's running statistics before the first checkpoint (thesis 2.5.2)."""
    keep_weights: Annotated[tuple[Fraction, ...], AfterValidator(_increasing)] = (0.0, 0.5, 1.0)
    """Keep the weights of the checkpoints nearest to these fractions of training."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train. `auto`: a GPU if there is one."""
    threads: Count = 1
    """CPU threads of a training; predictions are bit-equal only for the same number."""
