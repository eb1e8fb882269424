"""Several tasks at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.training.methods.method import Method, in_turn, width_of
from hyperribbon.training.state import Purpose, stream


class Joint(Method):
    """Mean over the tasks of the mean cross-entropy of each, in nats.

    Each task has a linear classifier without bias; together they are one layer, whose rows are
    those of the first task, then those of the second, and so on. The tasks share a batch equally,
    and one pass of the network sees them all; BatchNorm's statistics are those of the whole batch.

    An epoch has as many steps as the samples of all tasks fill batches. A task goes through its own
    samples in random order, again and again, so that an epoch sees each sample of a task once only
    if all tasks are equally large. A sample of two tasks counts for each.
    """

    def head(self, classifier: nn.Module) -> nn.Module:
        """The classifiers of all tasks."""
        return nn.Linear(width_of(classifier), sum(self.material.classes), bias=False)

    def epochs(self, number: int) -> Iterator[list[Tensor]]:
        """Batches whose first part is of the first task, and so on."""
        targets, steps = self.material.targets, self.material.steps_per_epoch
        share = self.material.batch_size // targets.shape[1]
        members = [np.flatnonzero(labels >= 0) for labels in targets.T]
        for epoch in range(number):
            rng = stream(self.material.seed, epoch, Purpose.ORDER)
            orders = [in_turn(own, steps * share, rng).reshape(steps, share) for own in members]
            yield list(torch.from_numpy(np.concatenate(orders, axis=1)))

    def loss(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Mean of the tasks' cross-entropies."""
        logits = self.forward(network, self.augmented(images, step))
        tasks = self.material.classes
        # Each task's part of the batch, and of that the logits and labels of the task.
        losses = [
            cross_entropy(
                own.split(tasks, dim=1)[k],
                true[:, k],
                label_smoothing=self.material.label_smoothing,
            )
            for k, (own, true) in enumerate(
                zip(logits.chunk(len(tasks)), labels.chunk(len(tasks)), strict=True)
            )
        ]
        return torch.stack(losses).mean()


METHOD = Joint
