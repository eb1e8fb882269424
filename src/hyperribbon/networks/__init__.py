"""Network architectures: one file each, widths and depths as parameters.

Every network is an ``nn.Module`` with ``features`` and ``classifier`` parts and, unless its file
says otherwise, default PyTorch initialisation. Stacked weights of several seeds can be mapped over
by ``torch.func.vmap``, in training too. To add a network: write its file here, which names it
``NETWORK``, and describe its parameters in :mod:`hyperribbon.config`.
"""

from copy import deepcopy
from importlib import import_module
from itertools import chain

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
    architecture : name of a file here
    input_shape : (channels, height, width), or (features,) where the architecture takes vectors
    n_classes : int
    **parameters : the architecture's widths and depths

    Returns
    -------
    torch.nn.Module mapping (B, *input_shape) to logits (B, n_classes)

    Examples
    --------
    >>> net = build_network("fully_connected", (1, 4, 4), 3, widths=[8])
    >>> sum(p.numel() for p in net.parameters())
    163
    """
    # By name, so that a network's code counts for its own trainings only.
    module = import_module(f"{__package__}.{architecture}")
    return striding_by_slices(module.NETWORK(input_shape, n_classes, **parameters))


def configured_network(
    section: NetworkConfig, input_shape: tuple[int, ...], n_classes: int
) -> nn.Module:
    """Build a network by its section of a configuration."""
    parameters = section.model_dump()
    return build_network(parameters.pop("architecture"), input_shape, n_classes, **parameters)


def striding_by_slices(network: nn.Module) -> nn.Module:
    """A network without the layers whose gradient oneDNN gets wrong on CPUs.

    Its weight gradient of a 1x1 convolution with a stride writes past its workspace where images
    lie channels last and have fewer channels than a block (uxlfoundation/oneDNN#6035): it is wrong,
    hangs or corrupts the heap. Such a layer is given every second pixel, say, and has stride 1
    instead. That is the same function, to the last bit where oneDNN is right, in any layout, and as
    fast; channels-first images would cost a network 1.2 times the time.

    Convolutions that a network calls as functions, or in a `forward` of their own, are not seen.

    Parameters
    ----------
    network : left as it is

    Returns
    -------
    torch.nn.Module, the network itself if it has no such layer; otherwise a copy that shares its
    parameters and buffers

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


def _is_strided_pointwise(layer: nn.Module) -> bool:
    return (
        isinstance(layer, nn.Conv2d)
        and type(layer).forward is nn.Conv2d.forward
        and layer.kernel_size == (1, 1)
        and layer.padding in ((0, 0), "valid")
        and max(layer.stride) > 1
        and layer.in_channels // layer.groups < _BLOCK
    )


class _Slices:
    """Hook that hands a layer the pixels it is to read."""

    def __init__(self, stride: tuple[int, int]):
        self.stride = stride

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor]) -> tuple[Tensor]:
        rows, columns = self.stride
        return (inputs[0][..., ::rows, ::columns],)
