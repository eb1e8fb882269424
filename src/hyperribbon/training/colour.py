"""Colours and blur of complete batches of images, on the device where they lie.

Images (n, channels, height, width) have pixel values in [0, 1], and so have the results. Every
image has a number of its own, (n,), that says how much it changes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

GREY = (0.299, 0.587, 0.114)  # weights of red, green and blue (ITU-R BT.601)


def grey(images: Tensor) -> Tensor:
    """The grey (n, 1, height, width) of each pixel; images of one channel are grey already."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(dim=1)
    return (GREY[0] * red + GREY[1] * green + GREY[2] * blue).unsqueeze(1)


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply pixel values by a factor."""
    return (images * _each(factor)).clamp(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply differences from the image's mean grey by a factor."""
    mean = grey(images).mean(dim=(1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, _each(factor)).clamp(0, 1)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply differences from the grey of each pixel by a factor; 0 removes all colours."""
    return torch.lerp(grey(images), images, _each(factor)).clamp(0, 1)


def turn_hue(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue of HSV; 1 is a full turn of the colour circle.

    Value and saturation stay, so that grey pixels do not change, nor do images of one channel.

    Examples
    --------
    >>> red = torch.tensor([1.0, 0.0, 0.0]).reshape(1, 3, 1, 1)
    >>> turn_hue(red, torch.tensor([1 / 3])).flatten().round(decimals=3)  # green
    tensor([0., 1., 0.])
    """
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(dim=1)
    value = images.amax(dim=1)
    chroma = value - images.amin(dim=1)
    divisor = torch.where(chroma > 0, chroma, 1)
    # In sixths of a turn.
    hue = torch.where(
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, 2 + (blue - red) / divisor, 4 + (red - green) / divisor),
    )
    hue = hue + 6 * turn[:, None, None]
    offset = torch.tensor([5.0, 3.0, 1.0], device=images.device)[:, None, None]
    place = (hue[:, None] + offset).remainder(6)
    return value[:, None] - chroma[:, None] * torch.minimum(place, 4 - place).clamp(0, 1)


def gaussian_blur(images: Tensor, sigma: Tensor, radius: int) -> Tensor:
    """Average over a Gaussian, cut off at a radius; edges are reflected.

    Parameters
    ----------
    images : Tensor, shape (n, channels, height, width)
        The images, with more than ``radius`` pixels each way.
    sigma : Tensor, shape (n,)
        Standard deviations, in pixels.
    radius : int
        Pixels on each side that count.
    """
    offsets = torch.arange(-radius, radius + 1, device=images.device)
    weights = (-0.5 * (offsets / sigma[:, None]).square()).softmax(dim=1)
    for axis, margins in ((3, (radius, radius, 0, 0)), (2, (0, 0, radius, radius))):
        padded, size = pad(images, margins, mode="reflect"), images.shape[axis]
        shifted = (padded.narrow(axis, k, size) for k in range(2 * radius + 1))
        images = sum(
            (_each(weight) * part for weight, part in zip(weights.T, shifted, strict=True)),
            torch.zeros_like(images),
        )
    return images


def _each(numbers: Tensor) -> Tensor:
    return numbers[:, None, None, None]
