"""The steps of class manifolds: what they write, and one line of errors."""

import json

import numpy as np
import pandas as pd
import pytest

from hyperribbon.studies.inversion.part import PART
from hyperribbon.studies.parts import step_module

SECTION = {
    "data": {"digits": {"learning_rate": 1.0, "epochs": 60}},
    "samples": 300, "width": 6, "runs": 2, "fewer_runs": 2, "widths": [3], "depths": [],
    "subsamples": [64], "adam": [], "batch_size": 20, "groupings": 1, "convolutional_runs": 0,
    "watched": 50,
}  # fmt: skip
TABLES = list(PART.steps[-1].tables)


@pytest.fixture
def run(preloaded):
    """Function running a step."""
    return lambda step, *args: preloaded.run(step_module(step), *args)


def inputs(run, path, size=8):
    return run(
        "inversion_inputs", "--name", "digits", "--samples", 300, "--image-size", size,
        "--output", path,
    )  # fmt: skip


def test_networks_train_on_the_first_images_and_tables_are_put_together(run, tmp_path):
    done = inputs(run, tmp_path / "digits.npz", size=4)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "digits.npz") as arrays:
        assert arrays["x"].shape == (300, 1, 4, 4)
        assert arrays["test_x"].shape == (1497, 1, 4, 4)
        assert set(arrays["classes"]) == set(arrays["test_classes"]) == set(range(10))
    parts = [tmp_path / f"{table}-digits.csv" for table in TABLES]
    arguments = ["--inversion", json.dumps(SECTION), "--inputs", tmp_path / "digits.npz"]
    done = run("inversion", *arguments, "--output", *parts)
    assert done.returncode == 0, done.stderr
    outputs = [tmp_path / f"{table}.csv" for table in TABLES]
    done = run("inversion_tables", "--parts", *parts, "--output", *outputs)
    assert done.returncode == 0, done.stderr
    for part, path in zip(parts, outputs, strict=True):
        pd.testing.assert_frame_equal(pd.read_csv(part), pd.read_csv(path))
        assert set(pd.read_csv(path)["data"]) == {"digits"}


def test_damaged_images_are_one_line(run, tmp_path):
    (tmp_path / "digits.npz").write_bytes(b"no archive")
    done = run(
        "inversion", "--inversion", json.dumps(SECTION), "--inputs", tmp_path / "digits.npz",
        "--output", tmp_path / "inversion_points-digits.csv",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{tmp_path}/digits.npz: damaged" in done.stderr
