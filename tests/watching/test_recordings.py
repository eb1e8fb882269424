import os
import time

import pytest

from hyperribbon.watching import recordings
from hyperribbon.watching.recordings import Folders


@pytest.fixture
def later(monkeypatch):
    """Function that puts the clock forward by seconds."""
    clock = time.time_ns

    def forward(seconds: float) -> None:
        monkeypatch.setattr(time, "time_ns", lambda: clock() + int(1e9 * seconds))

    return forward


def test_changes_of_the_same_time_are_found_when_later_ones_have_another(
    recorder, network, runs, later
):
    one, folders = recorder("net-0"), Folders([runs])
    one.checkpoint(network(0), 0)
    work = runs / "net-0.recording"
    [training] = folders.look()[0]
    assert sorted(training.checkpoints) == [0]
    before = work.stat()
    one.checkpoint(network(1), 1)
    # As of a file system whose times are coarse.
    os.utime(work, ns=(before.st_atime_ns, before.st_mtime_ns))
    later(3)
    [training] = folders.look()[0]
    assert sorted(training.checkpoints) == [0, 1]


def test_a_recording_that_has_changed_is_read_once_more_and_no_more(
    recorder, network, runs, later, monkeypatch
):
    reads, read = [], recordings._recorded
    monkeypatch.setattr(recordings, "_recorded", lambda *a: reads.append(1) or read(*a))
    one, folders = recorder("net-0"), Folders([runs])
    one.checkpoint(network(0), 0)
    for seconds, expected in ((0, 1), (0.5, 1), (3, 2), (4, 2), (60, 2)):
        later(seconds)
        folders.look()
        assert len(reads) == expected, seconds
