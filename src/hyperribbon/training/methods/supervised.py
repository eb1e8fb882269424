"""Supervised learning of all classes of the data, of some of them, or of superclasses."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.training.methods.method import OWN, Method, shuffled_epochs, width_of


class Supervised(Method):
    """Mean cross-entropy of a batch against the truth, in nats.

    An epoch sees each sample of the task once, in batches of random order; an incomplete last batch
    is left out. Mixed images (mixup) have the mixed loss.
    """

    def head(self, classifier: nn.Module) -> nn.Module:
        """A linear classifier without bias, so that logits of different tasks are alike (3.5.1)."""
        return nn.Linear(width_of(classifier), self.material.classes[0], bias=False)

    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """Batches in random order."""
        return shuffled_epochs(self.positions, self.material.batch_size, self.material.seed, number)

    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Mean cross-entropy."""
        mix, smoothing = None, self.material.label_smoothing
        augmentation = self.material.augmentations.get(OWN)
        if augmentation is not None:
            images, mix = augmentation(images, step)
        logits = self.forward(network, images)
        loss = cross_entropy(logits, labels, label_smoothing=smoothing)
        if mix is None:
            return loss
        other = cross_entropy(logits, labels[mix.partner], label_smoothing=smoothing)
        return torch.lerp(other, loss, mix.weight)


class Classification(Supervised):
    """Supervised learning of all classes of the data, by the network's own classifier."""

    def head(self, classifier: nn.Module) -> nn.Module:
        """The network's own, with its bias."""
        return classifier


METHOD = Supervised
