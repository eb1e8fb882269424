"""Sections that describe the training: optimisers, batches, checkpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.fields import (
    BelowOne,
    Count,
    Flag,
    Fraction,
    Natural,
    NonNegative,
    NotTrue,
    Positive,
    Section,
    refuse,
)


class OptimiserSection(Section):
    """What the sections of all optimisers have."""

    learning_rate: Positive
    """Initial learning rate; it decays step by step."""
    weight_decay: NonNegative = 0.0
    """Weight decay."""
    decay_normalisation: Flag = True
    """Whether weight decay also applies to the scales and shifts of normalisation layers."""
    schedule: Literal["cosine", "linear"] = "cosine"
    """How the learning rate decays, step by step."""
    final_learning_rate: NonNegative = 0.0
    """Learning rate at the end."""
    batch_size: Count | None = None
    """Samples per step; by default, `training.batch_size`."""

    @model_validator(mode="after")
    def _check_final(self) -> Self:
        if self.final_learning_rate > self.learning_rate:
            expected = f"at most learning_rate = {self.learning_rate}"
            raise refuse("final_learning_rate", self.final_learning_rate, expected)
        return self


class SGDConfig(OptimiserSection):
    """Stochastic gradient descent, with momentum if asked; weight decay is an L2 penalty."""

    algorithm: Literal["sgd"]
    """Which optimiser."""
    momentum: BelowOne = 0.0
    """Momentum."""
    nesterov: Flag = False
    """Nesterov's acceleration; needs momentum."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.nesterov and self.momentum == 0:
            raise refuse("nesterov", True, "needs momentum > 0")
        return self


class AdamConfig(OptimiserSection):
    """Adam; weight decay is an L2 penalty."""

    algorithm: Literal["adam"]
    """Which optimiser."""


class AdamWConfig(OptimiserSection):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    algorithm: Literal["adamw"]
    """Which optimiser."""


class AdamPConfig(OptimiserSection):
    """AdamW that does not inflate the norms of scale-invariant weights (Heo et al. 2021)."""

    algorithm: Literal["adamp"]
    """Which optimiser."""


OptimiserConfig = Annotated[
    SGDConfig | AdamConfig | AdamWConfig | AdamPConfig, Field(discriminator="algorithm")
]


class ProgressiveResizing(Section):
    """Train on smaller images first; predictions are recorded at full size."""

    image_size: Count
    """Height and width at the beginning, in pixels."""
    from_epoch: Natural
    """The size grows from this epoch on, by the same amount in each epoch."""
    to_epoch: Natural
    """The size is `data.image_size` from this epoch on; if equal to `from_epoch`, it grows at
    once."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.to_epoch < self.from_epoch:
            raise refuse("to_epoch", self.to_epoch, f"at least from_epoch = {self.from_epoch}")
        return self


class AugmentationConfig(Section):
    """How training images are changed, batch by batch; predictions are recorded without."""

    crop: Literal["none", "random", "random_resized"] = "none"
    """`random`: a crop of the image's size at a random place. `random_resized`: a crop of a
    fraction of the area, with an aspect ratio of 3/4 to 4/3, then resized (Szegedy et al. 2015)."""
    area: Annotated[tuple[Fraction, ...], Field(min_length=2, max_length=2)] = (0.08, 1.0)
    """Least and largest fraction of the area that a `random_resized` crop has."""
    padding: Natural = 0
    """Black pixels added on each side before a random crop."""
    flip: Flag = False
    """Mirror an image, left to right, with probability 1/2."""
    brightness: Fraction = 0.0
    """Multiply pixel values, in [0, 1], by a factor of 1 - this to 1 + this."""
    contrast: Fraction = 0.0
    """Multiply differences from the image's mean grey by a factor of 1 - this to 1 + this."""
    saturation: Fraction = 0.0
    """Multiply differences from the grey of each pixel by a factor of 1 - this to 1 + this; without
    effect on images of one channel."""
    hue: Annotated[float, Field(ge=0, le=0.5), NotTrue] = 0.0
    """Turn the hue by at most this fraction of the colour circle, either way; without effect on
    images of one channel."""
    jitter: Fraction = 1.0
    """Probability that brightness, contrast, saturation and hue of an image are changed."""
    grayscale: Fraction = 0.0
    """Probability that an image loses its colours."""
    blur: Fraction = 0.0
    """Probability that an image is blurred by a Gaussian of 0.1 to 2 pixels, cut off at a twentieth
    of the image's size, but not below one pixel."""
    cutout: Fraction = 0.0
    """Side of a square around a random pixel that is filled with the mean of the data, as a
    fraction of the image's."""
    progressive_resizing: ProgressiveResizing | None = None
    """Train on smaller images first."""
    mixup: NonNegative = 0.0
    """Mix pairs of images and labels, with a weight from Beta(mixup, mixup); 0: none (Zhang et
    al. 2018)."""
    random_labels: Fraction = 0.0
    """Fraction of the training samples that are trained to a random label, drawn once for all
    seeds; losses and errors are computed against the true labels."""

    @property
    def of_images(self) -> bool:
        """Whether images are changed, and not only labels."""
        return self.model_copy(update={"random_labels": 0.0}) != AugmentationConfig()

    @property
    def of_colours(self) -> bool:
        """Whether colours are changed, which needs pixel values in [0, 1]."""
        changed = self.brightness, self.contrast, self.saturation, self.hue, self.grayscale
        return any(changed)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 0 < self.area[0] <= self.area[1]:
            raise refuse("area", self.area, "must be two increasing fractions above 0")
        if self.area != (0.08, 1.0) and self.crop != "random_resized":
            raise refuse("area", self.area, 'needs crop = "random_resized"')
        if self.padding and self.crop != "random":
            raise refuse("padding", self.padding, 'needs crop = "random"')
        return self


