"""Decoding of image files into 8-bit RGB, as a viewer would show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from hyperribbon.errors import DataError, first_line

ORIENTATION = 0x0112  # the tag in EXIF
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decoded(file: str | Path, size: int) -> np.ndarray:
    """Centre (3, size, size) uint8 of an image whose shorter side is resized to ``size``.

    An image is turned upright according to its EXIF data, and transparency becomes white. From
    16 bits, the upper 8 are kept. CMYK is converted by subtraction, and colour profiles are
    ignored.

    Raises
    ------
    DataError
        If the file is no image, is damaged, has several frames, or has 32-bit numbers, whose range
        is not known.
    """
    try:
        with Image.open(file) as image:
            frames = getattr(image, "n_frames", 1)
            if frames > 1 and image.format != "MPO":  # which may add previews to a photograph
                raise DataError(f"{file}: {frames} frames, expected one picture")
            image.draft("RGB", (size, size))  # decodes JPEG at the smallest sufficient size
            rgb = _rgb(image, file)
            way = UPRIGHT.get(_orientation(image))
            if way is not None:
                rgb = rgb.transpose(way)
            square = ImageOps.fit(rgb, (size, size), Image.Resampling.BILINEAR)
    except DataError:
        raise
    except Exception as error:  # with damaged bytes, codecs raise nearly anything
        raise DataError(f"{file}: cannot be decoded as an image ({first_line(error)})") from None
    return np.asarray(square).transpose(2, 0, 1)


def _rgb(image: Image.Image, file: str | Path) -> Image.Image:
    if image.mode in ("I", "F"):  # Pillow would clip them to 0..255
        raise DataError(
            f"{file}: numbers of 32 bits, whose range is not known; save it in 8 or 16 bits"
        )
    transparent = image.has_transparency_data
    if image.mode.startswith("I;16"):
        if transparent:
            raise DataError(f"{file}: grey of 16 bits with transparency; save it without")
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if transparent:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _orientation(image: Image.Image) -> int:
    """How the camera was held; upright if a damaged header does not say."""
    try:
        return image.getexif().get(ORIENTATION, 1)
    except Exception:  # as above
        return 1
