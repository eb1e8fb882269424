"""Steps on a cluster of Dask's: two processes on this machine, one of them killed in the middle."""

import inspect
import os
import signal
import socket
import time

import dask
import numpy as np
import pytest
import zarr
from distributed import Client, LocalCluster

from hyperribbon.errors import HyperribbonError
from hyperribbon.pairwise import METRICS, pairwise_distance
from hyperribbon.probability import progress
from hyperribbon.runtime.cluster import dask_client, each
from hyperribbon.studies.manifold.incremental_distance import grow
from hyperribbon.trajectories import compare_means, compare_trajectories


@pytest.fixture(scope="module")
def cluster():
    """Two workers, as processes that nobody starts again; the last two tests are hard on it."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    quiet = {"dashboard_address": ":0", "silence_logs": "CRITICAL"}
    with LocalCluster(**options, **quiet) as cluster:
        yield cluster


@pytest.fixture
def client(cluster):
    with dask.config.set({"scheduler-address": cluster.scheduler_address}), dask_client() as client:
        yield client


def kill_one(client: Client) -> None:
    pids = client.run(os.getpid)
    os.kill(next(iter(pids.values())), signal.SIGKILL)


class KillingArray:
    """An array that kills a worker when some tiles have been written."""

    def __init__(self, shape, client, after):
        self.values, self.client, self.left = np.full(shape, np.nan), client, after
        self.shape, self.dtype = shape, np.dtype(float)

    def __getitem__(self, key):
        return self.values[key]

    def __setitem__(self, key, D):
        self.values[key] = D
        self.left -= 1
        if self.left == 0:
            kill_one(self.client)


def test_everything_is_the_same_on_a_cluster(client, random_models):
    P, Q = random_models(1, 90, 30, 4), random_models(2, 20, 30, 4)
    for metric in METRICS:
        for args in ((P,), (P, Q)):
            found = pairwise_distance(*args, metric=metric, client=client)
            np.testing.assert_allclose(found, pairwise_distance(*args, metric=metric), atol=1e-14)
    labels = np.arange(30) % 4
    trajectories = np.split(P, 9)
    values = each(lambda P: progress(P, labels), trajectories, client=client)
    np.testing.assert_array_equal(np.concatenate(values), progress(P, labels))
    of = (trajectories, [np.linspace(0, 1, 10)] * 9, labels, np.linspace(0, 1, 23), [0, 1, 2] * 3)
    for here, there in zip(
        compare_trajectories(*of), compare_trajectories(*of, client=client), strict=True
    ):
        np.testing.assert_array_equal(here, there)
    for here, there in zip(compare_means(*of), compare_means(*of, client=client), strict=True):
        np.testing.assert_array_equal(here, there)


def test_a_fault_of_the_models_is_told(client):
    P = np.full((70, 3, 2), 0.5)
    P[69] = 0.6
    with pytest.raises(ValueError, match=r"P: a row that sums to 1.2"):
        pairwise_distance(P, client=client)
    with pytest.raises(ZeroDivisionError):
        each(lambda x: 1 / x, [1, 0], client=client)


def test_without_a_scheduler_there_are_threads():
    assert dask.config.get("scheduler-address", None) is None
    with dask_client() as client:
        assert client is None
    assert each(len, [(1,), [2, 3], "abc"], threads=2) == [1, 2, 3]
    with pytest.raises(ZeroDivisionError):
        each(lambda x: 1 / x, [1, 0], threads=2)


def test_the_scheduler_is_taken_from_the_environment(monkeypatch):
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://10.1.2.3:4")
    assert dask.config.collect_env()["scheduler_address"] == "tcp://10.1.2.3:4"


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{}", "nowhere.invalid:{}", "carrier://:{}"])
def test_a_scheduler_that_does_not_answer(monkeypatch, address):
    monkeypatch.setattr(inspect.getmodule(dask_client), "_PATIENCE", 1)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = address.format(free.getsockname()[1])
    start = time.perf_counter()
    with (
        dask.config.set({"scheduler-address": address}),
        pytest.raises(HyperribbonError) as error,
        dask_client(),
    ):
        pass
    assert time.perf_counter() - start < 15
    message = str(error.value)
    assert message.startswith(f'dask.scheduler = "{address}": no scheduler answers there')
    assert "expected the address of a running one, such as tcp://" in message
    assert "\n" not in message


@pytest.mark.slow  # a quarter of a minute
def test_a_worker_that_is_killed_changes_nothing(client, random_models, tmp_path):
    P = random_models(0, 300, 40, 5).astype(np.float32)
    stored = zarr.create_array(tmp_path / "P.zarr", data=P, chunks=(1, 40, 5))
    memory = 100 * 40 * 5 * 4  # blocks of 64, in bands of one
    expected = pairwise_distance(P)
    out = KillingArray((300, 300), client, after=4)
    pairwise_distance(stored, out=out, memory=memory, client=client)
    assert out.left < 0
    np.testing.assert_array_equal(out.values, expected)
    # What follows runs on the other one.
    digests = [str(k) for k in range(3)]
    trainings = [P[:100], P[100:180], P[180:]]
    for which in (slice(0, 2), slice(0, 3)):
        options = {"code": "", "client": client}
        folder = grow(tmp_path / "work", trainings[which], digests[which], **options)
    np.testing.assert_array_equal(zarr.open_array(folder / "distance")[:], expected)


def test_a_scheduler_that_is_lost(cluster, random_models):
    P = random_models(0, 200, 10, 3)

    class Losing(KillingArray):
        def __setitem__(self, key, D):
            cluster.close()

    with (
        dask.config.set({"scheduler-address": cluster.scheduler_address}),
        pytest.raises(HyperribbonError, match="the scheduler was lost; what is finished is kept"),
        dask_client() as client,
    ):
        out = Losing((200, 200), client, 1)
        pairwise_distance(P, out=out, memory=100 * 30 * 8, client=client)
