"""Putting weights that were kept as arrays into a network."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import nn


def put_weights(network: nn.Module, weights: Mapping[str, np.ndarray]) -> None:
    """Put weights, and statistics of BatchNorm, into a network.

    Parameters
    ----------
    network : to be changed
    weights : arrays by the names of ``network.state_dict()``; what has no name here stays

    Examples
    --------
    >>> network = nn.Linear(1, 1)
    >>> put_weights(network, {"weight": np.array([[3.0]])})
    >>> network.weight.item()
    3.0
    """
    state = network.state_dict()
    for name, values in weights.items():
        state[name].copy_(torch.from_numpy(values.copy()))
