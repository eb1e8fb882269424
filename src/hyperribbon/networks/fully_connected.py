"""Fully-connected network: Linear-ReLU-BatchNorm blocks (thesis 2.5.2)."""

import itertools
from collections.abc import Sequence
from math import prod

from torch import Tensor, nn


class FullyConnected(nn.Module):
    """Multi-layer perceptron on flattened images.

    Each hidden layer is Linear-ReLU-BatchNorm, the normalisation without learned scale and
    shift. With ``widths=(1024, 512, 256, 128)`` on 3x32x32 images and 10 classes it has the
    thesis's 3,837,066 parameters.

    Parameters
    ----------
    input_shape : (channels, height, width)
    n_classes : int
    widths : sequence of int, units of each hidden layer
    """

    def __init__(self, input_shape: tuple[int, int, int], n_classes: int, widths: Sequence[int]):
        super().__init__()
        sizes = [prod(input_shape), *widths]
        blocks: list[nn.Module] = [nn.Flatten()]
        for fan_in, fan_out in itertools.pairwise(sizes):
            blocks += [
                nn.Linear(fan_in, fan_out),
                nn.ReLU(),
                nn.BatchNorm1d(fan_out, affine=False),
            ]
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(sizes[-1], n_classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x))


NETWORK = FullyConnected
