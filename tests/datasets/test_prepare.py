import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sklearn.model_selection import train_test_split

from hyperribbon.config import DataConfig
from hyperribbon.data import Dataset, images, mnist5k, prepare
from hyperribbon.data.parts import Part
from hyperribbon.data.prepare import stratified, vectors
from hyperribbon.errors import DataError


@pytest.fixture
def prepared(tmp_path):
    """Function preparing parts; what it published is replaced by the next."""

    def make(parts, config) -> Dataset:
        return prepare(parts, config, tmp_path / "data.zarr", tmp_path / "work")

    return make


class Lazy:
    """Images that are read where they are indexed; counts how many were."""

    def __init__(self, array, broken_at=np.inf):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.read, self.broken_at = 0, broken_at

    def __getitem__(self, rows):
        self.read += len(rows)
        if self.read > self.broken_at:
            raise KeyboardInterrupt
        return self.array[rows]


def seen(data, split="train"):
    return data.as_input(torch.from_numpy(data.split(split)[0][:])).numpy()


def test_what_networks_see_of_mnist5k_is_bit_equal_to_the_plain_way(prepared, section):
    """uint8 -> float -> / 255 -> averages by area -> (x - mean) / std, all at once in float32."""
    config = section({"name": "mnist5k", "image_size": 12})
    parts = mnist5k.load()
    data = prepared(parts, config)
    [(raw, labels, _)] = parts
    rows = np.arange(5000)
    train, test = train_test_split(
        rows, train_size=4000, test_size=1000, random_state=0, stratify=labels
    )
    pixels = torch.from_numpy(raw).float() / 255
    pixels = torch.nn.functional.interpolate(pixels, size=12, mode="area")
    mean = pixels[train].mean(dim=(0, 2, 3), keepdim=True)
    std = pixels[train].std(dim=(0, 2, 3), keepdim=True)
    pixels = ((pixels - mean) / std).numpy()
    for split, rows in (("train", train), ("test", test)):
        np.testing.assert_array_equal(seen(data, split), pixels[rows], strict=True)
        np.testing.assert_array_equal(data.split(split)[1], labels[rows])
        np.testing.assert_array_equal(data.split(split)[2], rows)


def test_a_pool_is_split_with_its_proportions_and_shares_no_sample(prepared, pool, own):
    data = prepared([pool], own())
    assert np.bincount(data.train_labels).tolist() == [30, 20, 10]
    assert np.bincount(data.test_labels).tolist() == [15, 10, 5]
    both = np.concatenate([data.train_index, data.test_index])
    assert len(set(both.tolist())) == 90
    for split in ("train", "test"):
        raw, labels, index = data.split(split)
        assert (labels == pool.labels[index]).all()
        assert (raw == pool.images[index]).all()
        assert raw.dtype == np.uint8


def test_the_split_follows_its_seed(prepared, pool, own):
    first, again = prepared([pool], own()), prepared([pool], own())
    assert first.sha256 == again.sha256
    other = prepared([pool], own(split_seed=1))
    assert set(first.train_index.tolist()) != set(other.train_index.tolist())


def test_parts_stay_as_they_are_or_a_stratified_subset_is_drawn(prepared, pool, own):
    train, test = (
        Part(pool.images[::2], pool.labels[::2]),
        Part(pool.images[1::2], pool.labels[1::2]),
    )
    whole = prepared([train, test], own(train_size=60, test_size=60))
    np.testing.assert_array_equal(whole.train_index, np.arange(60))
    np.testing.assert_array_equal(whole.test_images, test.images)
    some = prepared([train, test], own(train_size=30, test_size=59))
    assert np.bincount(some.train_labels).tolist() == [15, 10, 5]
    assert len(set(some.test_index.tolist())) == 59
    np.testing.assert_array_equal(some.train_images, train.images[some.train_index])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 2**32 - 1), st.data())
def test_a_stratified_subset_has_the_proportions_of_all(labels, seed, data):
    labels = np.array(labels)
    size = data.draw(st.integers(0, len(labels)))
    chosen = stratified(labels, size, seed)
    assert len(set(chosen.tolist())) == size
    expected = np.bincount(labels, minlength=4) * size / len(labels)
    assert (abs(np.bincount(labels[chosen], minlength=4) - expected) <= 1).all()
    np.testing.assert_array_equal(stratified(labels, len(labels), seed)[:size], chosen)


