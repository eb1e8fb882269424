"""Trainings killed at random moments, and on a disk that fills: see killable.py."""

import json
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import xarray as xr

from hyperribbon.config import AllCNNConfig, SGDConfig
from hyperribbon.storage.manifest import Manifest, manifest_path

NETWORK = AllCNNConfig(architecture="allcnn", widths=[4, 4])
OPTIMISER = SGDConfig(algorithm="sgd", learning_rate=0.05, momentum=0.9, nesterov=True)
PHASES = (
    "starting",
    "creating",
    "training",
    "evaluation",
    "writing",
    "state",
    "finishing",
    "publishing",
    "exchange",
    "manifest",
)


class Trainings:
    """Runs of one training, each in a process of its own that may come to grief."""

    def __init__(self, server, configuration, data):
        self.server, self.configuration, self.data = server, configuration, data

    def run(self, folder: Path, **grief) -> int:
        """Exit status, or minus a signal."""
        folder.mkdir(exist_ok=True)
        request = {"folder": folder, "configuration": self.configuration, "data": self.data}
        self.server.stdin.write(json.dumps({**request, **grief}, default=str) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())


def events(folder):
    """Number of events of the last run in each phase."""
    return Counter(line.split()[0] for line in (folder / "events").read_text().splitlines())


def published(folder):
    return folder / "predictions" / "A.zarr"


def listing(folder):
    """All files of the work and the publication, by name."""
    paths = [*(folder / "work").rglob("*"), *(folder / "predictions").rglob("*")]
    return sorted(path.relative_to(folder) for path in paths if path.is_file())


def finished_seeds(folder):
    """Inodes of a chunk of each seed that is finished: other ones after it was trained again."""
    chunk = Path("train_predictions", "c", "0", "0", "0", "0")
    return {
        mark.name: (mark.with_suffix(".zarr") / chunk).stat().st_ino
        for mark in (folder / "work").glob("*/seed-*.json")
    }


def assert_equal(folder, undisturbed):
    ours, theirs = published(folder), published(undisturbed)
    xr.testing.assert_identical(xr.open_zarr(ours).load(), xr.open_zarr(theirs).load())
    manifests = [Manifest.read(manifest_path(path)) for path in (ours, theirs)]
    assert manifests[0] == manifests[1] == Manifest.of(ours)
    assert listing(folder) == listing(undisturbed)


@pytest.fixture(scope="module")
def trainings(tiny_configuration, tiny_dataset, tmp_path_factory):
    store = tmp_path_factory.mktemp("data") / "data.zarr"
    tiny_dataset.save(store)
    data = manifest_path(store)
    configuration = tiny_configuration(network=NETWORK, optimiser=OPTIMISER, epochs=1, batch_size=5)
    with subprocess.Popen(
        [sys.executable, Path(__file__).with_name("killable.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield Trainings(server, configuration.to_json(), data)
        server.stdin.close()


@pytest.fixture(scope="module")
def undisturbed(trainings, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert trainings.run(folder) == 0
    assert set(events(folder)) == set(PHASES)
    return folder


class Watch:
    """What must hold after every run in a folder, and what happened in it."""

    def __init__(self, folder):
        self.folder, self.finished, self.resumed = folder, {}, 0

    def check(self):
        log = (self.folder / "log").read_text()
        assert "WARNING" not in log  # nothing that was left is damaged
        assert "Traceback" not in log
        self.resumed += len(re.findall("continues after step [1-9]", log))
        now = finished_seeds(self.folder)
        assert self.finished.items() <= now.items()  # there, and not trained again
        self.finished = now
        return log


@pytest.mark.parametrize(
    ("kills", "least"), [(4, 1), pytest.param(len(PHASES), 3, marks=pytest.mark.slow)]
)
def test_killed_at_random_moments_it_goes_on_and_is_bit_equal(
    trainings, undisturbed, tmp_path, kills, least
):
    rng = random.Random(0)
    counts, resumed = events(undisturbed), 0
    left = rng.sample(PHASES, kills)  # to be killed in, one after the other
    while left:
        watch, status = Watch(tmp_path / str(len(left))), None
        while status != 0:
            grief = {}
            if left:
                grief = {"how": rng.choice(["kill", "tear"]), "phase": left[-1]}
                grief["number"] = rng.randrange(counts[left[-1]])
            status = trainings.run(watch.folder, **grief)
            watch.check()
            if status != 0:
                assert status == -signal.SIGKILL
                left.pop()
        assert_equal(watch.folder, undisturbed)
        resumed += watch.resumed
    assert resumed >= least


@pytest.mark.slow  # at moments of the clock; the test above kills at every kind of moment
def test_killed_from_outside_it_goes_on_and_is_bit_equal(trainings, undisturbed, tmp_path):
    rng = random.Random(1)
    start = time.monotonic()
    assert trainings.run(tmp_path / "other") == 0
    duration = time.monotonic() - start
    watch = Watch(tmp_path / "killed")
    for _ in range(6):
        trainings.run(watch.folder, delay=rng.uniform(0.1, 0.7) * duration)
        watch.check()
    assert trainings.run(watch.folder) == 0
    watch.check()
    assert watch.resumed or watch.finished
    assert_equal(watch.folder, undisturbed)


def test_killed_while_it_published_it_publishes_again(trainings, undisturbed, tmp_path):
    watch = Watch(tmp_path / "killed")
    for how, phase, number, there in (
        ("kill", "manifest", 3, True),  # the store is there, its manifest is not
        ("kill", "exchange", 1, False),  # it was put aside for the next
        ("tear", "manifest", 2, True),  # half a manifest
    ):
        assert trainings.run(watch.folder, how=how, phase=phase, number=number) == -signal.SIGKILL
        watch.check()
        assert published(watch.folder).exists() == there
        assert not manifest_path(published(watch.folder)).exists()
    assert trainings.run(watch.folder) == 0
    watch.check()
    assert events(watch.folder)["training"] == 0
    assert_equal(watch.folder, undisturbed)


def assert_full(watch):
    """The last run said in one line that the disk is full, and left no half of a file."""
    lines = watch.check().splitlines()
    assert "the disk is full; free some space and run again; what is finished is kept" in lines[-1]
    assert sum("ERROR" in line for line in lines) == 1
    assert not [path for path in watch.folder.rglob("*") if path.name.endswith(".partial")]


def test_a_disk_that_fills_is_said_and_the_next_run_goes_on(trainings, undisturbed, tmp_path):
    rng = random.Random(2)
    watch, counts = Watch(tmp_path / "full"), events(undisturbed)
    for phase in PHASES:
        if phase not in ("training", "evaluation"):
            number = rng.randrange(max(1, counts[phase] // 3))
            assert trainings.run(watch.folder, how="full", phase=phase, number=number) == 1, phase
            assert_full(watch)
    assert watch.resumed
    assert trainings.run(watch.folder) == 0
    watch.check()
    assert_equal(watch.folder, undisturbed)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", disk])
    if mounted.returncode:
        pytest.skip("cannot mount a small file system here")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


def test_a_disk_that_is_really_full(trainings, undisturbed, small_disk, tmp_path):
    (small_disk / "results").mkdir()
    watch, failures, size = Watch(small_disk / "results"), 0, 200
    while trainings.run(watch.folder) != 0:
        assert_full(watch)
        failures += 1
        size += 150
        subprocess.run(["mount", "-o", f"remount,size={size}k", small_disk], check=True)
    assert failures >= 3
    watch.check()
    assert_equal(watch.folder, undisturbed)
