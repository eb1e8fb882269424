import fcntl
import json
import shutil
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
import xarray as xr

from hyperribbon.config import AllCNNConfig, ConvMixerConfig, SGDConfig, ViTConfig
from hyperribbon.errors import HyperribbonError, StoreError
from hyperribbon.models import Models
from hyperribbon.networks import build_network
from hyperribbon.store import load_weights, open_dataset
from hyperribbon.training import job
from hyperribbon.training.job import resolve_device, train_configuration
from hyperribbon.training.loop import predict
from hyperribbon.training.schedule import checkpoint_steps

VIT = ViTConfig(architecture="vit", patch_size=3, width=8, depth=1, heads=2, mlp_width=8)
ALLCNN = AllCNNConfig(architecture="allcnn", widths=[4, 4])
CONVMIXER = ConvMixerConfig(architecture="convmixer", width=4, depth=1, kernel_size=3, patch_size=2)


@pytest.fixture(scope="module")
def published(tiny_configuration, tiny_dataset, tmp_path_factory):
    """A configuration trained once, and where its store is."""
    folder = tmp_path_factory.mktemp("job")
    configuration = tiny_configuration(network=ALLCNN)
    train_configuration(configuration, tiny_dataset, folder / "work", folder / "A.zarr")
    return configuration, folder / "A.zarr"


def contents(path):
    return open_dataset(path).load()


def test_the_store_is_labelled_and_complete(published, tiny_dataset):
    configuration, path = published
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store = xr.open_zarr(path).load()
    steps = checkpoint_steps(3, 3)
    assert store["train_predictions"].dims == ("seed", "checkpoint", "train_sample", "class")
    assert store["train_predictions"].shape == (2, len(steps), 60, 3)
    assert store["test_predictions"].shape == (2, len(steps), 30, 3)
    assert store["train_predictions"].dtype == np.float32
    assert store["step"].values.tolist() == steps
    np.testing.assert_allclose(store["epoch"], np.array(steps) / 3)
    assert store["seed"].values.tolist() == [0, 1]
    assert store["diverged_step"].values.tolist() == [-1, -1]
    assert store["snapshot_step"].values.tolist() == [0, 4, 9]
    for split in ("train", "test"):
        _, labels, index = tiny_dataset.split(split)
        np.testing.assert_array_equal(store[f"{split}_label"], labels)
        np.testing.assert_array_equal(store[f"{split}_index"], index)
    assert store.attrs["data_sha256"] == tiny_dataset.sha256
    assert store.attrs["configuration_id"] == configuration.id
    assert type(configuration).model_validate_json(store.attrs["configuration"]) == configuration
    assert json.loads(store.attrs["versions"])["torch"] == torch.__version__
    assert {p.name for p in path.parent.iterdir()} == {"A.zarr", "work"}


def test_losses_and_errors_are_those_of_the_predictions(published):
    store = contents(published[1])
    for split in ("train", "test"):
        P, labels = store[f"{split}_predictions"].values, store[f"{split}_label"].values
        np.testing.assert_allclose(P.sum(axis=-1), 1, atol=1e-6)
        right = P[..., np.arange(len(labels)), labels]
        np.testing.assert_allclose(store[f"{split}_loss"], -np.log(right).mean(axis=-1), rtol=1e-5)
        np.testing.assert_array_equal(
            store[f"{split}_error"], (P.argmax(axis=-1) != labels).mean(axis=-1)
        )


def test_training_learns_and_seeds_differ(published):
    store = contents(published[1])
    loss = store["train_loss"].values
    assert (loss[:, -1] < 0.9 * loss[:, 0]).all()
    assert abs(store["train_predictions"][0] - store["train_predictions"][1]).max() > 0.01


def test_the_same_work_is_bit_equal(published, tiny_dataset, tmp_path):
    configuration, path = published
    torch.manual_seed(999)  # the state in which a process comes must not matter
    train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    xr.testing.assert_identical(contents(tmp_path / "A.zarr"), contents(path))


