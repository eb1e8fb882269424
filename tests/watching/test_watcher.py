"""Trainings that are watched: what comes, goes, and goes wrong."""

import errno
import json
import shutil

import numpy as np
import pytest
import torch

import hyperribbon as hr
from hyperribbon.errors import DataError, StoreError
from hyperribbon.recording.work_folder import WorkFolder
from hyperribbon.storage.predictions import chunk_of
from hyperribbon.watching.references import References

N, C = 24, 3  # as in conftest.py
LABELS = np.arange(N) % C


def points(state) -> np.ndarray:
    return np.array(state["models"]["point"], float)


def test_checkpoints_are_in_the_picture_as_soon_as_they_are_recorded(
    recorder, network, watched, state
):
    watcher, _ = watched()
    for look in (lambda: None, watcher.look):
        look()
        assert state(watcher)["trainings"] == []
    one, two = recorder("net-0"), recorder("net-1", seed=1)
    for step in range(3):
        one.checkpoint(network(step), step)
        two.checkpoint(network(step, seed=1), step)
        watcher.look()
        assert sorted(state(watcher)["models"]["step"]) == sorted([*range(step + 1)] * 2)
    one.finish()
    watcher.look()
    shown = state(watcher)
    assert [(t["name"], t["finished"]) for t in shown["trainings"]] == [
        ("net-0", True),
        ("net-1", False),
    ]
    two.finish()
    watcher.look()

    study = hr.Study.from_runs(next(iter(watcher._folders.paths)))
    order = np.lexsort([shown["models"]["step"], shown["models"]["training"]])
    models = {name: np.array(column)[order] for name, column in shown["models"].items()}
    for name, column in {"progress": study.progress(), "train_loss": study.models["train_loss"],
                         "train_error": study.models["train_error"]}.items():  # fmt: skip
        np.testing.assert_allclose(models[name].astype(float), column, rtol=1e-4, atol=1e-6)
    X = study.inpca().embedding_[:, :3]
    found = hr.align(points(shown)[order], X, study.inpca().signature_[:3])
    assert found.rmsd < 1e-3 * np.abs(X).max()
    assert points(state(watcher)).tolist() == points(shown).tolist()  # finishing changes nothing


def test_the_split_is_train_unless_another_is_chosen(recorder, network, watched, state):
    more = {"test_inputs": torch.randn(9, 5), "test_labels": np.arange(9) % C}
    for k in range(2):
        rec = recorder(f"net-{k}", seed=k, **more)
        rec.checkpoint(network(k, seed=k), 0)
    for split, samples in ((None, N), ("test", 9)):
        watcher, said = watched(split=split)
        watcher.look()
        found = state(watcher)
        assert (found["split"], found["samples"]) == (split or "train", samples)
        assert found["models"]["step"] == [0, 0]
        assert all(np.isfinite(found["models"]["test_loss"]))
        assert said == []
        watcher.close()


def test_recordings_in_half_precision_are_shown_too(recorder, network, watched, state):
    for k, form in enumerate(("float32", "sqrt_float16")):
        rec = recorder(f"net-{k}", form=form)
        for step in range(3):
            rec.checkpoint(network(step), step)
    watcher, said = watched()
    watcher.look()
    shown, found = state(watcher), points(state(watcher))
    assert shown["models"]["step"] == [0, 1, 2] * 2
    np.testing.assert_allclose(found[:3], found[3:], atol=2e-3 * np.ptp(found))
    assert said == []


def test_watching_writes_nothing_where_recordings_are(recorder, network, watched, runs):
    rec = recorder("net-0")
    rec.checkpoint(network(0), 0)
    before = {path: path.stat().st_mtime_ns for path in [runs, *runs.rglob("*")]}
    watcher, _ = watched()
    watcher.look()
    watcher.close()
    assert {path: path.stat().st_mtime_ns for path in [runs, *runs.rglob("*")]} == before


def test_a_restart_shows_the_same_picture_before_it_reads_predictions(
    recorder, network, watched, state, monkeypatch
):
    rec = recorder("net-0")
    for step in range(6):
        rec.checkpoint(network(step), step)
    first, _ = watched()
    first.look()
    before = state(first)
    first.close()
    rec.checkpoint(network(6), 6)
    second, said = watched()
    shown = []
    pack = References.pack

    def packed(self, read) -> None:
        shown.append(state(second))
        pack(self, read)

    monkeypatch.setattr(References, "pack", packed)
    second.look()
    np.testing.assert_allclose(points(shown[0]), points(before), atol=1e-4)
    after = state(second)
    assert after["models"]["step"] == [*range(7)]
    assert said == []
    scale = np.abs(points(before)).max()
    np.testing.assert_allclose(points(after)[:6], points(before), atol=0.05 * scale)
    assert after["models"]["progress"][:6] == before["models"]["progress"]


