import dask.array as da
import numpy as np
import pytest
import zarr
from threadpoolctl import threadpool_info, threadpool_limits

from hyperribbon.numerics import blocks


@pytest.mark.parametrize("length", [1, 5, 12])
@pytest.mark.parametrize("parts", [1, 2, 20])
@pytest.mark.parametrize("axis", [0, 1])
def test_slices_cover_an_axis_once(monkeypatch, length, parts, axis):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8 * 4 * 3 * 5)
    P = np.empty((length, 4, 3) if axis == 0 else (4, length, 3))
    found = [np.arange(length)[part] for part in blocks.slices(P, axis, parts=parts)]
    assert np.concatenate(found).tolist() == list(range(length))
    assert max(map(len, found)) <= 5
    assert len(found) >= min(parts, length)


def test_slices_follow_chunks(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8 * 4 * 3 * 5)
    for P in (zarr.zeros((11, 4, 3), chunks=(3, 4, 3)), da.zeros((11, 4, 3), chunks=(3, 4, 3))):
        assert [part.start for part in blocks.slices(P)] == [0, 6]


def test_a_model_larger_than_a_block_is_one_slice(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 8)
    assert list(blocks.slices(np.empty((2, 4, 3)))) == [slice(0, 1), slice(1, 2)]


def test_long_chunks_do_not_make_blocks_of_everything(monkeypatch):
    monkeypatch.setattr("hyperribbon.numerics.blocks.BLOCK_BYTES", 8 * 10 * 100)

    class Chunked:
        shape, chunks = (1000, 100), (1000, 7)

    assert max(part.stop - part.start for part in blocks.slices(Chunked())) == 10
    Chunked.chunks = (30, 100)
    assert {part.stop - part.start for part in blocks.slices(Chunked())} == {30, 10}


def test_threads_yield_results_in_order_and_do_not_run_ahead():
    taken = []

    def items():
        for k in range(20):
            taken.append(k)
            yield k

    with threadpool_limits(2, "blas"):
        for k, found in enumerate(blocks.in_threads(lambda k: 10 * k, items())):
            assert found == 10 * k
            assert len(taken) <= k + 3
    assert taken == list(range(20))


def test_a_fault_in_a_thread_is_raised_and_blas_gets_its_threads_back():
    with threadpool_limits(2, "blas"):
        with pytest.raises(ZeroDivisionError):
            list(blocks.in_threads(lambda k: 1 / k, [1, 0, 2]))
        assert {at["num_threads"] for at in threadpool_info() if at["user_api"] == "blas"} == {2}
