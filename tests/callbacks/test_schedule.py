"""When checkpoints are due, whatever the library."""

import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

import hyperribbon as hr
from hyperribbon import callbacks
from hyperribbon.callbacks.schedule import Schedule, imported


@pytest.fixture
def recorder(tmp_path, data):
    x, y = data
    return lambda: hr.Recorder(tmp_path / "net", x, y, network="Net")


def model(batch):
    return batch[:, :3]


def train(schedule, steps, start=0, per_epoch=4, stop=None):
    """As the callbacks are called; each step twice, as when gradients are accumulated."""
    schedule.begin(model, start)
    for step in range(start + 1, steps + 1):
        schedule.after_step(model, step)
        schedule.after_step(model, step)
        if step == stop:
            return
        if step % per_epoch == 0 or step == steps:
            schedule.after_epoch(model, step, last=step == steps)
    schedule.end()


@pytest.mark.parametrize(("every", "expected"), [(None, [0, 4, 8, 10]), (3, [0, 3, 6, 9, 10]),
                                                 (100, [0, 10]), (1, list(range(11)))])  # fmt: skip
def test_the_start_every_k_steps_or_epochs_and_the_end(recorder, steps_of, every, expected):
    train(Schedule(recorder(), every=every), 10)
    assert steps_of() == expected


def test_several_steps_at_once(recorder, steps_of):
    schedule = Schedule(recorder(), every=5)
    schedule.begin(model, 0)
    for step in (4, 8, 12, 16):
        schedule.after_step(model, step, last=step == 16)
    schedule.end()
    assert steps_of() == [0, 8, 12, 16]


def test_a_training_that_goes_on_or_starts_again(recorder, steps_of):
    schedule = Schedule(recorder(), every=2)
    train(schedule, 9, stop=5)  # an error that no callback hears of
    train(schedule, 8)  # from the beginning
    assert steps_of() == [0, 2, 4, 6, 8]
    train(schedule, 12, start=8)
    assert steps_of() == [0, 2, 4, 6, 8, 10, 12]
    with pytest.raises(hr.StoreError, match="published already up to step 12, given step 0"):
        train(schedule, 8)


def test_what_is_kept_can_be_continued(recorder, steps_of, tmp_path):
    schedule = Schedule(recorder(), every=2)
    train(schedule, 9, stop=5)
    schedule.keep(ValueError())
    assert not (tmp_path / "net.zarr").exists()
    train(Schedule(recorder(), every=2), 8, start=4)
    assert steps_of() == [0, 2, 4, 6, 8]


def test_inside_a_block_of_the_user(recorder, steps_of):
    with recorder() as rec:
        train(Schedule(rec, every=5), 10)
    assert steps_of() == [0, 5, 10]


def test_it_takes_a_recorder_or_its_arguments(tmp_path, data, recorder, steps_of):
    x, y = data
    train(Schedule(tmp_path / "other", x, y, every=5, network="Net"), 5)
    assert steps_of("other") == [0, 5]
    with pytest.raises(hr.ConfigError, match="given with arguments of another"):
        Schedule(recorder(), x)
    with pytest.raises(hr.DataError, match="every = 0: expected an integer, 1 or more"):
        Schedule(recorder(), every=0)
    with pytest.raises(hr.DataError, match="expected as many as inputs"):
        Schedule(tmp_path / "other", x, np.zeros(3, int), network="Net")


def test_a_library_that_is_not_installed_is_one_line():
    with pytest.raises(hr.HyperribbonError) as error:
        imported("no_such_library.part", "SomeRecorder")
    expected = "SomeRecorder needs no_such_library, which is not installed: pip install no_such"
    assert str(error.value).startswith(expected)


def test_nothing_is_imported_until_it_is_used():
    code = (
        "import sys, hyperribbon.callbacks as c; print(c.__all__, dir(c) >= c.__all__, "
        "[m for m in ('torch', 'keras', 'lightning', 'transformers') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith("[]")


@pytest.mark.parametrize(
    ("name", "library"),
    [("KerasRecorder", "keras"), ("LightningRecorder", "lightning"),
     ("TransformersRecorder", "transformers")],
)  # fmt: skip
def test_each_callback_is_there_or_says_what_to_install(name, library):
    if find_spec(library) is None:
        with pytest.raises(hr.HyperribbonError, match=f"not installed: pip install {library}"):
            getattr(callbacks, name)
    else:
        assert getattr(callbacks, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'TorchRecorder'"):
        callbacks.TorchRecorder  # noqa: B018
