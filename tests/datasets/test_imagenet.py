import numpy as np
import pytest
import xarray as xr
from PIL import Image

from hyperribbon.config import AllCNNConfig
from hyperribbon.data import Dataset, dataset, imagenet, images, prepare
from hyperribbon.data.images import MappedImages
from hyperribbon.errors import DataError
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.training.job import train_configuration

CLASSES = {"n01440764": (200, 30, 30), "n01443537": (30, 200, 30), "n01484850": (30, 30, 200)}


@pytest.fixture
def folder(tmp_path):
    """8 + 4 photographs a class, each of one colour and of a size of its own."""
    rng = np.random.default_rng(0)
    for split, n in (("train", 8), ("val", 4)):
        for name, colour in CLASSES.items():
            place = tmp_path / "imagenet" / split / name
            place.mkdir(parents=True)
            for k in range(n):
                size = rng.integers(20, 60, size=2).tolist()
                Image.new("RGB", size, colour).save(place / f"{name}_{k}.JPEG", quality=95)
            (place / "notes.txt").write_text("no image")
    return tmp_path / "imagenet"


@pytest.fixture
def config(folder, section):
    return section(
        {
            "name": "imagenet",
            "path": str(folder),
            "classes": 3,
            "train_size": 24,
            "test_size": 12,
            "image_size": 8,
            "stored_size": 12,
        }
    )


def test_photographs_are_decoded_where_they_are_indexed(folder):
    train, test = imagenet.load(folder, 16)
    assert train.images.shape == (24, 3, 16, 16)
    assert test.images.shape == (12, 3, 16, 16)
    assert train.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    colours = np.array(list(CLASSES.values()))[train.labels]
    some = np.array([20, 3, 9])
    found = train.images[some]
    assert found.dtype == np.uint8
    assert abs(found.mean(axis=(2, 3)) - colours[some]).max() < 4


@pytest.mark.parametrize("content", [b"", b"\xff\xd8 half", "cut"])
def test_a_bad_file_is_named(folder, content):
    bad = folder / "train" / "n01443537" / "n01443537_3.JPEG"
    bad.write_bytes(bad.read_bytes()[:300] if content == "cut" else content)
    train, _ = imagenet.load(folder, 16)
    with pytest.raises(DataError) as error:
        train.images[np.arange(24)]
    assert str(error.value).startswith(f"{bad}: cannot be decoded as an image")
    assert "\n" not in str(error.value)


def test_folders_without_classes_or_of_other_classes_are_named(folder, tmp_path):
    (folder / "val" / "n01484850").rename(folder / "val" / "dogs")
    message = "different folders of classes: dogs is in val, not in train"
    with pytest.raises(DataError, match=message):
        imagenet.load(folder, 16)
    with pytest.raises(DataError, match="train: no such folder"):
        imagenet.load(tmp_path / "other", 16)
    (tmp_path / "empty" / "train").mkdir(parents=True)
    with pytest.raises(DataError, match="train: no folders of classes"):
        imagenet.load(tmp_path / "empty", 16)


@pytest.mark.parametrize("split", ["train", "val"])
def test_classes_without_images_or_of_more_folders_are_named(folder, split):
    for part in ("train", "val"):
        (folder / part / "n01443000").mkdir()  # between two others
        (folder / part / "n01443000" / "Thumbs.db").touch()
    other = {"train": "val", "val": "train"}[split]
    Image.new("RGB", (9, 9)).save(folder / other / "n01443000" / "1.png")
    with pytest.raises(DataError, match=f"{split}/n01443000: no images, expected some in each"):
        imagenet.load(folder, 16)
    nested = folder / split / "n01443000" / "images"
    nested.mkdir()
    Image.new("RGB", (9, 9)).save(nested / "1.png")
    with pytest.raises(DataError, match="n01443000/images: a folder inside the folder of a class"):
        imagenet.load(folder, 16)


