"""Sections that describe how a network learns a task.

What they compute follows from the number of samples of each class of each task, ``sizes``, which is
known before the samples are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hyperribbon.config.fields import (
    Count,
    Fraction,
    NonNegative,
    Positive,
    Section,
    Widths,
    refuse,
)
from hyperribbon.config.training import AugmentationConfig

Ways = Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
Sizes = Sequence[Sequence[int]]

# As printed in 3.5.1, with the numbers of Chen et al. (2020) for CIFAR-10. A crop keeps more of the
# area, because less shows nothing of images as small as these.
VIEWS = AugmentationConfig(
    crop="random_resized",
    area=(0.2, 1.0),
    flip=True,
    brightness=0.4,
    contrast=0.4,
    saturation=0.4,
    hue=0.1,
    jitter=0.8,
    grayscale=0.2,
)
STRONG = AugmentationConfig(
    crop="random",
    padding=4,
    flip=True,
    brightness=0.8,
    contrast=0.8,
    saturation=0.8,
    hue=0.2,
    cutout=0.5,
)


class MethodSection(Section):
    """What the sections of all methods have.

    Attributes
    ----------
    several_tasks : bool
        Whether it learns several tasks at once, rather than one.
    takes_augmentation : bool
        Whether the augmentation of the training applies; otherwise the method has its own.
    takes_mixup : bool
        Whether that augmentation may mix labels.
    """

    several_tasks: ClassVar[bool] = False
    takes_augmentation: ClassVar[bool] = True
    takes_mixup: ClassVar[bool] = False

    name: str

    @property
    def augmentations(self) -> dict[str, AugmentationConfig]:
        """The augmentations of its own, by key."""
        return {}

    def check_classes(self, task: str, n_classes: int) -> None:
        """Refuse a task with too few classes.

        Parameters
        ----------
        task : str
            Name of the task.
        n_classes : int
            Number of its classes.
        """

    def check_sizes(self, sizes: Mapping[str, Sequence[int]], batch_size: int) -> None:
        """Refuse tasks with too few samples.

        Parameters
        ----------
        sizes : mapping
            Samples of each class, by the name of the task.
        batch_size : int
            Samples per step.
        """
        for task, counts in sizes.items():
            if batch_size > sum(counts):
                expected = f"at most {sum(counts)}, the train samples of task {task}"
                raise refuse("batch_size", batch_size, expected)

    def steps_per_epoch(self, sizes: Sizes, batch_size: int) -> int:
        """Steps of an epoch.

        Parameters
        ----------
        sizes : sequence
            Samples of each class of each task.
        batch_size : int
            Samples per step.
        """
        return sum(map(sum, sizes)) // batch_size


class SupervisedConfig(MethodSection):
    """The cross-entropy on the classes of one task."""

    takes_mixup = True

    name: Literal["supervised"]
    """Which method."""


class JointConfig(MethodSection):
    """Several tasks at once, each with a classifier of its own: their mean cross-entropy."""

    several_tasks = True

    name: Literal["joint"]
    """Which method."""

    def check_sizes(self, sizes: Mapping[str, Sequence[int]], batch_size: int) -> None:
        """Refuse a batch that the tasks cannot share equally, or that one of them cannot fill."""
        if batch_size % len(sizes):
            expected = f"must be a multiple of {len(sizes)}, because the tasks share a batch"
            raise refuse("batch_size", batch_size, expected)
        for task, counts in sizes.items():
            if batch_size // len(sizes) > sum(counts):
                most = sum(counts) * len(sizes)
                expected = f"at most {most}, because task {task} has {sum(counts)} train samples"
                raise refuse("batch_size", batch_size, expected)


class PrototypicalConfig(MethodSection):
    """Episodes of prototypical networks (Snell et al. 2017).

    An episode draws classes; the mean features of their support samples are prototypes, and the
    queries are classified by their squared distances to them.
    """

    name: Literal["prototypical"]
    """Which method."""
    way: Ways
    """Classes of an episode."""
    shot: Count = 10
    """Support samples of each class."""
    queries: Count
    """Queries of an episode, of all its classes together; a multiple of `way`."""
    episodes: Count | None = None
    """Episodes, which are steps, of an epoch; by default, as many as have the task's samples."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.queries % self.way:
            raise refuse("queries", self.queries, f"must be a multiple of way = {self.way}")
        return self

    @property
    def samples_per_class(self) -> int:
        """Support samples and queries of a class in an episode."""
        return self.shot + self.queries // self.way

    def check_classes(self, task: str, n_classes: int) -> None:
        """Refuse more classes in an episode than in the task."""
        if self.way > n_classes:
            raise refuse("way", self.way, f"at most {n_classes}, the classes of task {task}")

    def check_sizes(self, sizes: Mapping[str, Sequence[int]], batch_size: int) -> None:
        """Refuse more samples of a class than there are."""
        for task, counts in sizes.items():
            if self.samples_per_class > min(counts):
                expected = (
                    f"at most {min(counts)}, the train samples of class "
                    f"{list(counts).index(min(counts))} of task {task}"
                )
                raise refuse("shot + queries / way", self.samples_per_class, expected)

    def steps_per_epoch(self, sizes: Sizes, batch_size: int) -> int:
        """The episodes."""
        return self.episodes or max(1, sum(map(sum, sizes)) // (self.way * self.samples_per_class))


class TwoViewsSection(MethodSection):
    """What the methods have that compare two views of each sample and use no labels."""

    takes_augmentation = False

    views: AugmentationConfig = VIEWS
    """How each of the two views of a sample is made."""

    @property
    def augmentations(self) -> dict[str, AugmentationConfig]:
        """Of the views."""
        return {"views": self.views}

    @model_validator(mode="after")
    def _check_views(self) -> Self:
        if self.views.mixup or self.views.random_labels or not self.views.of_images:
            raise refuse("views", self.views.model_dump(exclude_defaults=True), _ONLY_IMAGES)
        return self


_ONLY_IMAGES = "must change images, without mixup or random_labels"


class SimCLRConfig(TwoViewsSection):
    """Contrastive learning of Chen et al. (2020): the two views of a sample are alike."""

    name: Literal["simclr"]
    """Which method."""
    temperature: Positive = 0.5
    """Temperature of the similarities."""
    projection: Widths = (128, 128)
    """Units of each layer of the projector, with ReLU between them."""


class BarlowTwinsConfig(TwoViewsSection):
    """Barlow Twins (Zbontar et al. 2021): the views correlate, and other units do not."""

    name: Literal["barlow_twins"]
    """Which method."""
    redundancy: NonNegative = 0.005
    """Weight of the correlations of different units."""
    projection: Widths = (256, 256)
    """Units of each layer of the projector, with BatchNorm and ReLU between them."""


class FixMatchConfig(MethodSection):
    """FixMatch (Sohn et al. 2020): few labels, and confident predictions for the other samples."""

    name: Literal["fixmatch"]
    """Which method."""
    labelled: Count
    """Samples with labels, as many of each class; the others have none."""
    unlabelled_ratio: Count = 7
    """Samples without a label for each one with, `batch_size` of which are in a step."""
    threshold: Fraction = 0.95
    """Predictions below this confidence are not learned."""
    unlabelled_weight: NonNegative = 1.0
    """Weight of the loss of the samples without labels."""
    strong: AugmentationConfig = STRONG
    """How the strong view of a sample is made, whose prediction should be that of the weak view,
    made by the training's augmentation."""

    @property
    def augmentations(self) -> dict[str, AugmentationConfig]:
        """Of the strong view."""
        return {"strong": self.strong}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.strong.mixup or self.strong.random_labels or not self.strong.of_images:
            raise refuse("strong", self.strong.model_dump(exclude_defaults=True), _ONLY_IMAGES)
        return self

    def check_classes(self, task: str, n_classes: int) -> None:
        """Refuse labels that the classes cannot share equally."""
        if self.labelled % n_classes:
            expected = f"must be a multiple of {n_classes}, the classes of task {task}"
            raise refuse("labelled", self.labelled, expected)

    def check_sizes(self, sizes: Mapping[str, Sequence[int]], batch_size: int) -> None:
        """Refuse more labels than samples, and batches that are larger than what there is."""
        for task, counts in sizes.items():
            if self.labelled // len(counts) > min(counts):
                expected = f"at most {min(counts) * len(counts)}, because the smallest class of "
                raise refuse(
                    "labelled", self.labelled, f"{expected}task {task} has {min(counts)} samples"
                )
            if batch_size > self.labelled:
                raise refuse("batch_size", batch_size, f"at most labelled = {self.labelled}")
            without, asked = sum(counts) - self.labelled, self.unlabelled_ratio * batch_size
            if asked > without:
                expected = f"at most {without}, the samples of task {task} without a label"
                raise refuse("unlabelled_ratio * batch_size", asked, expected)

    def steps_per_epoch(self, sizes: Sizes, batch_size: int) -> int:
        """Steps in which every sample without a label is seen once."""
        return (sum(map(sum, sizes)) - self.labelled) // (self.unlabelled_ratio * batch_size)


MethodConfig = Annotated[
    SupervisedConfig
    | JointConfig
    | PrototypicalConfig
    | SimCLRConfig
    | BarlowTwinsConfig
    | FixMatchConfig,
    Field(discriminator="name"),
]
