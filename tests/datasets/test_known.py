"""The data sets with names: embedded ones always, others where the cache has them."""

import dataclasses
import gzip
import hashlib
import json
import struct
from importlib import import_module

import numpy as np
import pytest
from PIL import Image
from sklearn import datasets

from hyperribbon.config.data import DATA_SOURCES
from hyperribbon.data import cifar10, digits, mnist5k
from hyperribbon.data.cache import Unavailable
from hyperribbon.data.idx import NAMES
from hyperribbon.errors import DataError

FETCHED = ["mnist", "fashion_mnist", "kmnist", "cifar10"]
PER_CLASS = {  # in the train and the test part
    "fashion_mnist": ([6000] * 10, [1000] * 10),
    "kmnist": ([6000] * 10, [1000] * 10),
    "cifar10": ([5000] * 10, [1000] * 10),
    "mnist": (
        [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
        [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ),
}


def assert_as_known(name, parts):
    facts = DATA_SOURCES[name]
    for part, n in zip(parts, facts.n_samples, strict=True):
        assert part.images.shape == (n, *facts.shape)
        assert part.images.dtype == np.uint8
        assert part.labels.shape == (n,)
        assert set(part.labels.tolist()) == set(range(facts.n_classes))


@pytest.mark.parametrize("module", [mnist5k, digits])
def test_embedded_sets_are_what_they_should_be(module):
    assert_as_known(module.__name__.split(".")[-1], module.load())


def test_mnist5k_has_500_of_each_class():
    [part] = mnist5k.load()
    assert np.bincount(part.labels).tolist() == [500] * 10


@pytest.mark.parametrize("changed", [0, 1])
@pytest.mark.parametrize(
    ("module", "function", "given"),
    [
        (mnist5k, "mnist_data", mnist5k.mnist_data()),
        (digits, "load_digits", datasets.load_digits(return_X_y=True)),
    ],
)
def test_altered_embedded_sets_are_refused(monkeypatch, module, function, given, changed):
    arrays = [array.copy() for array in given]
    arrays[changed].flat[77] += 1
    content = b"".join(array.astype(np.uint8).tobytes() for array in arrays)
    monkeypatch.setattr(module, function, lambda **options: arrays)
    with pytest.raises(DataError) as error:
        module.load()
    assert hashlib.sha256(content).hexdigest() in str(error.value)
    assert module.SHA256 in str(error.value)


@pytest.mark.parametrize("name", FETCHED)
def test_the_real_set_is_what_it_should_be(name):
    module = import_module(f"hyperribbon.data.{name}")
    if not all((module.FILES.folder / file).exists() for file in module.FILES.md5):
        pytest.skip(f"{name} is not in the cache {module.FILES.folder.parent}")
    parts = module.load()
    assert_as_known(name, parts)
    counts = tuple(np.bincount(part.labels).tolist() for part in parts)
    assert counts == PER_CLASS[name]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "kmnist"])
def test_files_of_idx_format_become_parts(monkeypatch, tmp_path, name):
    """With the real reading and checking, and invented content."""
    module = import_module(f"hyperribbon.data.{name}")
    rng, content, arrays = np.random.default_rng(0), {}, []
    for file, standard in zip(module.FILES.md5, NAMES, strict=True):
        shape = (5, 28, 28) if "images" in standard else (5,)
        arrays.append(rng.integers(0, 10, size=shape, dtype=np.uint8))
        header = struct.pack(f">4B{len(shape)}I", 0, 0, 8, len(shape), *shape)
        content[file] = header + arrays[-1].tobytes()
        if file.endswith(".gz"):
            content[file] = gzip.compress(content[file])

    class Source:
        title = "a test"

        def put(self, names, folder):
            for file in names:
                (folder / file).write_bytes(content[file])

    md5 = {file: hashlib.md5(content[file]).hexdigest() for file in content}
    monkeypatch.setenv("HYPERRIBBON_DATA", str(tmp_path))
    files = dataclasses.replace(module.FILES, md5=md5, sources=[Source()])
    monkeypatch.setattr(module, "FILES", files)
    for part, (images, labels) in zip(module.load(), [arrays[:2], arrays[2:]], strict=True):
        np.testing.assert_array_equal(part.images[:, 0], images)
        np.testing.assert_array_equal(part.labels, labels)


@pytest.mark.parametrize("name", FETCHED)
def test_every_file_of_a_set_has_an_md5_of_its_own_and_a_source(name):
    files = import_module(f"hyperribbon.data.{name}").FILES
    assert files.name == name
    assert len({md5 for md5 in files.md5.values() if len(md5) == 32}) == len(files.md5) >= 4
    assert files.sources[0].title.startswith("https://")


@pytest.fixture
def batches(tmp_path, monkeypatch):
    """PNG images and labels as the npm package has them, of 4 photographs a batch."""
    monkeypatch.setattr(cifar10, "BATCH", 4)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, size=(6, 4, 32, 32, 3), dtype=np.uint8)
    labels = rng.integers(0, 10, size=(6, 4)).tolist()
    for name, rows in zip(cifar10.TRAIN + cifar10.TEST, pixels, strict=True):
        Image.fromarray(rows.reshape(4, -1, 3)).save(tmp_path / f"{name}.png")
    (tmp_path / "train.json").write_text(
        json.dumps([label for batch in labels[:5] for label in batch])
    )
    (tmp_path / "test.json").write_text(json.dumps(labels[5]))
    return tmp_path, pixels, labels


def test_png_images_become_batches_of_records(batches):
    folder, pixels, labels = batches
    names = cifar10.TRAIN + cifar10.TEST
    cifar10.from_png(names, folder)
    for name, rows, classes in zip(names, pixels, labels, strict=True):
        records = np.frombuffer((folder / name).read_bytes(), np.uint8).reshape(4, 3073)
        assert records[:, 0].tolist() == classes
        np.testing.assert_array_equal(
            records[:, 1:].reshape(4, 3, 32, 32), rows.transpose(0, 3, 1, 2)
        )


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("test.json", b"[1, 2]"),
        ("test.json", b"<html>"),
        ("test_batch.bin.png", b"\x89PNG"),
        ("test_batch.bin.png", None),
    ],
)
def test_images_or_labels_of_another_kind_are_said(batches, file, content):
    folder, _, _ = batches
    if content is None:
        Image.new("RGB", (5, 5)).save(folder / file)
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(Unavailable, match="test_batch.bin cannot be made from its images"):
        cifar10.from_png(cifar10.TEST, folder)
