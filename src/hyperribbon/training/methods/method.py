"""What every method of learning has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from hyperribbon.config import MethodConfig
from hyperribbon.errors import ConfigError
from hyperribbon.training.augmentation import Augmentation
from hyperribbon.training.forward import Forward
from hyperribbon.training.loop import shuffled_batches

OWN = "augmentation"  # the training's augmentation, among those of a method


class Material(NamedTuple):
    """What a method learns from, and how.

    Attributes
    ----------
    targets : ndarray of int64, shape (N, T)
        For each train sample its class in each of T tasks; -1 if it has none, so that it is not
        seen.
    classes : tuple of int
        Number of classes of each task.
    batch_size : int
        Samples per step.
    seed : int
        Seed of everything that is drawn.
    steps_per_epoch : int
        Steps of an epoch.
    label_smoothing : float
        Weight of ignorance in the truth, in [0, 1).
    augmentations : mapping
        Those of the method's own, and the training's as `OWN`, if it has one.
    forward : Forward
        How networks are run.
    """

    targets: np.ndarray
    classes: tuple[int, ...]
    batch_size: int
    seed: int
    steps_per_epoch: int
    label_smoothing: float = 0.0
    augmentations: Mapping[str, Augmentation] = {}
    forward: Forward = Forward()

    @classmethod
    def of_labels(cls, labels: np.ndarray | Tensor, *, batch_size: int, **others: Any) -> Material:
        """Material of one task that all samples belong to.

        Parameters
        ----------
        labels : ndarray or Tensor of int64, shape (N,)
            Their classes, from 0.
        batch_size : int
            Samples per step.
        **others
            Other attributes; by default, seed 0 and one epoch per pass.
        """
        targets = np.asarray(labels)[:, None]
        classes = (int(targets.max()) + 1,)
        found = {"seed": 0, "steps_per_epoch": len(targets) // batch_size, **others}
        return cls(targets=targets, classes=classes, batch_size=batch_size, **found)


class Method(ABC):
    """How a network learns.

    The seed, the epoch and the step decide everything that is drawn, so that a training that was
    interrupted continues with the same samples.

    Parameters
    ----------
    config : MethodConfig
        Settings of the method.
    material : Material
        What it learns from.
    """

    def __init__(self, config: MethodConfig, material: Material):
        # Each method knows the section of its own.
        self.config: Any = config
        self.material, self.forward = material, material.forward

    @property
    def positions(self) -> np.ndarray:
        """Positions (n,) of the samples of the first task among the train samples."""
        return np.flatnonzero(self.material.targets[:, 0] >= 0)

    @abstractmethod
    def head(self, classifier: nn.Module) -> nn.Module:
        """What stands on the features while the method trains.

        Parameters
        ----------
        classifier : torch.nn.Module
            The network's own classifier, which it replaces.
        """

    @abstractmethod
    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """The samples that each step sees: for each epoch, positions (B,) among the train samples.

        Parameters
        ----------
        number : int
            Number of epochs.
        """

    @abstractmethod
    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Loss of a step.

        Parameters
        ----------
        network : torch.nn.Module
            The network, with the method's head.
        images : Tensor, shape (B, ...)
            The samples of the step, on the network's device.
        labels : Tensor of int64, shape (B,), or (B, T) of several tasks
            What they are trained to.
        step : int
            Steps taken before this one.
        """

    def augmented(self, images: Tensor, step: int) -> Tensor:
        """Samples as the training's augmentation makes them, which mixes no labels here."""
        augmentation = self.material.augmentations.get(OWN)
        return images if augmentation is None else augmentation(images, step)[0]

    def seen(self, name: str, images: Tensor, step: int) -> Tensor:
        """Samples as an augmentation of the method's own makes them."""
        return self.material.augmentations[name](images, step)[0]


def width_of(classifier: nn.Module) -> int:
    """Number of features that a linear classifier sees.

    Raises
    ------
    ConfigError
        If it is no linear layer, so that the network's features cannot be imprinted either.
    """
    if not isinstance(classifier, nn.Linear):
        kind = type(classifier).__name__
        raise ConfigError(f"network: its classifier is {kind}, expected one linear layer, Linear")
    return classifier.in_features


def shuffled_epochs(
    positions: np.ndarray, batch_size: int, seed: int, number: int
) -> Iterator[list[Tensor]]:
    """For each epoch, the positions of its batches, each sample at most once.

    An incomplete last batch is left out.
    """
    places = torch.from_numpy(positions)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(number):
        batches = shuffled_batches(len(places), batch_size, generator)
        yield [places[batch] for batch in batches]


def in_turn(positions: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """So many positions (count,): all in random order, then all in another, and so on."""
    passes = -(-count // len(positions))
    return np.concatenate([rng.permutation(positions) for _ in range(passes)])[:count]
