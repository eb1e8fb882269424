"""Fully-connected network: Linear-ReLU-BatchNorm blocks (thesis 2.5.2), or variants (4.7.1)."""

import itertools
from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn


class Erf(nn.Module):
    """The error function erf(z / sqrt 2), whose infinitely wide networks have closed forms."""

    def forward(self, z: Tensor) -> Tensor:
        """Values of the same shape."""
        return torch.erf(z / 2**0.5)


ACTIVATIONS = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "erf": Erf,
}


class FullyConnected(nn.Module):
    """Multi-layer perceptron on vectors or flattened images.

    Each hidden layer is Linear-ReLU-BatchNorm, without learned scale and shift. With
    ``widths=(1024, 512, 256, 128)`` on 3x32x32 images and 10 classes it has the thesis's 3,837,066
    parameters.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width) or (features,).
    n_classes : int
        Number of classes, C.
    widths : sequence of int
        Units of each hidden layer.
    activation : {"relu", "tanh", "sigmoid", "gelu", "erf"}
        Nonlinearity; "erf" is erf(z / sqrt 2).
    batchnorm : bool
        Whether BatchNorm ends each hidden layer.
    bias : bool
        Whether the linear layers, including the classifier, have biases.

    Examples
    --------
    >>> FullyConnected((200,), 5, widths=(512, 512)).classifier
    Linear(in_features=512, out_features=5, bias=True)
    """

    def __init__(
        self,
        input_shape: tuple[int, ...],
        n_classes: int,
        widths: Sequence[int],
        activation: str = "relu",
        batchnorm: bool = True,
        bias: bool = True,
    ):
        super().__init__()
        sizes = [prod(input_shape), *widths]
        blocks: list[nn.Module] = [nn.Flatten()]
        for fan_in, fan_out in itertools.pairwise(sizes):
            blocks += [nn.Linear(fan_in, fan_out, bias=bias), ACTIVATIONS[activation]()]
            if batchnorm:
                blocks.append(nn.BatchNorm1d(fan_out, affine=False))
        self.features = nn.Sequential(*blocks)
        self.classifier = nn.Linear(sizes[-1], n_classes, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = FullyConnected
