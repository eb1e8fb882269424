"""How a network is run in a training."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor, nn

from hyperribbon.errors import ConfigError

# TF32 is a setting of the device.
AUTOCAST = {"float32": None, "tf32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Forward:
    """The outputs of a network, in the precision of a training.

    Parameters
    ----------
    precision : {"float32", "tf32", "bfloat16", "float16"}
        Precision of the matrix products; bfloat16 and float16 use autocast.
    compile : bool
        Whether to run the network through `torch.compile`.

    Raises
    ------
    ConfigError
        If the precision is not known.

    Examples
    --------
    >>> Forward("bfloat16")(nn.Linear(2, 3), torch.zeros(4, 2)).dtype
    torch.float32
    """

    def __init__(self, precision: str = "float32", compile: bool = False):
        if precision not in AUTOCAST:
            raise ConfigError(f"precision = {precision!r}: expected one of {', '.join(AUTOCAST)}")
        self.autocast, self.compile = AUTOCAST[precision], compile

    @cached_property
    def _run(self) -> Callable[[nn.Module, Tensor], Tensor]:
        """Compiled when it is first called, so that it can be sent to other processes before."""
        return torch.compile(_call) if self.compile else _call

    def __call__(self, network: nn.Module, images: Tensor) -> Tensor:
        """Outputs (B, ...) of a batch, float32."""
        enabled = self.autocast is not None
        with torch.autocast(images.device.type, self.autocast, enabled=enabled):
            outputs = self._run(network, images)
        return outputs.float()


def _call(network: nn.Module, images: Tensor) -> Tensor:
    return network(images)
