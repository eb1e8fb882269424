import logging
import multiprocessing
import os
import pickle
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
import xarray as xr

from hyperribbon.errors import HyperribbonError
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.training import seed
from hyperribbon.training.job import train_configuration
from hyperribbon.training.parallel import train_seeds
from hyperribbon.training.plan import Plan


def test_seeds_trained_at_once_are_those_trained_in_turn(
    tiny_configuration, tiny_dataset, tmp_path, caplog
):
    stores = {}
    for processes in (1, 2):
        configuration = tiny_configuration(seeds=3, parallel_seeds=processes)
        folder = tmp_path / str(processes)
        with caplog.at_level(logging.INFO, "hyperribbon"):
            caplog.clear()
            logger = logging.getLogger("hyperribbon")
            logger.addHandler(caplog.handler)
            try:
                train_configuration(configuration, tiny_dataset, folder / "work", folder / "A.zarr")
            finally:
                logger.removeHandler(caplog.handler)
        for number in (1, 2, 3):
            assert f"seed {number}/3: done" in caplog.text
        stores[processes] = open_dataset(folder / "A.zarr").load()
    xr.testing.assert_identical(stores[1], stores[2])


def test_more_seeds_at_once_find_the_work_of_the_fewer(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    work, path = tmp_path / "work", tmp_path / "A.zarr"
    train_configuration(tiny_configuration(seeds=2), tiny_dataset, work, path)
    monkeypatch.setattr(seed, "train", lambda *a, **k: pytest.fail("trained again"))
    again = tiny_configuration(seeds=2, parallel_seeds=2)
    train_configuration(again, tiny_dataset, work, tmp_path / "B.zarr")


def test_published_seeds_are_found_however_many_were_trained_at_once(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    path = tmp_path / "A.zarr"
    one, two = (tiny_configuration(seeds=2, parallel_seeds=k) for k in (1, 2))
    assert one.to_json() == two.to_json()
    train_configuration(one, tiny_dataset, tmp_path / "work", path)
    monkeypatch.setattr(seed, "train", lambda *a, **k: pytest.fail("trained again"))
    train_configuration(two, tiny_dataset, tmp_path / "work", path)


def test_a_fault_of_one_seed_is_told(tiny_configuration, tiny_dataset, tmp_path, monkeypatch):
    # However processes are started; forked ones need not import anything.
    fork = multiprocessing.get_context("fork")
    monkeypatch.setattr(multiprocessing, "get_context", lambda method: fork)
    plan = Plan(tiny_configuration(seeds=2), tiny_dataset, "")
    with pytest.raises(RuntimeError, match="meta"):  # a device without numbers
        train_seeds(plan, tmp_path, [0, 1], torch.device("meta"), 2)


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_out_of_memory_names_the_configuration_and_what_to_change(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch, parallel, precision
):
    def train(*arguments, **options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has")

    monkeypatch.setattr(seed, "train", train)
    configuration = tiny_configuration(seeds=1, parallel_seeds=parallel, precision=precision)
    with pytest.raises(HyperribbonError) as error:
        train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    message = str(error.value)
    assert message.startswith(f"{configuration.id}: out of GPU memory")
    assert ("training.parallel_seeds = 4" in message) == (parallel == 4)
    assert ('training.precision to "bfloat16"' in message) == (precision == "float32")
    assert "\n" not in message


SCRIPT = """
import multiprocessing, os, pickle
from hyperribbon.training.job import train_configuration

if __name__ == "__main__":
    with open("pid", "w") as file:
        file.write(str(os.getpid()))
    with open("arguments", "rb") as file:
        method, configuration, dataset = pickle.load(file)
    context = multiprocessing.get_context(method)
    multiprocessing.get_context = lambda usual: context
    train_configuration(configuration, dataset, "work", "A.zarr")
"""


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/task").is_dir(), reason="reads processes from /proc"
)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.fixture(params=["spawn"])  # as the product does; what is forked need not import anything
def endless(request, preloaded, tiny_configuration, tiny_dataset, tmp_path):
    """A process that trains two seeds in processes of its own: its run, its id, and theirs."""
    configuration = tiny_configuration(seeds=2, parallel_seeds=2, epochs=100_000)
    (tmp_path / "arguments").write_bytes(pickle.dumps((request.param, configuration, tiny_dataset)))
    (tmp_path / "script.py").write_text(SCRIPT)
    with ThreadPoolExecutor(1) as thread:
        run = thread.submit(preloaded.run, "script", folder=tmp_path)
        while len(list(tmp_path.glob("work/*/seed-*.state"))) < 2:
            assert not run.done(), run.result()
            time.sleep(0.1)
        parent = int((tmp_path / "pid").read_text())
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        names = {int(pid): Path(f"/proc/{pid}/cmdline").read_text() for pid in children}
        workers = [pid for pid, name in names.items() if "resource_tracker" not in name]
        assert len(workers) == 2
        yield run, parent, workers
        if not run.done():
            os.kill(parent, signal.SIGKILL)
    wait_for_death(workers)


def wait_for_death(pids):
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@needs_proc
@pytest.mark.slow
def test_processes_die_with_the_one_that_started_them(endless):
    run, parent, workers = endless
    os.kill(parent, signal.SIGKILL)
    assert run.result(timeout=60).returncode == -signal.SIGKILL
    wait_for_death(workers)


@needs_proc
@pytest.mark.parametrize("endless", ["fork"], indirect=True)
def test_a_killed_process_is_told(endless):
    run, _, workers = endless
    os.kill(workers[0], signal.SIGKILL)
    told = run.result(timeout=60)
    assert "a process that trained a seed was killed" in told.stderr
    assert told.returncode == 1