def test_what_was_kept_of_other_recordings_is_not_taken(recorder, network, watched, state, runs):
    rec = recorder("net-0")
    rec.checkpoint(network(0), 0)
    rec.checkpoint(network(1), 1)
    first, _ = watched()
    first.look()
    first.close()
    kept = next((runs.parent / "cache").rglob("picture.npz"))
    rec.finish()
    shutil.rmtree(runs / "net-0.zarr")
    (runs / "net-0.json").unlink()
    with recorder("net-0", seed=3) as other:
        other.checkpoint(network(5), 0)
    for damage in (lambda: None, lambda: kept.write_bytes(kept.read_bytes()[:100])):
        damage()
        second, _ = watched()
        second.look()
        assert state(second)["models"]["step"] == [0]
        second.close()


def test_a_recording_that_disappears_leaves_the_picture(recorder, network, watched, state, runs):
    for k in range(2):
        with recorder(f"net-{k}", seed=k) as rec:
            for step in range(3):
                rec.checkpoint(network(step, k), step)
    watcher, said = watched()
    watcher.look()
    shutil.rmtree(runs / "net-1.zarr")
    (runs / "net-1.json").unlink()
    watcher.look()
    assert said == ["net-1: 3 checkpoints gone; taken out of the picture"]
    shown = state(watcher)
    assert [event[1] for event in shown["events"]] == said
    assert shown["models"]["step"] == [0, 1, 2]
    assert np.isfinite(points(shown)).all()

    shutil.rmtree(runs / "net-0.zarr")
    (runs / "net-0.json").unlink()
    watcher.look()
    assert said[1:] == ["net-0: 3 checkpoints gone; taken out of the picture"]
    assert state(watcher)["models"] == {}
    with recorder("net-0", labels=LABELS[:12]) as rec:  # now others may come
        rec.checkpoint(network(0), 0)
    watcher.look()
    assert state(watcher)["samples"] == 12
    assert len(said) == 2


def test_checkpoints_that_are_replaced_are_placed_anew(recorder, network, watched, state):
    rec = recorder("net-0")
    for step in range(4):
        rec.checkpoint(network(step), step)
    watcher, said = watched()
    watcher.look()
    rec._recording.__exit__(KeyboardInterrupt)  # killed
    again = recorder("net-0")
    again.checkpoint(network(9), 2)
    watcher.look()
    assert said == [
        "net-0: 1 checkpoint gone; taken out of the picture",
        "net-0: 1 checkpoint replaced; placed anew",
    ]
    assert state(watcher)["models"]["step"] == [0, 1, 2]


OTHERS = {
    "number": (np.arange(12) % C, "net-1: 12 train samples, expected those of net-0, 24"),
    "labels": ((LABELS + 1) % C, "net-1: train labels that differ from those of net-0; expected "),
    "classes": (np.arange(N) % 4, "net-1: 4 classes, expected those of net-0, 3"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_recordings_of_other_samples_are_named_and_left_out(
    name, recorder, network, watched, state
):
    labels, line = OTHERS[name]
    good, bad = recorder("net-0"), recorder("net-1", labels=labels)
    good.checkpoint(network(0), 0)
    bad.checkpoint(torch.nn.Linear(5, 1 + int(labels.max())), 0)
    watcher, said = watched()
    for _ in range(2):
        watcher.look()
    assert len(said) == 1 and said[0].startswith(line)
    assert state(watcher)["problems"] == said
    assert [one["name"] for one in state(watcher)["trainings"]] == ["net-0"]


def test_the_same_samples_in_another_order_are_named(runs, network, watched, state):
    x = np.random.default_rng(0).normal(size=(N, 5)).astype(np.float32)
    for k, order in enumerate([np.arange(N), np.roll(np.arange(N), C)]):
        rec = hr.Recorder(runs / f"net-{k}", x[order], LABELS, network="Net", seed=k)
        rec.checkpoint(lambda batch: batch[:, :C], 0)
    watcher, said = watched()
    watcher.look()
    assert len(said) == 1
    assert "net-1: train sample 0 is sample 21 of" in said[0]
    assert state(watcher)["models"]["step"] == [0]


def test_a_checkpoint_that_is_cut_short_is_named_and_tried_again(
    recorder, network, watched, state, runs
):
    rec = recorder("net-0")
    for step in range(3):
        rec.checkpoint(network(step), step)
    chunk = chunk_of(runs / "net-0.recording" / "train_predictions", 1)
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:40])
    watcher, said = watched()
    watcher.look()
    assert said == []  # it may have been moved while it was read
    watcher.look()
    watcher.look()
    assert len(said) == 1
    assert said[0].startswith("net-0: step 1 cannot be read, and is tried again (")
    assert state(watcher)["models"]["step"] == [0, 2]
    chunk.write_bytes(whole)
    watcher._later.clear()
    (runs / "net-0.recording" / "touched").touch()
    watcher.look()
    watcher.look()
    assert sorted(state(watcher)["models"]["step"]) == [0, 1, 2]
    assert state(watcher)["problems"] == []


