import dask.array as da
import numpy as np
import pytest
import zarr

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
