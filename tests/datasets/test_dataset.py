import dataclasses
import json

import numpy as np
import pytest
import torch
import xarray as xr
import zarr

from hyperribbon.data import Dataset, dataset
from hyperribbon.data.images import MappedImages
from hyperribbon.errors import DataError, StoreError
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import Manifest, manifest_path
from hyperribbon.training.job import train_configuration

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def photographs():
    """Raw uint8 images of which networks see the centre."""
    images = RNG.integers(0, 256, size=(9, 3, 8, 8), dtype=np.uint8)
    labels = np.arange(9) % 3
    return Dataset(
        *("photographs", 3, images[:6], labels[:6], np.arange(6)),
        *(images[6:], labels[6:], np.arange(3)),
        mean=np.array([0.1, 0.2, 0.3], np.float32),
        std=np.array([0.5, 1, 2], np.float32),
        input_shape=(3, 5, 4),
    )


@pytest.mark.parametrize(
    ("part", "change", "words"),
    [
        ("test_images", lambda a: np.where(np.arange(6) == 2, np.float32(np.nan), a), "NaN"),
        ("train_images", lambda a: np.where(np.arange(6) == 2, np.float32(np.inf), a), "infinity"),
        ("train_images", lambda a: a[:, 0], "shape (60, 6, 6)"),
        ("train_images", lambda a: a.astype(float), "images of float64, expected uint8 or float32"),
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


@pytest.mark.parametrize(
    ("part", "value", "words"),
    [
        (
            "mean",
            np.zeros(2, np.float32),
            "mean is float32 of shape (2,), expected float32 of (1,)",
        ),
        ("std", np.ones(1), "std is float64"),
        ("std", np.zeros(1, np.float32), "channel 0 has mean 0.0 and standard deviation 0.0"),
        ("mean", np.full(1, np.nan, np.float32), "channel 0 has mean nan"),
        ("input_shape", (1, 7, 6), "shape (1, 7, 6), expected the centre of (1, 6, 6)"),
        ("input_shape", (2, 6, 6), "shape (2, 6, 6)"),
        ("input_shape", (6,), "shape (6,)"),
    ],
)
def test_impossible_inputs_are_refused(tiny_dataset, part, value, words):
    with pytest.raises(DataError) as error:
        dataclasses.replace(tiny_dataset, **{part: value})
    assert str(error.value).startswith("data set tiny: ")
    assert words in str(error.value)


def test_networks_see_the_standardised_centre(photographs):
    raw = photographs.train_images
    seen = photographs.as_input(torch.from_numpy(raw))
    assert seen.dtype == torch.float32
    assert seen.shape == (6, 3, 5, 4)
    centre = raw[:, :, 1:6, 2:6] / 255
    expected = (centre - photographs.mean[:, None, None]) / photographs.std[:, None, None]
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_what_networks_see_leaves_the_raw_images(tiny_dataset):
    raw = torch.from_numpy(tiny_dataset.train_images)
    before = raw.clone()
    scaled = dataclasses.replace(tiny_dataset, mean=np.full(1, 3, np.float32))
    torch.testing.assert_close(scaled.as_input(raw), before - 3)
    assert torch.equal(raw, before)


def test_features_are_standardised_one_by_one():
    x = RNG.normal(size=(5, 4)).astype(np.float32)
    labels, index = np.zeros(5, int), np.arange(5)
    mean, std = x.mean(axis=0), x.std(axis=0)
    data = Dataset("own", 1, x, labels, index, x, labels, index, mean=mean, std=std)
    assert data.input_shape == (4,)
    np.testing.assert_allclose(data.as_input(torch.from_numpy(x)), (x - mean) / std, atol=1e-6)


@pytest.mark.parametrize("part", [field.name for field in dataclasses.fields(Dataset)])
def test_hash_sees_every_part(photographs, part):
    value = getattr(photographs, part)
    if isinstance(value, np.ndarray):
        changed = value.copy()
        changed[[0, 1]] = changed[[1, 0]]
    else:
        changed = {"photographs": "other", 3: 4, (3, 5, 4): (3, 4, 5)}[value]
    other = dataclasses.replace(photographs, **{part: changed})
    assert other.sha256 != photographs.sha256


@pytest.mark.parametrize("in_memory", [True, False])
def test_saved_and_opened_data_are_equal(photographs, tmp_path, monkeypatch, in_memory):
    if not in_memory:
        monkeypatch.setattr(dataset, "IN_MEMORY", 0)
    path = tmp_path / "data.zarr"
    photographs.save(path, {"data": "{}"})
    opened = Dataset.open(path)
    assert isinstance(opened.train_images, np.ndarray if in_memory else MappedImages)
    for field in dataclasses.fields(Dataset):
        ours, theirs = getattr(opened, field.name), getattr(photographs, field.name)
        if field.name.endswith("images"):
            ours = ours[:]
        np.testing.assert_array_equal(ours, theirs, strict=True)
    assert opened.sha256 == photographs.sha256
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.json", "data.zarr"]
    assert Manifest.read(manifest_path(path)) == Manifest.of(path)
    # What is mapped can be saved elsewhere.
    opened.save(tmp_path / "again.zarr", {"data": "{}"})
    assert Manifest.of(tmp_path / "again.zarr") == Manifest.of(path)


def test_the_store_is_labelled(photographs, tmp_path):
    photographs.save(tmp_path / "data.zarr")
    store = xr.open_zarr(tmp_path / "data.zarr")
    assert store["train_images"].dims == ("train_sample", "channel", "row", "column")
    assert store["train_images"].dtype == np.uint8
    assert store["test_label"].dims == store["test_index"].dims == ("test_sample",)
    assert store["mean"].dims == store["std"].dims == ("channel",)
    assert store.attrs["sha256"] == photographs.sha256
    versions = json.loads(store.attrs["versions"])
    assert versions["numpy"] == np.__version__
    assert {"hyperribbon", "python", "torch", "scikit-learn", "pillow"} <= set(versions)


def test_a_changed_byte_of_content_is_found(photographs, tmp_path):
    """Nothing else than a DataError, in whatever chunk the damage is."""
    path = tmp_path / "data.zarr"
    photographs.save(path)
    chunks = [p for p in path.rglob("*") if p.is_file() and p.name != "zarr.json"]
    assert len(chunks) == 8
    for chunk in chunks:
        content = chunk.read_bytes()
        damaged = bytearray(content)
        damaged[len(content) // 2] ^= 1
        chunk.write_bytes(damaged)
        with pytest.raises(DataError) as error:
            Dataset.open(path)
        assert str(path) in str(error.value)
        assert "delete it and run again" in str(error.value)
        assert "\n" not in str(error.value)
        chunk.write_bytes(content)
    assert Dataset.open(path).sha256 == photographs.sha256


@pytest.mark.parametrize("in_memory", [True, False])
def test_content_that_was_replaced_is_found(photographs, tmp_path, monkeypatch, in_memory):
    """Checksums are right, but the labels are not those of the recorded hash."""
    if not in_memory:
        monkeypatch.setattr(dataset, "IN_MEMORY", 0)
    photographs.save(tmp_path / "data.zarr")
    zarr.open_array(tmp_path / "data.zarr" / "train_label", mode="r+")[0] = 2
    with pytest.raises(DataError, match=f"recorded {photographs.sha256}; delete"):
        Dataset.open(tmp_path / "data.zarr")


def test_foreign_stores_are_refused(tmp_path):
    with pytest.raises(StoreError, match="not a Zarr store"):
        Dataset.open(tmp_path / "data.zarr")
    xr.Dataset({"x": ("i", [1])}, attrs={"format": 2}).to_zarr(
        tmp_path / "data.zarr", zarr_format=3, consolidated=False
    )
    assert "x" in open_dataset(tmp_path / "data.zarr")
    with pytest.raises(DataError, match="not a data set written by hyperribbon"):
        Dataset.open(tmp_path / "data.zarr")


def test_mapped_images_train_to_the_same_predictions(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    tiny_dataset.save(tmp_path / "data.zarr")
    configuration, found = tiny_configuration(seeds=1), []
    for limit in (dataset.IN_MEMORY, 0):
        monkeypatch.setattr(dataset, "IN_MEMORY", limit)
        data = Dataset.open(tmp_path / "data.zarr")
        assert isinstance(data.train_images, MappedImages) == (limit == 0)
        path = tmp_path / f"{limit}.zarr"
        train_configuration(configuration, data, tmp_path / f"work{limit}", path)
        found.append(open_dataset(path).load())
    xr.testing.assert_identical(*found)
