"""Network architectures, one file each, with widths and depths as parameters.

Every network is an ``nn.Module`` with the parts ``features`` and ``classifier`` and, unless its
file says otherwise, PyTorch's default initialisation. ``torch.func.vmap`` can map over the stacked
weights of several seeds, in training as well. To add a network, write a file here that names it
``NETWORK``, and describe its parameters in :mod:`hyperribbon.config`.
"""

from copy import deepcopy
from importlib import import_module
from itertools import chain
from typing import TypeGuard

from torch import Tensor, nn

from hyperribbon.config import NetworkConfig

# oneDNN's blocks of channels: 8 with AVX2, 16 with AVX-512.
_BLOCK = 16


def build_network(
    architecture: str, input_shape: tuple[int, ...], n_classes: int, **parameters
) -> nn.Module:
    """Build a network by name.

    Parameters
    ----------
    architecture : str
        Name of a file here.
    input_shape : tuple of int
        (channels, height, width), or (features,) if the architecture takes vectors.
    n_classes : int
        Number of classes, C.
    **parameters
        Widths and depths of the architecture.

    Returns
    -------
    torch.nn.Module
        It maps (B, *input_shape) to logits (B, n_classes).

    Examples
    --------
    >>> net = build_network("fully_connected", (1, 4, 4), 3, widths=[8])
    >>> sum(p.numel() for p in net.parameters())
    163
    """
    # By name, so that a network's code counts only for its own trainings.
    module = import_module(f"{__package__}.{architecture}")
    return striding_by_slices(module.NETWORK(input_shape, n_classes, **parameters))


def configured_network(
    section: NetworkConfig, input_shape: tuple[int, ...], n_classes: int
) -> nn.Module:
    """Build a network from its section of a configuration."""
    parameters = section.model_dump()
    return build_network(parameters.pop("architecture"), input_shape, n_classes, **parameters)


def striding_by_slices(network: nn.Module) -> nn.Module:
    """Replace the strides whose gradients oneDNN gets wrong on CPUs.

    oneDNN's weight gradient of a 1x1 convolution with a stride writes past its workspace if images
    lie channels last and have fewer channels than a block (uxlfoundation/oneDNN#6035): it is wrong,
    hangs or corrupts the heap. Here such a layer gets stride 1 and only the pixels that it would
    have read. This is the same function, to the last bit where oneDNN is right, in any layout, and
    as fast. Channels-first images, the alternative, would take a network 1.2 times as long.

    Convolutions that a network calls as functions, or in a `forward` of their own, are not found.

    Parameters
    ----------
    network : torch.nn.Module
        It is left as it is.

    Returns
    -------
    torch.nn.Module
        The network itself if it has no such layer; otherwise a copy that shares its parameters and
        buffers.

    Examples
    --------
    >>> network = nn.Sequential(nn.Conv2d(3, 8, 1, stride=2))
    >>> striding_by_slices(network)[0].stride
    (1, 1)
    >>> network[0].stride
    (2, 2)
    """
    if not any(map(_is_strided_pointwise, network.modules())):
        return network
    shared = {id(t): t for t in chain(network.parameters(), network.buffers())}
    network = deepcopy(network, shared)
    for layer in filter(_is_strided_pointwise, network.modules()):
        layer.register_forward_pre_hook(_Slices(layer.stride))
        layer.stride = (1, 1)
    return network


def _is_strided_pointwise(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    return (
        isinstance(layer, nn.Conv2d)
        and type(layer).forward is nn.Conv2d.forward
        and layer.kernel_size == (1, 1)
        and layer.padding in ((0, 0), "valid")
        and max(layer.stride) > 1
        and layer.in_channels // layer.groups < _BLOCK
    )


class _Slices:
    """Hook that passes a layer only the pixels that it should read."""

    def __init__(self, stride: tuple[int, ...]):
        self.stride = stride

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        rows, columns = self.stride
        return (inputs[0][..., ::rows, ::columns],)