def test_what_programs_hide_in_folders_shifts_no_labels(folder):
    before = imagenet.load(folder, 16)
    for place in (folder / "train", folder / "val", folder / "train" / "n01443537"):
        (place / ".ipynb_checkpoints").mkdir()
        (place / ".ipynb_checkpoints" / "x.png").touch()
        (place / ".DS_Store").touch()
        (place / "._n01443537_0.JPEG").touch()
    for part, clean in zip(imagenet.load(folder, 16), before, strict=True):
        np.testing.assert_array_equal(part.labels, clean.labels)
        assert part.key == clean.key
        assert part.images.shape == clean.images.shape


def test_images_of_all_kinds_are_listed_and_links_are_followed(folder, tmp_path):
    place = folder / "val" / "n01443537"
    for suffix in ("PNG", "bmp", "tiff", "webp", "gif"):
        Image.new("RGB", (9, 9), (0, 255, 0)).save(place / f"more.{suffix}")
    folder.rename(tmp_path / "elsewhere")
    folder.mkdir()
    for split in ("train", "val"):
        (folder / split).mkdir()
        for name in CLASSES:
            (folder / split / name).symlink_to(tmp_path / "elsewhere" / split / name)
    _, test = imagenet.load(folder, 8)
    assert np.bincount(test.labels).tolist() == [4, 9, 4]
    green = test.images[np.flatnonzero(test.labels == 1)].mean(axis=(2, 3))
    assert (green.argmax(axis=1) == 1).all()


def test_a_folder_is_prepared_mapped_and_trained_on(
    folder, config, tiny_configuration, tmp_path, monkeypatch
):
    monkeypatch.setattr(images, "CHUNK_BYTES", 5 * 3 * 12 * 12)
    monkeypatch.setattr(dataset, "IN_MEMORY", 0)
    parts = imagenet.load(**config.load_arguments)
    data = prepare(parts, config, tmp_path / "data.zarr", tmp_path / "work")
    assert isinstance(data.train_images, MappedImages)
    assert data.train_images.shape == (24, 3, 12, 12)
    assert data.input_shape == (3, 8, 8)
    assert np.bincount(data.train_labels).tolist() == [8, 8, 8]
    assert np.bincount(data.train_labels[:6]).tolist() == [2, 2, 2]  # mixed
    colours = np.array(list(CLASSES.values()))[data.test_labels]
    assert abs(data.test_images[:].mean(axis=(2, 3)) - colours).max() < 4
    network = AllCNNConfig(architecture="allcnn", widths=[4, 4])
    configuration = tiny_configuration(network=network, seeds=1, epochs=2, batch_size=8)
    data = Dataset.open(tmp_path / "data.zarr")
    train_configuration(configuration, data, tmp_path / "trainings", tmp_path / "A.zarr")
    store = open_dataset(tmp_path / "A.zarr")
    assert store["test_predictions"].shape[2:] == (12, 3)
    assert np.isfinite(store["train_loss"]).all()


def test_images_that_were_decoded_before_a_kill_are_not_decoded_again(
    folder, config, tmp_path, monkeypatch
):
    monkeypatch.setattr(images, "CHUNK_BYTES", 5 * 3 * 12 * 12)
    decode, names = imagenet.decoded, []

    def counted(file, size):
        names.append(file)
        if len(names) == 13:
            raise KeyboardInterrupt
        return decode(file, size)

    undisturbed = [tmp_path / "a.zarr", tmp_path / "work-a"]
    prepare(imagenet.load(**config.load_arguments), config, *undisturbed)
    monkeypatch.setattr(imagenet, "decoded", counted)
    place = [tmp_path / "b.zarr", tmp_path / "work-b"]
    with pytest.raises(KeyboardInterrupt):
        prepare(imagenet.load(**config.load_arguments), config, *place)
    names.extend([""] * 99)
    before = len(names)
    prepare(imagenet.load(**config.load_arguments), config, *place)
    assert len(names) - before == 24 + 12 - 10
    xr.testing.assert_identical(open_dataset(undisturbed[0]).load(), open_dataset(place[0]).load())
