import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from hyperribbon.errors import StoreError
from hyperribbon.storage.dataset import open_dataset, publish, remove_leftovers, write_dataset
from hyperribbon.storage.manifest import LAYOUT, Manifest, manifest_path
from hyperribbon.storage.predictions import (
    PER_SEED,
    PREDICTION_FORMS,
    chunk_of,
    create_checkpoints,
    create_predictions,
    link_seed,
    load_weights,
    predictions_variable,
)

TENSORS = [("layer.weight", (2, 3)), ("layer.bias", (2,)), ("scale", ())]


def create(path, seeds=(0, 1), form="float32"):
    create_predictions(
        path,
        seeds=seeds,
        steps=[0, 4, 8],
        steps_per_epoch=4,
        snapshot_steps=[0, 8],
        layout=TENSORS,
        labels={"train": np.array([0, 1, 2, 0]), "test": np.array([2, 1])},
        index={"train": np.array([5, 6, 7, 8]), "test": np.array([1, 2])},
        n_classes=3,
        attributes={"answer": 42},
        form=form,
    )


def build(path):
    """A predictions store with the weights of seed 1 at step 8."""
    create(path)
    zarr.open_array(path / "weights", mode="r+")[1, 1] = np.arange(9)


@pytest.fixture
def published(tmp_path):
    publish(tmp_path / "published.zarr", build)
    return tmp_path / "published.zarr"


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_published_store_is_labelled_and_opens_without_a_warning(published):
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
    assert store.attrs == {"format": LAYOUT, "answer": 42}
    for name in ("train_predictions", "test_loss"):
        assert np.isnan(store[name]).all()  # what was never written


def test_a_checkpoint_is_one_file(published):
    group = zarr.open_group(published, mode="r")
    assert group["train_predictions"].chunks == (1, 1, 4, 3)
    assert group["weights"].chunks == (1, 1, 9)
    for name, array in group.arrays():
        if name in PER_SEED:
            assert array.chunks[0] == 1
        else:
            assert array.chunks == array.shape


def test_a_damaged_chunk_is_not_read_as_if_it_were_whole(published):
    (chunk,) = (published / "weights" / "c" / "1" / "1").iterdir()
    content = bytearray(chunk.read_bytes())
    content[-1] ^= 1  # in the checksum: without one, all else would decompress
    chunk.write_bytes(content)
    with pytest.raises(ValueError, match="checksum"):
        load_weights(open_dataset(published), seed=1, step=8)


