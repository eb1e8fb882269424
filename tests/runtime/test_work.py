import fcntl
import logging
import shutil
import threading
import time

import pytest

from hyperribbon.errors import StoreError
from hyperribbon.runtime.work import remove_superseded, work_folder
from hyperribbon.storage.locks import locked


@pytest.fixture
def folder(tmp_path):
    return work_folder(tmp_path / "work", "Net-Opt-12345678", "0123456789abcdef")


class Waiting(threading.Thread):
    """Who holds the folder as soon as it can, until it is released."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.holds, self.release = folder, threading.Event(), threading.Event()
        self.start()

    def run(self):
        with locked(self.folder):
            self.holds.set()
            self.release.wait()


def hold(folder):
    """A lock as of another process: it belongs to an open file."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = open(folder / "lock", "a")
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def test_a_folder_is_named_by_configuration_and_key(folder):
    assert folder.name == "Net-Opt-12345678-01234567"


def test_one_waits_for_the_other_and_says_so(folder, caplog):
    with hold(folder):
        waiting = Waiting(folder)
        assert not waiting.holds.wait(0.2)
    assert waiting.holds.wait(10)
    with pytest.raises(BlockingIOError), locked(folder, wait=False):
        pass
    waiting.release.set()
    waiting.join(10)
    assert [r.getMessage() for r in caplog.records] == [
        f"{folder}: another process is at work here; waiting for it"
    ]
    assert [p.name for p in folder.iterdir()] == ["lock"]


def test_the_lock_of_a_dead_process_holds_nobody_up(folder, caplog):
    hold(folder).close()
    with locked(folder):
        assert (folder / "lock").exists()
    assert caplog.records == []


def test_a_lock_that_was_removed_with_its_folder_counts_for_nothing(folder):
    with hold(folder):
        waiting = Waiting(folder)
        time.sleep(0.2)
        shutil.rmtree(folder)
        third = hold(folder)
    # The one waiting now has the lock of the removed folder, a third that of the new one.
    with third:
        assert not waiting.holds.wait(0.2)
    assert waiting.holds.wait(10)
    waiting.release.set()
    waiting.join(10)


@pytest.mark.parametrize("place", ["work", "folder"])
def test_a_file_in_the_place_of_the_folder_is_refused(folder, place):
    path = folder
    if place == "work":
        path = folder.parent
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    message = "a file is where this work folder should be"
    with pytest.raises(StoreError, match=message), locked(folder):
        pass
    assert path.read_text() == "mine"


def test_superseded_work_is_removed_unless_it_is_held(folder, caplog):
    caplog.set_level(logging.INFO)
    work = folder.parent
    left = work / "Net-Opt-12345678-aaaaaaaa"
    held = work / "Net-Opt-12345678-bbbbbbbb"
    others = [
        work / "Net-Opt-87654321-aaaaaaaa",
        work / "Net-Opt-12345678-with-87654321",
        work / "Net-Opt-12345678",
    ]
    file = work / "Net-Opt-12345678-cccccccc"
    for path in (folder, left, held, *others):
        (path / "seed-0.zarr").mkdir(parents=True)
    file.touch()
    with hold(held), locked(folder):
        remove_superseded(folder)
    assert set(work.iterdir()) == {folder, held, file, *others}
    assert [r.getMessage() for r in caplog.records] == [
        f"{left}: of other code, data or versions; removed"
    ]
