"""Building a network by the name of its architecture, or from its section of a configuration."""

from __future__ import annotations

from copy import deepcopy
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, TypeGuard

import torch
from torch import Tensor, nn

from hyperribbon.errors import DataError, HyperribbonError, in_own_code
from hyperribbon.networks.registry import NETWORKS, Network

if TYPE_CHECKING:
    from pydantic import BaseModel

# oneDNN's blocks of channels: 8 with AVX2, 16 with AVX-512.
_BLOCK = 16


def build_network(
    architecture: str, input_shape: tuple[int, ...], n_classes: int, **parameters
) -> nn.Module:
    """Build a network by name.

    Parameters
    ----------
    architecture : str
        Name of a file here, or of a network that `register_network` has registered.
    input_shape : tuple of int
        (channels, height, width), or (features,) if the architecture takes vectors.
    n_classes : int
        Number of classes, C.
    **parameters
        Widths and depths of the architecture.

    Returns
    -------
    torch.nn.Module
        It maps ``(B, *input_shape)`` to logits (B, n_classes).

    Raises
    ------
    DataError
        If there is no such architecture, or a registered one fails or is no such network.

    Examples
    --------
    >>> net = build_network("fully_connected", (1, 4, 4), 3, widths=[8])
    >>> sum(p.numel() for p in net.parameters())
    163
    """
    known = NETWORKS.find(architecture)
    if known.build is not None:
        network = _registered(architecture, known, input_shape, n_classes, parameters)
    else:
        # By name, so that a network's code counts only for its own trainings.
        module = import_module(f"{__package__}.{architecture}")
        network = module.NETWORK(input_shape, n_classes, **parameters)
    return striding_by_slices(network)


def configured_network(
    section: BaseModel, input_shape: tuple[int, ...], n_classes: int
) -> nn.Module:
    """Build a network from its section of a configuration, a `NetworkSection`."""
    parameters = section.model_dump()
    return build_network(parameters.pop("architecture"), input_shape, n_classes, **parameters)


def _registered(
    name: str, known: Network, input_shape: tuple[int, ...], n_classes: int, parameters: dict
) -> nn.Module:
    """A network of a user, which is tried on two samples before it is trained for hours."""
    assert known.build is not None
    try:
        network = known.build(input_shape, n_classes, **parameters)
        if not isinstance(network, nn.Module):
            raise DataError(f"network = {name!r}: {type(network).__name__}, expected an nn.Module")
        if known.linear_classifier and not (
            isinstance(getattr(network, "classifier", None), nn.Linear)
            and isinstance(getattr(network, "features", None), nn.Module)
        ):
            expected = "expected modules `features` and `classifier`, the latter linear"
            raise DataError(f"network = {name!r}: linear_classifier = True, {expected}")
        modes = {module: module.training for module in network.modules()}
        # Samples on the meta device have a shape only, which not every network can do with.
        if not torch.empty(0).is_meta:
            with torch.no_grad():
                found = network.eval()(torch.zeros(2, *input_shape))
            if not isinstance(found, Tensor) or tuple(found.shape) != (2, n_classes):
                given = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
                expected = f"expected logits of shape {(2, n_classes)}"
                raise DataError(f"network = {name!r}: returns {given} for 2 samples, {expected}")
    except HyperribbonError:
        raise
    except Exception as error:  # another author's code may raise anything
        raise DataError(f"network = {name!r}: {in_own_code(error)}") from None
    for module, training in modes.items():
        module.training = training
    return network


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
