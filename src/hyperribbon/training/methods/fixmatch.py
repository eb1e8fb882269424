"""FixMatch (Sohn et al. 2020): semi-supervised learning with few labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.training.methods.method import Method, in_turn, width_of
from hyperribbon.training.state import Purpose, stream


def fixmatch_loss(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    r"""Loss of samples without labels, in nats (Sohn et al. 2020, Eq. 4).

    The cross-entropy of the strong view against the class that the weak view is most sure of. Weak
    views with a confidence below the threshold count as 0, and the sum is divided by the number of
    all samples. No gradient flows through the weak view.

    Parameters
    ----------
    weak, strong : Tensor, shape (U, C)
        Logits of both views.
    threshold : float
        Least confidence, a probability.

    Examples
    --------
    >>> weak = torch.tensor([[9.0, 0.0], [0.0, 0.0]])  # the second is unsure
    >>> fixmatch_loss(weak, torch.zeros(2, 2), threshold=0.9)  # log(2) / 2
    tensor(0.3466)
    """
    confidence, labels = weak.detach().softmax(dim=1).max(dim=1)
    losses = cross_entropy(strong, labels, reduction="none")
    return (losses * (confidence >= threshold)).mean()


class FixMatch(Method):
    """Cross-entropy of the samples with labels, plus `fixmatch_loss` of the others.

    A step has ``batch_size`` samples with labels and ``unlabelled_ratio`` times as many without.
    The training's augmentation makes the weak views of both, the method's own the strong views of
    the latter, and one pass of the network sees all views, so that BatchNorm's statistics are those
    of all. Sohn et al. also average the weights over the steps, which is not done here, because
    trajectories of weights are what is recorded.

    An epoch sees each sample without a label once; an incomplete last batch is left out. Samples
    with labels, as many of each class, are drawn once for all epochs of a seed, and seen in random
    order, again and again.
    """

    def head(self, classifier: nn.Module) -> nn.Module:
        """A linear classifier without bias."""
        return nn.Linear(width_of(classifier), self.material.classes[0], bias=False)

    def labelled(self) -> np.ndarray:
        """Positions of the samples with labels, increasing."""
        rng = stream(self.material.seed, 0, Purpose.LABELS)
        n_classes, labels = self.material.classes[0], self.material.targets[:, 0]
        each = self.config.labelled // n_classes
        chosen = [
            rng.choice(np.flatnonzero(labels == c), each, replace=False) for c in range(n_classes)
        ]
        return np.sort(np.concatenate(chosen))

    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """Batches: the samples with labels, then the others."""
        size, steps = self.material.batch_size, self.material.steps_per_epoch
        labelled = self.labelled()
        others = np.setdiff1d(self.positions, labelled)
        for epoch in range(number):
            rng = stream(self.material.seed, epoch, Purpose.ORDER)
            parts = [
                in_turn(own, steps * count, rng).reshape(steps, count)
                for own, count in ((labelled, size), (others, size * self.config.unlabelled_ratio))
            ]
            yield list(torch.from_numpy(np.concatenate(parts, axis=1)))

    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Both losses, of which the second is weighted."""
        size = self.material.batch_size
        strong = self.seen("strong", images[size:], step)
        views = torch.cat([self.augmented(images, step), strong])
        logits = self.forward(network, views)
        with_label, weak, strong = logits.split([size, len(strong), len(strong)])
        loss = cross_entropy(
            with_label, labels[:size], label_smoothing=self.material.label_smoothing
        )
        without = fixmatch_loss(weak, strong, self.config.threshold)
        return loss + self.config.unlabelled_weight * without


METHOD = FixMatch
