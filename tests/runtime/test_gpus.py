import logging
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from hyperribbon.runtime.gpus import claimed_gpu, count_gpus

# Claims a GPU, says which, and keeps it until its input ends.
CLAIM = """
import os, sys
from hyperribbon.runtime.gpus import claimed_gpu
with claimed_gpu():
    print(os.environ["CUDA_VISIBLE_DEVICES"], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path, monkeypatch):
    """The locks of each test are its own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)


@pytest.fixture
def claim():
    """Function starting a process that claims a GPU; all end with the test."""
    processes = []

    def start(visible: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", CLAIM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "CUDA_VISIBLE_DEVICES": visible, **environment},
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def claimed(process: subprocess.Popen[str]) -> str:
    return process.stdout.readline().strip()


@pytest.mark.parametrize(
    ("visible", "expected"),
    [("0,1, 3", 3), ("GPU-8d1f,GPU-77c0", 2), ("", 0), ("-1", 0), ("NoDevFiles", 0)],
)
def test_count_of_visible_gpus(monkeypatch, visible, expected):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert count_gpus() == expected


def test_count_of_present_gpus(monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    devices = [Path("/dev/nvidia3"), Path("/dev/nvidia10")]
    monkeypatch.setattr(Path, "glob", lambda self, pattern: devices)
    assert count_gpus() == 2
    with claimed_gpu() as gpu:
        assert gpu == "0"  # CUDA counts what is there from zero


@pytest.mark.parametrize("visible", ["0,1,2", "GPU-8d1f,GPU-77c0,MIG-GPU-5a/1/0"])
def test_processes_at_once_share_out_the_gpus(claim, visible):
    processes = [claim(visible) for _ in range(3)]
    assert sorted(map(claimed, processes)) == sorted(visible.split(","))


def test_who_finds_all_taken_waits(claim, caplog, monkeypatch):
    first, second = claim("0,1"), claim("0,1")
    by_gpu = {claimed(first): first, claimed(second): second}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    monkeypatch.setattr(time, "sleep", lambda seconds: by_gpu["1"].communicate())
    with caplog.at_level(logging.WARNING), claimed_gpu() as gpu:
        assert gpu == "1"
    assert "all GPUs (0, 1) are taken; waiting for one" in caplog.text


def test_death_gives_the_gpu_back(claim):
    first, second = claim("0,1"), claim("0,1")
    gpu = claimed(first)
    claimed(second)
    third = claim("0,1")
    first.send_signal(signal.SIGKILL)
    assert claimed(third) == gpu


def test_equal_names_in_different_slurm_jobs_are_different_gpus(claim):
    assert claimed(claim("0,1", SLURM_JOB_ID="7")) == "0"
    assert claimed(claim("0,1", SLURM_JOB_ID="8")) == "0"
    assert claimed(claim("0,1", SLURM_JOB_ID="7")) == "1"


def test_environment_is_put_back(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")
    with claimed_gpu() as gpu:
        assert os.environ["CUDA_VISIBLE_DEVICES"] == gpu == "2"
        assert os.environ["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "2,3"
    assert "CUDA_DEVICE_ORDER" not in os.environ
    with claimed_gpu() as again:
        assert again == "2"


@pytest.mark.parametrize("visible", ["", "5"])
def test_without_choice_nothing_is_done(monkeypatch, tmp_path, visible):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    with claimed_gpu() as gpu:
        assert gpu is None
        assert os.environ["CUDA_VISIBLE_DEVICES"] == visible
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("device", "slurm", "messages"),
    [
        ("auto", {"SLURM_JOB_ID": "7"}, [f"{platform.node()}: this job was given gpu=1, "]),
        ("cuda", {}, ['or set training.device to "cpu"']),
        # These come as far as to read the data.
        ("auto", {}, ["it runs on the CPU", "data.zarr: not a Zarr store"]),
        ("cpu", {"SLURM_JOB_ID": "7"}, ["data.zarr: not a Zarr store"]),
    ],
)
def test_a_training_promised_a_gpu_does_not_turn_to_the_cpu(
    preloaded, tiny_configuration, tmp_path, device, slurm, messages
):
    configuration = tiny_configuration(device=device).to_json()
    run = preloaded.run(
        *("hyperribbon.studies.grid.train", "--gpus", 1),
        *("--configuration", configuration, "--data", "data.json"),
        *("--work", "work", "--output", "store.zarr"),
        folder=tmp_path,
        environment={**os.environ, "CUDA_VISIBLE_DEVICES": "", **slurm},
    )
    assert run.returncode == 1
    for message, line in zip(messages, run.stderr.splitlines(), strict=True):
        assert message in line
