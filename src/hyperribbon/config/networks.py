"""Sections that describe the networks."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hyperribbon.config.fields import Count, Section, Widths, refuse


class NetworkSection(Section):
    any_size: ClassVar[bool] = False  # whether trained weights take images of another size

    def check_input(self, shape: tuple[int, ...]) -> None:
        """Refuse samples of a shape, (channels, height, width) or (features,), it cannot take."""

    def _check_patch(self, patch_size: int, shape: tuple[int, ...]) -> None:
        image_size = shape[-1]
        if image_size % patch_size:
            divisors = [d for d in range(1, image_size + 1) if image_size % d == 0]
            allowed = ", ".join(map(str, divisors))
            expected = f"must divide data.image_size = {image_size}; allowed: {allowed}"
            raise refuse("patch_size", patch_size, expected)


class FullyConnectedConfig(NetworkSection):
    """Linear-ReLU-BatchNorm layers."""

    architecture: Literal["fully_connected"]
    """Which network."""
    widths: Widths = (1024, 512, 256, 128)
    """Units of each hidden layer."""


class AllCNNConfig(NetworkSection):
    """Convolutions only, two a stage."""

    any_size = True

    architecture: Literal["allcnn"]
    """Which network."""
    widths: Widths = (96, 144)
    """Channels of each stage."""


class WideResNetConfig(NetworkSection):
    """Wide residual network."""

    any_size = True

    architecture: Literal["wide_resnet"]
    """Which network."""
    depth: Count = 10
    """Layers: 6 k + 4 for k blocks a stage."""
    width: Count = 8
    """Channels of the first convolution."""
    widen_factor: Count = 4
    """The stages have width * widen_factor times 1, 2 and 4 channels."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.depth < 10 or (self.depth - 4) % 6:
            raise refuse("depth", self.depth, "must be 6 k + 4 with k >= 1: 10, 16, 22, ...")
        return self


class ConvMixerConfig(NetworkSection):
    """Patches, then depthwise and 1x1 convolutions in turn."""

    any_size = True

    architecture: Literal["convmixer"]
    """Which network."""
    width: Count = 256
    """Channels."""
    depth: Count = 8
    """Mixing layers."""
    kernel_size: Count = 5
    """Kernel of the depthwise convolutions."""
    patch_size: Count = 2
    """Side of a patch in pixels; divides the image size."""

    def check_input(self, shape: tuple[int, ...]) -> None:
        self._check_patch(self.patch_size, shape)


class ViTConfig(NetworkSection):
    """Vision transformer."""

    architecture: Literal["vit"]
    """Which network."""
    patch_size: Count = 4
    """Side of a patch in pixels; divides the image size."""
    width: Count = 512
    """Width of a token; divisible by heads."""
    depth: Count = 6
    """Transformer layers."""
    heads: Count = 8
    """Attention heads."""
    mlp_width: Count = 512
    """Hidden units of each layer's perceptron."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % self.heads:
            raise refuse("width", self.width, f"must be a multiple of heads = {self.heads}")
        return self

    def check_input(self, shape: tuple[int, ...]) -> None:
        self._check_patch(self.patch_size, shape)


NetworkConfig = Annotated[
    FullyConnectedConfig | AllCNNConfig | WideResNetConfig | ConvMixerConfig | ViTConfig,
    Field(discriminator="architecture"),
]
