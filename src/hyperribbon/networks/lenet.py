"""LeNet-5 (LeCun et al., 1998), in the variant of thesis 4.7.1."""

import itertools
from collections.abc import Sequence

from torch import Tensor, nn


class LeNet(nn.Module):
    """5x5 convolutions, each with ReLU and 2x2 max-pooling, then a hidden layer.

    ``widths=(20, 50), hidden_width=500`` has 431,080 parameters on 1x28x28 images and 10 classes.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width); two convolutions need a height and a width of at least 16.
    n_classes : int
        Number of classes, C.
    widths : sequence of int
        Channels of each convolution.
    hidden_width : int
        Units of the hidden layer.

    Examples
    --------
    >>> LeNet((1, 28, 28), 10, widths=(20, 50), hidden_width=500).classifier
    Linear(in_features=500, out_features=10, bias=True)
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        n_classes: int,
        widths: Sequence[int],
        hidden_width: int,
    ):
        super().__init__()
        channels, height, columns = input_shape
        layers: list[nn.Module] = []
        for c_in, c_out in itertools.pairwise([channels, *widths]):
            layers += [nn.Conv2d(c_in, c_out, 5), nn.ReLU(), nn.MaxPool2d(2)]
            height, columns = (height - 4) // 2, (columns - 4) // 2
        layers += [nn.Flatten(), nn.Linear(widths[-1] * height * columns, hidden_width), nn.ReLU()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(hidden_width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = LeNet