@pytest.mark.parametrize("chunk_bytes", [2**26, 128 * 7])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_networks_see_mean_0_and_deviation_1(prepared, pool, own, monkeypatch, chunk_bytes, dtype):
    """However many chunks the images are gathered from."""
    monkeypatch.setattr(images, "CHUNK_BYTES", chunk_bytes)
    given = pool.images if dtype == np.uint8 else pool.images.astype(dtype) * 7 - 300
    data = prepared([Part(given, pool.labels)], own())
    assert data.train_images.dtype == (np.uint8 if dtype == np.uint8 else np.float32)
    train = seen(data).astype(float)
    np.testing.assert_allclose(train.mean(axis=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(train.std(axis=(0, 2, 3), ddof=1), 1, atol=1e-5)
    raw = given[data.train_index].astype(float) / (255 if dtype == np.uint8 else 1)
    np.testing.assert_allclose(data.mean, raw.mean(axis=(0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(data.std, raw.std(axis=(0, 2, 3), ddof=1), rtol=1e-5)


def test_not_standardised_if_so_asked(prepared, pool, own):
    data = prepared([pool], own(standardise=False))
    np.testing.assert_allclose(seen(data), data.train_images / 255, atol=1e-7)


def test_samples_may_be_features(prepared, pool, own):
    x = pool.images.reshape(120, -1)[:, :5].astype(np.float16)
    data = prepared([Part(x, pool.labels)], own(shape=[5]))
    assert data.input_shape == (5,)
    np.testing.assert_allclose(seen(data).mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(seen(data).std(axis=0, ddof=1), 1, atol=1e-5)


def _areas(size, new):
    """Matrix (new, size) that averages pixels; PyTorch takes whole pixels, those of unequal
    windows twice."""
    matrix = np.zeros((new, size))
    for i in range(new):
        window = slice(i * size // new, -(-(i + 1) * size // new))
        matrix[i, window] = 1
    return matrix / matrix.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("size", [1, 2, 4, 5, 8])
def test_images_are_averaged_by_area(prepared, section, size):
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 17, size=(1797, 1, 8, 8), dtype=np.uint8)
    sizes = {"train_size": 60, "test_size": 30, "image_size": size}
    data = prepared([Part(raw, np.arange(1797) % 10)], section({"name": "digits", **sizes}))
    assert data.input_shape == (1, size, size)
    A = _areas(8, size)
    pixels = np.einsum("ij,nbjk,lk->nbil", A, raw.astype(float), A)[data.train_index]
    expected = (pixels - pixels.mean()) / pixels.std(ddof=1)
    np.testing.assert_allclose(seen(data), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda x, y: (x[:, :1], y), "images of shape (120, 1, 8, 8), expected (120, 2, 8, 8)"),
        (lambda x, y: (x.transpose(0, 2, 3, 1), y), "(120, 8, 8, 2), expected (120, 2, 8, 8)"),
        (lambda x, y: (x[0, 0, 0, 0], y), "images of shape ()"),
        (lambda x, y: (x.astype(int), y), "images of int64, expected uint8 or floating point"),
        (lambda x, y: (x, y[:-1]), "shape (119,), expected integers of shape (120,)"),
        (lambda x, y: (x, y.astype(float)), "labels of float64"),
        (lambda x, y: (x[:0], y[:0]), "no samples"),
        (lambda x, y: (x, y + 1), "labels from 1 to 3, expected 0 to 2"),
        (lambda x, y: (x, np.where(y == 2, 200, y)), "labels from 0 to 200, expected 0 to 2"),
        (lambda x, y: (x, y.astype(int) - 1), "labels from -1 to 1, expected 0 to 2"),
        (
            lambda x, y: (x[:89], y[:89]),
            "89 samples, expected at least train_size + test_size = 90",
        ),
        (lambda x, y: (x, np.where(np.arange(120) == 0, 2, y % 2)), "cannot be split: "),
        (lambda x, y: (x * np.float32(np.nan), y), "train: images contain NaN or infinity"),
        (lambda x, y: (np.zeros_like(x), y), "channel 0 has mean 0.0 and standard deviation 0.0"),
    ],
)
def test_impossible_sources_are_refused_and_nothing_is_published(
    pool, own, tmp_path, change, words
):
    with pytest.raises(DataError) as error:
        prepare([Part(*change(*pool[:2]))], own(), tmp_path / "data.zarr", tmp_path / "work")
    assert words in str(error.value)
    assert str(error.value).startswith("data set npz")
    assert "\n" not in str(error.value)
    assert [path.name for path in tmp_path.iterdir() if path.name != "work"] == []


def test_too_small_a_part_is_named(prepared, pool, own):
    with pytest.raises(
        DataError, match="npz, test: 120 samples, expected at least test_size = 121"
    ):
        prepared([pool, pool], own(test_size=121))


def test_a_set_that_is_read_piece_by_piece_goes_on_after_a_kill(prepared, pool, own, monkeypatch):
    monkeypatch.setattr(images, "CHUNK_BYTES", 128 * 10)  # of 10 images
    at_once = prepared([Part(pool.images, pool.labels)] * 2, own())
    lazy = Lazy(pool.images, broken_at=45)
    with pytest.raises(KeyboardInterrupt):
        prepared([Part(lazy, pool.labels, "k")] * 2, own())
    again = Lazy(pool.images)
    data = prepared([Part(again, pool.labels, "k")] * 2, own())
    assert again.read == 60 + 30 - 40
    assert seen(data).mean() == pytest.approx(0, abs=1e-6)
    assert sorted(data.train_labels.tolist()) == sorted(at_once.train_labels.tolist())


@pytest.mark.parametrize("changed", ["key", "labels", "seed", "identity"])
def test_work_on_another_set_is_not_taken_for_this_one(pool, own, tmp_path, monkeypatch, changed):
    monkeypatch.setattr(images, "CHUNK_BYTES", 128 * 10)
    first = Part(Lazy(pool.images, broken_at=45), pool.labels, "k")
    with pytest.raises(KeyboardInterrupt):
        prepare([first] * 2, own(), tmp_path / "data.zarr", tmp_path / "work", identity=("a",))
    lazy = Lazy(pool.images)
    part = Part(lazy, pool.labels, "l" if changed == "key" else "k")
    if changed == "labels":
        part = part._replace(labels=np.roll(pool.labels, 1))
    config = own(split_seed=1) if changed == "seed" else own()
    identity = ("b",) if changed == "identity" else ("a",)
    prepare([part] * 2, config, tmp_path / "data.zarr", tmp_path / "work", identity=identity)
    assert lazy.read == 90
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["lock"]


def test_images_in_memory_are_written_anew(prepared, pool, own, monkeypatch):
    """What was left may be of other images; to write them costs nothing."""
    with monkeypatch.context() as patch:
        patch.setitem(prepare.__globals__, "remove", lambda path: None)
        prepared([pool], own())
    data = prepared([Part(255 - pool.images, pool.labels)], own())
    np.testing.assert_array_equal(data.train_images, 255 - pool.images[data.train_index])


def test_rows_of_a_pool_that_is_read_piece_by_piece_are_in_its_order(prepared, pool, own):
    data = prepared([Part(Lazy(pool.images), pool.labels)], own())
    assert (np.diff(data.train_index) > 0).all()


def test_classes_taken_together_are_the_same_samples_with_fewer_labels(prepared, section):
    groups = [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    plain = prepared(mnist5k.load(), section({"name": "mnist5k", "image_size": 6}))
    config = section({"name": "mnist5k", "image_size": 6, "groups": groups})
    assert config.n_classes == 2
    data = prepared(mnist5k.load(), config)
    assert data.n_classes == 2
    for split in ("train", "test"):
        np.testing.assert_array_equal(data.split(split)[2], plain.split(split)[2])
        np.testing.assert_array_equal(data.split(split)[1], plain.split(split)[1] % 2)


def test_vectors_are_what_networks_see_of_the_training_samples(tmp_path, monkeypatch):
    section = {"name": "mnist5k", "train_size": 50, "test_size": 20, "image_size": 7}
    config = TypeAdapter(DataConfig).validate_python(section)
    expected = prepare(mnist5k.load(), config, tmp_path / "data.zarr", tmp_path / "work")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    inputs, labels = vectors(mnist5k.load(), section)
    assert inputs.shape == (50, 49)
    assert np.array_equal(inputs, seen(expected).reshape(50, -1))
    assert np.array_equal(labels, expected.train_labels)
    assert not list((tmp_path / "temporary").iterdir())
