"""Small pictures of samples in one image, for a page that is complete in itself."""

from __future__ import annotations

import base64
import io
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

SIDE = 32  # pixels at most, of a picture
ROW = 32  # pictures next to each other


class Sheet(NamedTuple):
    """Pictures in rows of `ROW`, in the order in which they were given."""

    address: str
    """A PNG as a data address."""
    side: int
    """Height and width of a picture, pixels."""


def sheet(images: Any) -> Sheet:
    """Put images of samples side by side.

    Parameters
    ----------
    images : (n, channels, height, width) or (n, height, width), integers from 0 to 255, or real
        numbers, which are stretched over the range of all of them; one or three channels

    Examples
    --------
    >>> found = sheet(np.zeros((40, 1, 8, 8), np.uint8))
    >>> found.side, found.address[:22]
    (8, 'data:image/png;base64,')
    """
    images = np.asarray(images)
    if images.ndim == 3:
        images = images[:, None]
    if images.dtype != np.uint8:
        low, high = float(images.min()), float(images.max())
        images = (255 * (images - low) / max(high - low, 1e-30)).round().astype(np.uint8)
    step = -(-max(images.shape[2:]) // SIDE)
    images = images[:, :, ::step, ::step]
    n, channels, height, width = images.shape
    side, rows = max(height, width), -(-n // ROW)
    canvas = np.zeros((rows * side, min(n, ROW) * side, channels), np.uint8)
    for k, image in enumerate(images):
        y, x = side * (k // ROW), side * (k % ROW)
        canvas[y : y + height, x : x + width] = np.moveaxis(image, 0, -1)
    picture = Image.fromarray(canvas[..., 0] if channels == 1 else canvas[..., :3])
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    encoded = base64.b64encode(content.getvalue()).decode()
    return Sheet(f"data:image/png;base64,{encoded}", side)


def are_images(samples) -> bool:
    """Whether samples have the shape of images that `sheet` takes."""
    shape: tuple = tuple(getattr(samples, "shape", ()))
    return len(shape) == 3 or (len(shape) == 4 and shape[1] in (1, 3))
