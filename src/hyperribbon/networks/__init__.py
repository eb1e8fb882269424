"""Network architectures, one file each, with widths and depths as parameters.

Every network is an ``nn.Module`` with the parts ``features`` and ``classifier`` and, unless its
file says otherwise, PyTorch's default initialisation. ``torch.func.vmap`` can map over the stacked
weights of several seeds, in training as well. To add a network, write a file here that names it
``NETWORK``, add it to `registry`, and describe its parameters in :mod:`hyperribbon.config`. A
network of your own needs none of this: see `register_network`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from hyperribbon.extras import needs
from hyperribbon.networks.registry import NETWORKS, register_network

if TYPE_CHECKING:
    from hyperribbon.networks.building import (
        build_network,
        configured_network,
        striding_by_slices,
    )

__all__ = [
    "NETWORKS",
    "build_network",
    "configured_network",
    "register_network",
    "striding_by_slices",
]


def __getattr__(name: str):
    """Import what builds networks on first use, because that imports torch."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    needs("torch", "torch", f"{__name__}.{name}")
    return getattr(import_module(f"{__name__}.building"), name)
