import dataclasses
import fcntl
import json
import shutil
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr

from hyperribbon.config import (
    AllCNNConfig,
    AugmentationConfig,
    ConvMixerConfig,
    SGDConfig,
    ViTConfig,
)
from hyperribbon.errors import HyperribbonError, StoreError
from hyperribbon.networks import build_network
from hyperribbon.runtime.device import resolve_device
from hyperribbon.runtime.work import work_folder
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import Manifest, manifest_path
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import PER_SEED, load_weights
from hyperribbon.training import plan, seed
from hyperribbon.training.job import train_configuration
from hyperribbon.training.loop import predict
from hyperribbon.training.plan import Plan
from hyperribbon.training.samples import Resident
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


def folder_of(configuration, dataset, work, code=""):
    """Where the job works."""
    return work_folder(work, configuration.id, Plan(configuration, dataset, code).key)


def refuse_to_train(monkeypatch):
    monkeypatch.setattr(seed, "train", lambda *a, **k: pytest.fail("trained again"))


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
    assert store.attrs["code_version"] == ""
    assert {p.name for p in path.parent.iterdir()} == {"A.zarr", "A.json", "work"}
    assert Manifest.read(manifest_path(path)) == Manifest.of(path)


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


def test_predictions_in_half_precision_are_those_of_the_same_training(
    published, tiny_configuration, tiny_dataset, tmp_path
):
    configuration = tiny_configuration(network=ALLCNN, predictions="sqrt_float16")
    train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    found, expected = contents(tmp_path / "A.zarr"), contents(published[1])
    assert "train_predictions" not in found
    for split in ("train", "test"):
        roots = found[f"{split}_sqrt_predictions"]
        assert roots.dtype == np.float16
        expected_roots = np.sqrt(expected[f"{split}_predictions"]).astype(np.float16)
        np.testing.assert_array_equal(roots, expected_roots)
        for name in ("loss", "error"):
            np.testing.assert_array_equal(found[f"{split}_{name}"], expected[f"{split}_{name}"])


def test_without_augmentation_networks_train_on_what_they_are_evaluated_on(
    tiny_configuration, tiny_dataset
):
    centre = dataclasses.replace(tiny_dataset, input_shape=(1, 4, 4))
    plan = Plan(tiny_configuration(network=ALLCNN), centre, "")
    device = torch.device("cpu")
    (trained, _), (evaluated, _) = plan.samples("train", device), plan.evaluated("train", device)
    assert trained.images.shape == (60, 1, 4, 4)
    assert torch.equal(trained.images, evaluated.images)
    flipped = plan.configuration.model_copy(update={"augmentation": AugmentationConfig(flip=True)})
    assert Plan(flipped, centre, "").samples("train", device)[0].images.shape == (60, 1, 6, 6)