def _increasing(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)):
        raise PydanticCustomError("impossible", "must increase, without repeats")
    return values


def check_batch_size(key: str, batch_size: int, size_key: str, size: int) -> None:
    """Refuse a batch that no training set of a size has, or that BatchNorm cannot normalise."""
    if batch_size > size:
        raise refuse(key, batch_size, f"at most {size_key} = {size}")
    if batch_size < 2:
        raise refuse(key, batch_size, "at least 2, which BatchNorm needs")


class TrainingConfig(Section):
    """How every network is trained."""

    epochs: Count
    """Passes over the training set."""
    batch_size: Count
    """Samples per step; an incomplete last batch of an epoch is left out."""
    seeds: Count = 3
    """Trainings of each configuration, from seeds 0, 1, ..."""
    label_smoothing: BelowOne = 0.0
    """The truth, which is trained on and from which progress is computed, is (1 - this) times the
    label plus this times ignorance."""
    precision: Literal["float32", "tf32", "bfloat16", "float16"] = "float32"
    """Precision of the matrix products in training. Weights are kept, and predictions computed, in
    float32."""
    calibrate_batchnorm: Flag = True
    """Estimate BatchNorm's running statistics before the first checkpoint (thesis 2.5.2)."""
    record_train: Count | None = None
    """Training samples, evenly spaced, whose predictions are recorded; by default, all."""
    predictions: Literal["float32", "sqrt_float16"] = "float32"
    """How predictions are stored. `sqrt_float16`: as square roots in half precision, which take
    half the space and move each prediction by at most 1.2e-7 nats."""
    keep_weights: Annotated[tuple[Fraction, ...], AfterValidator(_increasing)] = (0.0, 0.5, 1.0)
    """Keep the weights of the checkpoints nearest to these fractions of training."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train. `auto`: on a GPU if there is one."""
    threads: Annotated[int, Field(strict=True, ge=1, le=1024)] = 1
    """CPU threads of a training; predictions are bit-equal only for the same number."""
    parallel_seeds: Count = 1
    """Seeds trained at once, each in a process of its own; this changes only the time taken."""
    compile: Flag = False
    """Compile networks by `torch.compile`, which takes a minute; for long trainings on a GPU."""

    def check(self, train_size: int, optimisers: Mapping[str, OptimiserConfig]) -> None:
        """Refuse batches, and recorded samples, that the training set does not have.

        Parameters
        ----------
        train_size : int
            Number of training samples.
        optimisers : mapping
            The optimisers by name, some with a batch size of their own.
        """
        for name, optimiser in optimisers.items():
            key, size = "training.batch_size", self.batch_size
            if optimiser.batch_size is not None:
                key, size = f"optimisers.{name}.batch_size", optimiser.batch_size
            check_batch_size(key, size, "data.train_size", train_size)
        recorded = self.record_train
        if recorded is not None and recorded > train_size:
            expected = f"at most data.train_size = {train_size}"
            raise refuse("training.record_train", recorded, expected)
