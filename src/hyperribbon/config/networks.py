"""Sections that describe the networks."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter
from math import gcd
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, SerializeAsAny, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from hyperribbon.config.fields import Count, Flag, Layers, Section, Widths, refuse
from hyperribbon.networks.registry import NETWORKS


class NetworkSection(Section):
    """What the sections of all networks have in common.

    Attributes
    ----------
    any_size : bool
        Whether trained weights also take images of another size.
    has_linear_classifier : bool
        Whether it consists of features (N, F) and one linear layer on them, as imprinting needs.
    """

    any_size: ClassVar[bool] = False
    has_linear_classifier: ClassVar[bool] = True

    architecture: str

    @property
    def has_kronecker_factors(self) -> bool:
        """Whether it consists of linear and convolutional layers alone, without BatchNorm."""
        return False

    def check_input(self, shape: tuple[int, ...]) -> None:
        """Refuse samples of a shape that the network cannot take.

        Parameters
        ----------
        shape : tuple of int
            (channels, height, width) or (features,).
        """


class ImageNetworkSection(NetworkSection):
    """A network that takes images only."""

    def check_input(self, shape: tuple[int, ...]) -> None:
        """Refuse what is no image, and images that are too small."""
        if len(shape) != 3:
            expected = f"needs images (channels, height, width); the samples have shape {shape}"
            raise refuse("architecture", self.architecture, expected)
        _, height, width = shape
        least = self._least_size()
        if min(height, width) < least:
            expected = (
                f"needs at least {least} x {least} pixels; the images have {height} x {width}"
            )
            raise refuse("architecture", self.architecture, expected)

    def _least_size(self) -> int:
        """Smallest height and width in pixels that strides and pooling do not reduce to nothing."""
        return 1


class PatchNetworkSection(ImageNetworkSection):
    """A network that cuts images into patches of ``patch_size``."""

    if TYPE_CHECKING:  # each network declares it itself, with its own default
        patch_size: int

    def check_input(self, shape: tuple[int, ...]) -> None:
        """Refuse images that cannot be cut into whole patches."""
        super().check_input(shape)
        _, height, width = shape
        if height % self.patch_size or width % self.patch_size:
            common = gcd(height, width)
            allowed = ", ".join(str(d) for d in range(1, common + 1) if common % d == 0)
            expected = f"must divide the images' {height} x {width} pixels; allowed: {allowed}"
            raise refuse("patch_size", self.patch_size, expected)


class FullyConnectedConfig(NetworkSection):
    """Linear-ReLU-BatchNorm layers."""

    architecture: Literal["fully_connected"]
    """Which network."""
    widths: Widths = (1024, 512, 256, 128)
    """Units of each hidden layer."""
    activation: Literal["relu", "tanh", "sigmoid", "gelu", "erf"] = "relu"
    """Nonlinearity; `erf` is erf(z / sqrt 2)."""
    batchnorm: Flag = True
    """Whether BatchNorm ends each hidden layer."""
    bias: Flag = True
    """Whether the linear layers have biases."""

    @property
    def has_kronecker_factors(self) -> bool:
        """Whether it has no BatchNorm."""
        return not self.batchnorm


class AllCNNConfig(ImageNetworkSection):
    """Convolutions only, two per stage."""

    any_size = True
    has_linear_classifier = False

    architecture: Literal["allcnn"]
    """Which network."""
    widths: Widths = (96, 144)
    """Channels of each stage."""


class WideResNetConfig(ImageNetworkSection):
    """Wide residual network."""

    any_size = True

    architecture: Literal["wide_resnet"]
    """Which network."""
    depth: Layers = 10
    """Layers: 6 k + 4 for k blocks per stage."""
    width: Count = 8
    """Channels of the first convolution."""
    widen_factor: Count = 4
    """The stages have width * widen_factor times 1, 2 and 4 channels."""
    normalisation: Literal["batch", "layer"] = "batch"
    """`layer`: LayerNorm over the channels and pixels of a sample in place of BatchNorm, so that no
    statistics of a batch are needed (thesis 3.5.1)."""
    initialisation: Literal["default", "kaiming_normal"] = "default"
    """Initial weights of the convolutions: PyTorch's default, or Kaiming-normal ones (3.5.1)."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.depth < 10 or (self.depth - 4) % 6:
            raise refuse("depth", self.depth, "must be 6 k + 4 with k >= 1: 10, 16, 22, ...")
        return self


class ConvMixerConfig(PatchNetworkSection):
    """Patches, then depthwise and 1x1 convolutions in turn."""

    architecture: Literal["convmixer"]
    """Which network."""
    width: Count = 256
    """Channels."""
    depth: Layers = 8
    """Mixing layers."""
    kernel_size: Layers = 5
    """Kernel of the depthwise convolutions."""
    patch_size: Count = 2
    """Side of a patch in pixels; divides the image size."""


