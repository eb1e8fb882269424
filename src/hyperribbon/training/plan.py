"""What a training job does, and the key under which its work is kept."""

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
    """A configuration, the data it is trained on and the code that does it.

    Parameters
    ----------
    configuration : what to train
    dataset : what to train on
    code : hash of the code
    start : predictions store of ``configuration.start``, if it has one

    Attributes
    ----------
    start : Start, or None
    corner_labels : (N,) the random labels trained to first, of all training samples; None if
        it goes by no corner
    recorded : dict, by split, how many samples' predictions are recorded; None for all
    steps, snapshot_steps : list of int, the checkpoints, and those of which the weights are kept
    layout : name and shape of each tensor in the flat weights, in order
    description : dict, all that decides the bytes of one seed, so not how many there are
    key : SHA-256 of the description
    attributes : dict, of the published store
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
        """Channels last for images, which convolutions like; AdamP takes no weights so laid."""
        images = len(self.dataset.input_shape) == 3
        fit = images and not isinstance(self.configuration.optimiser, AdamPConfig)
        return torch.channels_last if fit else torch.contiguous_format

    def samples(self, split: str, device: torch.device) -> tuple[Resident | Streamed, Tensor]:
        """Samples of a split as they are trained on, and their labels.

        Whole, if they are augmented, which cuts to size; otherwise as they are predicted.
        """
        augmented = self.configuration.augmentation.of_images
        seen = self.dataset.standardise if augmented else self.dataset.as_input
        return self._on(device, split, None, seen)

    def targets(self, labels: Tensor) -> Tensor:
        """The labels trained to, of true ones."""
        if self.configuration.corner:
            return torch.from_numpy(self.corner_labels).to(labels)
        fraction = self.configuration.augmentation.random_labels
        found = partly_random_labels(labels.cpu().numpy(), self.dataset.n_classes, fraction)
        return torch.from_numpy(found).to(labels)

    def evaluated(self, split: str, device: torch.device) -> tuple[Resident | Streamed, Tensor]:
        """Samples of a split as they are predicted, and their labels."""
        images = self.dataset.split(split)[0]
        if self.recorded[split] is None and images.shape[1:] == self.dataset.input_shape:
            return self.samples(split, device)  # once on the device, not twice
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
        images, labels, _ = self.dataset.split(split)
        places = evenly(len(labels), count)
        labels = torch.from_numpy(labels[places]).to(device)
        if not isinstance(images, np.ndarray):  # too large for memory
            return Streamed(images, places, standardise, device), labels
        raw = torch.from_numpy(images if count is None else images[places]).to(device)
        return Resident(standardise(raw).contiguous(memory_format=self.memory_format)), labels

    def objective(self, seed: int) -> Objective:
        """What a seed minimises."""
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

    def _recorded_part(self, split: str, part: int) -> np.ndarray:
        return self._of_recorded(split, self.dataset.split(split)[part])

    def _of_recorded(self, split: str, values: np.ndarray) -> np.ndarray:
        return values[evenly(len(values), self.recorded[split])]

    def create_store(
        self, path: Path, seeds: Sequence[int], attributes: Mapping[str, object]
    ) -> None:
        """Write a predictions store of some seeds, still empty."""
        corner = self.corner_labels
        create_predictions(
            path,
            seeds=seeds,
            steps=self.steps,
            steps_per_epoch=self.steps_per_epoch,
            snapshot_steps=self.snapshot_steps,
            layout=self.layout,
            labels={split: self._recorded_part(split, 1) for split in SPLITS},
            index={split: self._recorded_part(split, 2) for split in SPLITS},
            n_classes=self.dataset.n_classes,
            attributes=attributes,
            form=self.configuration.training.predictions,
            corner_labels=None if corner is None else self._of_recorded("train", corner),
        )


def kept_state(network: nn.Module) -> list[tuple[str, Tensor]]:
    """Weights and floating-point buffers (BatchNorm's statistics), in a fixed order."""
    return [(k, t) for k, t in network.state_dict().items() if t.is_floating_point()]
