"""Damage to results is found and named."""

import json
import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

from hyperribbon.storage.dataset import write_dataset
from hyperribbon.storage.loose_files import sum_up
from hyperribbon.storage.manifest import inputs_of, manifest_path
from hyperribbon.storage.verification import verify

RNG = np.random.default_rng(0)
# Loose files, by the step that writes them.
LOOSE = {
    "tables": ["tables/models.csv", "tables/summary.csv"],
    "draw": ["figures/tubes.png", "figures/tubes.svg"],
    "part/one": ["linear/one.csv"],
    "gather_report": ["report.html", "keys.json"],
}


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
    for step, names in LOOSE.items():
        for name in names:
            (results / name).parent.mkdir(exist_ok=True)
            (results / name).write_text(f"content of {name}")
        sum_up([results / name for name in names], results / "logs" / f"{step}.log")
    (results / "logs").mkdir()
    (results / "logs" / "draw.log").write_text("9 figures")
    return results


@pytest.fixture
def results(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "study")


def test_whole_results_have_no_fault(results):
    found = verify(results)
    assert (found.stores, found.files) == (4, 7)
    assert found.findings == found.unknown == []


def test_a_flipped_byte_anywhere_is_found(results):
    """In every file: chunks, metadata, manifests, tables, figures and pages."""
    places = random.Random(0)
    files = [path for path in results.rglob("*") if path.is_file() and path.parent.name != "logs"]
    for path in sorted(files):
        content = path.read_bytes()
        damaged = bytearray(content)
        damaged[places.randrange(len(content))] ^= 1 << places.randrange(8)
        path.write_bytes(damaged)
        # What was computed from a store counts its manifest, too.
        findings = [found for found in verify(results).findings if "computed" not in found.what]
        (finding,) = findings
        whole = [parent for parent in path.parents if parent.suffix == ".zarr"]
        whole = whole or [store for store in [path.with_suffix(".zarr")] if store.exists()]
        assert finding.piece == (whole[0] if whole else path)
        assert path.name in finding.what
        path.write_bytes(content)
    assert verify(results).findings == []


def test_loose_files_that_are_gone_or_nobodys_are_told_apart(results):
    (results / "figures" / "tubes.svg").unlink()
    (results / "notes.txt").write_text("mine")
    found = verify(results)
    (finding,) = found.findings
    assert finding.piece == results / "checksums" / "draw.json"
    assert finding.what == f"{results}/figures/tubes.svg: missing; draw wrote it"
    assert found.unknown == [results / "notes.txt"]


def test_what_a_step_writes_anew_is_right(results):
    (results / "tables" / "models.csv").write_text("other numbers")
    sum_up([results / name for name in LOOSE["tables"]], results / "logs" / "tables.log")
    assert verify(results).findings == []


def test_results_may_be_moved(results):
    assert verify(results.rename(results.with_name("elsewhere"))).findings == []


def test_recordings_are_read_but_never_to_be_deleted(results, tmp_path):
    """They lie elsewhere, and no run makes them again."""
    recording = tmp_path / "runs" / "mine.zarr"
    shutil.copytree(results / "predictions" / "A.zarr", recording)
    shutil.copy(results / "predictions" / "A.json", recording.with_suffix(".json"))
    recorded = [recording.with_suffix(".json")]
    assert verify(results, recorded).findings == []
    chunk = recording / "loss" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[::-1])
    (finding,) = verify(results, recorded).findings
    assert finding.piece is None
    assert finding.what.startswith(f"{recording}: damaged in loss/c/0 (changed); copy or record it")


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
    assert "train.json: missing; without it train.zarr is not complete" in found["train.zarr"]


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
    assert "computed from content other than what now lies in predictions/A" in finding.what


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


def test_a_folder_that_goes_meanwhile_is_no_fault(results, monkeypatch):
    """A study may run beside it."""
    (results / "figures" / "more").mkdir()
    scandir = os.scandir

    def late(path):
        if Path(path).name == "more":
            Path(path).rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", late)
    assert verify(results).unknown == []
    assert not (results / "figures" / "more").exists()
