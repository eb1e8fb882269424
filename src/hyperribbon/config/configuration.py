"""One training job: everything that decides its predictions, and its id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import PydanticCustomError

from hyperribbon.config.data import DataConfig
from hyperribbon.config.fields import Natural, Section, refuse, within
from hyperribbon.config.learning import LearningConfig
from hyperribbon.config.methods import MethodConfig, SupervisedConfig
from hyperribbon.config.networks import NetworkConfig
from hyperribbon.config.training import AugmentationConfig, OptimiserConfig, TrainingConfig
from hyperribbon.storage.digest import canonical_json, digest

NO_AUGMENTATION = "none"
DIRECT = "direct"  # trained from fresh weights to the truth


class Configuration(Section):
    """One training job: a network, an optimiser, an augmentation, the data and all seeds.

    Attributes
    ----------
    corner : int
        Number of the random labelling that it is trained to; 0 for the truth.
    start : Configuration or None
        The training from whose weights it starts, seed by seed: the last ones after a corner, those
        of ``learning.start_epoch`` otherwise; None for fresh weights.
    learning : LearningConfig or None
        What it learns and how; None for all classes of the data, supervised.
    """

    network_name: str
    optimiser_name: str
    augmentation_name: str = NO_AUGMENTATION
    data: DataConfig
    network: NetworkConfig
    optimiser: OptimiserConfig
    augmentation: AugmentationConfig = AugmentationConfig()
    training: TrainingConfig
    corner: Natural = 0
    start: Configuration | None = None
    learning: LearningConfig | None = None

    @property
    def stage(self) -> str:
        """``direct`` to the truth, ``to corner 1``, ``from corner 1``, or the learning's name."""
        if self.learning is not None:
            return self.learning.name
        if self.start is not None:
            return f"from corner {self.start.corner}"
        return f"to corner {self.corner}" if self.corner else DIRECT

    @property
    def label(self) -> str:
        """Readable name: ``AllCNN-Adam``, ``AllCNN-Adam-to-corner-1`` or ``vehicles-WRN-SGD``."""
        names = [self.network_name, self.optimiser_name]
        if self.learning is not None:
            names.insert(0, self.learning.name)
        if self.augmentation_name != NO_AUGMENTATION:
            names.append(self.augmentation_name)
        if self.learning is None and self.stage != DIRECT:
            names.append(self.stage.replace(" ", "-"))
        return "-".join(names)

    @property
    def id(self) -> str:
        """Readable name and a hash of everything that decides the predictions of one seed.

        Keys at their defaults are left out, so that a new option renames nothing.
        """
        settings = self.settings(
            "seeds", "keep_weights", "device", "threads", "parallel_seeds", exclude_defaults=True
        )
        return f"{self.label}-{digest(settings)[:8]}"

    @property
    def method(self) -> MethodConfig:
        """How it learns."""
        return (
            SupervisedConfig(name="supervised") if self.learning is None else self.learning.method
        )

    def steps_per_epoch(self, class_sizes: Sequence[int] | None = None) -> int | None:
        """Steps of an epoch; None if they are not known before the data are read.

        Parameters
        ----------
        class_sizes : sequence of int, optional
            Train samples of each class of the data; by default, what the data's section knows.
        """
        batch_size = self.training.batch_size
        if self.learning is None:
            return (sum(class_sizes) if class_sizes else self.data.train_size) // batch_size
        class_sizes = class_sizes or self.data.class_sizes
        if class_sizes is None:
            return None
        sizes = list(self.learning.sizes(class_sizes).values())
        return self.method.steps_per_epoch(sizes, batch_size)

    def check_learning(self, class_sizes: Sequence[int] | None = None) -> None:
        """Refuse a learning that the data, the network or the other sections do not allow.

        Parameters
        ----------
        class_sizes : sequence of int, optional
            Train samples of each class of the data; by default, what the data's section knows. If
            that is nothing, fewer mistakes are found.
        """
        learning = self.learning
        if learning is None:
            return
        with within(learning.name):
            sizes = class_sizes or self.data.class_sizes
            n_classes = self.data.n_classes if sizes is None else len(sizes)
            learning.check(n_classes, sizes, self.training.batch_size)
            if not self.network.has_linear_classifier:
                expected = "its features cannot be imprinted: its classifier is no linear layer"
                raise refuse("network", self.network_name, expected)
            if self.corner:
                raise refuse("corner", self.corner, "a task has no random-label corners")
            self._check_start(learning)
            method = f"method {learning.method.name}"
            if self.augmentation.mixup and not learning.method.takes_mixup:
                raise refuse("augmentation", self.augmentation_name, f"{method} takes no mixup")
            if self.augmentation.of_images and not learning.method.takes_augmentation:
                own = ", ".join(f"method.{key}" for key in learning.method.augmentations)
                expected = f"{method} takes none; say in {own} how it augments"
                raise refuse("augmentation", self.augmentation_name, expected)

    def _check_start(self, learning: LearningConfig) -> None:
        if (learning.start_epoch is None) != (self.start is None):
            expected = "needs a training to start from" if self.start is None else "must be given"
            raise refuse("start_epoch", learning.start_epoch, expected)
        if self.start is None:
            return
        for key in ("network", "data"):
            if getattr(self.start, key) != getattr(self, key):
                raise refuse("start", self.start.label, f"must have the same {key}")

    def check_augmentation(self) -> None:
        """Refuse an augmentation that the images do not allow or the network cannot take."""
        self._check_one_augmentation(f"augmentations.{self.augmentation_name}", self.augmentation)
        for key, section in self.method.augmentations.items():
            self._check_one_augmentation(f"{self.stage}.method.{key}", section)

    def _check_one_augmentation(self, key: str, section: AugmentationConfig) -> None:
        image_size, name = self.data.input_shape[-1], key.rpartition(".")[2]
        spatial = section.model_copy(update={"mixup": 0.0, "random_labels": 0.0}).of_images
        if spatial and len(self.data.input_shape) != 3:
            raise refuse(key, name, "needs images, (channels, height, width)")
        if spatial and len(set(self.data.input_shape[1:])) > 1:
            height, width = self.data.input_shape[1:]
            expected = f"needs square images; those of the data have {height} x {width} pixels"
            raise refuse(key, name, expected)
        if section.of_colours and self.data.input_shape[0] not in (1, 3):
            expected = f"needs images of 1 or 3 channels; these have {self.data.input_shape[0]}"
            raise refuse(key, name, expected)
        if section.padding > image_size:
            raise refuse(f"{key}.padding", section.padding, f"at most the {image_size} of an image")
        still = section.padding == 0 and self.data.stored_shape == self.data.input_shape
        if section.crop == "random" and still:
            raise refuse(f"{key}.crop", "random", "needs padding, or images stored larger")
        resizing = section.progressive_resizing
        if resizing is None:
            return
        key = f"{key}.progressive_resizing"
        if resizing.image_size > image_size:
            expected = f"at most data.image_size = {image_size}"
            raise refuse(f"{key}.image_size", resizing.image_size, expected)
        if resizing.to_epoch >= self.training.epochs:
            expected = f"below the epochs of {self.label}, {self.training.epochs}"
            raise refuse(f"{key}.to_epoch", resizing.to_epoch, expected)
        if not self.network.any_size:
            expected = f"{self.network_name}, {self.network.architecture}, takes one size only"
            raise refuse(f"{key}.image_size", resizing.image_size, expected)
        small = (self.data.input_shape[0], resizing.image_size, resizing.image_size)
        try:
            self.network.check_input(small)
        except PydanticCustomError as error:
            expected = f"{self.network_name}: {(error.context or {})['expected']}"
            raise refuse(f"{key}.image_size", resizing.image_size, expected) from None

    def to_json(self) -> str:
        """Canonical JSON with every default, which changes whenever the work does."""
        # The number of seeds at once changes how the work is done, not what it is.
        return canonical_json(self.settings("parallel_seeds"))

    def settings(self, *left_out: str, exclude_defaults: bool = False) -> dict[str, Any]:
        """The configuration as JSON can hold it, without some keys of ``training``.

        These keys are left out of the start's training as well, and of what that starts from.
        """
        exclude: Any = {"training": set(left_out)}
        start = self.start
        while start is not None:
            exclude = {"training": set(left_out), "start": exclude}
            start = start.start
        return self.model_dump(mode="json", exclude=exclude, exclude_defaults=exclude_defaults)

    def stages(self, corners: int, epochs: int) -> list[Configuration]:
        """For each corner, the training to it and the training from there to the truth.

        Parameters
        ----------
        corners : int
            Number of corners.
        epochs : int
            Epochs of the training to a corner.
        """
        found = []
        for corner in range(1, corners + 1):
            training = self.training.model_copy(update={"epochs": epochs})
            to = self.model_copy(update={"training": training, "corner": corner})
            found += [to, self.model_copy(update={"start": to})]
        return found
