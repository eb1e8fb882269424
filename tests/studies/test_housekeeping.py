"""Before and after a run: places that cannot be written, stale locks, copied work, a summary."""

import json
import os
import platform

import psutil
import pytest

from hyperribbon.errors import StoreError
from hyperribbon.studies.housekeeping import (
    check_writable,
    found,
    remove_copied_work,
    remove_stale_locks,
)


def test_a_file_in_the_place_of_results_is_refused(tmp_path):
    check_writable(tmp_path / "results" / "study")
    (tmp_path / "results").write_text("mine")
    with pytest.raises(StoreError, match="results: a file, where the folder of the results goes"):
        check_writable(tmp_path / "results" / "study")


@pytest.mark.parametrize(
    ("owner", "stale"),
    [
        ([platform.node(), 2**30, 0.0], True),  # there is no such process
        ([platform.node(), os.getpid(), 0.0], True),  # another process had this number
        ([platform.node(), os.getpid(), psutil.Process().create_time()], False),
        (["elsewhere", 2**30, 0.0], False),
        ("not a name", False),
    ],
)
def test_locks_go_if_all_who_could_hold_them_are_gone(tmp_path, owner, stale):
    lock, name = tmp_path / "locks" / "0.input.lock", tmp_path / "owners" / "one.json"
    for path in (lock, name):
        path.parent.mkdir()
    lock.write_text("")
    remove_stale_locks(tmp_path)
    assert lock.exists()  # no one has left a name
    name.write_text(json.dumps(owner))
    remove_stale_locks(tmp_path)
    assert lock.exists() == (not stale)


@pytest.mark.parametrize("links", [True, False])
def test_work_of_published_trainings_goes_if_it_takes_space(tmp_path, links):
    work = tmp_path / "work" / "train" / "net-0123-abcd"
    chunk = work / "seed-0.zarr" / "train_predictions" / "c" / "0"
    chunk.parent.mkdir(parents=True)
    chunk.write_text("predictions")
    remove_copied_work(tmp_path, ["net-0123"])
    assert work.exists()  # not published yet
    published = tmp_path / "predictions" / "net-0123.json"
    published.parent.mkdir()
    published.write_text("{}")
    if links:
        os.link(chunk, tmp_path / "published")
    remove_copied_work(tmp_path, ["net-0123"])
    assert work.exists() == links


def test_what_was_found_is_the_summary_and_what_to_open(tmp_path):
    study = tmp_path / "tiny"
    assert found(study) == ""
    (study / "tables").mkdir(parents=True)
    (study / "tables" / "summary.csv").write_text("quantity,value,note\nmodels,9,of 2 trainings\n")
    lines = found(study).splitlines()
    assert lines[0] == "Study tiny"
    assert lines[1].split() == ["models", "9", "(of", "2", "trainings)"]
    assert "Open" not in found(study)
    (study / "report.html").write_text("")
    assert found(study).endswith(f"Open {study}/report.html and {study}/explorer.html")
    (study / "tables" / "summary.csv").unlink()
    assert found(study) == f"Open {study}/report.html"
