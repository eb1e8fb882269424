import json
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
import xarray as xr
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn.functional import cross_entropy

import hyperribbon as hr
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import LAYOUT, Manifest
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import load_weights


class Killed(BaseException):
    """No process sees it coming."""


class Noisy(nn.Module):
    """A network with all that training and evaluation do differently, and more."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(0.5))
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        random.random(), np.random.random(), torch.rand(1)  # evaluation that draws numbers
        return self.head(self.body(x))


@pytest.fixture
def record(tmp_path, inputs, labels):
    """Function opening a Recorder of the same training's probabilities; keywords change it."""

    def make(**changed):
        given = {"inputs": inputs, "labels": labels, "network": "Net", "optimiser": "SGD"}
        given["outputs"] = "probabilities"
        return hr.Recorder(tmp_path / "net.zarr", **{**given, **changed})

    return make


@pytest.fixture
def path(tmp_path):
    return tmp_path / "net.zarr"


def constant(P):
    """A model that predicts what it is told."""

    def model(batch):
        return P[: len(batch)]

    return model


def fill(rec, P, steps):
    for step in steps:
        rec.checkpoint(constant(P[step]), step=step)


def test_three_lines_write_a_labelled_store(path, inputs, labels):
    torch.manual_seed(0)
    network = Noisy()
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    expected = []
    with hr.Recorder(
        path,
        inputs,
        labels,
        test_inputs=inputs[:5],
        test_labels=labels[:5],
        network="Noisy",
        optimiser="SGD",
        seed=7,
        steps_per_epoch=2,
        batch_size=5,
        metadata={"learning_rate": 0.1},
    ) as rec:
        for step in range(4):
            rec.checkpoint(network, step=step)
            with torch.no_grad():
                expected.append(network.eval()(inputs))
            loss = cross_entropy(network.train()(inputs), torch.from_numpy(labels))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = xr.open_zarr(path).load()
    logits = torch.stack(expected).double()
    assert store["train_predictions"].dims == ("seed", "checkpoint", "train_sample", "class")
    assert store["train_predictions"].dtype == np.float32
    np.testing.assert_allclose(store["train_predictions"][0], logits.softmax(2), atol=1e-6)
    np.testing.assert_allclose(store["test_predictions"][0], logits[:, :5].softmax(2), atol=1e-6)
    losses = [cross_entropy(rows, torch.from_numpy(labels)).item() for rows in logits]
    np.testing.assert_allclose(store["train_loss"][0], losses, rtol=1e-5)
    errors = (logits.argmax(2).numpy() != labels).mean(axis=1)
    np.testing.assert_allclose(store["train_error"][0], errors)
    assert store["step"].values.tolist() == [0, 1, 2, 3]
    assert store["epoch"].values.tolist() == [0, 0.5, 1, 1.5]
    assert store["seed"].values.tolist() == [7]
    assert store["diverged_step"].values.tolist() == [-1]
    assert store["test_label"].values.tolist() == labels[:5].tolist()
    assert store["train_index"].values.tolist() == list(range(12))
    assert store.attrs["format"] == LAYOUT
    configuration = json.loads(store.attrs["configuration"])
    assert configuration["recorded"] is True
    assert configuration["network_name"] == "Noisy"
    assert configuration["metadata"] == {"learning_rate": 0.1}
    assert store.attrs["configuration_id"].startswith("Noisy-SGD-")
    assert not Manifest.read(path.with_suffix(".json")).damage(path)
    assert not path.with_suffix(".recording").exists()
    with pytest.raises(hr.StoreError, match="seed 7 at step 0: not kept"):
        load_weights(open_dataset(path), seed=7, step=0)


def test_the_training_goes_on_as_if_nothing_had_happened(record, inputs):
    def numbers():
        return random.random(), np.random.random(), torch.rand(1).item()

    network = Noisy()
    network.body[1].eval()  # as when only the rest is trained
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    expected = numbers()
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(0)
    with record(outputs="logits") as rec:
        rec.checkpoint(network, step=0)
        assert numbers() == expected
        with pytest.raises(hr.DataError):
            rec.checkpoint(nn.Sequential(network, nn.Flatten(0)), step=1)
    assert network.training and network.body[2].training and not network.body[1].training
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    assert all(parameter.grad is None for parameter in network.parameters())


