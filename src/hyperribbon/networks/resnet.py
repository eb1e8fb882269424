"""Residual network of He et al. (2016) with BlurPool, as in thesis 2.5.2 and 3.5.1."""

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, gelu, pad


class _BlurPool(nn.Module):
    """The binomial 3x3 filter at every second pixel, edges reflected (Zhang, 2019)."""

    binomial: Tensor

    def __init__(self):
        super().__init__()
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("binomial", torch.outer(row, row), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        channels = x.shape[1]
        kernel = self.binomial.expand(channels, 1, 3, 3)
        x = pad(x, (1, 1, 1, 1), mode="reflect")
        return conv2d(x, kernel, stride=2, groups=channels)


def _conv(
    c_in: int, c_out: int, kernel_size: int, stride: int = 1, *, affine: bool
) -> list[nn.Module]:
    """Convolution of stride 1, BlurPool in place of a stride of 2, BatchNorm."""
    conv = nn.Conv2d(c_in, c_out, kernel_size, padding=kernel_size // 2, bias=False)
    nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
    layers: list[nn.Module] = [conv]
    if stride == 2:
        # A 1x1 convolution commutes with the blur, and is cheaper on fewer pixels.
        layers.insert(0 if kernel_size == 1 else 1, _BlurPool())
    return [*layers, nn.BatchNorm2d(c_out, affine=affine)]


# A layer, and the function of the same values at the end of a block.
ACTIVATIONS = {"relu": (nn.ReLU, torch.relu), "gelu": (nn.GELU, gelu)}


def _basic(c_in: int, c_out: int, stride: int, activation: str, affine: bool) -> list[nn.Module]:
    layer, _ = ACTIVATIONS[activation]
    return [
        *_conv(c_in, c_out, 3, stride, affine=affine),
        layer(),
        *_conv(c_out, c_out, 3, affine=affine),
    ]


def _bottleneck(
    c_in: int, c_out: int, stride: int, activation: str, affine: bool
) -> list[nn.Module]:
    width = c_out // 4
    layer, _ = ACTIVATIONS[activation]
    return [
        *_conv(c_in, width, 1, affine=affine),
        layer(),
        *_conv(width, width, 3, stride, affine=affine),
        layer(),
        *_conv(width, c_out, 1, affine=affine),
    ]


# Residual branch, blocks per stage, ratio of the first stage's output channels to the stem's.
VARIANTS = {18: (_basic, (2, 2, 2, 2), 1), 50: (_bottleneck, (3, 4, 6, 3), 4)}


class _Block(nn.Module):
    """Activation of residual branch plus shortcut."""

    def __init__(
        self,
        branch: list[nn.Module],
        c_in: int,
        c_out: int,
        stride: int,
        activation: str,
        affine: bool,
    ):
        super().__init__()
        _, self.activation = ACTIVATIONS[activation]
        self.branch = nn.Sequential(*branch)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(*_conv(c_in, c_out, 1, stride, affine=affine))

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.branch(x) + self.shortcut(x))


class ResNet(nn.Module):
    """Residual network of 18 layers (basic blocks) or 50 (bottlenecks), with BlurPool.

    Each convolution of stride 2, including the first, is replaced by one of stride 1 and BlurPool
    directly after it, before BatchNorm. The max-pooling of the stem has stride 1 and BlurPool after
    it (Zhang, 2019). In a bottleneck the 3x3 convolution carries the stride. BlurPool has no
    parameters: on 3x224x224 images and 1000 classes ``depth=18, width=64`` has 11,689,512
    parameters and ``depth=50, width=64`` has 25,557,032, as without it.

    Convolutions have the Kaiming-normal initialisation of 3.5.1, scaled by their outputs (He et
    al., 2015), as in the common implementations. With it a residual network starts far from
    ignorance until BatchNorm is calibrated (Fig. 2.12); with PyTorch's default it would not.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width), with height and width at least 17.
    n_classes : int
        Number of classes, C.
    depth : {18, 50}
        Number of layers.
    width : int
        Channels of the first convolution; the stages have 1, 2, 4, 8 times as many, and 4 times
        that with bottlenecks.
    activation : {"relu", "gelu"}
        Nonlinearity.
    batchnorm_affine : bool
        Whether BatchNorm has scales and shifts; 3.5.1 fixes them at 1 and 0.

    Examples
    --------
    >>> ResNet((3, 32, 32), 10, depth=50, width=8).classifier
    Linear(in_features=256, out_features=10, bias=True)
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        n_classes: int,
        depth: int,
        width: int,
        activation: str = "relu",
        batchnorm_affine: bool = True,
    ):
        super().__init__()
        make_branch, n_blocks, expansion = VARIANTS[depth]
        layers = [
            *_conv(input_shape[0], width, 7, stride=2, affine=batchnorm_affine),
            ACTIVATIONS[activation][0](),
            nn.MaxPool2d(3, stride=1, padding=1),
            _BlurPool(),
        ]
        channels = width
        for stage, blocks in enumerate(n_blocks):
            c_out = width * expansion * 2**stage
            for block in range(blocks):
                stride = 2 if stage > 0 and block == 0 else 1
                shape = channels, c_out, stride, activation, batchnorm_affine
                layers.append(_Block(make_branch(*shape), *shape))
                channels = c_out
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(channels, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = ResNet
