"""ConvMixer of Trockman & Kolter (2022), as in thesis 2.5.2."""

from torch import Tensor, nn


class _DepthwiseResidual(nn.Module):
    """x + BatchNorm(GELU(depthwise convolution of x))."""

    def __init__(self, width: int, kernel_size: int):
        super().__init__()
        self.mix = nn.Sequential(
            nn.Conv2d(width, width, kernel_size, groups=width, padding="same"),
            nn.GELU(),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(x)


class ConvMixer(nn.Module):
    """Patch embedding, then layers mixing positions (depthwise) and channels (1x1) in turn.

    ``width=256, depth=8, kernel_size=5, patch_size=2`` has the thesis's 594,186 parameters on
    3x32x32 images and 10 classes.

    Parameters
    ----------
    input_shape : tuple of int
        (channels, height, width).
    n_classes : int
        Number of classes, C.
    width : int
        Channels of every layer.
    depth : int
        Number of mixing layers.
    kernel_size : int
        Kernel size of the depthwise convolutions.
    patch_size : int
        Side of a patch in pixels; divides height and width.
    """

    def __init__(
        self,
        input_shape: tuple[int, int, int],
        n_classes: int,
        width: int,
        depth: int,
        kernel_size: int,
        patch_size: int,
    ):
        super().__init__()

        def embed(c_in: int, size: int) -> list[nn.Module]:
            conv = nn.Conv2d(c_in, width, size, stride=size)
            return [conv, nn.GELU(), nn.BatchNorm2d(width)]

        layers = embed(input_shape[0], patch_size)
        for _ in range(depth):
            layers += [_DepthwiseResidual(width, kernel_size), *embed(width, 1)]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(width, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, C) of samples (B, *input_shape)."""
        return self.classifier(self.features(x))


NETWORK = ConvMixer