def test_inputs_may_be_arrays_or_named_tensors(tmp_path, inputs, labels):
    class Tokens(nn.Module):
        """Takes and returns what those of Hugging Face do."""

        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(4, 3)

        def forward(self, values, mask):
            assert len(values) == len(mask) <= 5
            return type("Output", (), {"logits": self.linear(values * mask[:, None])})()

    torch.manual_seed(0)
    model, mask = Tokens(), torch.ones(12)
    named = {"values": inputs, "mask": mask}
    with hr.Recorder(tmp_path / "a.zarr", named, labels, network="A", batch_size=5) as rec:
        rec.checkpoint(model, step=1)
    with hr.Recorder(tmp_path / "b.zarr", inputs.numpy(), labels, network="B") as rec:
        rec.checkpoint(model.linear, step=1)
    found = [xr.open_zarr(tmp_path / name)["train_predictions"] for name in ("a.zarr", "b.zarr")]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_probabilities_are_kept_as_they_are(record, path, P):
    with record() as rec:
        fill(rec, P, range(5))
    store = xr.open_zarr(path)
    np.testing.assert_array_equal(store["train_predictions"][0], P.astype(np.float32))
    assert np.isnan(store["epoch"]).all()  # not known


def test_samples_that_change_between_checkpoints_are_refused(record, path, inputs):
    network = nn.Linear(4, 3)
    with (
        pytest.raises(hr.DataError, match="train inputs: changed in place"),
        record(**LOGITS) as rec,
    ):
        rec.checkpoint(network, step=0)
        inputs.copy_(inputs.flip(0))
        rec.checkpoint(network, step=1)
    with record(inputs=inputs.flip(0)) as rec:
        assert rec.steps == [0]


def test_a_batch_of_any_size_gives_the_same(record, path, tmp_path):
    network = nn.Linear(4, 3)
    for batch_size in (1, 10**20):
        with record(batch_size=batch_size, **LOGITS) as rec:
            rec.checkpoint(network, step=0)
        path.with_suffix(".json").unlink()
        path.rename(tmp_path / f"{batch_size}.zarr")
    found = [xr.open_zarr(other)["train_predictions"].values for other in tmp_path.glob("*.zarr")]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_a_sample_predicted_impossible_has_a_finite_loss(record, path, labels):
    with record() as rec:
        rec.checkpoint(lambda batch: np.eye(3)[(labels + 1) % 3], step=0)
    to_truth = hr.pairwise_distance(
        xr.open_zarr(path)["train_predictions"][0].values, hr.truth(labels, 3)[None]
    )
    loss = xr.open_zarr(path)["train_loss"].values.item()
    assert loss == pytest.approx(2 * to_truth.item())


@pytest.mark.parametrize("ended", [Killed, ValueError, KeyboardInterrupt])
def test_what_was_interrupted_is_kept_and_gone_on_with(record, path, P, listing, tmp_path, ended):
    with pytest.raises(ended), record() as rec:
        fill(rec, P, (0, 1, 2))
        raise ended
    assert listing(tmp_path) == ["net.recording"]
    with record() as rec:
        assert rec.steps == [0, 1, 2]
        fill(rec, P, (3, 4))
    store = xr.open_zarr(path)
    assert store["step"].values.tolist() == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(store["train_predictions"][0], P.astype(np.float32))
    assert listing(tmp_path) == ["net.json", "net.zarr"]


def test_a_training_that_starts_again_earlier_replaces_what_came_after(record, path, P, caplog):
    with pytest.raises(Killed), record() as rec:
        fill(rec, P[::-1], (0, 1, 2, 3))
        raise Killed
    with record() as rec:
        fill(rec, P, (2, 4))
    assert "steps 2 to 3 were recorded before; these 2 checkpoints are replaced" in caplog.text
    store = xr.open_zarr(path)
    assert store["step"].values.tolist() == [0, 1, 2, 4]
    expected = np.stack([P[4], P[3], P[2], P[4]]).astype(np.float32)
    np.testing.assert_array_equal(store["train_predictions"][0], expected)


