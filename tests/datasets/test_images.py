import pickle
import threading
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.data import images as module
from hyperribbon.data.images import MappedImages, content_sha256, write_images
from hyperribbon.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, size=(23, 3, 4, 5), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 5 * 60)  # of 5 images


def written(folder, images):
    dtype = str(images.dtype)
    return list(write_images(folder, images.shape, dtype, images.__getitem__, split="test"))


@pytest.fixture
def folder(tmp_path):
    written(tmp_path / "images", IMAGES)
    return tmp_path / "images"


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(23, 3, 4, 5), (300, 7), (1, 1, 1, 1), (2, 3, 40, 40)])
def test_what_was_written_is_mapped(tmp_path, dtype, shape):
    images = RNG.normal(size=shape, scale=100).astype(dtype)
    blocks = written(tmp_path / "images", images)
    np.testing.assert_array_equal(np.concatenate(blocks), images)
    mapped = MappedImages(tmp_path / "images")
    assert (mapped.shape, mapped.dtype, len(mapped)) == (shape, images.dtype, shape[0])
    assert (mapped.ndim, mapped.nbytes) == (images.ndim, images.nbytes)
    np.testing.assert_array_equal(mapped[:], images, strict=True)
    np.testing.assert_array_equal(zarr.open_array(tmp_path / "images")[:], images, strict=True)
    assert mapped.sha256 == content_sha256(images) == content_sha256(mapped)


def test_a_chunk_file_is_the_images_and_a_checksum(folder):
    array = zarr.open_array(folder)
    assert array.chunks == (5, 3, 4, 5)
    assert array.metadata.dimension_names == ("test_sample", "channel", "row", "column")
    content = (folder / "c" / "1" / "0" / "0" / "0").read_bytes()
    assert content[:-4] == IMAGES[5:10].tobytes()
    assert len(content) == 5 * 60 + 4


def test_black_images_have_files_too(tmp_path):
    written(tmp_path / "images", np.zeros_like(IMAGES))
    assert (MappedImages(tmp_path / "images")[:] == 0).all()


@given(st.lists(st.integers(-23, 22)))
@settings(max_examples=50)
def test_any_rows_in_any_order(tmp_path_factory, rows):
    folder = tmp_path_factory.getbasetemp() / "any-rows"
    if not folder.exists():
        written(folder, IMAGES)
    mapped = MappedImages(folder)
    np.testing.assert_array_equal(mapped[np.array(rows, dtype=int)], IMAGES[rows])


@pytest.mark.parametrize(
    "rows", [slice(3, 17), slice(None, None, 4), slice(20, 2, -3), slice(9, 9)]
)
def test_slices(folder, rows):
    np.testing.assert_array_equal(MappedImages(folder)[rows], IMAGES[rows])


@pytest.mark.parametrize("rows", [[23], [0, -24]])
def test_rows_that_are_not_there_are_refused(folder, rows):
    with pytest.raises(IndexError, match="of 23"):
        MappedImages(folder)[np.array(rows)]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files here")
def test_no_file_is_kept_open(folder):
    before = len(list(Path("/proc/self/fd").iterdir()))
    images = [MappedImages(folder) for _ in range(20)]
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    np.testing.assert_array_equal(images[0][:], IMAGES)


def test_another_process_maps_the_files_itself(folder):
    images = MappedImages(folder)
    sent = bytes(ForkingPickler.dumps(images))
    assert folder.name.encode() in sent and b"torch" not in sent
    np.testing.assert_array_equal(pickle.loads(sent)[:], IMAGES)


def test_what_is_gathered_is_a_copy(folder):
    mapped = MappedImages(folder)
    some = mapped[:3]
    some[:] = 0
    np.testing.assert_array_equal(mapped[:3], IMAGES[:3])


def test_threads_gather_at_once(folder):
    mapped, found = MappedImages(folder), {}

    def gather(k):
        rows = np.random.default_rng(k).permutation(23)
        found[k] = (mapped[rows] == IMAGES[rows]).all()

    threads = [threading.Thread(target=gather, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == dict.fromkeys(range(8), True)


def test_after_a_kill_whole_chunks_are_kept_and_others_made(tmp_path):
    folder, made = tmp_path / "images", []

    def make(rows):
        made.append(rows.start)
        if len(made) == 4:
            raise KeyboardInterrupt
        return IMAGES[rows]

    with pytest.raises(KeyboardInterrupt):
        list(write_images(folder, IMAGES.shape, "uint8", make))
    damaged = folder / "c" / "1" / "0" / "0" / "0"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    (folder / "c" / "0" / "0" / "0" / "0.x.partial").write_bytes(b"half")
    blocks = list(write_images(folder, IMAGES.shape, "uint8", make))
    assert made == [0, 5, 10, 15, 5, 15, 20]
    np.testing.assert_array_equal(np.concatenate(blocks), IMAGES)
    assert MappedImages(folder).sha256 == content_sha256(IMAGES)
    assert not list(folder.rglob("*.partial"))


def test_a_chunk_that_is_missing_or_cut_is_named(folder):
    chunk = folder / "c" / "4" / "0" / "0" / "0"
    content = chunk.read_bytes()
    for damage in (lambda: chunk.write_bytes(content[:50]), chunk.unlink):
        damage()
        with pytest.raises(DataError) as error:
            MappedImages(folder)
        assert str(chunk) in str(error.value)


@pytest.mark.parametrize(
    "layout",
    [
        {"chunks": (5, 3, 4, 5)},  # compressed, by default
        {"chunks": (5, 3, 4, 5), "compressors": None},  # without a checksum
        {"chunks": (5, 1, 4, 5), "compressors": [zarr.codecs.Crc32cCodec()]},
    ],
)
def test_another_layout_is_refused(tmp_path, layout):
    zarr.create_array(tmp_path / "images", data=IMAGES, **layout)
    with pytest.raises(DataError, match="uncompressed chunks of whole images"):
        MappedImages(tmp_path / "images")


def test_the_hash_sees_type_shape_and_content():
    flat = IMAGES.reshape(23, -1)
    variants = [IMAGES, IMAGES[::-1], flat, IMAGES.astype(np.float32), IMAGES[:-1]]
    assert len({content_sha256(images) for images in variants}) == len(variants)