def test_a_seed_does_not_depend_on_how_many_there_are(
    published, tiny_configuration, tiny_dataset, tmp_path
):
    one = tiny_configuration(network=ALLCNN, seeds=1, keep_weights=(1.0,))
    assert one.id == published[0].id
    train_configuration(one, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    found, expected = contents(tmp_path / "A.zarr"), contents(published[1])
    for name in ("train_predictions", "test_predictions", "train_loss"):
        np.testing.assert_array_equal(found[name][0], expected[name][0])


@pytest.mark.parametrize("keep", [(0.5,), ()])
def test_other_choices_of_weights_to_keep(tiny_configuration, tiny_dataset, tmp_path, keep):
    configuration = tiny_configuration(seeds=1, epochs=1, keep_weights=keep)
    train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    assert contents(tmp_path / "A.zarr").sizes["snapshot"] == len(keep)


class Interrupted(Exception):
    pass


def test_an_interrupted_work_is_continued(published, tiny_dataset, tmp_path, monkeypatch):
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    calls, train = [], job.train

    def count(*arguments, **options):
        calls.append(1)
        if len(calls) == 2:
            options["record"](0)  # dies after the first checkpoint of the second seed
            raise Interrupted
        train(*arguments, **options)

    monkeypatch.setattr(job, "train", count)
    with pytest.raises(Interrupted):
        train_configuration(configuration, tiny_dataset, work, destination)
    assert not destination.exists()
    train_configuration(configuration, tiny_dataset, work, destination)
    assert len(calls) == 3  # seed 0, seed 1 interrupted, seed 1
    xr.testing.assert_identical(contents(destination), contents(path))


def test_a_published_store_that_was_removed_is_not_trained_again(
    published, tiny_dataset, tmp_path, monkeypatch
):
    """As Snakemake does with the output of a job that it did not see finish."""
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    train_configuration(configuration, tiny_dataset, work, destination)
    shutil.rmtree(destination)
    with monkeypatch.context() as patch:
        patch.setattr(job, "train", lambda *a, **k: pytest.fail("trained again"))
        train_configuration(configuration, tiny_dataset, work, destination)
    xr.testing.assert_identical(contents(destination), contents(path))


def test_work_that_lost_its_store_is_done_again(published, tiny_dataset, tmp_path):
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    train_configuration(configuration, tiny_dataset, work, destination)
    shutil.rmtree(destination)
    shutil.rmtree(work / "predictions.zarr")
    train_configuration(configuration, tiny_dataset, work, destination)
    xr.testing.assert_identical(contents(destination), contents(path))


def test_work_of_another_configuration_is_not_continued(
    published, tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    train = job.train

    def die_in_the_second(*arguments, **options):
        if torch.initial_seed() == 1:
            raise Interrupted
        train(*arguments, **options)

    other = tiny_configuration(network=ALLCNN, epochs=4)
    with monkeypatch.context() as patch:
        patch.setattr(job, "train", die_in_the_second)
        with pytest.raises(Interrupted):
            train_configuration(other, tiny_dataset, work, destination)
    train_configuration(configuration, tiny_dataset, work, destination)
    xr.testing.assert_identical(contents(destination), contents(path))


def test_work_interrupted_while_it_replaced_that_of_another_configuration(
    published, tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"

    def die(*arguments, **options):
        raise Interrupted

    other = tiny_configuration(network=ALLCNN, epochs=4)
    for name, which in (("train", configuration), ("create_predictions", other)):
        with monkeypatch.context() as patch:
            patch.setattr(job, name, die)
            with pytest.raises(Interrupted):
                train_configuration(which, tiny_dataset, work, destination)
    train_configuration(configuration, tiny_dataset, work, destination)
    xr.testing.assert_identical(contents(destination), contents(path))


def test_what_is_published_is_not_trained_again(published, tiny_dataset, tmp_path, monkeypatch):
    configuration, path = published
    copy = shutil.copytree(path, tmp_path / "A.zarr")
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*")}
    monkeypatch.setattr(job, "train", lambda *a, **k: pytest.fail("trained again"))
    train_configuration(configuration, tiny_dataset, tmp_path / "work", copy)
    assert {p: p.stat().st_mtime_ns for p in copy.rglob("*")} == before


def test_another_training_is_not_replaced(published, tiny_configuration, tiny_dataset, tmp_path):
    copy = shutil.copytree(published[1], tmp_path / "A.zarr")
    other = tiny_configuration(network=ALLCNN, epochs=4)
    with pytest.raises(StoreError, match="A.zarr: holds another training already, not replaced"):
        train_configuration(other, tiny_dataset, tmp_path / "work", copy)
    xr.testing.assert_identical(contents(copy), contents(published[1]))


def test_a_foreign_folder_is_not_replaced(published, tiny_dataset, tmp_path):
    foreign = tmp_path / "A.zarr"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="A.zarr: not a Zarr store"):
        train_configuration(published[0], tiny_dataset, tmp_path / "work", foreign)
    assert [p.name for p in foreign.iterdir()] == ["notes.txt"]


def test_a_folder_that_appears_during_training_is_not_replaced(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    destination, train = tmp_path / "A.zarr", job.train

    def meanwhile(*arguments, **options):
        destination.mkdir()
        (destination / "notes.txt").write_text("mine")
        train(*arguments, **options)

    monkeypatch.setattr(job, "train", meanwhile)
    with pytest.raises(StoreError, match="A.zarr: exists already, not replaced"):
        train_configuration(
            tiny_configuration(seeds=1, epochs=1), tiny_dataset, tmp_path / "work", destination
        )
    assert [p.name for p in destination.iterdir()] == ["notes.txt"]


def test_a_second_process_waits_for_the_first(tiny_configuration, tiny_dataset, tmp_path):
    configuration = tiny_configuration(seeds=1, epochs=1)
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    work.mkdir()
    waiting = threading.Thread(
        target=train_configuration, args=(configuration, tiny_dataset, work, destination)
    )
    # A lock belongs to an open file: this one stands for another process.
    with open(work / "lock", "a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
        assert [p.name for p in work.iterdir()] == ["lock"]
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert contents(destination)["diverged_step"].values.tolist() == [-1]


def test_the_second_process_finds_what_the_first_published(
    published, tiny_dataset, tmp_path, monkeypatch
):
    """Even if the folder with the lock that the second waits for is removed."""
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    work.mkdir()
    trained = []
    monkeypatch.setattr(job, "train", lambda *a, **k: trained.append(1))
    waiting = threading.Thread(
        target=train_configuration, args=(configuration, tiny_dataset, work, destination)
    )
    with open(work / "lock", "a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        waiting.start()
        time.sleep(0.2)
        shutil.copytree(path, destination)
        shutil.rmtree(work)
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert trained == []
    xr.testing.assert_identical(contents(destination), contents(path))


def test_a_lock_that_was_removed_with_its_folder_counts_for_nothing(
    tiny_configuration, tiny_dataset, tmp_path
):
    configuration = tiny_configuration(seeds=1, epochs=1)
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    work.mkdir()
    waiting = threading.Thread(
        target=train_configuration, args=(configuration, tiny_dataset, work, destination)
    )
    with open(work / "lock", "a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        waiting.start()
        time.sleep(0.2)
        shutil.rmtree(work)
        work.mkdir()
        third = open(work / "lock", "a")
        fcntl.flock(third, fcntl.LOCK_EX)
    # The one waiting now has the lock of the removed folder, a third that of the new one.
    with third:
        time.sleep(0.3)
        assert waiting.is_alive()
        assert [p.name for p in work.iterdir()] == ["lock"]
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert destination.exists()


def test_of_two_at_once_one_trains(tiny_configuration, tiny_dataset, tmp_path, monkeypatch):
    configuration = tiny_configuration(seeds=1, epochs=1)
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    trained, train = [], job.train

    def slowly(*arguments, **options):
        trained.append(1)
        time.sleep(0.3)  # so that the other comes meanwhile
        train(*arguments, **options)

    monkeypatch.setattr(job, "train", slowly)
    with ThreadPoolExecutor() as pool:
        arguments = (configuration, tiny_dataset, work, destination)
        both = [pool.submit(train_configuration, *arguments) for _ in range(2)]
        for one in both:
            one.result(timeout=30)
    assert trained == [1]
    assert contents(destination)["diverged_step"].values.tolist() == [-1]


def test_a_diverged_seed_is_recorded_and_left_out(tiny_configuration, tiny_dataset, tmp_path):
    # Attention without normalisation of its values: such a learning rate overflows after a step.
    wild = SGDConfig(algorithm="sgd", learning_rate=1e6, momentum=0.9)
    configuration = tiny_configuration(network=VIT, optimiser=wild)
    train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "wild.zarr")
    store = contents(tmp_path / "wild.zarr")
    steps = store["step"].values
    for seed, diverged in enumerate(store["diverged_step"].values):
        assert diverged > 0
        before = steps < diverged
        assert before.any()
        assert not before.all()
        for split in ("train", "test"):
            P = store[f"{split}_predictions"][seed].values
            assert np.isfinite(P[before]).all()
            assert np.isnan(P[~before]).all()
            loss = store[f"{split}_loss"][seed].values
            np.testing.assert_array_equal(np.isnan(loss), ~before)
    assert np.isfinite(store["weights"][:, 0]).all()
    assert np.isnan(store["weights"][:, -1]).all()
    calm = tiny_configuration(network=VIT)
    train_configuration(calm, tiny_dataset, tmp_path / "work", tmp_path / "calm.zarr")
    models = Models([tmp_path / "wild.zarr", tmp_path / "calm.zarr"])
    assert set(models.table["configuration"]) == {calm.id}
    assert (models.trainings["diverged_step"] > 0).tolist() == [True, True, False, False]


@pytest.mark.parametrize("network", [ALLCNN, CONVMIXER, VIT], ids=lambda n: n.architecture)
def test_kept_weights_give_the_stored_predictions(
    tiny_configuration, tiny_dataset, tmp_path, network
):
    configuration = tiny_configuration(network=network)
    train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    store = contents(tmp_path / "A.zarr")
    images = torch.from_numpy(tiny_dataset.test_images)
    steps = store["step"].values.tolist()
    assert len(store["snapshot_step"]) == 3
    for seed in (0, 1):
        for step in store["snapshot_step"].values.tolist():
            fresh = build_network(input_shape=(1, 6, 6), n_classes=3, **network.model_dump())
            weights = load_weights(store, seed, step)
            tensors = {name: torch.from_numpy(w) for name, w in weights.items()}
            result = fresh.load_state_dict(tensors, strict=False)
            assert result.unexpected_keys == []
            assert all(name.endswith("num_batches_tracked") for name in result.missing_keys)
            P = predict(fresh, images).softmax(dim=1)
            stored = store["test_predictions"][seed, steps.index(step)]
            np.testing.assert_allclose(P, stored, atol=1e-6)


def test_calibration_is_used_unless_turned_off(tiny_configuration, tiny_dataset, tmp_path):
    first = {}
    for on in (True, False):
        configuration = tiny_configuration(
            network=ALLCNN, epochs=1, seeds=1, calibrate_batchnorm=on
        )
        path = tmp_path / f"{on}.zarr"
        train_configuration(configuration, tiny_dataset, tmp_path / "work", path)
        first[on] = load_weights(contents(path), 0, 0)
    for name, weights in first[True].items():
        assert (weights == first[False][name]).all() == ("running" not in name), name


def test_devices():
    assert resolve_device("cpu").type == "cpu"
    if torch.cuda.is_available():
        assert resolve_device("auto").type == resolve_device("cuda").type == "cuda"
    else:
        assert resolve_device("auto").type == "cpu"
        with pytest.raises(HyperribbonError, match='training.device = "cuda".*use "cpu"'):
            resolve_device("cuda")
