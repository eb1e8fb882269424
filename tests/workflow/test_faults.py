"""Bad input, kills and bad disks: one clear message, nothing finished lost."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import xarray as xr
import yaml
from running import command, snakemake

pytestmark = pytest.mark.workflow


def stores(repository: Path) -> dict[str, xr.Dataset]:
    folder = repository / "results" / "smoke" / "predictions"
    return {path.name: xr.open_zarr(path) for path in sorted(folder.glob("*.zarr"))}


def assert_equal_predictions(repository: Path, expected: Path) -> None:
    ours, theirs = stores(repository), stores(expected)
    assert ours.keys() == theirs.keys()
    for name in ours:
        xr.testing.assert_identical(ours[name].load(), theirs[name].load())


@pytest.fixture
def prepared(fresh: Path, finished: Path) -> Path:
    """A repository with the data alone."""
    made, results = finished / "results" / "smoke", fresh / "results" / "smoke"
    shutil.copytree(made / "data.zarr", results / "data.zarr")
    shutil.copy2(made / "data.json", results)
    return fresh


@pytest.mark.slow  # kills of trainings are in tests/training/test_kills.py
@pytest.mark.parametrize(
    "orphans",
    [
        pytest.param(False, id="all killed"),
        pytest.param(True, id="trainings live on"),
    ],
)
def test_killed_in_mid_training_it_goes_on(prepared, finished, orphans):
    """Once the whole process group is killed, once Snakemake alone."""
    run = subprocess.Popen(
        command("--cores", "2"),
        cwd=prepared,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    work = prepared / "results" / "smoke" / "work" / "train"
    try:
        deadline = time.monotonic() + 600  # of a busy machine
        while not list(work.glob("*/seed-0.json")):
            assert time.monotonic() < deadline and run.poll() is None, "no seed finished"
            time.sleep(0.01)
    finally:
        if orphans:
            run.kill()
        else:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    for store in stores(prepared).values():
        assert store["train_predictions"].notnull().all()

    if orphans:  # the trainings that it left end, and publish
        while any(map(is_locked, work.glob("*/lock"))):
            time.sleep(0.1)
        assert stores(prepared)
    inodes = {mark: chunk_of(mark).stat().st_ino for mark in work.glob("*/seed-*.json")}

    again = snakemake(prepared, "--cores", "2", "--until", "train")
    assert again.returncode == 0, again.stdout
    assert_equal_predictions(prepared, finished)
    for mark, inode in inodes.items():
        id, seed = mark.parent.name[:-9], mark.stem.removeprefix("seed-")
        published = prepared / "results" / "smoke" / "predictions" / f"{id}.zarr"
        chunk = published / "train_predictions" / "c" / seed / "0" / "0" / "0"
        assert chunk.stat().st_ino == inode, f"{mark} was trained again"


@pytest.mark.slow  # as above
def test_a_killed_training_is_retried_and_goes_on(prepared, finished):
    name = next(name for name in stores(finished) if name.startswith("FullyConnected"))
    run = subprocess.Popen(
        command("--cores", "1", f"results/smoke/predictions/{name}"),
        cwd=prepared,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    work = prepared / "results" / "smoke" / "work" / "train"
    while not list(work.glob("*/seed-0.json")):
        assert run.poll() is None, "no seed finished"
        time.sleep(0.01)
    for process in psutil.Process(run.pid).children(recursive=True):
        if "hyperribbon.studies.grid.train" in process.cmdline():
            process.kill()
    assert run.wait(timeout=300) == 0
    ours, theirs = stores(prepared), stores(finished)
    assert list(ours) == [name]
    xr.testing.assert_identical(ours[name].load(), theirs[name].load())


def is_locked(path: Path) -> bool:
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def chunk_of(mark: Path) -> Path:
    """First checkpoint of a finished seed, in the work folder."""
    return mark.with_suffix(".zarr") / "train_predictions" / "c" / "0" / "0" / "0" / "0"


MALFORMED = {
    "training.seeds = 0: ": lambda c: c["training"].update(seeds=0),
    "networks.ViT.patch_size = 3: must divide the images' 8 x 8 pixels": lambda c: c["networks"][
        "ViT"
    ].update(patch_size=3),
    'data.name = "cifar": allowed: mnist5k, digits, ': lambda c: c["data"].update(name="cifar"),
    "optimizers = ": lambda c: c.update(optimizers=c["optimisers"]),
}


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed_studies_are_refused_before_any_job(fresh, message):
    path = fresh / "config" / "config.yaml"
    config = yaml.safe_load(path.read_text())
    MALFORMED[message](config)
    path.write_text(yaml.safe_dump(config))
    run = snakemake(fresh, "--cores", "2")
    assert run.returncode != 0
    lines = [line for line in run.stdout.splitlines() if "configuration: " in line]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in run.stdout
    assert not (fresh / "results").exists()


def test_damaged_data_is_named(changeable):
    data = (
        changeable / "results" / "smoke" / "data.zarr" / "test_images" / "c" / "0" / "0" / "0" / "0"
    )
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 1
    data.write_bytes(content)
    store = next((changeable / "results" / "smoke" / "predictions").iterdir())
    subprocess.run(["rm", "-r", store], check=True)
    run = snakemake(changeable, "--cores", "2", "--retries", "0")
    assert run.returncode != 0
    assert "data.zarr" in run.stdout
    assert "delete" in run.stdout
    assert "Traceback" not in run.stdout


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 3 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=False)
    if mounted.returncode:
        pytest.skip("cannot mount a small file system here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow  # as a step says it in tests/training/test_kills.py
def test_a_full_disk_is_said_and_nothing_finished_is_lost(fresh, finished, small_disk):
    (fresh / "results").symlink_to(small_disk)
    run = snakemake(fresh, "--cores", "1", "--retries", "0")
    assert run.returncode != 0
    assert "the disk is full; free some space and run again" in run.stdout
    assert "Traceback" not in run.stdout
    complete = stores(fresh)
    assert complete
    for store in complete.values():
        assert store["test_predictions"].notnull().all()
    before = {
        name: (small_disk / "smoke" / "predictions" / name).stat().st_ino for name in complete
    }
    subprocess.run(["mount", "-o", "remount,size=100m", small_disk], check=True)
    again = snakemake(fresh, "--cores", "2", "--until", "train")
    assert again.returncode == 0, again.stdout
    for name, inode in before.items():
        assert (small_disk / "smoke" / "predictions" / name).stat().st_ino == inode
    assert_equal_predictions(fresh, finished)


def test_a_file_in_the_place_of_results_is_refused(fresh):
    (fresh / "results").write_text("mine")
    run = snakemake(fresh, "--cores", "1")
    assert run.returncode != 0
    assert "a file, where the folder of the results goes" in run.stdout
    assert (fresh / "results").read_text() == "mine"


def test_read_only_results_are_refused_before_any_job(fresh, small_disk):
    (fresh / "results").symlink_to(small_disk)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    run = snakemake(fresh, "--cores", "1")
    assert run.returncode != 0
    assert "not writable; results go there" in run.stdout
    assert "Traceback" not in run.stdout


@pytest.mark.slow  # tests/training/test_seed.py has it of each network
def test_bit_equal_on_the_cpu(fresh, finished):
    """Two studies in two places, run with other numbers of cores."""
    target = "results/smoke/predictions"
    names = [name for name in stores(finished) if name.startswith("ViT-Adam")]
    run = snakemake(fresh, "--cores", "1", *(f"{target}/{name}" for name in names))
    assert run.returncode == 0, run.stdout
    for name in names:
        ours, theirs = stores(fresh)[name], stores(finished)[name]
        np.testing.assert_array_equal(ours["train_predictions"], theirs["train_predictions"])
        np.testing.assert_array_equal(ours["weights"], theirs["weights"])