def test_a_published_store_is_gone_on_with_but_never_replaced(record, path, P, listing, tmp_path):
    with record() as rec:
        fill(rec, P, (0, 2))
    before = Manifest.read(path.with_suffix(".json"))
    with record() as rec:
        for step in (0, 1, 2):
            with pytest.raises(hr.StoreError, match="published already up to step 2, given step"):
                rec.checkpoint(constant(P[0]), step=step)
    assert Manifest.read(path.with_suffix(".json")) == before
    with pytest.raises(Killed), record() as rec:
        fill(rec, P, (3,))
        raise Killed
    assert Manifest.read(path.with_suffix(".json")) == before == Manifest.of(path)
    with record() as rec:
        assert rec.steps == [0, 2, 3]
        fill(rec, P, (4,))
    store = xr.open_zarr(path)
    assert store["step"].values.tolist() == [0, 2, 3, 4]
    expected = P[[0, 2, 3, 4]].astype(np.float32)
    np.testing.assert_array_equal(store["train_predictions"][0], expected)
    assert np.isfinite(store["train_loss"]).all()
    assert Manifest.read(path.with_suffix(".json")) == Manifest.of(path)
    assert listing(tmp_path) == ["net.json", "net.zarr"]


@pytest.mark.parametrize("moment", ["rename", "write"])
def test_a_publication_that_dies_loses_nothing(record, path, P, monkeypatch, moment):
    """As the old store is taken away, or before the manifest of the new one is there."""
    with record() as rec:
        fill(rec, P, (0, 1))

    def die(*arguments):
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed), record() as rec:
        fill(rec, P, (2, 3))
        patched.setattr(
            *((type(path), "rename") if moment == "rename" else (Manifest, moment)), die
        )
    assert not path.with_suffix(".json").exists()
    with record() as rec:
        assert rec.steps == [0, 1, 2, 3]
        fill(rec, P, (4,))
    found = xr.open_zarr(path)["train_predictions"][0]
    np.testing.assert_array_equal(found, P.astype(np.float32))
    assert Manifest.read(path.with_suffix(".json")) == Manifest.of(path)


def killed_recorder(path, inputs, labels, P, ready):
    with hr.Recorder(path, inputs, labels, network="Net", outputs="probabilities") as rec:
        fill(rec, P, (0, 1, 2))
        ready.set()
        while True:
            for step in range(3, 10**9):
                rec.checkpoint(constant(P[step % 5]), step=step)


def test_after_a_kill_every_checkpoint_that_counts_is_whole(path, inputs, labels, P):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    arguments = (path, inputs.numpy(), labels, P, ready)
    process = context.Process(target=killed_recorder, args=arguments)
    process.start()
    assert ready.wait(60)
    with pytest.raises(hr.StoreError, match="another process, or another Recorder, is rec"):
        hr.Recorder(path, inputs.numpy(), labels, network="Net").__enter__()
    process.kill()
    process.join()
    with hr.Recorder(path, inputs.numpy(), labels, network="Net") as rec:
        steps = rec.steps
    assert steps == list(range(len(steps))) and len(steps) >= 3
    expected = P[np.array(steps) % 5].astype(np.float32)
    np.testing.assert_array_equal(xr.open_zarr(path)["train_predictions"][0], expected)


def record_one_step(record, P, published):
    """A recording of step 0 that was published, or killed."""
    if published:
        with record() as rec:
            fill(rec, P, (0,))
    else:
        with pytest.raises(Killed), record() as rec:
            fill(rec, P, (0,))
            raise Killed


OTHERS = {
    "samples.train.inputs_sha256": lambda x, y: {"inputs": x.flip(0)},
    "samples.train.labels_sha256": lambda x, y: {"labels": y[::-1]},
    "samples.train.number": lambda x, y: {"inputs": x[:9], "labels": y[:9]},
    "samples.test.number": lambda x, y: {"test_inputs": x, "test_labels": y},
    "network_name": lambda x, y: {"network": "Other"},
    "optimiser_name": lambda x, y: {"optimiser": "Adam"},
    "seed": lambda x, y: {"seed": 1},
    "steps_per_epoch": lambda x, y: {"steps_per_epoch": 5},
    "metadata.width": lambda x, y: {"metadata": {"width": 4}},
}


@pytest.mark.parametrize("published", [False, True])
@pytest.mark.parametrize("key", OTHERS)
def test_a_recorder_of_something_else_is_refused(record, inputs, labels, P, key, published, path):
    record_one_step(record, P, published)
    with pytest.raises(hr.StoreError) as error:
        record(**OTHERS[key](inputs, labels)).__enter__()
    assert f"recorded with {key} = " in str(error.value)
    assert str(path.with_suffix("")) in str(error.value)
    assert "\n" not in str(error.value)
    assert path.with_suffix(".recording").exists() != published
    with record() as rec:  # as it was begun, it goes on
        assert rec.steps == [0]


