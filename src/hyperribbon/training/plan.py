"""The plan of a training job, and the key under which its work is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.config import AdamPConfig, Configuration
from hyperribbon.data import Dataset
from hyperribbon.errors import ConfigError
from hyperribbon.networks import configured_network
from hyperribbon.numerics.blocks import evenly
from hyperribbon.storage.dataset import SPLITS
from hyperribbon.storage.digest import digest
from hyperribbon.storage.predictions import create_predictions
from hyperribbon.storage.provenance import versions
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.corners import Start, partly_random_labels, random_labels
from hyperribbon.training.objective import Objective
from hyperribbon.training.samples import Resident, Streamed
from hyperribbon.training.schedule import checkpoint_steps


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
        The trainings from whose last weights this one starts.
    corner_labels : ndarray of shape (N,), or None
        Random labels of all training samples that are trained to first; None without a corner.
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
        self.start = None if start is None else Start(start)
        corner = (configuration.start or configuration).corner
        n_samples = len(dataset.train_labels)
        self.corner_labels = random_labels(n_samples, dataset.n_classes, corner) if corner else None
        training = configuration.training
        self.steps_per_epoch = len(dataset.train_labels) // training.batch_size
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
        self._placed: dict[tuple, tuple[Resident | Streamed, Tensor]] = {}
        self.recorded = {"train": training.record_train, "test": None}
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

    def build_network(self) -> nn.Module:
        """The network with fresh weights."""
        section, data = self.configuration.network, self.dataset
        return configured_network(section, data.input_shape, data.n_classes)

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
        augmented = self.configuration.augmentation.of_images
        seen = self.dataset.standardise if augmented else self.dataset.as_input
        return self._on(device, split, None, seen)

    def targets(self, labels: Tensor) -> Tensor:
        """The labels to train to, given the true ones."""
        if self.corner_labels is not None and self.configuration.corner:
            return torch.from_numpy(self.corner_labels).to(labels)
        fraction = self.configuration.augmentation.random_labels
        found = partly_random_labels(labels.cpu().numpy(), self.dataset.n_classes, fraction)
        return torch.from_numpy(found).to(labels)

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

    def objective(self, seed: int) -> Objective:
        """The objective that a seed minimises."""
        training, augmentation = self.configuration.training, None
        if self.configuration.augmentation.of_images:
            augmentation = Augmentation(
                self.configuration.augmentation,
                image_size=self.dataset.input_shape[-1],
                black=self.dataset.black,
                seed=seed,
                steps_per_epoch=self.steps_per_epoch,
            )
        return Objective(
            training.label_smoothing, training.precision, augmentation, training.compile
        )

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
        )


def kept_state(network: nn.Module) -> list[tuple[str, Tensor]]:
    """Weights and floating-point buffers (BatchNorm's statistics), in a fixed order."""
    return [(k, t) for k, t in network.state_dict().items() if t.is_floating_point()]
