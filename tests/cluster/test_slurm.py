"""The real workflow on a real Slurm, with the profile that users are given."""

import os
import subprocess
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
import xarray as xr
import yaml
from running import command, copy_repository, snakemake

# As in docs/cluster.md, with less patience.
SLURM = [
    *("--workflow-profile", "profiles/slurm"),
    *("--slurm-init-seconds-before-status-checks", "1", "--latency-wait", "5"),
]
SEEDS = {"seeds": 6}  # some seconds a training, to be caught in its middle
LOOK = """
rule all:
    input: "0.txt", "1.txt"

rule train:
    output: "{n}.txt"
    shell: "echo $CUDA_VISIBLE_DEVICES > {output}; sleep 5"
"""


@pytest.fixture
def repository(tmp_path) -> Path:
    """Nothing has run in it yet."""
    return changed(copy_repository(tmp_path / "repository"), training=SEEDS)


def changed(repository: Path, **sections: dict) -> Path:
    path = repository / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    del config["curvature"]  # it takes longest, and other tests run it
    for name, section in sections.items():
        config[name].update(section)
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return repository


def cancel(configuration: str) -> None:
    """Cancel the Slurm job that trains it."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "hyperribbon.studies.grid.train" in words and any(
            configuration in word for word in words
        ):
            subprocess.run(["scancel", process.environ()["SLURM_JOB_ID"]], check=True)
            return
    raise AssertionError(f"{configuration}: no process trains it")


def stores_of_seed(seed: int, work: Path) -> list[Path]:
    """Stores of it, while trainings create and delete folders there."""
    return sorted(
        Path(folder, name)
        for folder, folders, _ in os.walk(work)
        for name in folders
        if name.startswith(f"seed-{seed}.")
    )


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_a_cancelled_training_goes_on_and_results_are_those_of_a_local_run(repository, tmp_path):
    log = tmp_path / "log.txt"
    with log.open("w") as stdout:
        run = subprocess.Popen(
            command(*SLURM), cwd=repository, stdout=stdout, stderr=subprocess.STDOUT
        )
    results = repository / "results" / "smoke"
    deadline = time.monotonic() + 180
    while not (begun := stores_of_seed(1, results / "work")):
        assert run.poll() is None and time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    names = [path.stem for path in results.glob("logs/train/*.log")]
    (cancelled,) = (name for name in names if begun[0].parent.name.startswith(name))
    cancel(cancelled)

    local = snakemake(
        changed(copy_repository(tmp_path / "local"), training=SEEDS),
        *("--cores", "1", "--until", "tables"),
    )
    assert local.returncode == 0, local.stdout
    assert run.wait(timeout=600) == 0, log.read_text()

    said = log.read_text()
    assert "SLURM status is: 'CANCELLED'" in said
    # Those of jobs are later.
    full = min((repository / ".snakemake" / "log").glob("*.log"), key=lambda path: path.name)
    memory = [line for line in full.read_text().splitlines() if "mem_mb=8000" in line]
    assert len(memory) == 1, "the second attempt, and no other job, asks for twice as much"
    again = (results / "logs" / "train" / f"{cancelled}.log").read_text()
    assert "seed 0 is finished already" in again
    expected = tmp_path / "local" / "results" / "smoke"
    stores = sorted(path.name for path in expected.glob("predictions/*.zarr"))
    assert len(stores) == 4
    for name in stores:
        xr.testing.assert_identical(
            xr.load_dataset(results / "predictions" / name, engine="zarr"),
            xr.load_dataset(expected / "predictions" / name, engine="zarr"),
        )
    tables = sorted(path.name for path in expected.glob("tables/*.csv"))
    assert tables
    for name in tables:
        pd.testing.assert_frame_equal(
            pd.read_csv(results / "tables" / name), pd.read_csv(expected / "tables" / name)
        )
    assert (results / "report.html").exists()
    assert not output("squeue", "--noheader")


def test_each_training_sees_the_gpu_it_was_given(repository):
    """With the profile's lines for a partition and for GPUs, as a user would edit them."""
    (repository / "Snakefile").write_text(LOOK)
    profile = repository / "profiles" / "slurm" / "config.yaml"
    text = profile.read_text()
    for line in ("slurm_partition: cpu", "slurm_partition: gpu", "gpu: 1"):
        assert f"# {line} # EDIT" in text
        text = text.replace(f"# {line} # EDIT", f"{line} #")
    profile.write_text(text)
    run = snakemake(repository, *SLURM)
    assert run.returncode == 0, run.stdout
    assert {(repository / f"{n}.txt").read_text() for n in range(2)} == {"0\n", "1\n"}
    jobs = output("squeue", "--noheader", "--states=all", "--partition=gpu")
    assert len(jobs.splitlines()) == 2, jobs
