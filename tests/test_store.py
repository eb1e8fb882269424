import warnings

import numpy as np
import pytest
import xarray as xr
import zarr

from hyperribbon.errors import StoreError
from hyperribbon.store import (
    create_predictions,
    load_weights,
    open_dataset,
    publish,
    unfilled,
    write_dataset,
)

LAYOUT = [("layer.weight", (2, 3)), ("layer.bias", (2,)), ("scale", ())]


@pytest.fixture
def work(tmp_path):
    """A predictions store in work, with the weights of seed 1 at step 8."""
    path = tmp_path / "work.zarr"
    create_predictions(
        path,
        seeds=[0, 1],
        steps=[0, 4, 8],
        steps_per_epoch=4,
        snapshot_steps=[0, 8],
        layout=LAYOUT,
        labels={"train": np.array([0, 1, 2, 0]), "test": np.array([2, 1])},
        index={"train": np.array([5, 6, 7, 8]), "test": np.array([1, 2])},
        n_classes=3,
        attributes={"answer": 42},
    )
    zarr.open_array(path / "weights", mode="r+")[1, 1] = np.arange(9)
    return path


@pytest.fixture
def published(work, tmp_path):
    publish(work, tmp_path / "published.zarr")
    return tmp_path / "published.zarr"


def test_a_published_store_is_labelled_and_opens_without_a_warning(published, work):
    assert work.exists()  # for whoever loses the published one
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = xr.open_zarr(published)
        assert dict(store.sizes) == {
            "seed": 2,
            "checkpoint": 3,
            "train_sample": 4,
            "test_sample": 2,
            "class": 3,
            "snapshot": 2,
            "parameter": 9,
        }
        store["train_predictions"].load()
    assert store["train_predictions"].dims == ("seed", "checkpoint", "train_sample", "class")
    assert store["test_predictions"].dtype == np.float32
    assert store["test_loss"].dims == store["train_error"].dims == ("seed", "checkpoint")
    assert store["epoch"].values.tolist() == [0, 1, 2]
    assert store["step"].values.tolist() == [0, 4, 8]
    assert store["train_label"].values.tolist() == [0, 1, 2, 0]
    assert store["test_index"].values.tolist() == [1, 2]
    assert store["diverged_step"].values.tolist() == [-1, -1]
    assert store.attrs == {"format": 1, "answer": 42}
    for name in ("train_predictions", "test_loss"):
        assert np.isnan(store[name]).all()  # what was never written


def test_a_checkpoint_is_one_file(published):
    group = zarr.open_group(published, mode="r")
    assert group["train_predictions"].chunks == (1, 1, 4, 3)
    assert group["weights"].chunks == (1, 1, 9)


def test_a_damaged_chunk_is_not_read_as_if_it_were_whole(published):
    (chunk,) = (published / "weights" / "c" / "1" / "1").iterdir()
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1  # in the checksum: without one, all else would decompress
    chunk.write_bytes(content)
    with pytest.raises(RuntimeError, match="checksum"):
        load_weights(open_dataset(published), seed=1, step=8)


def test_weights_come_back_by_name(published):
    weights = load_weights(open_dataset(published), seed=1, step=8)
    assert weights["layer.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert weights["layer.bias"].tolist() == [6, 7]
    assert weights["scale"].shape == ()
    assert weights["scale"] == 8
    assert np.isnan(load_weights(open_dataset(published), seed=0, step=8)["scale"])


@pytest.mark.parametrize(("seed", "step"), [(2, 8), (1, 4)])
def test_weights_that_were_not_kept_are_refused(published, seed, step):
    with pytest.raises(StoreError) as error:
        load_weights(open_dataset(published), seed=seed, step=step)
    assert f"seed {seed} at step {step}" in str(error.value)
    assert "seeds [0, 1], steps [0, 8]" in str(error.value)


def test_nothing_is_overwritten(work, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    (there / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="there: exists already, not replaced"):
        publish(work, there)
    assert (there / "notes.txt").read_text() == "mine"
    assert work.exists()


def test_a_published_store_takes_no_more_space(published, work):
    for path in work.rglob("c/**/*"):
        if path.is_file():
            assert path.samefile(published / path.relative_to(work))


def test_a_dataset_replaces_the_one_before(tmp_path):
    path = tmp_path / "derived.zarr"
    # Another process, killed or alive, is writing there: it is left alone.
    (tmp_path / ".derived.zarr.1.partial").mkdir()
    (tmp_path / ".derived.zarr.1.partial" / "leftover").touch()
    for value in (1.0, 2.0):
        dataset = xr.Dataset({"x": ("model", np.full(3, value))}, {"model": [2, 3, 5]})
        write_dataset(dataset, path)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            xr.testing.assert_identical(open_dataset(path).load(), dataset)
    names = {".derived.zarr.1.partial", "derived.zarr"}
    assert {p.name for p in tmp_path.iterdir()} == names
    assert not (path / "leftover").exists()


def test_what_is_no_store_is_refused(published, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("text")
    (published / "zarr.json").write_text("{")
    for name in ("missing", "empty", "file", "published.zarr"):
        with pytest.raises(StoreError) as error:
            open_dataset(tmp_path / name)
        assert str(error.value).startswith(f"{tmp_path / name}: not a Zarr store, or damaged")
        assert "\n" not in str(error.value)


def test_a_variable_too_large_for_memory_is_filled_on_disk(tmp_path):
    dataset = xr.Dataset({"D": (("i", "j"), unfilled((5, 7), 4)), "x": ("i", np.arange(5))})

    def fill(out):
        assert out.chunks == (4, 4)
        assert np.isnan(out[:]).all()
        assert not (tmp_path / "D.zarr").exists()
        out[:3] = 1.0

    write_dataset(dataset, tmp_path / "D.zarr", {"D": fill})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        D = xr.open_zarr(tmp_path / "D.zarr")["D"].values
    assert (D[:3] == 1).all()
    assert np.isnan(D[3:]).all()


def test_a_variable_that_could_not_be_filled_leaves_no_store(tmp_path):
    dataset = xr.Dataset({"D": (("i", "j"), unfilled((5, 7), 4))})

    def fill(out):
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_dataset(dataset, tmp_path / "D.zarr", {"D": fill})
    assert list(tmp_path.iterdir()) == []
