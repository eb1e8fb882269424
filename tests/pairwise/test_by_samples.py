"""Models too large for memory, read some samples at a time."""

import numpy as np
import pytest

from hyperribbon.pairwise import by_samples, pairwise_distance, tiles

M, N, C = 13, 30, 5


class Counted:
    """Models that count how often each number is read, and how many at once."""

    def __init__(self, P, chunk=1):
        self.P, self.shape, self.dtype = P, P.shape, P.dtype
        self.chunks = (1, chunk, P.shape[2])
        self.reads, self.spans = np.zeros(P.shape[:2], int), set()

    def __getitem__(self, key):
        self.reads[key] += 1
        self.spans.add(self.reads[key].shape[1])
        return self.P[key]


@pytest.fixture
def few_samples(monkeypatch):
    """Sums over two samples at a time, in tiles of three models; returns bytes of two samples."""
    monkeypatch.setattr(tiles, "_ENTRIES", 2 * C)
    monkeypatch.setattr(tiles, "_SMALLEST", 3)
    monkeypatch.setattr(tiles, "_LARGEST", 3)
    return 2 * C * 8


def test_every_number_is_read_once_where_some_samples_of_all_fit(random_models, few_samples):
    P = random_models(0, M, N, C)
    D = pairwise_distance(P, threads=1)
    counted = Counted(P)
    memory = 2 * M * 2 * few_samples  # two spans of four samples
    np.testing.assert_array_equal(pairwise_distance(counted, memory=memory, threads=2), D)
    assert (counted.reads == 1).all()
    assert counted.spans == {4, N % 4}


def test_whole_chunks_are_read_where_they_fit(random_models, few_samples):
    counted = Counted(random_models(0, M, N, C), chunk=6)
    pairwise_distance(counted, memory=2 * M * 4 * few_samples, threads=2)  # room for eight samples
    assert counted.spans == {6}


@pytest.mark.parametrize("room", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("metric", ["bhattacharyya", "geodesic"])
def test_groups_of_models_and_others(random_models, few_samples, room, metric):
    P, Q = random_models(1, M, N, C), random_models(2, 7, N, C)
    own, across = (pairwise_distance(*of, metric=metric) for of in ([P], [P, Q]))
    options = {"metric": metric, "memory": 2 * room * few_samples, "threads": 2}
    np.testing.assert_array_equal(pairwise_distance(P, **options), own)
    np.testing.assert_array_equal(pairwise_distance(P, Q, **options), across)


def test_few_sums_are_in_memory(random_models, few_samples, monkeypatch):
    monkeypatch.setattr(by_samples, "_SUMS", 8 * 6**2)  # of six models
    counted = Counted(P := random_models(0, M, N, C))
    D = pairwise_distance(counted, memory=2 * M * 2 * few_samples)
    np.testing.assert_array_equal(D, pairwise_distance(P))
    assert counted.reads.max() <= 5  # one for every group of three among the others


def test_tiles_that_are_there_are_kept(random_models, few_samples):
    P = random_models(0, M, N, C)
    D = pairwise_distance(P)
    out = np.full((M, M), np.nan)
    out[:6, :6] = 7  # complete tiles
    counted = Counted(P)
    memory = 2 * M * 2 * few_samples
    pairwise_distance(counted, out=out, resume=True, memory=memory)
    assert (out[:6, :6] == 7).all()
    np.testing.assert_array_equal(out[6:], D[6:])


def test_a_fault_while_reading_is_raised(random_models, few_samples):
    P = random_models(0, M, N, C)
    P[7, 20] = np.nan
    with pytest.raises(Exception, match="not finite"):
        pairwise_distance(P, memory=2 * M * 2 * few_samples, threads=2)
