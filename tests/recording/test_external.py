import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import xarray as xr

import hyperribbon as hr
from hyperribbon.recording.external import find_recorded, recorded_configuration
from hyperribbon.storage.dataset import write_dataset


@pytest.fixture
def record(tmp_path, P, labels, monkeypatch):
    """Function recording a training to a store of some name in the working directory."""
    monkeypatch.chdir(tmp_path)

    def make(name, network="Net", **options):
        both = {"test_predictions": P, "test_labels": labels}
        path = Path(f"{name}.zarr")
        path.parent.mkdir(exist_ok=True)
        hr.record_predictions(path, P, labels, network=network, **{**both, **options})
        return path

    return make


def test_paths_and_patterns_name_stores_once(record, tmp_path):
    b, a, c = record("runs/b", seed=1), record("runs/a"), record("c", "Other")
    assert find_recorded(["runs/*.zarr"]) == [a, b]
    assert find_recorded(["c.zarr", "**/*.zarr", "runs/b.zarr"]) == [c, a, b]
    absolute = tmp_path / "c.zarr"
    assert find_recorded([str(absolute)]) == [absolute]
    assert recorded_configuration(b)["seed"] == 1


def refusal(*patterns, trained=()):
    with pytest.raises(hr.StoreError) as error:
        find_recorded(patterns, trained)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_missing_foreign_or_not_whole_is_refused(record):
    path = record("a")
    assert refusal("a.zarr", "b*.zarr") == 'configuration: external = "b*.zarr": no such store'
    write_dataset(xr.Dataset({"x": ("model", [1.0])}), "derived.zarr")
    Path("folder.zarr").mkdir()
    Path("file.zarr").write_text("text")
    for name in ("derived.zarr", "folder.zarr", "file.zarr"):
        assert refusal(name).startswith(f"{name}: not a recorded store; expected one that")
    shutil.copytree(path, "alone.zarr")
    assert refusal("alone.zarr").startswith("alone.json: missing")
    about = json.loads((path / "zarr.json").read_text())
    about["attributes"]["format"] = 1
    (path / "zarr.json").write_text(json.dumps(about))
    assert refusal("a.zarr").startswith("a.zarr: layout version 1, expected")


def test_stores_that_are_not_whole_are_named_all_at_once(record):
    a, b, _ = record("a"), record("b", seed=1), record("c", seed=2)
    (a / "test_predictions/c/0/3/0/0").unlink()
    (b / "train_predictions/c/0/4/0/0").write_bytes(b"half")
    found = refusal("*.zarr")
    assert "a.zarr: damaged in test_predictions/c/0/3/0/0 (missing); b.zarr: damaged in" in found
    assert "train_predictions/c/0/4/0/0 (4 bytes, expected 148)" in found
    assert "c.zarr" not in found
    assert found.endswith("copy or record these again, with their manifests")
    assert len(find_recorded(["*.zarr"], check=False)) == 3


def test_damaged_metadata_are_refused(record):
    path = record("a") / "zarr.json"
    text = path.read_text()
    path.write_text(text[: len(text) // 2])
    assert refusal("a.zarr") == "a.zarr: damaged in zarr.json (cut short, or not JSON)"
    path.write_text(text.replace("Net", "Pet"))
    assert "a.zarr: damaged in zarr.json (changed)" in refusal("a.zarr")
    path.unlink()
    path.mkdir()  # even root cannot read it as a file
    assert refusal("a.zarr").startswith("a.zarr/zarr.json: not readable (Is a directory)")


def test_a_link_to_a_store_is_a_store(record):
    path = record("elsewhere/a")
    Path("b.zarr").symlink_to(path)
    assert refusal("b.zarr").startswith("b.json: missing; without it b.zarr is not complete")
    Path("b.json").symlink_to(path.with_suffix(".json"))
    assert find_recorded(["b.zarr"]) == [Path("b.zarr")]


def test_braces_are_refused(record):
    record("a{seed}")
    assert refusal("*.zarr").startswith("a{seed}.zarr: braces mean wildcards to Snakemake")


def test_a_study_needs_test_samples(record):
    record("a", test_predictions=None, test_labels=None)
    assert refusal("a.zarr").startswith("a.zarr: recorded without test samples")


def test_trainings_must_be_told_apart(record):
    record("a", optimiser="SGD", seed=2)
    record("b", optimiser="SGD", seed=2, metadata={"width": 3})
    found = refusal("*.zarr")
    assert found.startswith("b.zarr: network Net, optimiser SGD, seed 2, as a.zarr; expected names")
    trained = [("Net", "SGD", 0), ("Net", "SGD", 2)]
    assert "seed 2, as a training of this study" in refusal("a.zarr", trained=trained)
    assert find_recorded(["a.zarr"], trained[:1]) == [Path("a.zarr")]


def test_reading_a_study_loads_nothing_heavy():
    code = (
        "import sys, hyperribbon.recording.external; "
        "print(sorted({'torch', 'numba', 'numpy', 'zarr', 'xarray'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
