"""Data of one's own: a file, a store, a function."""

import sys

import numpy as np
import pytest
import torch
import zarr

from hyperribbon.data import function, npz, prepare
from hyperribbon.data import zarr as own_zarr
from hyperribbon.data.parts import named_parts
from hyperribbon.errors import DataError


@pytest.fixture
def parts_of(pool):
    """Arrays of a train and a test part."""
    train, test = slice(0, None, 2), slice(1, None, 2)
    return {
        "train_images": pool.images[train],
        "train_labels": pool.labels[train],
        "test_images": pool.images[test],
        "test_labels": pool.labels[test],
    }


def in_file(arrays, tmp_path, monkeypatch):
    np.savez(tmp_path / "own.npz", **arrays)
    return npz.load(tmp_path / "own.npz")


def in_store(arrays, tmp_path, monkeypatch):
    group = zarr.open_group(tmp_path / "own.zarr", mode="w")
    for name, array in arrays.items():
        group.create_array(name, data=array, chunks=(7, *array.shape[1:]))
    return own_zarr.load(tmp_path / "own.zarr")


def in_function(arrays, tmp_path, monkeypatch):
    np.savez(tmp_path / "arrays.npz", **arrays)
    (tmp_path / "own_data.py").write_text(
        f"import numpy as np\ndef load(): return dict(np.load({str(tmp_path / 'arrays.npz')!r}))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_data", raising=False)
    return function.load("own_data:load")


FORMS = pytest.mark.parametrize("form", [in_file, in_store, in_function])


@FORMS
def test_parts_are_prepared(parts_of, own, tmp_path, monkeypatch, form):
    parts = form(parts_of, tmp_path, monkeypatch)
    config = own(train_size=60, test_size=60)
    data = prepare(parts, config, tmp_path / "data.zarr", tmp_path / "work")
    for split in ("train", "test"):
        np.testing.assert_array_equal(data.split(split)[0], parts_of[f"{split}_images"])
        np.testing.assert_array_equal(data.split(split)[1], parts_of[f"{split}_labels"])


@FORMS
def test_a_pool_is_split(pool, own, tmp_path, monkeypatch, form):
    parts = form({"images": pool.images, "labels": pool.labels}, tmp_path, monkeypatch)
    data = prepare(parts, own(), tmp_path / "data.zarr", tmp_path / "work")
    np.testing.assert_array_equal(data.train_images, pool.images[data.train_index])
    assert np.bincount(data.test_labels).tolist() == [15, 10, 5]


@FORMS
def test_missing_or_ambiguous_names_are_refused(parts_of, pool, tmp_path, monkeypatch, form):
    for arrays, given in [
        ({}, "nothing"),
        ({"images": pool.images}, "images"),
        ({"X": pool.images, "y": pool.labels}, "X, y"),
        ({**parts_of, "images": pool.images, "labels": pool.labels}, "images, labels, test_images"),
    ]:
        with pytest.raises(DataError) as error:
            form(arrays, tmp_path, monkeypatch)
        assert f"holds {given}" in str(error.value)
        assert "expected either images, labels or train_images, " in str(error.value)


def test_files_that_are_damaged_or_hold_objects_are_refused(pool, tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    path = tmp_path / "own.npz"
    labels = np.array([Trap()] * 120, dtype=object)
    np.savez(path, images=pool.images, labels=labels)
    with pytest.raises(DataError, match="own.npz: not a file of NumPy's format npz, or damaged"):
        npz.load(path)
    np.savez(path, images=pool.images, labels=pool.labels)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:1000]):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a file of NumPy's format npz, or damaged"):
            npz.load(path)
    with pytest.raises(DataError, match="other.npz: not a file"):
        npz.load(tmp_path / "other.npz")


def test_a_store_is_read_piece_by_piece(pool, own, tmp_path, monkeypatch):
    parts = in_store({"images": pool.images, "labels": pool.labels}, tmp_path, monkeypatch)
    monkeypatch.setattr("hyperribbon.data.images.CHUNK_BYTES", 128 * 10)
    read, getitem = [], own_zarr.ZarrImages.__getitem__

    def counted(self, rows):
        if len(self.shape) == 4:
            read.append(len(rows))
        return getitem(self, rows)

    monkeypatch.setattr(own_zarr.ZarrImages, "__getitem__", counted)
    prepare(parts, own(), tmp_path / "data.zarr", tmp_path / "work")
    assert read == [10] * 9