class ViTConfig(PatchNetworkSection):
    """Vision transformer."""

    architecture: Literal["vit"]
    """Which network."""
    patch_size: Count = 4
    """Side of a patch in pixels; divides the image size."""
    width: Count = 512
    """Width of a token; divisible by heads."""
    depth: Layers = 6
    """Transformer layers."""
    heads: Count = 8
    """Attention heads."""
    mlp_width: Count = 512
    """Hidden units of each layer's perceptron."""
    qkv_bias: Flag = False
    """Whether queries, keys and values have biases."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width % self.heads:
            raise refuse("width", self.width, f"must be a multiple of heads = {self.heads}")
        return self


class LeNetConfig(ImageNetworkSection):
    """LeNet-5: convolutions with max-pooling, then a hidden layer."""

    architecture: Literal["lenet"]
    """Which network."""
    widths: Widths = (20, 50)
    """Channels of each convolution; two need images of at least 16 x 16 pixels."""
    hidden_width: Count = 500
    """Units of the hidden layer."""

    @property
    def has_kronecker_factors(self) -> bool:
        """True: it has no BatchNorm."""
        return True

    def _least_size(self) -> int:
        size = 1
        for _ in self.widths:
            size = 2 * size + 4  # a 5x5 convolution without padding, and 2x2 pooling
        return size


class ResNetConfig(ImageNetworkSection):
    """Residual network with BlurPool."""

    any_size = True

    architecture: Literal["resnet"]
    """Which network; it needs images of at least 17 x 17 pixels."""
    depth: Literal[18, 50] = 18
    """Layers: 18, in basic blocks, or 50, in bottlenecks."""
    width: Count = 64
    """Channels of the first convolution."""
    activation: Literal["relu", "gelu"] = "relu"
    """Nonlinearity; with `gelu` the network is smooth except for its max-pooling."""
    batchnorm_affine: Flag = True
    """Whether BatchNorm has scales and shifts; without, they are 1 and 0 (thesis 3.5.1)."""

    def _least_size(self) -> int:
        return 17  # the last of five blurs reflects edges, so it needs two pixels per side


class OwnNetworkConfig(NetworkSection):
    """A network that `hyperribbon.register_network` has registered, with its own parameters."""

    model_config = ConfigDict(extra="allow")

    architecture: str
    """Which network."""

    @property
    def any_size(self) -> bool:  # type: ignore[override]
        """Whether it was registered so."""
        return NETWORKS.find(self.architecture).any_size

    @property
    def has_linear_classifier(self) -> bool:  # type: ignore[override]
        """Whether it was registered so."""
        return NETWORKS.find(self.architecture).linear_classifier

    @model_validator(mode="after")
    def _check(self) -> Self:
        known, given = NETWORKS.find(self.architecture).parameters, self.model_extra or {}
        named = {k: p for k, p in known.items() if p.kind is not Parameter.VAR_KEYWORD}
        for key, value in given.items():
            if key not in named and len(named) == len(known):
                allowed = ", ".join(["architecture", *named])
                raise refuse(key, value, f"unknown key, allowed: {allowed}")
        for key, parameter in named.items():
            if parameter.default is Parameter.empty and key not in given:
                context = {"key": key, "about": f"{self.architecture} has no default for it"}
                raise PydanticCustomError("impossible", "{key}: missing key ({about})", context)
        return self


def _registered(value: Any, otherwise: Any) -> Any:
    """The section of a registered network; those that are built in are left to pydantic."""
    if isinstance(value, OwnNetworkConfig):
        return value
    name = value.get("architecture") if isinstance(value, Mapping) else None
    if not isinstance(name, str) or name in NETWORKS.built_in:
        return otherwise(value)
    if name not in NETWORKS:
        raise refuse("architecture", name, f"allowed: {', '.join(NETWORKS)}")
    return OwnNetworkConfig.model_validate(value)


class _OrRegistered:
    """Says in the JSON schema that there are other architectures, whose keys it cannot know."""

    @staticmethod
    def __get_pydantic_json_schema__(core_schema: Any, handler: Any) -> dict[str, Any]:
        other = {"type": "string", "not": {"enum": sorted(NETWORKS.built_in)}}
        others = {"properties": {"architecture": other}, "required": ["architecture"]}
        return {"anyOf": [handler(core_schema), {"type": "object", **others}]}


BuiltInNetworkConfig = (
    FullyConnectedConfig
    | AllCNNConfig
    | WideResNetConfig
    | ConvMixerConfig
    | ViTConfig
    | LeNetConfig
    | ResNetConfig
)
NetworkConfig = Annotated[
    BuiltInNetworkConfig,
    Field(discriminator="architecture"),
    SerializeAsAny(),  # else pydantic would warn of a registered network, which is no member
    WrapValidator(_registered),
    _OrRegistered,
]
