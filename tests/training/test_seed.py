import dataclasses
import logging
import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_flatten

from hyperribbon import networks
from hyperribbon.config import (
    AdamConfig,
    AdamPConfig,
    AllCNNConfig,
    AugmentationConfig,
    ConvMixerConfig,
    FullyConnectedConfig,
    LeNetConfig,
    ResNetConfig,
    SGDConfig,
    ViTConfig,
    WideResNetConfig,
)
from hyperribbon.storage.manifest import Manifest
from hyperribbon.training import evaluation, seed
from hyperribbon.training.plan import Plan
from hyperribbon.training.seed import SeedTraining
from hyperribbon.training.state import load_state, save_state

CPU = torch.device("cpu")
NETWORKS = [
    FullyConnectedConfig(architecture="fully_connected", widths=[8]),
    AllCNNConfig(architecture="allcnn", widths=[4, 4]),
    WideResNetConfig(architecture="wide_resnet", depth=10, width=2, widen_factor=2),
    ConvMixerConfig(architecture="convmixer", width=4, depth=1, kernel_size=3, patch_size=2),
    ViTConfig(architecture="vit", patch_size=3, width=8, depth=1, heads=2, mlp_width=8),
    LeNetConfig(architecture="lenet", widths=[2, 3], hidden_width=4),
    ResNetConfig(architecture="resnet", depth=18, width=2),
]
AUGMENTATION = AugmentationConfig(crop="random", padding=1, flip=True, mixup=0.3)
OPTIMISERS = {
    "Adam": AdamConfig(algorithm="adam", learning_rate=0.01, weight_decay=0.01),
    "AdamP": AdamPConfig(algorithm="adamp", learning_rate=0.01, decay_normalisation=False),
    "momentum": SGDConfig(algorithm="sgd", learning_rate=0.05, momentum=0.9, nesterov=True),
}
STEPS = [0, 1, 4, 7, 10, 13, 16, 19, 22, 24]  # an epoch has 12, so most are amid one


def pair(network, optimiser):
    """Fast are every optimiser, and networks of every kind; slow, all networks with all of them."""
    few = network.architecture == "allcnn" or (
        optimiser == "Adam" and network.architecture in ("fully_connected", "resnet", "vit")
    )
    marks = [] if few else pytest.mark.slow
    return pytest.param(network, optimiser, marks=marks, id=f"{network.architecture}-{optimiser}")


PAIRS = [pair(network, optimiser) for network in NETWORKS for optimiser in OPTIMISERS]


class Interrupted(BaseException):
    """As if the process had died."""


@pytest.fixture
def make(tiny_configuration, tiny_dataset, tmp_path):
    """Function making a seed's training, in a folder of its own by name."""

    def make(name="work", network=NETWORKS[1], optimiser=OPTIMISERS["Adam"], number=1):
        configuration = tiny_configuration(
            network=network, optimiser=optimiser, epochs=2, batch_size=5
        )
        configuration = configuration.model_copy(update={"augmentation": AUGMENTATION})
        dataset = tiny_dataset
        if network.architecture in ("lenet", "resnet"):  # which need more pixels
            images = {
                f"{split}_images": getattr(dataset, f"{split}_images").repeat(3, 2).repeat(3, 3)
                for split in ("train", "test")
            }
            dataset = dataclasses.replace(dataset, **images, input_shape=(1, 18, 18))
        plan = Plan(configuration, dataset, "code")
        assert plan.steps == STEPS
        (tmp_path / name).mkdir(exist_ok=True)
        return SeedTraining(plan, tmp_path / name, number)

    return make


@pytest.fixture
def interrupt(monkeypatch):
    """Function training a seed until it has recorded some checkpoints."""

    def interrupt(training, checkpoints):
        states = []

        def save_and_die(path, state):
            save_state(path, state)
            states.append(state["step"])
            if len(states) == checkpoints:
                raise Interrupted

        with monkeypatch.context() as patch:
            patch.setattr(seed, "save_state", save_and_die)
            with pytest.raises(Interrupted):
                training.train(CPU)
        return states

    return interrupt


@pytest.fixture(scope="module")
def known():
    """Manifests of undisturbed trainings, by configuration: each is trained once."""
    return {}


