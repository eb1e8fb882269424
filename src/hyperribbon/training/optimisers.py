"""Optimisers by name, with the schedules of their learning rates."""

from __future__ import annotations

import torch
from torch import nn, optim

from hyperribbon.config import (
    AdamConfig,
    AdamPConfig,
    AdamWConfig,
    OptimiserConfig,
    SGDConfig,
)
from hyperribbon.errors import ConfigError

_NORMALISATION = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)


def build_optimiser(
    network: nn.Module, config: OptimiserConfig, total_steps: int
) -> tuple[optim.Optimizer, optim.lr_scheduler.LRScheduler]:
    """Optimiser and its schedule, which are stepped together.

    To add an optimiser, describe its settings in :mod:`hyperribbon.config` and build it here.
    """
    groups = _groups(network, config)
    rate = config.learning_rate
    optimiser: optim.Optimizer
    if isinstance(config, SGDConfig):
        optimiser = optim.SGD(
            groups, lr=rate, momentum=config.momentum, nesterov=config.nesterov, fused=True
        )
        if config.momentum:
            # The fused step's own buffers hold garbage if gradients overflow in the first step.
            for parameter in network.parameters():
                optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    elif isinstance(config, AdamPConfig):
        from pytorch_optimizer import AdamP  # takes 0.6 s

        optimiser = AdamP(groups, lr=rate)
    elif isinstance(config, AdamConfig | AdamWConfig):
        adam = optim.AdamW if isinstance(config, AdamWConfig) else optim.Adam
        optimiser = adam(groups, lr=rate, fused=True)
    else:
        raise ConfigError(f"algorithm = {config.algorithm!r}: no optimiser is built for it")
    if config.schedule == "cosine":
        return optimiser, optim.lr_scheduler.CosineAnnealingLR(
            optimiser, total_steps, eta_min=config.final_learning_rate
        )
    if config.schedule == "linear":
        return optimiser, optim.lr_scheduler.LinearLR(
            optimiser, 1.0, config.final_learning_rate / rate, total_iters=total_steps
        )
    raise ConfigError(f"schedule = {config.schedule!r}: expected cosine or linear")


def _groups(network: nn.Module, config: OptimiserConfig) -> list[dict]:
    """Parameters with their weight decay, from which normalisation layers may be exempt."""
    if config.decay_normalisation:
        return [{"params": list(network.parameters()), "weight_decay": config.weight_decay}]
    without = [
        p for m in network.modules() if isinstance(m, _NORMALISATION) for p in m.parameters()
    ]
    ids = {id(p) for p in without}
    others = [p for p in network.parameters() if id(p) not in ids]
    return [
        {"params": others, "weight_decay": config.weight_decay},
        {"params": without, "weight_decay": 0.0},
    ]