def test_damaged_stores_are_refused(pool, own, tmp_path, monkeypatch):
    parts = in_store({"images": pool.images, "labels": pool.labels}, tmp_path, monkeypatch)
    (tmp_path / "own.zarr" / "images" / "c" / "3" / "0" / "0" / "0").write_bytes(b"damage")
    with pytest.raises(DataError, match="own.zarr/images: damaged"):
        prepare(parts, own(), tmp_path / "data.zarr", tmp_path / "work")
    with pytest.raises(DataError, match="other.zarr: not a Zarr group of arrays, or damaged"):
        own_zarr.load(tmp_path / "other.zarr")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise KeyError('no such\\nthing')", "KeyError: 'no such"),
        ("return 3", "returned int, expected a mapping"),
        ("return {'images': [[1.0]]}", "holds images"),
    ],
)
def test_functions_that_fail_are_named(tmp_path, monkeypatch, body, words):
    (tmp_path / "failing.py").write_text(f"def load():\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "failing", raising=False)
    with pytest.raises(DataError) as error:
        function.load("failing:load")
    assert str(error.value).startswith("failing:load: ")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("entry_point", ["no_such_module:load", "math:no_such_function"])
def test_functions_that_are_not_there_are_named(entry_point):
    with pytest.raises(DataError, match=f"^{entry_point}: .*no_such"):
        function.load(entry_point)


def returning(value, tmp_path, monkeypatch):
    """Parts from a function that returns what is no file's content."""
    module = type(sys)("own_values")
    module.load = lambda: value
    monkeypatch.setitem(sys.modules, "own_values", module)
    return function.load("own_values:load")


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("labels", lambda a: np.ma.masked_equal(a, 2), "labels: 20 of 120 entries masked"),
        ("images", lambda a: np.ma.masked_less(a, 9), "images: .* entries masked"),
        ("labels", lambda a: a.astype(str), "labels: "),
        ("labels", lambda a: [[1], [2, 3]], "labels: not an array of numbers"),
        ("images", lambda a: a.astype(object), "images: "),
        ("images", lambda a: np.zeros(120, [("a", "f4"), ("b", "f4")]), "images: "),
    ],
)
def test_what_is_no_array_of_numbers_is_named(pool, tmp_path, monkeypatch, name, change, words):
    arrays = {"images": pool.images, "labels": pool.labels}
    arrays[name] = change(arrays[name])
    with pytest.raises(DataError, match=f"^own_values:load: {words}") as error:
        returning(arrays, tmp_path, monkeypatch)
    assert "\n" not in str(error.value)


def test_tensors_lists_and_masks_of_nothing_are_taken(pool, own, tmp_path, monkeypatch):
    images = torch.from_numpy(pool.images).float().requires_grad_()
    labels = np.ma.array(pool.labels, mask=False)
    for given in (labels, labels.tolist()):
        arrays = {"images": images, "labels": given, "names": ["cat", "dog", "bird"], 3: None}
        parts = returning(arrays, tmp_path, monkeypatch)
        data = prepare(parts, own(), tmp_path / "data.zarr", tmp_path / "work")
        np.testing.assert_array_equal(data.train_images, pool.images[data.train_index])


def test_keys_that_are_no_text_are_listed(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="holds 3, images; expected"):
        returning({3: 1, "images": [[1.0]]}, tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda a: {"train_images": a["train_images"].astype(np.uint16)}, "images of uint16"),
        (lambda a: {"train_images": a["train_images"] > 9}, "images of bool"),
        (lambda a: {"train_labels": a["train_labels"].astype(float)}, "labels of float64"),
        (lambda a: {"train_labels": a["train_labels"] > 0}, "labels of bool"),
        (
            lambda a: {"train_labels": np.eye(3, dtype=int)[a["train_labels"]]},
            "labels of int64 and",
        ),
        (lambda a: {"train_labels": a["train_labels"].astype("m8[s]")}, "labels of timedelta"),
        (lambda a: {"test_labels": np.append(a["test_labels"][:-1], 3)}, "labels from 0 to 3"),
        (
            lambda a: {"test_labels": np.append(a["test_labels"][:-1].astype(int), -1)},
            "labels from -1",
        ),
        (
            lambda a: {"test_images": a["test_images"].transpose(0, 2, 3, 1)},
            r"images of shape \(60, 8,",
        ),
        (
            lambda a: {"test_images": a["test_images"] / 255},
            "uint8 in train and of float64 in test",
        ),
        (
            lambda a: {"train_labels": a["train_labels"] * 0},
            "of class 1, expected some of each of 3",
        ),
    ],
)
def test_arrays_that_are_not_what_is_meant_are_refused(parts_of, own, tmp_path, change, words):
    parts = named_parts({**parts_of, **change(parts_of)}, "own")
    config = own(train_size=60, test_size=60)
    with pytest.raises(DataError, match=words):
        prepare(parts, config, tmp_path / "data.zarr", tmp_path / "work")


def test_a_class_may_be_absent_from_the_test_samples(parts_of, own, tmp_path):
    parts = named_parts({**parts_of, "test_labels": parts_of["test_labels"] * 0}, "own")
    config = own(train_size=60, test_size=60)
    data = prepare(parts, config, tmp_path / "data.zarr", tmp_path / "work")
    assert (data.test_labels == 0).all()
