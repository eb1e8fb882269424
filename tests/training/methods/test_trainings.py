"""Trainings on tasks, by every method: what they record, what they resume, what they refuse."""

import dataclasses
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from marked import with_slow
from task_trainings import ALL, CLASSES, EACH, METHODS, PAIR, configuration

from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import Manifest, manifest_path
from hyperribbon.storage.predictions import load_weights
from hyperribbon.training.evaluation import imprint_and_classify
from hyperribbon.training.forward import Forward
from hyperribbon.training.job import train_configuration
from hyperribbon.training.plan import Plan
from hyperribbon.training.samples import Resident
from hyperribbon.training.schedule import checkpoint_steps, keeping


@pytest.fixture(scope="module")
def source(train):
    """A training on all classes, and where its store is."""
    what = configuration(tasks=(ALL,), name="source", training={"batch_size": 10})
    return what, train(keeping(what, [0.25 + 1 / 12]))


def fine_tuned(source, **others):
    return configuration(tasks=(PAIR,), start=source[0], start_epoch=0.25 + 1 / 12, **others)


def case(name, source):
    if name == "fine_tuning":
        return fine_tuned(source), source[1]
    return configuration(name), None


@pytest.fixture(scope="module")
def run(dataset, tmp_path_factory):
    """Function running a training in a process that may be killed: see killable.py."""
    store = tmp_path_factory.mktemp("data") / "data.zarr"
    dataset.save(store)
    with subprocess.Popen(
        [sys.executable, Path(__file__).parents[1] / "killable.py"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def run(folder, what, start, **grief):
            request = {
                "folder": str(folder),
                "configuration": what.to_json(),
                "data": str(manifest_path(store)),
                **({"start": str(manifest_path(start))} if start else {}),
                **grief,
            }
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            return int(server.stdout.readline())

        yield run
        server.stdin.close()


def assert_same(found, expected):
    xr.testing.assert_identical(open_dataset(found).load(), open_dataset(expected).load())
    assert Manifest.of(found).files == Manifest.of(expected).files


def amid_second_epoch(what):
    """A number of steps."""
    per_epoch = what.steps_per_epoch([EACH] * CLASSES)
    return per_epoch + per_epoch // 3


class Interrupted(BaseException):
    """As if the process had died."""


# These draw their batches as one of the others does.
LONG = METHODS.keys() - {"supervised", "simclr", "prototypical"}


@pytest.mark.parametrize("name", with_slow([*METHODS, "fine_tuning"], LONG))
def test_interrupted_amid_an_epoch_it_goes_on_and_is_bit_equal(
    name, dataset, train, source, tmp_path, monkeypatch, caplog
):
    what, start = case(name, source)
    job = what, dataset, tmp_path / "work", tmp_path / "A.zarr"
    for steps in (amid_second_epoch(what), 3):  # the second time, amid what was left
        left = iter(range(steps))
        forward = Forward.__call__

        def die(*arguments, left=left, forward=forward):
            if next(left, None) is None:
                raise Interrupted
            return forward(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(Forward, "__call__", die)
            with pytest.raises(Interrupted):
                train_configuration(*job, start=start)
    with caplog.at_level("INFO", "hyperribbon"):
        train_configuration(*job, start=start)
    assert "continues after step" in caplog.text
    assert_same(tmp_path / "A.zarr", train(what, start))


@pytest.mark.slow
@pytest.mark.parametrize("name", [*METHODS, "fine_tuning"])
def test_killed_amid_an_epoch_it_goes_on_and_is_bit_equal(name, run, train, source, tmp_path):
    what, start = case(name, source)
    grief = {"how": "kill", "phase": "training", "number": amid_second_epoch(what)}
    assert run(tmp_path, what, start, **grief) == -signal.SIGKILL
    assert run(tmp_path, what, start) == 0
    log = (tmp_path / "log").read_text()
    assert "continues after step" in log and "WARNING" not in log
    assert_same(tmp_path / "predictions" / "A.zarr", train(what, start))


@pytest.mark.parametrize("name", METHODS)
def test_every_checkpoint_is_imprinted_to_all_classes(name, train, dataset):
    """Written out, from the weights that are kept."""
    what = configuration(name)
    store = open_dataset(train(what)).load()
    assert store["train_predictions"].shape[2:] == (120, CLASSES)
    assert store["test_predictions"].shape[2:] == (40, CLASSES)
    assert store.attrs["stage"] == "some"
    network = Plan(what, dataset, "").build_network().eval()
    for step in store["snapshot_step"].values.tolist():
        weights = load_weights(store, 0, step)
        network.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()}, strict=False)
        k = store["step"].values.tolist().index(step)
        with torch.no_grad():
            features = {
                split: network.features(
                    dataset.as_input(torch.from_numpy(dataset.split(split)[0]))
                ).double()
                for split in ("train", "test")
            }
        labels = dataset.train_labels
        rows = torch.stack([features["train"][labels == c].sum(dim=0) for c in range(CLASSES)])
        rows /= rows.norm(dim=1, keepdim=True)
        for split, own in features.items():
            P = (own @ rows.T).softmax(dim=1).numpy()
            np.testing.assert_allclose(store[f"{split}_predictions"][0, k], P, rtol=0, atol=2e-5)
            true = dataset.split(split)[1]
            loss = -np.log(P[np.arange(len(P)), true]).mean()
            assert store[f"{split}_loss"][0, k].item() == pytest.approx(loss, abs=1e-4)
            assert store[f"{split}_error"][0, k].item() == pytest.approx(
                (P.argmax(axis=1) != true).mean(), abs=0.051
            )


@pytest.mark.parametrize("name", METHODS)
def test_the_objective_is_recorded(name, train):
    objective = open_dataset(train(configuration(name)))["objective"][0].values
    assert np.isnan(objective[0]) and np.isfinite(objective[1:]).all()


def test_the_objective_of_a_task_is_its_cross_entropy(train):
    """Which begins at log 4, and falls."""
    store = open_dataset(train(configuration())).load()
    objective = store["objective"][0].values
    assert objective[1] == pytest.approx(np.log(4), abs=0.4)
    assert objective[-2:].mean() < objective[1:4].mean() - 0.1
    assert store["train_error"][0, -1] < store["train_error"][0, 0]


def test_all_trainings_of_a_seed_start_at_one_point(train):
    """Whatever stands on the features, which are those of fresh weights."""
    first = [
        open_dataset(train(configuration(name)))["test_predictions"][0, 0].values
        for name in METHODS
    ]
    for other in first[1:]:
        np.testing.assert_array_equal(other, first[0])


def test_samples_of_other_classes_do_not_take_part(dataset, tmp_path, train):
    """In a network without BatchNorm, which is calibrated on all samples."""
    what = configuration(layer=True)
    outside = ~np.isin(dataset.train_labels, [0, 3, 4, 5, 9])
    images = dataset.train_images.copy()
    images[outside] = 255 - images[outside]
    other = dataclasses.replace(dataset, train_images=images)
    train_configuration(what, other, tmp_path / "work", tmp_path / "A.zarr")
    found, expected = (open_dataset(path) for path in (tmp_path / "A.zarr", train(what)))
    np.testing.assert_array_equal(found["weights"], expected["weights"])
    assert not np.array_equal(found["test_predictions"], expected["test_predictions"])


def test_fine_tuning_starts_where_the_other_training_was(source, train):
    _, path = source
    start = open_dataset(path).load()
    found = open_dataset(train(fine_tuned(source), path)).load()
    assert start["step"].values.tolist() == checkpoint_steps(2, 12)
    k = start["step"].values.tolist().index(4)
    for split in ("train", "test"):
        name = f"{split}_predictions"
        np.testing.assert_array_equal(found[name][0, 0], start[name][0, k])
    ours = load_weights(found, 0, 0)
    theirs = load_weights(start, 0, 4)
    assert ours["classifier.weight"].shape == (2, 8)
    for key in ours:
        assert key.startswith("classifier") or np.array_equal(ours[key], theirs[key])
    # The whole network is trained.
    last = load_weights(found, 0, int(found["step"][-1]))
    assert not any(np.array_equal(last[key], ours[key]) for key in ours if "conv" in key)


def test_fine_tuning_needs_a_checkpoint_whose_weights_are_kept(source, dataset):
    what, path = source
    early = what.model_copy(update={"start": what})
    for epoch, error, message in (
        (
            0.46,
            ConfigError,
            "nothing is recorded at epoch 0.46, expected one of 0, 0.08333, 0.3333",
        ),
        (1.333, StoreError, "weights of epoch 1.333 are not kept, expected one of 0, 0.3333, "),
    ):
        learning = early.learning.model_copy(update={"start_epoch": epoch})
        with pytest.raises(error, match=message):
            Plan(early.model_copy(update={"learning": learning}), dataset, "", path)


def test_what_diverged_is_not_fine_tuned(dataset, tmp_path):
    wild = configuration(tasks=(ALL,), name="wild", sgd={"learning_rate": 1e30})
    path = tmp_path / "wild.zarr"
    train_configuration(wild, dataset, tmp_path / "work", path)
    store = open_dataset(path)
    (step,) = store["diverged_step"].values
    assert step > 0
    assert np.isfinite(store["objective"][0, 1:]).sum() < step
    tuned = configuration(start=wild, start_epoch=0)
    train_configuration(tuned, dataset, tmp_path / "work", tmp_path / "t.zarr", start=path)
    assert open_dataset(tmp_path / "t.zarr")["diverged_step"].values.tolist() == [0]


def test_features_that_cannot_be_imprinted_are_nan(caplog):
    """Which a training takes for divergence."""
    network = torch.nn.Sequential()
    network.features = torch.nn.ReLU()
    samples, labels = Resident(-torch.ones(4, 3)), torch.tensor([0, 1, 0, 1])
    found = imprint_and_classify(network, {"train": (samples, labels)}, 2)["train"]
    assert np.isnan(found.loss) and np.isnan(found.probabilities).all()
    assert "features that sum to zero" in caplog.text
