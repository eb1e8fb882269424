"""One training job: everything that decides its predictions, and its id."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError

from hyperribbon.config.data import DataConfig
from hyperribbon.config.fields import Natural, Section, refuse
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
        The training from whose last weights it starts, seed by seed; None for fresh weights.
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

    @property
    def stage(self) -> str:
        """``direct`` to the truth, ``to corner 1`` or ``from corner 1``."""
        if self.start is not None:
            return f"from corner {self.start.corner}"
        return f"to corner {self.corner}" if self.corner else DIRECT

    @property
    def label(self) -> str:
        """Readable name, such as ``AllCNN-Adam`` or ``AllCNN-Adam-to-corner-1``."""
        names = [self.network_name, self.optimiser_name]
        if self.augmentation_name != NO_AUGMENTATION:
            names.append(self.augmentation_name)
        if self.stage != DIRECT:
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

    def check_augmentation(self) -> None:
        """Refuse an augmentation that the images do not allow or the network cannot take."""
        section, image_size = self.augmentation, self.data.input_shape[-1]
        key = f"augmentations.{self.augmentation_name}"
        spatial = section.crop != "none" or section.flip or section.progressive_resizing
        if spatial and len(self.data.input_shape) != 3:
            raise refuse(key, self.augmentation_name, "needs images, (channels, height, width)")
        if spatial and len(set(self.data.input_shape[1:])) > 1:
            height, width = self.data.input_shape[1:]
            expected = f"needs square images; those of the data have {height} x {width} pixels"
            raise refuse(key, self.augmentation_name, expected)
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

        These keys are left out of the start's training as well.
        """
        exclude: Any = {"training": set(left_out), "start": {"training": set(left_out)}}
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
