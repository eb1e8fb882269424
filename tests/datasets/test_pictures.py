"""Whatever a file holds becomes what one sees of it: right values for each kind."""

import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from hyperribbon.data.pictures import decoded
from hyperribbon.errors import DataError

RAMP = np.arange(0, 256, 17, dtype=np.uint8).reshape(4, 4)


@pytest.fixture
def file(tmp_path):
    """Function saving an image, of which it gives the path."""

    def save(image, suffix="png", **options):
        if isinstance(image, np.ndarray):
            image = Image.fromarray(image)
        path = tmp_path / f"x.{suffix}"
        image.save(path, **options)
        return path

    return save


@pytest.mark.parametrize("shape", [(40, 80), (80, 40), (30, 30), (5, 9)])
def test_the_shorter_side_is_resized_and_the_centre_kept(file, shape):
    """Of a picture that is dark but for the square in its centre; pixels at its edge are mixed."""
    side = min(shape)
    pixels = np.zeros((*shape, 3), np.uint8)
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    pixels[top : top + side, left : left + side] = 200
    found = decoded(file(pixels), 20)
    assert (found[:, 2:-2, 2:-2] == 200).all()
    assert found.min() > 100


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp"])
def test_colours_are_those_that_were_saved(file, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    options = {"lossless": True} if suffix == "webp" else {}
    np.testing.assert_array_equal(
        decoded(file(pixels, suffix, **options), 6).transpose(1, 2, 0), pixels
    )


def test_grey_of_8_and_16_bits_is_the_same(file):
    """65,535 is white; a value of 16 bits that repeats one of 8 is that."""
    np.testing.assert_array_equal(decoded(file(RAMP), 4), [RAMP] * 3)
    for suffix in ("png", "tiff"):
        path = file(RAMP.astype(np.uint16) * 257, suffix)
        with Image.open(path) as image:
            assert image.mode.startswith("I;16")
        np.testing.assert_array_equal(decoded(path, 4), [RAMP] * 3)
    big_endian = Image.frombytes(
        "I;16B", (4, 4), (RAMP.astype(">u2") * 257).astype(">u2").tobytes()
    )
    np.testing.assert_array_equal(decoded(file(big_endian, "tiff"), 4), [RAMP] * 3)


@pytest.mark.parametrize("dtype", [np.int32, np.float32])
def test_numbers_of_32_bits_are_refused(file, dtype):
    with pytest.raises(DataError, match=r"x.tiff: numbers of 32 bits, whose range is not"):
        decoded(file(RAMP.astype(dtype), "tiff"), 4)


def test_one_bit_is_black_and_white(file):
    bits = RAMP > 100
    np.testing.assert_array_equal(
        decoded(file(Image.fromarray(bits)), 4), [bits * np.uint8(255)] * 3
    )


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(file, mode):
    """Whatever colour is hidden there; what is half transparent is mixed with white."""
    alpha = np.array([[255, 0], [128, 0]], np.uint8)
    pixels = np.dstack([np.full((2, 2, 3), 40, np.uint8), alpha])
    expected = np.array([[40, 255], [147, 255]])
    image = Image.fromarray(pixels)
    if mode == "P":  # a palette of two greys, and how transparent each is
        image = Image.fromarray(np.array([[0, 1], [2, 1]], np.uint8))
        image.putpalette([40, 40, 40, 7, 7, 7, 40, 40, 40])
        path = file(image, transparency=bytes([255, 0, 128]))
    else:
        path = file(image.convert(mode))
    np.testing.assert_array_equal(decoded(path, 2), [expected] * 3)


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_colour_that_stands_for_transparency_is_white(file, mode):
    image = Image.fromarray(np.array([[10, 20], [30, 40]], np.uint8)).convert(mode)
    path = file(image, transparency=20 if mode == "L" else (20, 20, 20))
    np.testing.assert_array_equal(decoded(path, 2), [[[10, 255], [30, 40]]] * 3)


def test_grey_of_16_bits_with_transparency_is_refused(file):
    path = file(RAMP.astype(np.uint16) * 257, transparency=0)
    with pytest.raises(DataError, match="grey of 16 bits with transparency"):
        decoded(path, 4)


def test_palettes_give_their_colours(file):
    image = Image.fromarray(np.array([[0, 1], [1, 2]], np.uint8))
    colours = [[10, 20, 30], [200, 100, 50], [0, 255, 0]]
    image.putpalette(np.ravel(colours).tolist())
    expected = np.array(colours)[[[0, 1], [1, 2]]].transpose(2, 0, 1)
    for suffix in ("png", "gif"):
        np.testing.assert_array_equal(decoded(file(image, suffix), 2), expected)


def test_cmyk_is_converted_by_subtraction(file):
    ink = np.zeros((1, 4, 4), np.uint8)
    ink[0, 1] = [255, 0, 0, 0]
    ink[0, 2] = [0, 0, 0, 255]
    ink[0, 3] = [0, 51, 0, 0]
    image = Image.frombytes("CMYK", (4, 4), np.repeat(ink, 4, axis=0).tobytes())
    found = decoded(file(image, "tiff"), 4)[:, 0].T.tolist()
    assert found == [[255, 255, 255], [0, 255, 255], [0, 0, 0], [255, 204, 255]]


def test_lab_and_ycbcr_are_converted(file):
    image = Image.new("RGB", (8, 8), (200, 60, 90))
    spaces = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
    lab = ImageCms.profileToProfile(image, *spaces, outputMode="LAB")
    for other in (lab, image.convert("YCbCr")):
        found = decoded(file(other, "tiff"), 8).reshape(3, -1).T.astype(int)
        assert abs(found - [200, 60, 90]).max() <= 2


@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(file, orientation, suffix):
    """As a viewer turns it: the picture seen is the same for each of EXIF's eight values."""
    seen = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    stored = seen.transpose(1, 0, 2) if orientation > 4 else seen
    if orientation in (3, 4, 6, 7):  # the first stored row is seen at the bottom, or on the right
        stored = stored[::-1]
    if orientation in (2, 3, 7, 8):  # the first stored column: on the right, or at the bottom
        stored = stored[:, ::-1]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if suffix == "webp" else {}
    path = file(np.ascontiguousarray(stored), suffix, exif=exif, **options)
    np.testing.assert_array_equal(decoded(path, 8).transpose(1, 2, 0), seen)


def test_a_damaged_exif_header_is_passed_over(file):
    path = file(np.full((4, 4, 3), 90, np.uint8), "jpg", exif=b"Exif\x00\x00no such thing")
    assert abs(decoded(path, 4).astype(int) - 90).max() <= 2


@pytest.mark.parametrize("suffix", ["gif", "png", "webp", "tiff"])
def test_several_frames_are_refused(file, suffix):
    frames = [Image.new("RGB", (4, 4), (60 * k, 0, 0)) for k in range(3)]
    path = file(frames[0], suffix, save_all=True, append_images=frames[1:])
    with pytest.raises(DataError, match=f"x.{suffix}: 3 frames, expected one picture"):
        decoded(path, 4)


def test_of_a_photograph_that_others_came_with_the_first_is_taken(file):
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    path = file(frames[0], "mpo", save_all=True, append_images=frames[1:])
    found = decoded(path.rename(path.with_suffix(".jpg")), 8)
    assert found[0].min() > 240
    assert found[2].max() < 20


def test_pictures_too_large_to_be_true_are_refused(tmp_path):
    """An empty PNG whose header says 60,000 x 60,000 pixels."""

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + checksum

    side = (60_000).to_bytes(4, "big")
    header = chunk(b"IHDR", side + side + bytes([8, 2, 0, 0, 0]))
    content = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(DataError, match=r"x.png: cannot be decoded as an image \(Image size"):
        decoded(tmp_path / "x.png", 4)