def test_weights_come_back_by_name(published):
    weights = load_weights(open_dataset(published), seed=1, step=8)
    assert weights["layer.weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert weights["layer.bias"].tolist() == [6, 7]
    assert weights["scale"].shape == ()
    assert weights["scale"] == 8
    assert np.isnan(load_weights(open_dataset(published), seed=0, step=8)["scale"])


def test_a_store_may_lack_weights_a_split_and_epochs(tmp_path):
    labels = {"train": np.array([0, 1, 1])}
    few = {"seeds": [4], "steps": [0, 9], "steps_per_epoch": None, "attributes": {}}
    publish(
        tmp_path / "few.zarr",
        lambda path: create_predictions(path, labels=labels, index=labels, n_classes=2, **few),
    )
    store = open_dataset(tmp_path / "few.zarr")
    assert set(store) == {"train_predictions", "train_loss", "train_error", "diverged_step"}
    assert np.isnan(store["epoch"]).all()
    with pytest.raises(StoreError, match=r"seed 4 at step 9: not kept; seeds \[4\], steps \[\]"):
        load_weights(store, seed=4, step=9)


def test_a_checkpoint_among_any_steps_has_the_bytes_of_one_in_a_store(tmp_path):
    P = np.random.default_rng(0).dirichlet(np.ones(3), size=4).astype(np.float32)
    create(tmp_path / "store.zarr")
    store = zarr.open_array(tmp_path / "store.zarr" / "train_predictions", mode="r+")
    store[0, 2] = P
    array = create_checkpoints(tmp_path / "work", 4, 3)
    for step in (0, 2, 10**9):
        array[0, step] = P
        ours = chunk_of(tmp_path / "work", step)
        theirs = chunk_of(tmp_path / "store.zarr" / "train_predictions", 2)
        assert ours.read_bytes() == theirs.read_bytes()
    assert len(list((tmp_path / "work").rglob("*"))) == 2 + 1 + 3 * 3  # zarr.json, c/0, the files


@pytest.mark.parametrize(("seed", "step"), [(2, 8), (1, 4)])
def test_weights_that_were_not_kept_are_refused(published, seed, step):
    with pytest.raises(StoreError) as error:
        load_weights(open_dataset(published), seed=seed, step=step)
    assert f"seed {seed} at step {step}" in str(error.value)
    assert "seeds [0, 1], steps [0, 8]" in str(error.value)


def test_nothing_is_overwritten(tmp_path):
    there = tmp_path / "there.zarr"
    there.mkdir()
    (there / "notes.txt").write_text("mine")
    (tmp_path / "there.json").write_text("mine too")
    with pytest.raises(StoreError, match="there.zarr: exists already, not replaced"):
        publish(there, build)
    assert (there / "notes.txt").read_text() == "mine"
    assert (tmp_path / "there.json").read_text() == "mine too"
    assert names(tmp_path) == {"there.zarr", "there.json"}


def test_a_store_is_published_with_its_manifest(published, tmp_path):
    assert names(tmp_path) == {"published.zarr", "published.json"}
    assert Manifest.read(manifest_path(published)) == Manifest.of(published)
    publish(tmp_path / "other.zarr", build, inputs={"a": "ab"})
    assert Manifest.read(tmp_path / "other.json") == Manifest.of(published, {"a": "ab"})


class Killed(BaseException):
    """No process sees it coming."""


@pytest.mark.parametrize("moment", ["rename", "write"])
def test_a_replacement_that_dies_leaves_no_manifest_of_what_was_before(
    published, monkeypatch, moment
):
    """Neither when the old store is gone, nor when the new one is there without its manifest."""

    def die(*arguments):
        raise Killed

    if moment == "write":
        monkeypatch.setattr(Manifest, "write", die)
    else:
        monkeypatch.setattr(type(published), "rename", die)
    with pytest.raises(Killed):
        publish(published, lambda path: create(path, seeds=[5]), replace=True)
    assert not manifest_path(published).exists()
    seeds = open_dataset(published)["seed"].values.tolist()
    assert seeds == ([5] if moment == "write" else [0, 1])  # one or the other, whole


def test_what_lost_its_store_is_no_manifest_of_the_next(published, monkeypatch):
    shutil.rmtree(published)

    def die(*arguments):
        raise Killed

    monkeypatch.setattr(Manifest, "write", die)
    with pytest.raises(Killed):
        publish(published, lambda path: create(path, seeds=[5]))
    assert open_dataset(published)["seed"].values.tolist() == [5]
    assert not manifest_path(published).exists()


def test_leftovers_of_killed_processes_are_removed(published, tmp_path):
    left = [".published.zarr.1.partial", ".published.zarr.old.1.partial"]
    for name in left:
        (tmp_path / name / "c").mkdir(parents=True)
    (tmp_path / ".published.json.1.partial").touch()
    (tmp_path / ".published2.zarr.1.partial").mkdir()
    before = names(published)
    remove_leftovers(published)
    assert names(tmp_path) == {"published.zarr", "published.json", ".published2.zarr.1.partial"}
    assert names(published) == before


@pytest.mark.parametrize("form", PREDICTION_FORMS)
def test_seeds_are_put_together_by_links(tmp_path, form):
    rng = np.random.default_rng(0)

    def fill(path, position):
        group = zarr.open_group(path, mode="r+")
        for name in PER_SEED:
            if name not in group:  # predictions have one form in a store
                continue
            if name == "diverged_step":
                group[name][position] = 7
            elif name == "weights":
                group[name][position, 1] = rng.normal(size=9)  # and no others
            else:
                group[name][position] = rng.random(group[name].shape[1:])

    for seed in (0, 1, 2):
        create(tmp_path / f"seed-{seed}.zarr", seeds=[seed], form=form)
        if seed != 1:
            fill(tmp_path / f"seed-{seed}.zarr", 0)
        Manifest.of(tmp_path / f"seed-{seed}.zarr").write(tmp_path / f"seed-{seed}.json")
    (tmp_path / "seed-0.zarr" / "weights" / "c" / "0" / "9").write_text("not in the manifest")

    create(tmp_path / "linked.zarr", seeds=[0, 1, 2], form=form)
    for seed in (0, 1, 2):
        link_seed(tmp_path / f"seed-{seed}.zarr", tmp_path / "linked.zarr", seed)
    rng = np.random.default_rng(0)
    create(tmp_path / "written.zarr", seeds=[0, 1, 2], form=form)
    fill(tmp_path / "written.zarr", 0)
    fill(tmp_path / "written.zarr", 2)

    assert Manifest.of(tmp_path / "linked.zarr") == Manifest.of(tmp_path / "written.zarr")
    linked = xr.open_zarr(tmp_path / "linked.zarr", consolidated=False)
    assert linked["diverged_step"].values.tolist() == [7, -1, 7]
    assert np.isnan(linked[predictions_variable("train", form)][1]).all()
    name = predictions_variable("test", form)
    chunk = tmp_path / "linked.zarr" / name / "c" / "2" / "1" / "0" / "0"
    own = tmp_path / "seed-2.zarr" / name / "c" / "0" / "1" / "0" / "0"
    assert chunk.samefile(own)


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
            expected = dataset.assign_attrs(format=LAYOUT)
            xr.testing.assert_identical(open_dataset(path).load(), expected)
            assert Manifest.read(manifest_path(path)) == Manifest.of(path)
    assert names(tmp_path) == {".derived.zarr.1.partial", "derived.zarr", "derived.json"}
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


def test_a_store_of_another_layout_is_refused(published):
    metadata = json.loads((published / "zarr.json").read_text())
    metadata["attributes"]["format"] = 1
    (published / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(StoreError) as error:
        open_dataset(published)
    assert str(published) in str(error.value)
    assert f"layout version 1, expected {LAYOUT}; delete it and run again" in str(error.value)


def test_an_array_too_large_to_copy_is_linked(tmp_path):
    D = np.arange(35.0).reshape(5, 7)
    zarr.create_array(tmp_path / "D", data=D, chunks=(4, 4), dimension_names=("i", "j"))
    dataset = xr.Dataset({"x": ("i", np.arange(5))})
    write_dataset(dataset, tmp_path / "whole.zarr", {"D": tmp_path / "D"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = open_dataset(tmp_path / "whole.zarr").load()
    np.testing.assert_array_equal(whole["D"], D)
    assert whole["D"].dims == ("i", "j")
    chunk = Path("D", "c", "1", "0")
    assert (tmp_path / chunk).samefile(tmp_path / "whole.zarr" / chunk)
    assert chunk.as_posix() in Manifest.read(tmp_path / "whole.json").files


def test_what_could_not_be_written_leaves_no_store(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hyperribbon.storage.dataset.shutil.copytree", full)
    dataset = xr.Dataset({"x": ("i", np.arange(5))})
    with pytest.raises(OSError, match="No space left"):
        write_dataset(dataset, tmp_path / "D.zarr", {"D": tmp_path})
    assert list(tmp_path.iterdir()) == []
