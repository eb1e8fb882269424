import numpy as np
import pytest
import torch

from hyperribbon.training.samples import AHEAD, Resident, Streamed

CPU = torch.device("cpu")
RAW = np.arange(60, dtype=np.uint8).reshape(20, 3)


def halved(raw):
    return raw.float() / 2


def sources():
    return Resident(halved(torch.from_numpy(RAW))), Streamed(RAW, np.arange(20), halved, CPU)


INDICES = [
    [slice(0, 5), slice(5, 9), slice(9, 20)],
    [torch.tensor([3, 3, 19]), torch.tensor([0])],
    list(torch.randperm(20, generator=torch.Generator().manual_seed(0)).split(2)),
    [],
]


@pytest.mark.parametrize("indices", INDICES)
def test_streamed_samples_are_the_resident_ones(indices):
    resident, streamed = sources()
    assert len(resident) == len(streamed) == 20
    for k, (a, b) in enumerate(
        zip(resident.batches(indices), streamed.batches(indices), strict=True)
    ):
        assert torch.equal(a, b)
        index = indices[k] if isinstance(indices[k], slice) else indices[k].numpy()
        np.testing.assert_array_equal(a, RAW[index] / 2)


def test_reads_ahead_but_not_all():
    class Rows:
        asked = 0

        def __getitem__(self, index):
            self.asked += 1
            return RAW[index]

    rows = Rows()
    batches = Streamed(rows, np.arange(20), halved, CPU).batches(slice(k, k + 1) for k in range(20))
    next(batches)
    assert rows.asked <= AHEAD + 1
    batches.close()
    assert rows.asked <= AHEAD + 1


def test_a_fault_in_reading_reaches_the_training():
    class Broken:
        def __getitem__(self, index):
            raise OSError("disk on fire")

    with pytest.raises(OSError, match="disk on fire"):
        list(Streamed(Broken(), np.arange(20), halved, CPU).batches([slice(0, 1)]))


def test_some_of_the_samples_are_streamed():
    some = Streamed(RAW, np.array([2, 3, 19]), halved, CPU)
    assert len(some) == 3
    (batch,) = some.batches([slice(1, 3)])
    np.testing.assert_array_equal(batch, RAW[[3, 19]] / 2)
