"""Fine-tuning: a training that starts from the backbone of another one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from hyperribbon.errors import StoreError

HEAD = "classifier."


@torch.no_grad()
def start_backbone(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a network the backbone of another one, with its BatchNorm statistics.

    What stands on the features stays as it is, and the whole network is trained afterwards
    (thesis 3.3, Result 6). An epoch is that of the method that trains it.

    Parameters
    ----------
    network : torch.nn.Module
        It is changed in place.
    weights : mapping
        Weights and floating-point buffers of a network with the same backbone, by the names of
        ``state_dict``.

    Raises
    ------
    StoreError
        If there is no such weight, or one of another shape.
    """
    for name, tensor in network.state_dict().items():
        if name.startswith(HEAD) or not tensor.is_floating_point():
            continue
        given = weights.get(name)
        if given is None or given.shape != tensor.shape:
            found = "no such weights" if given is None else f"shape {tuple(given.shape)}"
            raise StoreError(f"start: {name}: {found}, expected shape {tuple(tensor.shape)}")
        tensor.copy_(given)