@pytest.fixture
def assert_equal_to_undisturbed(make, known):
    """Function that compares a finished training with one that nothing disturbed."""

    def check(training, network=NETWORKS[1], optimiser=OPTIMISERS["Adam"]):
        what = network.architecture, optimiser.model_dump_json()
        if what not in known:
            undisturbed = make("undisturbed", network, optimiser)
            undisturbed.train(CPU)
            known[what] = Manifest.of(undisturbed.store)
            assert names_beside(undisturbed) == ["seed-1.json", "seed-1.zarr"]
        assert training.is_finished()
        assert Manifest.of(training.store) == known[what]
        assert names_beside(training) == ["seed-1.json", "seed-1.zarr"]

    return check


def names_beside(training):
    return sorted(path.name for path in training.store.parent.iterdir())


def test_every_architecture_is_tested_here():
    files = Path(networks.__file__).parent.glob("*.py")
    names = {path.stem for path in files if "\nNETWORK = " in path.read_text()}
    assert {network.architecture for network in NETWORKS} == names


@pytest.mark.parametrize(("network", "optimiser"), PAIRS)
def test_stopped_at_every_checkpoint_it_is_bit_equal(
    make, interrupt, assert_equal_to_undisturbed, network, optimiser
):
    training = make("interrupted", network, OPTIMISERS[optimiser])
    for step in STEPS:
        assert interrupt(training, 1) == [step]
        assert not training.is_finished()
    training.train(CPU)
    assert_equal_to_undisturbed(training, network, OPTIMISERS[optimiser])


def test_a_network_that_draws_random_numbers_goes_on_with_them(make, interrupt, monkeypatch):
    class Noisy(nn.Module):
        def __init__(self, network):
            super().__init__()
            self.network, self.dropout = network, nn.Dropout(0.2)

        def forward(self, x):
            if self.training:
                x = self.dropout(x) + 0.1 * np.random.normal() + 0.1 * random.gauss(0, 1)
            return self.network(x)

    build = Plan.build_network
    monkeypatch.setattr(Plan, "build_network", lambda plan: Noisy(build(plan)))
    training, undisturbed = make("interrupted"), make("undisturbed")
    interrupt(training, 3)
    np.random.seed(5)
    torch.manual_seed(5)
    interrupt(training, 2)
    for one in (training, undisturbed):
        one.train(CPU)
        assert one.is_finished()
    assert Manifest.of(training.store) == Manifest.of(undisturbed.store)


def test_the_last_state_is_that_of_an_undisturbed_training(make, interrupt):
    """Also what no prediction shows."""
    disturbed, undisturbed = make("interrupted"), make("undisturbed")
    for checkpoints in (4, 1, 5):
        interrupt(disturbed, checkpoints)
    interrupt(undisturbed, 10)
    ours, theirs = (
        load_state(training.store.with_suffix(".state")) for training in (disturbed, undisturbed)
    )
    assert ours["step"] == theirs["step"] == 24
    assert ours["network"]["features.0.2.num_batches_tracked"].item() == 24 + 8
    leaves, structure = tree_flatten(ours)
    expected, same_structure = tree_flatten(theirs)
    assert structure == same_structure
    for a, b in zip(leaves, expected, strict=True):
        if isinstance(a, torch.Tensor):
            torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True, check_stride=True)
        else:
            assert a == b


def test_a_diverged_training_diverges_again(make, interrupt, assert_equal_to_undisturbed):
    wild = SGDConfig(algorithm="sgd", learning_rate=1e6, momentum=0.9)
    training = make("interrupted", NETWORKS[-1], wild)
    interrupt(training, 1)
    training.train(CPU)
    assert_equal_to_undisturbed(training, NETWORKS[-1], wild)
    assert (training.store / "diverged_step" / "c" / "0").exists()


def test_what_was_recorded_is_not_recorded_again(make, interrupt, monkeypatch):
    training = make()
    interrupt(training, 6)
    evaluated = []
    predict = evaluation.predict
    monkeypatch.setattr(
        evaluation, "predict", lambda *a: (evaluated.append(len(a[1])), predict(*a))[1]
    )
    training.train(CPU)
    assert evaluated == [60, 30] * 4


