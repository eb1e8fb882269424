"""Episodic meta-learning: prototypical networks (Snell et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from hyperribbon.training.methods.method import Method
from hyperribbon.training.state import Purpose, stream


def prototypical_loss(
    support: Tensor, support_labels: Tensor, query: Tensor, query_labels: Tensor, n_classes: int
) -> Tensor:
    r"""Mean cross-entropy of queries that are classified by the prototypes of an episode, in nats.

    .. math:: p(c \mid x) \propto \exp(-\lVert \varphi(x) - \varphi_c \rVert^2)

    where the prototype :math:`\varphi_c` is the mean of the features of the support samples of
    class c (Snell et al. 2017, Eqs. 1 and 2; thesis 3.3, Result 4).

    Parameters
    ----------
    support : Tensor, shape (S, F)
        Features of the support samples.
    support_labels : Tensor of int64, shape (S,)
        Their classes, 0 to C - 1, with at least one sample each.
    query : Tensor, shape (Q, F)
        Features of the queries.
    query_labels : Tensor of int64, shape (Q,)
        Their classes.
    n_classes : int
        Number of classes, C.

    Examples
    --------
    >>> support = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
    >>> labels = torch.tensor([0, 1])
    >>> prototypical_loss(support, labels, torch.tensor([[1.0, 5.0]]), labels[:1], 2)  # log 2
    tensor(0.6931)
    """
    members = one_hot(support_labels, n_classes).to(support.dtype)
    prototypes = (members / members.sum(dim=0)).T @ support
    distances = (query[:, None] - prototypes).square().sum(dim=2)
    return cross_entropy(-distances, query_labels)


class Prototypical(Method):
    """Loss of the queries of an episode, from the prototypes of its support samples.

    A step is an episode of ``way`` classes with ``shot`` support samples and ``queries / way``
    queries each, all different, and one pass of the network sees them all. The network has no
    classifier: its outputs are its features.

    An epoch has ``episodes`` episodes; by default, as many as together have as many samples as the
    task. Classes and samples are drawn anew for each episode, so that an epoch sees some samples
    more than once and others not at all.
    """

    def head(self, classifier: nn.Module) -> nn.Module:
        """None: features pass."""
        return nn.Identity()

    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """Episodes: the support samples, class by class, then the queries, class by class."""
        labels = self.material.targets[:, 0]
        members = [np.flatnonzero(labels == c) for c in range(self.material.classes[0])]
        for epoch in range(number):
            rng = stream(self.material.seed, epoch, Purpose.ORDER)
            yield [self._episode(members, rng) for _ in range(self.material.steps_per_epoch)]

    def _episode(self, members: list[np.ndarray], rng: np.random.Generator) -> Tensor:
        way, shot, each = self.config.way, self.config.shot, self.config.samples_per_class
        classes = rng.choice(len(members), way, replace=False)
        drawn = np.stack([rng.choice(members[c], each, replace=False) for c in classes])
        return torch.from_numpy(np.concatenate([drawn[:, :shot].ravel(), drawn[:, shot:].ravel()]))

    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Loss of the queries."""
        features = self.forward(network, self.augmented(images, step))
        way, shot = self.config.way, self.config.shot
        support, query = features.split([way * shot, len(features) - way * shot])
        classes = torch.arange(way, device=features.device)
        return prototypical_loss(
            support,
            classes.repeat_interleave(shot),
            query,
            classes.repeat_interleave(len(query) // way),
            way,
        )


METHOD = Prototypical
