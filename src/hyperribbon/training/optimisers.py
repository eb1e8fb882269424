"""Optimisers by name, with the learning rate that decays to 0 by a cosine, step by step."""

from collections.abc import Iterable

from torch import nn, optim

from hyperribbon.config import AdamConfig, SGDConfig


def build_optimiser(
    parameters: Iterable[nn.Parameter], config: SGDConfig | AdamConfig, total_steps: int
) -> tuple[optim.Optimizer, optim.lr_scheduler.LRScheduler]:
    """Optimiser and its schedule, to be stepped together.

    To add an optimiser: describe its settings in :mod:`hyperribbon.config`, build it here.
    """
    optimiser: optim.Optimizer
    if isinstance(config, SGDConfig):
        optimiser = optim.SGD(
            parameters,
            lr=config.learning_rate,
            momentum=config.momentum,
            nesterov=config.nesterov,
            weight_decay=config.weight_decay,
        )
    else:
        optimiser = optim.Adam(
            parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
    return optimiser, optim.lr_scheduler.CosineAnnealingLR(optimiser, total_steps)