def test_damaged_recordings_and_strange_files_are_named(runs, watched, state):
    (runs / "a.recording").mkdir()
    (runs / "a.recording" / "recording.json").write_text("{")
    (runs / "b.zarr").mkdir()
    (runs / "c.recording").mkdir()  # it has just begun
    (runs / "notes.txt").touch()
    watcher, said = watched()
    watcher.look()
    assert said == []  # it might be on its way
    watcher.look()
    watcher.look()
    assert len(said) == 2
    assert "a.recording/recording.json: damaged, or not of a Recorder" in said[0]
    assert "b.zarr: without its manifest, b.json; being written, or copied without it" in said[1]
    assert state(watcher)["problems"] == said


def test_a_training_that_diverges_says_so(recorder, network, watched, state):
    rec = recorder("net-0")
    rec.checkpoint(network(0), 0)
    with torch.no_grad():
        broken = network(1)
        broken.weight[:] = np.nan
    rec.checkpoint(broken, 1)
    watcher, _ = watched()
    watcher.look()
    assert state(watcher)["trainings"][0]["diverged"] == 1
    assert state(watcher)["models"]["step"] == [0]


def test_work_folders_of_older_versions_have_no_progress(recorder, network, watched, state, runs):
    rec = recorder("net-0")
    rec.checkpoint(network(0), 0)
    WorkFolder(runs / "net-0.recording", {}).samples.unlink()
    watcher, said = watched()
    watcher.look()
    assert state(watcher)["models"]["progress"] == [None]
    assert state(watcher)["geodesic"] is None
    assert said == []


def test_of_two_watchers_one_keeps_nothing_and_says_so(recorder, network, watched, state):
    recorder("net-0").checkpoint(network(0), 0)
    watched()
    other, said = watched()
    assert len(said) == 1 and said[0].startswith("another watcher watches these recordings, too")
    other.look()
    assert state(other)["models"]["step"] == [0]
    assert state(other)["events"][0][1] == said[0]


def test_a_full_disk_is_said_once_and_does_no_harm(recorder, network, watched, state, monkeypatch):
    rec = recorder("net-0")
    rec.checkpoint(network(0), 0)
    rec.checkpoint(network(1), 1)
    watcher, said = watched()
    watcher.look()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("hyperribbon.watching.kept.np.savez", full)
    watcher._keep()
    watcher._keep()
    assert len(said) == 1
    assert said[0].endswith("nothing is kept for a restart (No space left on device)")
    watcher.look()
    assert state(watcher)["events"][-1][1] == said[0]


def test_a_page_gets_only_what_is_new(recorder, network, watched, monkeypatch):
    rec = recorder("net-0")
    for step in range(3):
        rec.checkpoint(network(step), step)
    watcher, _ = watched()
    watcher.look()
    state = json.loads(watcher.view.read(-1, -1, 0))
    assert watcher.view.read(state["version"], state["generation"], 3) is None
    monkeypatch.setattr("hyperribbon.watching.picture.SMALL", 0)
    monkeypatch.setattr("hyperribbon.watching.picture.GROWN", 9)
    monkeypatch.setattr("hyperribbon.watching.picture.WORSE", (1e9, 1e9))
    rec.checkpoint(network(3), 3)
    watcher.look()
    new = json.loads(watcher.view.read(state["version"], state["generation"], 3))
    assert new["first"] == 3
    assert new["models"]["step"] == [3]


@pytest.mark.parametrize("path", ["nowhere", "runs/none"])
def test_a_path_that_is_not_there_is_refused(path, tmp_path, watched):
    with pytest.raises(StoreError, match=f"{path}: no such folder or recording; expected the"):
        watched(tmp_path / path)


def test_an_unknown_split_is_refused(watched):
    with pytest.raises(DataError, match="split = 'valid': expected train or test"):
        watched(split="valid")