def test_calibration_sees_samples_from_the_whole_set(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    seen = []
    monkeypatch.setattr(seed, "CALIBRATION_BATCHES", 2)
    monkeypatch.setattr(seed, "calibrate_batchnorm", lambda _, batches: seen.extend(batches))
    train_configuration(
        tiny_configuration(seeds=1, epochs=1), tiny_dataset, tmp_path / "work", tmp_path / "A.zarr"
    )
    assert [len(batch) for batch in seen] == [20, 20]
    places = np.arange(40) * 60 // 40
    np.testing.assert_array_equal(torch.cat(seen), tiny_dataset.train_images[places])


def test_a_compiler_that_is_not_there_is_told(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    from torch._dynamo.exc import TorchDynamoException

    def fail(*_, **__):
        raise TorchDynamoException("no C++ compiler\nand much more")

    monkeypatch.setattr(seed, "train", fail)
    configuration = tiny_configuration(seeds=1, compile=True)
    with pytest.raises(HyperribbonError) as error:
        train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    expected = "torch.compile failed (no C++ compiler); it needs a C++ compiler"
    assert str(error.value).startswith(f"{configuration.id}: {expected}")
    assert "training.compile" in str(error.value) and "\n" not in str(error.value)


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
    assert contents(tmp_path / "A.zarr").sizes.get("snapshot", 0) == len(keep)


class Interrupted(Exception):
    pass


def interrupt_seed(monkeypatch, number):
    """Let the training of a seed end when it has begun."""
    train = seed.train

    def interrupted(*arguments, **options):
        if torch.initial_seed() == number:
            raise Interrupted
        train(*arguments, **options)

    monkeypatch.setattr(seed, "train", interrupted)


def test_a_published_store_that_was_removed_is_published_again(
    published, tiny_dataset, tmp_path, monkeypatch
):
    """As Snakemake does with the output of a job that it did not see finish."""
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    train_configuration(configuration, tiny_dataset, work, destination)
    shutil.rmtree(destination)
    manifest_path(destination).unlink()
    refuse_to_train(monkeypatch)
    train_configuration(configuration, tiny_dataset, work, destination)
    xr.testing.assert_identical(contents(destination), contents(path))
    assert Manifest.read(manifest_path(destination)) == Manifest.read(manifest_path(path))


def test_a_published_store_takes_no_space_beside_the_work(published, tiny_dataset):
    configuration, path = published
    folder = folder_of(configuration, tiny_dataset, path.parent / "work")
    shared = [p for p in path.rglob("*") if p.is_file() and p.stat().st_nlink == 2]
    variables = {name for name in PER_SEED if (path / name).exists()}
    assert {p.relative_to(path).parts[0] for p in shared} == variables - {"diverged_step"}
    predictions = Path("test_predictions", "c")
    assert (path / predictions / "1" / "3" / "0" / "0").samefile(
        folder / "seed-1.zarr" / predictions / "0" / "3" / "0" / "0"
    )
    names = ["job.json", "lock", *(f"seed-{k}.{end}" for k in (0, 1) for end in ("json", "zarr"))]
    assert sorted(p.name for p in folder.iterdir()) == names
    assert json.loads((folder / "job.json").read_text())["data_sha256"] == tiny_dataset.sha256


def test_a_failed_training_keeps_the_finished_seeds(published, tiny_dataset, tmp_path, monkeypatch):
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    with monkeypatch.context() as patch:
        interrupt_seed(patch, 1)
        with pytest.raises(Interrupted):
            train_configuration(configuration, tiny_dataset, work, destination)
    assert not destination.exists()
    interrupt_seed(monkeypatch, 0)
    train_configuration(configuration, tiny_dataset, work, destination)
    xr.testing.assert_identical(contents(destination), contents(path))


def test_more_seeds_train_only_those_that_are_new(
    published, tiny_configuration, tiny_dataset, tmp_path, monkeypatch
):
    configuration, path = published
    fewer = tiny_configuration(network=ALLCNN, seeds=1)
    train_configuration(fewer, tiny_dataset, tmp_path / "work", tmp_path / "fewer.zarr")
    interrupt_seed(monkeypatch, 0)
    train_configuration(configuration, tiny_dataset, tmp_path / "work", tmp_path / "A.zarr")
    xr.testing.assert_identical(contents(tmp_path / "A.zarr"), contents(path))
    assert contents(tmp_path / "fewer.zarr").sizes["seed"] == 1


@pytest.mark.parametrize("held", [False, True], ids=["nobody is at it", "somebody is at it"])
@pytest.mark.parametrize("changed", ["code", "data", "weights to keep", "versions"])
def test_work_of_other_code_or_data_is_not_continued(
    tiny_configuration, tiny_dataset, tmp_path, monkeypatch, changed, held
):
    configuration, dataset, code = tiny_configuration(seeds=1, epochs=1), tiny_dataset, "old"
    work = tmp_path / "work"
    train_configuration(configuration, dataset, work, tmp_path / "old.zarr", code=code)
    (old,) = work.iterdir()
    if changed == "code":
        code = "new"
    elif changed == "data":
        dataset = dataclasses.replace(dataset, train_images=dataset.train_images + 1)
    elif changed == "weights to keep":
        configuration = tiny_configuration(seeds=1, epochs=1, keep_weights=(1.0,))
    else:
        monkeypatch.setattr(plan, "versions", lambda *packages: {"torch": "0.1"})
    trained = []
    monkeypatch.setattr(seed, "train", lambda *a, **k: trained.append(1))
    with open(old / "lock", "a") as other:
        if held:
            fcntl.flock(other, fcntl.LOCK_EX)
        train_configuration(configuration, dataset, work, tmp_path / "new.zarr", code=code)
    assert trained == [1]
    new = folder_of(configuration, dataset, work, code)
    assert set(work.iterdir()) == ({old, new} if held else {new})
    if held:
        assert (old / "seed-0.json").exists()


def test_the_work_on_other_configurations_is_left_alone(tiny_configuration, tiny_dataset, tmp_path):
    first, second = tiny_configuration(seeds=1, epochs=1), tiny_configuration(seeds=1, epochs=2)
    work = tmp_path / "work"
    train_configuration(first, tiny_dataset, work, tmp_path / "first.zarr")
    (work / f"{second.id}-notes.txt").touch()
    train_configuration(second, tiny_dataset, work, tmp_path / "second.zarr")
    folders = {folder_of(c, tiny_dataset, work) for c in (first, second)}
    assert set(work.iterdir()) == {*folders, work / f"{second.id}-notes.txt"}


def test_what_is_published_is_not_trained_again(published, tiny_dataset, tmp_path, monkeypatch):
    configuration, path = published
    copy = shutil.copytree(path, tmp_path / "A.zarr")
    shutil.copy(manifest_path(path), tmp_path)
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*")}
    refuse_to_train(monkeypatch)
    train_configuration(configuration, tiny_dataset, tmp_path / "work", copy)
    assert {p: p.stat().st_mtime_ns for p in copy.rglob("*")} == before


def test_a_publication_without_its_manifest_is_done_again(
    published, tiny_dataset, tmp_path, monkeypatch
):
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    train_configuration(configuration, tiny_dataset, work, destination)
    manifest_path(destination).unlink()
    (chunk,) = (destination / "weights" / "c" / "1" / "2").iterdir()
    chunk.unlink()
    refuse_to_train(monkeypatch)
    train_configuration(configuration, tiny_dataset, work, destination)
    assert (
        Manifest.read(manifest_path(destination)) == Manifest.of(path) == Manifest.of(destination)
    )


def test_another_training_is_not_replaced(published, tiny_configuration, tiny_dataset, tmp_path):
    copy = shutil.copytree(published[1], tmp_path / "A.zarr")
    other = tiny_configuration(network=ALLCNN, epochs=4)
    for configuration, code in ((other, ""), (published[0], "other")):
        with pytest.raises(StoreError, match="A.zarr: holds another training already, not repl"):
            train_configuration(configuration, tiny_dataset, tmp_path / "work", copy, code=code)
    xr.testing.assert_identical(contents(copy), contents(published[1]))


def test_a_store_of_another_layout_is_not_replaced(published, tiny_dataset, tmp_path):
    copy = shutil.copytree(published[1], tmp_path / "A.zarr")
    metadata = json.loads((copy / "zarr.json").read_text())
    metadata["attributes"]["format"] = 1
    (copy / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(StoreError, match="A.zarr: layout version 1, expected .*; delete it and"):
        train_configuration(published[0], tiny_dataset, tmp_path / "work", copy)
    assert copy.exists()


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
    destination, train = tmp_path / "A.zarr", seed.train

    def meanwhile(*arguments, **options):
        destination.mkdir()
        (destination / "notes.txt").write_text("mine")
        train(*arguments, **options)

    monkeypatch.setattr(seed, "train", meanwhile)
    with pytest.raises(StoreError, match="A.zarr: exists already, not replaced"):
        train_configuration(
            tiny_configuration(seeds=1, epochs=1), tiny_dataset, tmp_path / "work", destination
        )
    assert [p.name for p in destination.iterdir()] == ["notes.txt"]


def test_the_second_process_finds_what_the_first_published(
    published, tiny_dataset, tmp_path, monkeypatch
):
    """Even if the folder with the lock that the second waits for is removed."""
    configuration, path = published
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    folder = folder_of(configuration, tiny_dataset, work)
    folder.mkdir(parents=True)
    trained = []
    monkeypatch.setattr(seed, "train", lambda *a, **k: trained.append(1))
    waiting = threading.Thread(
        target=train_configuration, args=(configuration, tiny_dataset, work, destination)
    )
    with open(folder / "lock", "a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        waiting.start()
        time.sleep(0.2)
        assert [p.name for p in folder.iterdir()] == ["lock"]
        shutil.copytree(path, destination)
        shutil.copy(manifest_path(path), tmp_path)
        shutil.rmtree(work)
    waiting.join(timeout=30)
    assert not waiting.is_alive()
    assert trained == []
    xr.testing.assert_identical(contents(destination), contents(path))


def test_of_two_at_once_one_trains(tiny_configuration, tiny_dataset, tmp_path, monkeypatch):
    configuration = tiny_configuration(seeds=1, epochs=1)
    work, destination = tmp_path / "work", tmp_path / "A.zarr"
    trained, train = [], seed.train

    def slowly(*arguments, **options):
        trained.append(1)
        time.sleep(0.3)  # so that the other comes meanwhile
        train(*arguments, **options)

    monkeypatch.setattr(seed, "train", slowly)
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
    for k, diverged in enumerate(store["diverged_step"].values):
        assert diverged > 0
        before = steps < diverged
        assert before.any()
        assert not before.all()
        for split in ("train", "test"):
            P = store[f"{split}_predictions"][k].values
            assert np.isfinite(P[before]).all()
            assert np.isnan(P[~before]).all()
            loss = store[f"{split}_loss"][k].values
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
    for k in (0, 1):
        for step in store["snapshot_step"].values.tolist():
            fresh = build_network(input_shape=(1, 6, 6), n_classes=3, **network.model_dump())
            weights = load_weights(store, k, step)
            tensors = {name: torch.from_numpy(w) for name, w in weights.items()}
            result = fresh.load_state_dict(tensors, strict=False)
            assert result.unexpected_keys == []
            assert all(name.endswith("num_batches_tracked") for name in result.missing_keys)
            P = predict(fresh, Resident(images)).softmax(dim=1)
            stored = store["test_predictions"][k, steps.index(step)]
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
