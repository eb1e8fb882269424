"""Small pictures of samples in one image."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from hyperribbon.reporting.thumbnails import are_images, sheet


def picture_of(found):
    head, content = found.address.split(",")
    assert head == "data:image/png;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


@pytest.mark.parametrize("channels", [1, 3])
def test_each_has_its_place(channels):
    images = np.random.default_rng(0).integers(0, 256, (40, channels, 6, 5), dtype=np.uint8)
    found = sheet(images)
    whole = picture_of(found).reshape(12, 32 * 6, -1)
    assert found.side == 6
    np.testing.assert_array_equal(whole[6:12, 7 * 6 : 7 * 6 + 5], np.moveaxis(images[39], 0, -1))


def test_large_and_real_ones():
    images = np.linspace(-1, 1, 2 * 64 * 64).reshape(2, 64, 64)
    found = sheet(images)
    assert found.side == 32
    whole = picture_of(found)
    assert (whole.min(), whole[-1, -1]) == (0, round(255 * (images[1, 62, 62] + 1) / 2))


def test_what_is_no_image():
    shapes = [(4, 5), (4, 5, 5), (4, 1, 5, 5), (4, 2, 5, 5), (4, 3, 5, 5, 5)]
    assert [are_images(np.zeros(shape)) for shape in shapes] == [False, True, True, False, False]