def test_a_process_killed_before_it_marked_a_seed_as_finished(
    make, interrupt, assert_equal_to_undisturbed, monkeypatch
):
    """Not a step of it is taken again."""
    training = make()

    def die(*arguments):
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "write", die)
        with pytest.raises(Interrupted):
            training.train(CPU)
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "predict", die)
        training.train(CPU)
    assert_equal_to_undisturbed(training)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def of_another_seed(training, make, interrupt):
    other = make("other", number=2)
    interrupt(other, 3)
    shutil.copy(other.store.with_suffix(".state"), training.store.with_suffix(".state"))


CHUNK = "test_predictions/c/0/2/0/0"
DAMAGES = {  # of a seed after six checkpoints: what is done to it, what is said of it
    "state damaged": (lambda t, *_: flip(t.store.with_suffix(".state")), r"seed-1.state: damaged"),
    "state empty": (
        lambda t, *_: t.store.with_suffix(".state").write_bytes(b""),
        r"seed-1.state: damaged",
    ),
    "state of another seed": (of_another_seed, r"seed-1.state: of another job or seed"),
    "chunk damaged": (lambda t, *_: flip(t.store / CHUNK), rf"seed-1.zarr/{CHUNK}: changed"),
    "chunk missing": (lambda t, *_: (t.store / CHUNK).unlink(), rf"seed-1.zarr/{CHUNK}: missing"),
    "metadata damaged": (
        lambda t, *_: flip(t.store / "zarr.json"),
        r"seed-1.zarr/zarr.json: changed",
    ),
    "store missing": (lambda t, *_: shutil.rmtree(t.store), r"seed-1.zarr/.*: missing"),
    "store a file": (
        lambda t, *_: (shutil.rmtree(t.store), t.store.write_text("mine")),
        r"seed-1.zarr/.*: missing",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_cannot_be_trusted_is_named_and_trained_anew(
    make, interrupt, assert_equal_to_undisturbed, caplog, damage
):
    training = make()
    interrupt(training, 6)
    change, message = DAMAGES[damage]
    change(training, make, interrupt)
    assert interrupt(training, 1) == [0]  # it starts again
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert re.search(message + "; seed 1 is trained again$", record.getMessage())
    training.train(CPU)
    assert_equal_to_undisturbed(training)


def test_what_a_killed_process_was_writing_is_removed(
    make, interrupt, assert_equal_to_undisturbed, caplog
):
    training = make()
    interrupt(training, 6)
    (training.store / "test_predictions/c/0/6/0").mkdir(parents=True)
    (training.store / "test_predictions/c/0/6/0/.0123.partial").write_text("torn")
    (training.store / "test_predictions/c/0/6/0/0").write_text("torn too")
    training.train(CPU)
    assert caplog.records == []
    assert_equal_to_undisturbed(training)


@pytest.mark.parametrize("damage", [name for name in DAMAGES if "state" not in name])
def test_a_finished_seed_that_was_damaged_is_named_and_trained_again(
    make, interrupt, assert_equal_to_undisturbed, caplog, damage
):
    training = make()
    training.train(CPU)
    assert training.is_finished()
    change, message = DAMAGES[damage]
    change(training, make, interrupt)
    assert not training.is_finished()
    (record,) = caplog.records
    assert re.search(message + "; seed 1 is trained again$", record.getMessage())
    assert not training.is_finished()
    assert len(caplog.records) == 1  # said once
    training.train(CPU)
    assert_equal_to_undisturbed(training)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not a manifest of hyperribbon, or damaged"),
        ('{"layout": 1, "inputs": {}, "files": {}}', "layout version 1"),
        ('{"layout": 2, "inputs": {}, "files": {}}', "of another job or seed"),
    ],
)
def test_a_foreign_mark_is_not_believed(make, caplog, content, message):
    training = make()
    training.train(CPU)
    (training.store.with_suffix(".json")).write_text(content)
    assert not training.is_finished()
    assert f"seed-1.json: {message}" in caplog.text


def test_a_process_killed_before_it_removed_the_state_of_a_finished_seed(make, interrupt):
    training = make()
    interrupt(training, 10)
    state = training.store.with_suffix(".state").read_bytes()
    training.train(CPU)
    training.store.with_suffix(".state").write_bytes(state)
    assert training.is_finished()
    assert not training.store.with_suffix(".state").exists()
