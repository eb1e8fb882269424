"""All-convolutional network of Springenberg et al. (2015), as in thesis 2.5.2."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn


def _block(c_in: int, c_out: int, kernel_size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel_size, stride=stride, padding=kernel_size // 2),
        nn.ReLU(),
        nn.BatchNorm2d(c_out),
    )


class AllCNN(nn.Module):
    """Convolutions only: two per stage, the second of stride 2, then 1x1 to the classes.

    With ``widths=(96, 144)`` on 3x32x32 images and 10 classes it has the thesis's 399,486
    parameters.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width).
    n_classes : int
        Number of classes, C.
    widths : sequence of int
        Channels of each stage.
    """

    def __init__(self, input_shape: tuple[int, int, int], n_classes: int, widths: Sequence[int]):
        super().__init__()
        channels = [input_shape[0], *widths]
        stages = []
        for c_in, c_out in itertools.pairwise(channels):
            stages += [_block(c_in, c_out, 3), _block(c_out, c_out, 3, stride=2)]
        self.features = nn.Sequential(*stages)
        # The classifier is itself a conv-ReLU-BN block, averaged over positions.
        self.classifier = nn.Sequential(
            _block(channels[-1], n_classes, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = AllCNN
