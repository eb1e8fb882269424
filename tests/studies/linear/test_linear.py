"""The steps of linear regression: the same bytes from any number of threads, one line of errors."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from hyperribbon.studies.parts import step_module

SECTION = {
    "samples": 20,
    "draws": 2,
    **{name: {"number": 3} for name in ("slopes", "steps", "ratios")},
    "experiments": {"networks": [[4]], "models": 2, "steps": 4, "samples": 12, "image_size": 4},
}
TABLES = ["linear_phase", "linear_spectra", "linear_bounds", "linear_variants"]
TRAINED = ["linear_kernel_spectra", "linear_kernels", "linear_experiments"]


@pytest.fixture
def run(preloaded):
    """Function running a step."""
    return lambda step, *args: preloaded.run(step_module(step), *args)


@pytest.mark.slow
def test_tables_are_the_same_from_any_number_of_threads(tmp_path):
    written = {}
    for threads in ("1", "2"):
        folder = tmp_path / threads
        folder.mkdir()
        paths = [folder / f"{name}.csv" for name in TABLES]
        section = json.dumps({**SECTION, "samples": 100, "slopes": {"last": 0.5, "number": 3}})
        arguments = ["--linear", section, "--threads", threads, "--output", *paths]
        command = [sys.executable, "-m", "hyperribbon.studies.linear.linear", *map(str, arguments)]
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        written[threads] = [path.read_bytes() for path in paths]
    assert written["1"] == written["2"]


def test_trained_on_samples_of_a_data_set_and_put_together(run, tmp_path):
    samples = tmp_path / "digits.npz"
    done = run(
        "linear_inputs", "--name", "digits", "--samples", 12, "--image-size", 14,
        "--output", samples,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with np.load(samples) as arrays:
        assert arrays["inputs"].shape == (12, 64)  # of 8 x 8 pixels, which are no more
        assert sorted(arrays["targets"]) == [-1.0] * 6 + [1.0] * 6
    parts = []
    for name, inputs in (("digits", [samples]), ("sloppy", [])):
        paths = [tmp_path / f"{table}-{name}.csv" for table in TRAINED]
        arguments = ["--inputs", *inputs, "--linear", json.dumps(SECTION), "--output", *paths]
        done = run("linear_experiment", *arguments)
        assert done.returncode == 0, done.stderr
        parts += paths
    outputs = [tmp_path / f"{table}.csv" for table in TRAINED]
    done = run("linear_tables", "--parts", *parts, "--output", *outputs)
    assert done.returncode == 0, done.stderr
    for table in TRAINED:
        whole = pd.read_csv(tmp_path / f"{table}.csv")
        each = [pd.read_csv(tmp_path / f"{table}-{name}.csv") for name in ("digits", "sloppy")]
        pd.testing.assert_frame_equal(whole, pd.concat(each, ignore_index=True))


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_damaged_samples_are_one_line(run, tmp_path, content):
    (tmp_path / "digits.npz").write_bytes(content)
    done = run(
        "linear_experiment", "--inputs", tmp_path / "digits.npz", "--linear", json.dumps(SECTION),
        "--output", tmp_path / "linear_kernels-digits.csv",
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{tmp_path}/digits.npz: damaged" in done.stderr
