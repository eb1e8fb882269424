"""Network architectures: one file each, widths and depths as parameters.

Every network is an ``nn.Module`` with ``features`` and ``classifier`` parts and, unless its file
says otherwise, default PyTorch initialisation. Stacked weights of several seeds can be mapped over
by ``torch.func.vmap``, in training too. To add a network: write its file here, which names it
``NETWORK``, and describe its parameters in :mod:`hyperribbon.config`.
"""

from importlib import import_module

from torch import nn

from hyperribbon.config import NetworkConfig


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
    return module.NETWORK(input_shape, n_classes, **parameters)


def configured_network(
    section: NetworkConfig, input_shape: tuple[int, ...], n_classes: int
) -> nn.Module:
    """Build a network by its section of a configuration."""
    parameters = section.model_dump()
    return build_network(parameters.pop("architecture"), input_shape, n_classes, **parameters)