@pytest.mark.parametrize("published", [False, True])
def test_another_number_of_classes_is_refused(record, P, path, published):
    record_one_step(record, P, published)
    with pytest.raises(hr.StoreError, match="recorded with 3 classes, given n_classes = 4"):
        record(n_classes=4).__enter__()
    with (
        pytest.raises(hr.DataError, match=r"step 1, train outputs: shape \(12, 4\), expected \("),
        record() as rec,
    ):
        rec.checkpoint(lambda batch: np.full((len(batch), 4), 0.25), step=1)


def rows(value):
    return lambda batch: np.full((len(batch), 3), value)


LOGITS = {"outputs": "logits"}
BAD = {
    "no rows": (lambda batch: np.zeros((0, 3)), LOGITS, r"shape (0, 3), expected (12, classes)"),
    "a row too many": (lambda batch: np.zeros((13, 3)), {}, r"shape (13, 3), expected (12, "),
    "fewer classes than labels": (
        lambda batch: np.zeros((12, 2)),
        LOGITS,
        "train labels: from 0 to 2, expected 0 to 1",
    ),
    "sums": (rows(0.5), {}, "a row that sums to 1.5"),
    "negative": (
        lambda batch: np.tile([1.5, -0.5, 0], (12, 1)),
        {},
        "negative entries, down to -0.5, expected probabilities that sum to 1 over the classes; "
        'take the softmax of logits (a Recorder does so with outputs="logits")',
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_impossible_predictions_are_refused_and_nothing_is_left_of_them(
    record, P, path, case, listing, tmp_path
):
    model, options, message = BAD[case]
    with pytest.raises(hr.DataError) as error, record(**options) as rec:
        rec.checkpoint(model, step=3)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == []
    with record(**options) as rec:
        with pytest.raises(hr.DataError):
            rec.checkpoint(model, step=3)
        right = np.log(P[0]) if options else P[0]
        rec.checkpoint(constant(right), step=3)  # the training was fixed


@pytest.mark.parametrize("step", [1, 0, -1, 1.5, "2", True, 10**20])
def test_steps_are_integers_that_increase(record, P, step):
    with record() as rec:
        fill(rec, P, (1,))
        with pytest.raises(hr.DataError, match=f"step = {step}: expected"):
            rec.checkpoint(constant(P[0]), step=step)
        assert rec.steps == [1]


MALFORMED = {
    "network = 'a\\nb': expected a name, 1 to 200 characters": {"network": "a\nb"},
    "network = ' ': expected a name": {"network": " "},
    "network = 'xxxx": {"network": "x" * 201},
    "optimiser = 3": {"optimiser": 3},
    "seed = -1": {"seed": -1},
    "n_classes = 0": {"n_classes": 0},
    "n_classes = 1: expected an integer, 2 or more": {"n_classes": 1},
    "n_classes = 100000000000000000000": {"n_classes": 10**20},
    "seed = 100000000000000000000": {"seed": 10**20},
    "steps_per_epoch = 5: expected a number": {"steps_per_epoch": "5"},
    "batch_size = 0": {"batch_size": 0},
    "steps_per_epoch = 0": {"steps_per_epoch": 0},
    "outputs = 'log'": {"outputs": "log"},
    "metadata: expected what JSON can hold": {"metadata": {"f": print}},
    "train: 11 labels, expected as many as inputs (12)": {"labels": np.arange(11) % 3},
    "train labels: from -1 to 0": {"labels": np.arange(12) % 2 - 1},
    "train labels: from 0 to 2, expected 0 to 1": {"n_classes": 2},
    "test_inputs, test_labels: no inputs; expected both": {"test_labels": np.zeros(3, int)},
    "inputs, labels: no labels; expected both": {"labels": None},
    "inputs, test_inputs: neither given": {"inputs": None, "labels": None},
    "train: 12 labels, expected as many as inputs (2); give several inputs of a model as": {
        "inputs": [torch.zeros(12, 3), torch.zeros(12, 3)]
    },
    "test inputs: on the meta device": {
        "test_inputs": torch.zeros(12, 3, device="meta"),
        "test_labels": np.zeros(12, int),
    },
    "path = None: expected the path of a store": {"path": None},
    "path = net/: a folder; expected the path of a store": {"path": "net/"},
    "path = /: a folder; expected": {"path": "/"},
    "path = '~nobody-here/net.zarr': expected the path": {"path": "~nobody-here/net.zarr"},
}


@pytest.mark.parametrize("message", MALFORMED)
def test_malformed_arguments_are_refused_at_once(tmp_path, inputs, labels, message, listing):
    given = {"path": tmp_path / "net.zarr", "inputs": inputs, "labels": labels, "network": "Net"}
    with pytest.raises(hr.HyperribbonError) as error:
        hr.Recorder(**{**given, **MALFORMED[message]})
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == []


def test_what_is_no_recording_is_not_touched(record, path, P, listing, tmp_path):
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    with pytest.raises(hr.StoreError, match="exists already, without its manifest; not replaced"):
        record().__enter__()
    path.with_suffix(".json").write_text("{}")
    with pytest.raises(hr.StoreError, match="not a recorded store"):
        record().__enter__()
    assert (path / "notes.txt").read_text() == "mine"
    assert listing(tmp_path) == ["net.json", "net.zarr"]


def test_what_appears_in_the_meantime_is_not_replaced(record, path, P):
    with pytest.raises(hr.StoreError, match="exists already, not replaced"), record() as rec:
        fill(rec, P, (0,))
        path.mkdir()
        (path / "notes.txt").write_text("mine")
    assert (path / "notes.txt").read_text() == "mine"
    assert path.with_suffix(".recording").exists()


def test_nothing_is_recorded_after_the_end(record, path, P, tmp_path, listing):
    with record() as rec:
        rec.checkpoint(constant(P[0]), step=0)
    with pytest.raises(hr.StoreError, match="finished; nothing is recorded after the end"):
        rec.checkpoint(constant(P[0]), step=1)
    shutil.rmtree(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(hr.StoreError, match="no checkpoint was recorded"), record():
        pass
    assert listing(tmp_path) == []


def test_equal_recordings_are_equal_files_and_seeds_share_their_configuration(record, path, P):
    ids, manifests = [], []
    for seed in (0, 0, 1):
        with record(seed=seed) as rec:
            fill(rec, P, (0, 3))
        ids.append(xr.open_zarr(path).attrs["configuration_id"])
        manifests.append(Manifest.read(path.with_suffix(".json")))
        path.rename(path.with_name(f"{len(ids)}.zarr"))
        path.with_suffix(".json").unlink()
    assert manifests[0] == manifests[1] != manifests[2]
    assert len(set(ids)) == 1
    with record(metadata={"width": 2}) as rec:
        fill(rec, P, (0,))
    assert xr.open_zarr(path).attrs["configuration_id"] not in ids


# Without a block


def test_without_a_block_the_first_checkpoint_opens_and_finish_publishes(record, path, P):
    rec = record(n_classes=3)
    assert not path.with_suffix(".recording").exists()
    for step in (0, 5):
        rec.checkpoint(constant(P[step]) if step == 0 else constant(P[1]), step)
    assert rec.steps == [0, 5] and not path.exists()
    rec.finish()
    rec.close()  # a second time changes nothing
    assert rec.steps == [0, 5]
    assert xr.open_zarr(path)["step"].values.tolist() == [0, 5]
    with pytest.raises(hr.StoreError, match="finished; nothing is recorded after the end"):
        rec.checkpoint(constant(P[2]), 6)
    again = record()
    assert again.steps == again.published == [0, 5]
    again.checkpoint(constant(P[2]), 6)
    again.finish()
    assert xr.open_zarr(path)["step"].values.tolist() == [0, 5, 6]


def test_finish_inside_a_block_and_without_checkpoints(record, path, P, tmp_path, listing):
    with record() as rec:
        fill(rec, P, (0,))
        rec.finish()
    assert listing(tmp_path) == ["net.json", "net.zarr"]
    rec = record(seed=1)
    with pytest.raises(hr.StoreError, match=r"recorded with seed = 0, given 1"):
        rec.finish()
    other = hr.Recorder(tmp_path / "other", np.zeros((2, 1)), [0, 1], network="Other")
    with pytest.raises(hr.StoreError, match="no checkpoint was recorded; nothing to publish"):
        other.finish()
    assert listing(tmp_path) == ["net.json", "net.zarr"]


def test_what_is_forgotten_is_kept_and_said_so(record, path, P, caplog):
    rec = record()
    fill(rec, P, (0, 1))
    del rec
    assert "net.recording: not published; its 2 checkpoints are kept" in caplog.text
    rec = record()
    assert rec.steps == [0, 1]
    rec.finish()
    assert xr.open_zarr(path)["step"].values.tolist() == [0, 1]


def test_paths_are_completed(tmp_path, monkeypatch, inputs, labels, P):
    monkeypatch.setenv("HOME", str(tmp_path))
    with hr.Recorder("~/runs/net-0.5", inputs, labels, network="Net", outputs="probabilities") as r:
        fill(r, P, (0,))
    assert (tmp_path / "runs" / "net-0.5.zarr").is_dir()
    assert (tmp_path / "runs" / "net-0.5.json").exists()


# Names


NAMES = [
    "ResNet18 (ImageNet)",
    "ResNet18 [ImageNet]",
    "<b>x</b>",
    "网络",
    "a/b",
    "../up",
    "{x}",
    "$x$",
]


def test_any_printable_name_is_kept_and_ids_are_plain(tmp_path, inputs, labels, P):
    ids = []
    for k, name in enumerate(NAMES):
        path = tmp_path / f"{k}.zarr"
        options = {"network": name, "optimiser": "SGD, lr = 0.1", "outputs": "probabilities"}
        with hr.Recorder(path, inputs, labels, **options) as rec:
            fill(rec, P, (0,))
        attributes = xr.open_zarr(path).attrs
        assert json.loads(attributes["configuration"])["network_name"] == name
        ids.append(attributes["configuration_id"])
    assert len(set(ids)) == len(NAMES)
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) for name in ids)
    assert ids[0].startswith("ResNet18-ImageNet-SGD-lr-0-1-")


def test_ids_of_plain_names_are_what_they_were(record, path, P):
    with record(metadata={"width": 2}) as rec:
        fill(rec, P, (0,))
    assert xr.open_zarr(path).attrs["configuration_id"] == "Net-SGD-eb20d534"


# Labels


def test_an_estimator_labels_that_are_names_and_test_samples_alone(tmp_path, inputs, labels):
    x, names = inputs.numpy(), np.array(["dog", "cat", "cow"])[labels]
    estimator = LogisticRegression().fit(x, names)
    test = {"test_inputs": x, "test_labels": names}
    with hr.Recorder(tmp_path / "a", network="A", **test) as rec:
        rec.checkpoint(estimator, 1)
    store = xr.open_zarr(tmp_path / "a.zarr")
    np.testing.assert_allclose(
        store["test_predictions"][0, 0], estimator.predict_proba(x), atol=1e-6
    )
    assert store.attrs["class_names"] == ["cat", "cow", "dog"]
    assert (np.array(store.attrs["class_names"])[store["test_label"]] == names).all()
    assert "train_predictions" not in store
    assert store["test_error"].values.item() == np.mean(estimator.predict(x) != names)
    others = np.array(["ant", "bee", "cow"])[labels]  # as integers the same as cat, cow, dog
    recorded = r'recorded with class_names = \["cat", "cow", "dog"\]'
    with pytest.raises(hr.StoreError, match="labels_sha256|" + recorded):
        hr.Recorder(tmp_path / "a", network="A", test_inputs=x, test_labels=others).__enter__()


def test_tokens_and_ignored_labels(tmp_path, caplog):
    """As a token classifier of Hugging Face, in batches that end in the middle."""
    torch.manual_seed(0)
    ids, labels = torch.randint(9, (7, 4)), torch.randint(3, (7, 4))
    labels[0, 1:] = labels[3] = labels[6, 0] = -100

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(9, 5), nn.Linear(5, 3)

        def forward(self, input_ids):
            return {"logits": self.head(self.embed(input_ids)), "loss": 0}

    model = Tagger()
    given = {"inputs": {"input_ids": ids, "labels": labels}, "network": "Tagger", "batch_size": 3}
    with hr.Recorder(tmp_path / "a", **given) as rec:
        rec.checkpoint(model, 0)
        labels[1, 1] = (labels[1, 1] + 1) % 3  # of the caller, who may do so
    kept = (labels != -100).flatten()
    assert f"{28 - kept.sum()} of 28 train labels are -100; left out" in caplog.text
    store = xr.open_zarr(tmp_path / "a.zarr")
    expected = model(ids)["logits"].detach().flatten(0, 1)[kept].double().softmax(1)
    np.testing.assert_allclose(store["train_predictions"][0, 0], expected, atol=1e-6)
    assert store["train_index"].values.tolist() == np.flatnonzero(kept).tolist()
    assert len(set(store["train_input_hash"].values.tolist())) == kept.sum()
    given["inputs"]["labels"] = labels.where(labels != -100, 0)
    with pytest.raises(hr.StoreError, match="samples.train.number = "):
        hr.Recorder(tmp_path / "a", **given).__enter__()


# Divergence


@pytest.mark.parametrize("outputs", ["logits", "probabilities"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_diverged_training_is_published_as_such(record, path, P, outputs, value, caplog, labels):
    def model(batch):
        return np.where(np.arange(len(batch))[:, None] == 3, value, P[0])

    right = np.log(P[0]) if outputs == "logits" else P[0]
    both = {"outputs": outputs, "test_inputs": torch.zeros(12, 4), "test_labels": labels}
    with record(**both) as rec:
        rec.checkpoint(constant(right), 0)
        rec.checkpoint(model, 3)
        rec.checkpoint(lambda batch: pytest.fail("called after it had diverged"), 4)
        with pytest.raises(hr.DataError, match="step = 2: expected more than"):
            rec.checkpoint(model, 2)
    said = "diverged at step 3 (no finite predictions of 1 of 12 train samples, 1 of 12 test"
    assert said in caplog.text
    store = xr.open_zarr(path).load()
    assert store["step"].values.tolist() == [0, 3]
    assert store["diverged_step"].values.tolist() == [3]
    assert np.isfinite(store["train_predictions"][0, 0]).all()
    assert np.isnan(store["train_predictions"][0, 1]).all()
    assert np.isnan(store["train_loss"][0, 1])
    with record(**both) as rec:  # which changes nothing
        rec.checkpoint(constant(right), 5)
        assert rec.steps == [0, 3]
    other = path.with_name("other.zarr")
    with hr.Recorder(other, np.zeros((12, 4)), labels, network="Other", **both) as rec:
        rec.checkpoint(constant(right), 0)
    models = Models([path, other])
    assert models.trainings["diverged_step"].tolist() == [3, -1]
    assert models.table["network"].tolist() == ["Other"]


def test_a_training_that_goes_on_from_before_its_end_replaces_it(record, path, P):
    nan = np.full((12, 3), np.nan)
    with pytest.raises(Killed), record() as rec:
        fill(rec, P, (0, 1))
        rec.checkpoint(constant(nan), 2)
        raise Killed
    with record() as rec:
        assert rec.steps == [0, 1, 2]
        fill(rec, P, (1, 3))
    store = xr.open_zarr(path)
    assert store["step"].values.tolist() == [0, 1, 3]
    assert store["diverged_step"].values.tolist() == [-1]
    np.testing.assert_array_equal(store["train_predictions"][0], P[[0, 1, 3]].astype(np.float32))


def test_a_training_that_diverged_before_anything_else(record, path):
    with record() as rec:
        rec.checkpoint(rows(np.nan), 0)
    store = xr.open_zarr(path)
    assert store["diverged_step"].values.tolist() == [0]
    assert np.isnan(store["train_predictions"]).all()
    assert Manifest.read(path.with_suffix(".json")) == Manifest.of(path)


# Without torch


WITHOUT = """
import sys
import numpy as np
import hyperribbon as hr

x, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 3
rec = hr.Recorder("net", x, y, network="Net")
rec.checkpoint(lambda batch: batch[:, :3], 0)
rec.finish()
hr.record_predictions("made", np.full((2, 20, 3), 1 / 3), y, network="Made")
print([name for name in ("torch", "pydantic", "seaborn", "snakemake") if name in sys.modules])
"""


def test_torch_is_not_needed(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
    store = xr.open_zarr(tmp_path / "net.zarr")
    assert "torch" not in json.loads(store.attrs["versions"])
    x = np.random.default_rng(0).normal(size=(20, 4))[:, :3]
    expected = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    np.testing.assert_allclose(store["train_predictions"][0, 0], expected, atol=1e-6)
