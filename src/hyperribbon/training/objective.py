"""What a training minimises."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from hyperribbon.errors import ConfigError
from hyperribbon.training.augmentation import Augmentation

# TF32 is a setting of the device.
AUTOCAST = {"float32": None, "tf32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


class Objective:
    """Mean cross-entropy of a batch against the truth, in nats.

    Parameters
    ----------
    label_smoothing : float
        Weight of ignorance in the truth, in [0, 1).
    precision : {"float32", "tf32", "bfloat16", "float16"}
        Precision of the matrix products; bfloat16 and float16 use autocast.
    augmentation : Augmentation, optional
        Augmentation of the images; None leaves them as they are.
    compile : bool
        Whether to run the network through `torch.compile`.

    Examples
    --------
    >>> network = nn.Linear(2, 3)
    >>> loss = Objective()(network, torch.zeros(4, 2), torch.tensor([0, 1, 2, 0]), step=0)
    >>> loss.shape
    torch.Size([])
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        precision: str = "float32",
        augmentation: Augmentation | None = None,
        compile: bool = False,
    ):
        self.label_smoothing, self.augmentation = label_smoothing, augmentation
        if precision not in AUTOCAST:
            raise ConfigError(f"precision = {precision!r}: expected one of {', '.join(AUTOCAST)}")
        self.autocast = AUTOCAST[precision]
        self._forward = torch.compile(_call) if compile else _call

    def __call__(self, network: nn.Module, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Loss of a batch.

        Parameters
        ----------
        network : torch.nn.Module
            It maps images (B, ...) to logits (B, C).
        images, labels : Tensor
            The batch, on the network's device.
        step : int
            Steps taken before this one.
        """
        mix = None
        if self.augmentation is not None:
            images, mix = self.augmentation(images, step)
        enabled = self.autocast is not None
        with torch.autocast(images.device.type, self.autocast, enabled=enabled):
            logits = self._forward(network, images)
        logits = logits.float()
        loss = cross_entropy(logits, labels, label_smoothing=self.label_smoothing)
        if mix is None:
            return loss
        other = cross_entropy(logits, labels[mix.partner], label_smoothing=self.label_smoothing)
        return torch.lerp(other, loss, mix.weight)


def _call(network: nn.Module, images: Tensor) -> Tensor:
    return network(images)
