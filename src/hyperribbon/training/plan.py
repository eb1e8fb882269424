"""The plan of a training job, and the key under which its work is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic_core import PydanticCustomError
from torch import Tensor, nn

from hyperribbon.config import AdamPConfig, Configuration
from hyperribbon.data import Dataset
from hyperribbon.errors import ConfigError, DataError, StoreError
from hyperribbon.networks import configured_network
from hyperribbon.numerics.blocks import evenly, slices
from hyperribbon.storage.dataset import SPLITS, open_dataset
from hyperribbon.storage.digest import digest
from hyperribbon.storage.predictions import create_predictions
from hyperribbon.storage.provenance import versions
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.corners import Start, partly_random_labels, random_labels
from hyperribbon.training.forward import Forward
from hyperribbon.training.methods.configured import configured_method
from hyperribbon.training.methods.method import OWN, Material, Method
from hyperribbon.training.samples import Resident, Streamed
from hyperribbon.training.schedule import checkpoint_at, checkpoint_steps
from hyperribbon.training.state import Purpose


class Plan:
    """A configuration, the data on which it is trained, and the code that does it.

    Parameters
    ----------
    configuration : Configuration
        What to train.
    dataset : Dataset
        What to train on.
    code : str
        Hash of the code.
    start : path, optional
        Predictions store of ``configuration.start``, if it has one.

    Attributes
    ----------
    start : Start or None
        The trainings from whose weights this one starts.
    corner_labels : ndarray of shape (N,), or None
        Random labels of all training samples that are trained to first; None without a corner.
    imprints : bool
        Whether predictions are those of features that are imprinted to all classes of the data.
    recorded : dict
        Number of samples whose predictions are recorded, by split; None for all.
    steps : list of int
        The checkpoints.
    snapshot_steps : list of int
        The checkpoints whose weights are kept.
    layout : list
        Name and shape of each tensor in the flat weights, in order.
    description : dict
        Everything that decides the bytes of one seed; hence not the number of seeds.
    key : str
        SHA-256 of the description.
    attributes : dict
        Attributes of the published store.
    """

    def __init__(
        self,
        configuration: Configuration,
        dataset: Dataset,
        code: str,
        start: str | Path | None = None,
    ):
        if (start is None) != (configuration.start is None):
            expected = configuration.start.id if configuration.start else "none"
            raise ConfigError(f"{configuration.id}: start = {start}, expected {expected}")
        self.configuration = configuration
        self.dataset = dataset
        self.recorded = {"train": configuration.training.record_train, "test": None}
        self.imprints = configuration.learning is not None
        class_sizes = np.bincount(dataset.train_labels, minlength=dataset.n_classes).tolist()
        if self.imprints:
            self._check(class_sizes)
        self._check_colours()
        self.start = None if start is None else self._start(start)
        corner = (configuration.start or configuration).corner
        n_samples = len(dataset.train_labels)
        self.corner_labels = random_labels(n_samples, dataset.n_classes, corner) if corner else None
        training = configuration.training
        self.steps_per_epoch = configuration.steps_per_epoch(class_sizes) or 0
        self.steps = checkpoint_steps(training.epochs, self.steps_per_epoch)
        fractions = np.array(training.keep_weights)
        distance = np.abs(np.array(self.steps)[:, None] - fractions * self.steps[-1])
        self.snapshot_steps = [self.steps[k] for k in sorted(set(distance.argmin(axis=0).tolist()))]
        self.description = {
            "configuration": configuration.settings("seeds", "parallel_seeds"),
            "data_sha256": dataset.sha256,
            "code_version": code,
            "versions": versions("torch", "numpy", "zarr", "xarray"),
        }
        self.key = digest(self.description)
        self._any = self.method(seed=0)  # what it puts on the features does not depend on the seed
        self._placed: dict[tuple, tuple[Resident | Streamed, Tensor]] = {}
        with torch.device("meta"):  # shapes only: no memory, no random numbers
            network = self.build_network()
        self.layout = [(k, tuple(t.shape)) for k, t in kept_state(network)]
        self.attributes = {
            "configuration": configuration.to_json(),
            "configuration_id": configuration.id,
            "stage": configuration.stage,
            "trained_parameters": sum(t.numel() for t in network.parameters()),
            "data_sha256": dataset.sha256,
            "code_version": code,
            "versions": json.dumps(self.description["versions"]),
        }

    def _check(self, class_sizes: list[int]) -> None:
        """Refuse a learning that the data do not allow, by their actual classes."""
        configuration, dataset = self.configuration, self.dataset
        try:
            configuration.check_learning(class_sizes)
            configuration.check_augmentation()
        except PydanticCustomError as error:
            raise ConfigError(f"{configuration.label}: {error.message()}") from None
        recorded = self._of_recorded("train", dataset.train_labels)
        missing = np.flatnonzero(np.bincount(recorded, minlength=dataset.n_classes) == 0)
        if len(missing):
            raise ConfigError(
                f"{configuration.label}: training.record_train = {len(recorded)}: no sample of "
                f"class {missing[0]} among them, expected one of each class, to imprint it"
            )

    def _check_colours(self) -> None:
        """Refuse to change the colours of images that are not between black and white."""
        configuration, images = self.configuration, self.dataset.train_images
        sections = (configuration.augmentation, *configuration.method.augmentations.values())
        if images.dtype == np.uint8 or not any(section.of_colours for section in sections):
            return
        limits = [(part.min(), part.max()) for part in (images[rows] for rows in slices(images))]
        low, high = min(low for low, _ in limits), max(high for _, high in limits)
        if low < -1e-6 or high > 1 + 1e-6:  # averages of pixels are rounded
            raise DataError(
                f"{configuration.label}: pixel values from {low:.4g} to {high:.4g}, expected 0 to "
                "1 for an augmentation that changes colours"
            )

    def _start(self, path: str | Path) -> Start:
        configuration = self.configuration
        if configuration.start is None or configuration.learning is None:
            return Start(path)
        store, epoch = open_dataset(path), configuration.learning.start_epoch or 0.0
        per_epoch = int(store["step"][-1]) // configuration.start.training.epochs
        step = checkpoint_at(configuration.start, epoch, per_epoch)
        kept = store["snapshot_step"].values if "weights" in store else np.array([], int)
        if step not in kept:
            epochs = ", ".join(f"{k / per_epoch:.4g}" for k in kept) or "none"
            raise StoreError(
                f"{path}: the weights of epoch {epoch:g} are not kept, expected one of {epochs}"
            )
        return Start(path, step)

    def build_network(self) -> nn.Module:
        """The network with fresh weights, and what the method puts on its features."""
        section, data = self.configuration.network, self.dataset
        network = configured_network(section, data.input_shape, data.n_classes)
        if self.imprints:  # otherwise it keeps its own classifier
            network.classifier = self._any.head(network.get_submodule("classifier"))
        return network

    @property
    def memory_format(self) -> torch.memory_format:
        """Channels last for images, where convolutions are faster; AdamP cannot take this."""
        images = len(self.dataset.input_shape) == 3
        fit = images and not isinstance(self.configuration.optimiser, AdamPConfig)
        return torch.channels_last if fit else torch.contiguous_format

    def samples(self, split: str, device: torch.device) -> tuple[Resident | Streamed, Tensor]:
        """Samples of a split for training, and their labels.

        Samples that are augmented are uncut, because augmentation cuts them to size; others are as
        in `evaluated`.
        """
        seen = self.dataset.standardise if self._augmented else self.dataset.as_input
        return self._on(device, split, None, seen)

    @property
    def _augmented(self) -> bool:
        """Whether images are augmented, by whatever augmentation."""
        configuration = self.configuration
        return configuration.augmentation.of_images or bool(configuration.method.augmentations)

    def targets(self, labels: Tensor) -> Tensor:
        """The labels to train to, given the true ones: (N,), or (N, T) for several tasks."""
        found = torch.from_numpy(self._targets).to(labels)
        return found[:, 0] if found.shape[1] == 1 else found

    @cached_property
    def _targets(self) -> np.ndarray:
        """The class (N, T) of each train sample in each task; -1 if it has none."""
        labels, fraction = self.dataset.train_labels, self.configuration.augmentation.random_labels
        if self.corner_labels is not None and self.configuration.corner:
            return self.corner_labels[:, None]
        if self.configuration.learning is None:
            return partly_random_labels(labels, self.dataset.n_classes, fraction)[:, None]
        found = []
        for task in self.configuration.learning.tasks:
            own = np.array(task.label_of(self.dataset.n_classes))[labels]
            seen = own >= 0
            own[seen] = partly_random_labels(own[seen], len(task.classes), fraction)
            found.append(own)
        return np.stack(found, axis=1)

    def evaluated(self, split: str, device: torch.device) -> tuple[Resident | Streamed, Tensor]:
        """Samples of a split for evaluation, and their labels."""
        images = self.dataset.split(split)[0]
        if self.recorded[split] is None and images.shape[1:] == self.dataset.input_shape:
            return self.samples(split, device)  # so that they are on the device only once
        return self._on(device, split, self.recorded[split], self.dataset.as_input)

    def _on(self, *what: Any) -> tuple[Resident | Streamed, Tensor]:
        """`_place`, once for all seeds."""
        if what not in self._placed:
            self._placed[what] = self._place(*what)
        return self._placed[what]

    def _place(
        self,
        device: torch.device,
        split: str,
        count: int | None,
        standardise: Callable[[Tensor], Tensor],
    ) -> tuple[Resident | Streamed, Tensor]:
        images, true, _ = self.dataset.split(split)
        places = evenly(len(true), count)
        labels = torch.from_numpy(true[places]).to(device)
        if not isinstance(images, np.ndarray):  # too large for memory
            return Streamed(images, places, standardise, device), labels
        raw = torch.from_numpy(images if count is None else images[places]).to(device)
        return Resident(standardise(raw).contiguous(memory_format=self.memory_format)), labels

    def method(self, seed: int) -> Method:
        """How a seed learns."""
        configuration, training = self.configuration, self.configuration.training
        learning = configuration.learning
        sections = dict(configuration.method.augmentations)
        if self._augmented:
            sections[OWN] = configuration.augmentation
        augmentations = {
            name: Augmentation(
                section,
                image_size=self.dataset.input_shape[-1],
                black=self.dataset.black,
                white=self.dataset.white,
                seed=seed,
                steps_per_epoch=self.steps_per_epoch,
                purpose=Purpose.AUGMENTATION if name == OWN else Purpose.VIEWS,
            )
            for name, section in sections.items()
        }
        tasks = None if learning is None else [len(task.classes) for task in learning.tasks]
        material = Material(
            targets=self._targets,
            classes=tuple(tasks or [self.dataset.n_classes]),
            batch_size=training.batch_size,
            seed=seed,
            steps_per_epoch=self.steps_per_epoch,
            label_smoothing=training.label_smoothing,
            augmentations=augmentations,
            forward=Forward(training.precision, training.compile),
        )
        return configured_method(configuration, material)

    def _of_recorded(self, split: str, values: np.ndarray) -> np.ndarray:
        return values[evenly(len(values), self.recorded[split])]

    def create_store(
        self, path: Path, seeds: Sequence[int], attributes: Mapping[str, object]
    ) -> None:
        """Create an empty predictions store of some seeds."""
        corner = self.corner_labels
        parts = {split: self.dataset.split(split) for split in SPLITS}
        create_predictions(
            path,
            seeds=seeds,
            steps=self.steps,
            steps_per_epoch=self.steps_per_epoch,
            snapshot_steps=self.snapshot_steps,
            layout=self.layout,
            labels={split: self._of_recorded(split, data[1]) for split, data in parts.items()},
            index={split: self._of_recorded(split, data[2]) for split, data in parts.items()},
            n_classes=self.dataset.n_classes,
            attributes=attributes,
            form=self.configuration.training.predictions,
            corner_labels=None if corner is None else self._of_recorded("train", corner),
            objective=self.imprints,
        )


def kept_state(network: nn.Module) -> list[tuple[str, Tensor]]:
    """Weights and floating-point buffers (BatchNorm's statistics), in a fixed order."""
    return [(k, t) for k, t in network.state_dict().items() if t.is_floating_point()]
