"""Damage to results is found and named."""

import json
import random
import shutil

import numpy as np
import pytest
import xarray as xr
import zarr

from hyperribbon.manifest import inputs_of, manifest_path
from hyperribbon.store import write_dataset
from hyperribbon.verification import verify

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, tiny_dataset):
    """Results as a study leaves them: data, and stores of which one follows from another."""
    results = tmp_path_factory.mktemp("study")
    tiny_dataset.save(results / "data.zarr")
    for folder in ("predictions", "distance", "work"):
        (results / folder).mkdir()
    predictions = [results / "predictions" / f"{name}.zarr" for name in "AB"]
    for path in predictions:
        P = RNG.dirichlet(np.ones(3), size=(2, 4, 5)).astype(np.float32)
        dims = ("seed", "checkpoint", "sample", "class")
        dataset = xr.Dataset({"train_predictions": (dims, P), "loss": ("seed", [1.0, 2.0])})
        write_dataset(dataset, path)
    D = xr.Dataset({"distance": (("model", "other"), RNG.normal(size=(8, 8)))})
    write_dataset(D, results / "distance" / "train.zarr", inputs=inputs_of(predictions))
    return results


@pytest.fixture
def results(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "study")


def test_whole_results_have_no_fault(results):
    assert verify(results).findings == []


def test_a_flipped_byte_anywhere_is_found(results):
    """In 100 of 100 places: chunks and metadata."""
    files = sorted(path for path in results.rglob("*") if path.is_file())
    files = [path for path in files if ".zarr" in str(path)]
    places = random.Random(0)
    for _ in range(100):
        path = places.choice(files)
        content = path.read_bytes()
        damaged = bytearray(content)
        damaged[places.randrange(len(content))] ^= 1 << places.randrange(8)
        path.write_bytes(damaged)
        (finding,) = verify(results).findings
        store = next(parent for parent in path.parents if parent.suffix == ".zarr")
        assert finding.piece == store
        path.write_bytes(content)
    assert verify(results).findings == []


def test_every_damaged_piece_is_named(results):
    chunk = results / "predictions" / "A.zarr" / "train_predictions" / "c" / "0" / "0" / "0" / "0"
    chunk.unlink()
    (results / "predictions" / "B.zarr" / "notes.txt").write_text("mine")
    (results / "distance" / "train.json").unlink()
    (results / "data.zarr" / "mean" / "c" / "0").write_bytes(b"half")
    found = {finding.piece.name: finding.what for finding in verify(results).findings}
    assert found.keys() == {"data.zarr", "train.zarr", "A.zarr", "B.zarr"}
    assert "train_predictions/c/0/0/0/0 (missing)" in found["A.zarr"]
    assert "notes.txt (foreign)" in found["B.zarr"]
    assert "train.json: missing; without it train.zarr is not whole" in found["train.zarr"]


def test_a_store_that_is_gone_is_named_by_its_manifest(results):
    shutil.rmtree(results / "predictions" / "A.zarr")
    (finding,) = verify(results).findings
    assert finding.piece == results / "predictions" / "A.json"
    assert "A.zarr: missing" in finding.what


def test_a_store_computed_from_others_than_there_are_is_named(results):
    path = results / "predictions" / "A.zarr"
    write_dataset(xr.open_zarr(path).load() * 1, path)
    assert verify(results).findings == []  # the same content
    write_dataset(xr.open_zarr(path).load() * 2, path)
    (finding,) = verify(results).findings
    assert finding.piece == results / "distance" / "train.zarr"
    assert "computed from other content than now lies in predictions/A" in finding.what


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"layout": 2}', "\0"])
def test_a_damaged_manifest_is_named(results, content):
    manifest_path(results / "distance" / "train.zarr").write_text(content)
    (finding,) = verify(results).findings
    assert finding.piece == results / "distance" / "train.zarr"
    assert "train.json: not a manifest of hyperribbon, or damaged" in finding.what


def test_a_store_of_an_older_layout_is_named(results):
    manifest = results / "distance" / "train.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "layout": 1}))
    (finding,) = verify(results).findings
    assert "train.json: layout version 1, expected 2; delete it and run again" in finding.what


def test_work_in_progress_is_not_looked_at(results):
    (results / "work" / "half.zarr").mkdir()
    assert verify(results).findings == []


def test_a_store_from_before_there_were_manifests_is_of_an_older_layout(results):
    path = results / "distance" / "train.zarr"
    manifest_path(path).unlink()
    group = zarr.open_group(path, mode="r+")
    group.attrs["format"] = 1
    zarr.consolidate_metadata(path)
    (finding,) = verify(results).findings
    assert "train.zarr: layout version 1, expected 2; delete it and run again" in finding.what
