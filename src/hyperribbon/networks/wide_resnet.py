"""Wide residual network of Zagoruyko & Komodakis (2016), as in thesis 2.5.2."""

import torch
from torch import Tensor, nn

from hyperribbon.errors import ConfigError


def _batchnorm(channels: int) -> nn.Module:
    return nn.BatchNorm2d(channels, affine=False)


def _layernorm(channels: int) -> nn.Module:
    """LayerNorm over channels and pixels, for images of any size."""
    return nn.GroupNorm(1, channels, affine=False)


NORMALISATIONS = {"batch": _batchnorm, "layer": _layernorm}


class _Block(nn.Module):
    """Pre-activation residual block; the second convolution carries the stride."""

    def __init__(self, c_in: int, c_out: int, stride: int, normalisation: str):
        super().__init__()
        norm = NORMALISATIONS[normalisation]
        self.norm1 = norm(c_in)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.norm2 = norm(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, stride=stride, padding=1, bias=False)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Conv2d(c_in, c_out, 1, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(torch.relu(self.norm1(x)))
        y = self.conv2(torch.relu(self.norm2(y)))
        return y + self.shortcut(x)


class WideResNet(nn.Module):
    """Three stages of residual blocks of ``width * widen_factor`` times 1, 2, 4 channels.

    ``depth=10, width=8, widen_factor=4`` has the thesis's 300,226 parameters on 3x32x32 images
    and 10 classes; ``depth=16, width=64, widen_factor=4`` has 43,890,122.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width).
    n_classes : int
        Number of classes, C.
    depth : int
        Number of layers, 6 k + 4 for k blocks per stage.
    width : int
        Channels of the first convolution.
    widen_factor : int
        Channels of the first stage, divided by ``width``.
    normalisation : {"batch", "layer"}
        BatchNorm, or LayerNorm over the channels and pixels of a sample, as for meta-learning and
        fine-tuning in 3.5.1; neither has scales or shifts.
    initialisation : {"default", "kaiming_normal"}
        PyTorch's default, or Kaiming-normal convolutions as in 3.5.1, scaled by their outputs like
        those of `ResNet`. The classifier and biases have PyTorch's default.
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        n_classes: int,
        depth: int,
        width: int,
        widen_factor: int,
        normalisation: str = "batch",
        initialisation: str = "default",
    ):
        super().__init__()
        if normalisation not in NORMALISATIONS:
            raise ConfigError(f"normalisation = {normalisation!r}: expected batch or layer")
        n_blocks = (depth - 4) // 6
        channels = width
        layers: list[nn.Module] = [nn.Conv2d(input_shape[0], channels, 3, padding=1, bias=False)]
        for stage in range(3):
            c_out = width * widen_factor * 2**stage
            for block in range(n_blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                layers.append(_Block(channels, c_out, stride, normalisation))
                channels = c_out
        last = NORMALISATIONS[normalisation](channels)
        layers += [last, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, n_classes)
        if initialisation == "kaiming_normal":
            for layer in self.features.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        elif initialisation != "default":
            raise ConfigError(
                f"initialisation = {initialisation!r}: expected default or kaiming_normal"
            )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = WideResNet
