"""What the methods have in common that compare two views of each sample."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from hyperribbon.training.methods.method import Method, shuffled_epochs, width_of


class TwoViews(Method):
    """A loss of two views of the same samples, without labels.

    Both views are made at once and go through the network in one pass, so that BatchNorm's
    statistics are those of both. A projector stands on the features, which is not used afterwards.

    An epoch sees each sample of the task once, in two views; an incomplete last batch is left out.
    """

    batchnorm: ClassVar[bool]

    def head(self, classifier: nn.Module) -> nn.Module:
        """The projector."""
        return projector(width_of(classifier), self.config.projection, batchnorm=self.batchnorm)

    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """Batches in random order."""
        return shuffled_epochs(self.positions, self.material.batch_size, self.material.seed, number)

    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Loss of the two views."""
        views = self.seen("views", torch.cat([images, images]), step)
        return self.compare(*self.forward(network, views).chunk(2))

    @abstractmethod
    def compare(self, z_a: Tensor, z_b: Tensor) -> Tensor:
        """Loss of the projections (B, P) of both views."""


def projector(n_features: int, widths: Sequence[int], *, batchnorm: bool) -> nn.Module:
    """A perceptron without activation at its end.

    Parameters
    ----------
    n_features : int
        Number of features that it sees.
    widths : sequence of int
        Units of each layer, the last of which is the projection.
    batchnorm : bool
        Whether BatchNorm is between a hidden layer and its ReLU, in place of the biases.

    Examples
    --------
    >>> [type(layer).__name__ for layer in projector(4, [8, 3], batchnorm=True)]
    ['Linear', 'BatchNorm1d', 'ReLU', 'Linear']
    """
    layers: list[nn.Module] = []
    for width in widths[:-1]:
        layers.append(nn.Linear(n_features, width, bias=not batchnorm))
        layers += [nn.BatchNorm1d(width), nn.ReLU()] if batchnorm else [nn.ReLU()]
        n_features = width
    return nn.Sequential(*layers, nn.Linear(n_features, widths[-1], bias=not batchnorm))
