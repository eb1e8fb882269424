"""Network architectures: one file each, widths and depths as parameters.

Every network is an ``nn.Module`` with ``features`` and ``classifier`` parts and default PyTorch
initialisation. To add one: write its file here, add it to ``ARCHITECTURES``, and describe its
parameters in :mod:`hyperribbon.config`.
"""

from torch import nn

from hyperribbon.networks.allcnn import AllCNN
from hyperribbon.networks.convmixer import ConvMixer
from hyperribbon.networks.fully_connected import FullyConnected
from hyperribbon.networks.vit import ViT
from hyperribbon.networks.wide_resnet import WideResNet

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "allcnn": AllCNN,
    "convmixer": ConvMixer,
    "fully_connected": FullyConnected,
    "vit": ViT,
    "wide_resnet": WideResNet,
}


def build_network(
    architecture: str, input_shape: tuple[int, int, int], n_classes: int, **parameters
) -> nn.Module:
    """Build a network by name.

    Parameters
    ----------
    architecture : a key of ``ARCHITECTURES``
    input_shape : (channels, height, width)
    n_classes : int
    **parameters : the architecture's widths and depths

    Returns
    -------
    torch.nn.Module mapping (B, channels, height, width) to logits (B, n_classes)

    Examples
    --------
    >>> net = build_network("fully_connected", (1, 4, 4), 3, widths=[8])
    >>> sum(p.numel() for p in net.parameters())
    163
    """
    return ARCHITECTURES[architecture](input_shape, n_classes, **parameters)
