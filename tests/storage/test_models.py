import json
import pickle
import shutil

import numpy as np
import pytest
import xarray as xr
import zarr

from hyperribbon.errors import StoreError
from hyperribbon.recording.predictions import record_predictions
from hyperribbon.storage.dataset import publish, write_dataset
from hyperribbon.storage.manifest import Manifest
from hyperribbon.storage.models import Models
from hyperribbon.storage.predictions import create_predictions

SIZES = {"train": 6, "test": 4}
LABELS = {split: np.arange(n) % 3 for split, n in SIZES.items()}


@pytest.fixture
def make(tmp_path, random_models):
    """Function writing a predictions store; returns its path and its predictions by split."""

    def make(network, seeds=2, steps=(0, 5, 10), diverged=None, sha256="ab", recorded=None):
        """``recorded``: the labels by split, of a recording."""
        path, predictions = tmp_path / f"{network}.zarr", {}
        labels = recorded or LABELS
        for split, n in SIZES.items():
            P = random_models(len(network) + n, seeds * len(steps), n, 3).astype(np.float32)
            predictions[split] = P = P.reshape(seeds, len(steps), n, 3)
            for seed, step in (diverged or {}).items():
                P[seed, np.array(steps) >= step] = np.nan

        def build(partial):
            create_predictions(
                partial,
                seeds=range(seeds),
                steps=steps,
                steps_per_epoch=5,
                snapshot_steps=[] if recorded else [0],
                layout=[("weight", (2, 3)), ("norm.running_mean", (5,))],
                labels=labels,
                index=labels,
                n_classes=3,
                attributes={
                    "configuration": json.dumps(
                        {"network_name": network, "optimiser_name": "Opt"}
                        | ({"recorded": True} if recorded else {"augmentation_name": "flip"})
                    ),
                    "configuration_id": f"{network}-Opt-0",
                    "data_sha256": sha256,
                },
            )
            arrays = zarr.open_group(partial, mode="r+")
            for split, P in predictions.items():
                arrays[f"{split}_predictions"][:] = P
                arrays[f"{split}_loss"][:] = P[..., 0, 0]
                arrays[f"{split}_error"][:] = P[..., 1, 1]
            for seed, step in (diverged or {}).items():
                arrays["diverged_step"][seed] = step

        publish(path, build)
        return path, predictions

    return make


def test_models_are_in_the_order_of_stores_seeds_and_checkpoints(make):
    # Stores differ in their number of seeds and of checkpoints.
    (path_b, b), (path_a, a) = make("Bb", seeds=2), make("A", seeds=1, steps=(0, 4, 8, 10))
    models = Models([path_b, path_a])
    assert len(models) == 2 * 3 + 4
    table = models.table
    assert table["network"].tolist() == ["Bb"] * 6 + ["A"] * 4
    assert set(table["optimiser"]) == {"Opt"}
    assert set(table["augmentation"]) == {"flip"}
    assert set(table["stage"]) == {"unknown"}
    assert table["configuration"].tolist() == ["Bb-Opt-0"] * 6 + ["A-Opt-0"] * 4
    assert table["seed"].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert table["checkpoint"].tolist() == [0, 1, 2, 0, 1, 2, 0, 1, 2, 3]
    assert table["step"].tolist() == [0, 5, 10, 0, 5, 10, 0, 4, 8, 10]
    np.testing.assert_allclose(table["epoch"], table["step"] / 5)
    for split, n in SIZES.items():
        P = np.concatenate([b[split].reshape(-1, n, 3), a[split].reshape(-1, n, 3)])
        np.testing.assert_allclose(table[f"{split}_loss"], P[:, 0, 0])
        np.testing.assert_allclose(table[f"{split}_error"], P[:, 1, 1])
        trajectories = list(models.trajectories(split))
        assert [t.shape for t in trajectories] == [(3, n, 3), (3, n, 3), (4, n, 3)]
        np.testing.assert_array_equal(np.concatenate(trajectories), P)
        np.testing.assert_array_equal(models.labels(split), LABELS[split])
    assert models.data_sha256 == "ab"


def test_a_model_is_read_without_the_others_and_damage_is_found(make):
    path, predictions = make("A")
    (damaged,) = path.glob("train_predictions/c/0/2/*/*")
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    first, second = Models([path]).trajectories("train")
    np.testing.assert_array_equal(first[:2], predictions["train"][0, :2])
    np.testing.assert_array_equal(first[1, 2:4], predictions["train"][0, 1, 2:4])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(second)), predictions["train"][1])
    with pytest.raises(StoreError, match="A.zarr/train_predictions: damaged"):
        first[2]


def test_digests_tell_trainings_apart_by_their_predictions(make, tmp_path):
    path, predictions = make("A", seeds=3, diverged={1: 7})
    models = Models([path])
    train, test = models.digests("train"), models.digests("test")
    assert len(train) == len(test) == 2
    assert len({*train, *test}) == 4
    # Equal predictions have equal digests wherever they are: those of seed 2 as seed 1, another
    # configuration.
    shutil.copytree(path, tmp_path / "Other.zarr")
    arrays = zarr.open_group(tmp_path / "Other.zarr", mode="r+")
    arrays["train_predictions"][1] = predictions["train"][2]
    arrays["diverged_step"][1] = -1
    Manifest.of(tmp_path / "Other.zarr").write(tmp_path / "Other.json")
    other = Models([tmp_path / "Other.zarr"])
    assert other.digests("train") == [train[0], train[1], train[1]]
    assert models.inputs.keys() == {f"{tmp_path.name}/A"}
    assert models.inputs != other.inputs


def test_a_diverged_training_is_left_out_and_listed(make):
    path, predictions = make("A", seeds=3, diverged={1: 7})
    other, _ = make("Bb", seeds=1)
    models = Models([path, other])
    assert models.table["seed"].tolist() == [0, 0, 0, 2, 2, 2, 0, 0, 0]
    kept = predictions["test"][[0, 2]].reshape(-1, 4, 3)
    np.testing.assert_array_equal(np.concatenate(list(models.trajectories("test")))[:6], kept)
    assert np.isfinite(np.concatenate(list(models.trajectories("train")))).all()
    assert np.isfinite(models.table["train_loss"]).all()
    assert models.trainings["diverged_step"].tolist() == [-1, 7, -1, -1]
    assert models.trainings["seed"].tolist() == [0, 1, 2, 0]
    keys = models.training_keys()
    assert keys["seed"].tolist() == [0, 2, 0]
    assert keys["network"].tolist() == ["A", "A", "Bb"]
    assert keys.index.tolist() == [0, 1, 2]
    assert len(keys) == len(list(models.trajectories("train")))


def test_a_configuration_that_diverged_altogether_leaves_the_others(make):
    gone, _ = make("A", diverged={0: 5, 1: 0})
    path, predictions = make("Bb")
    models = Models([gone, path])
    assert set(models.table["network"]) == {"Bb"}
    assert len(models) == 6
    expected = predictions["train"].reshape(-1, 6, 3)
    np.testing.assert_array_equal(np.concatenate(list(models.trajectories("train"))), expected)


def test_every_training_diverged(make):
    paths = [make(name, diverged={0: 5, 1: 3})[0] for name in ("A", "Bb")]
    with pytest.raises(StoreError, match="every training diverged"):
        Models(paths)


def test_stores_of_other_data_are_refused(make):
    first, second = make("A")[0], make("Bb", sha256="cd")[0]
    with pytest.raises(StoreError) as error:
        Models([first, second])
    for word in (str(second), "cd", str(first), "ab"):
        assert word in str(error.value)


def test_recordings_of_the_same_labels_are_models_among_the_others(make):
    own, trained = make("A", sha256="ab")
    other, recorded = make("Bb", seeds=1, sha256="cd", recorded=LABELS)
    for paths in ([own, other], [other, own]):
        models = Models(paths)
        assert models.data_sha256 == "ab"
        P = dict(zip((own, other), (trained, recorded), strict=True))
        expected = np.concatenate([P[path]["test"].reshape(-1, 4, 3) for path in paths])
        np.testing.assert_array_equal(np.concatenate(list(models.trajectories("test"))), expected)
        assert models.inputs.keys() == {f"{own.parent.name}/A", str(other.with_suffix(""))}
    alone = Models([other])
    assert alone.data_sha256 == "cd"
    assert alone.table["network"].tolist() == ["Bb"] * 3


@pytest.mark.parametrize("first_recorded", [False, True])
@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"test": np.array([0, 1, 2, 1])}, "test sample 3 has label 1, that of {} has 0"),
        ({"train": np.arange(6)[::-1] % 3}, "train sample 0 has label 2, that of {} has 0"),
    ],
)
def test_recordings_of_other_samples_are_refused(make, labels, message, first_recorded):
    first = make("A", recorded=LABELS if first_recorded else None)[0]
    second = make("Bb", recorded=LABELS | labels)[0]
    with pytest.raises(StoreError) as error:
        Models([first, second])
    assert str(error.value) == (
        f"{second}: {message.format(first)}; expected the same samples in the same order"
    )


def test_recordings_of_another_shape_are_refused(make, tmp_path):
    first = make("A")[0]
    for name, n, n_classes, message in (
        ("classes", 6, 4, "4 classes, expected those of"),
        ("samples", 5, 3, "5 train samples, expected those of"),
    ):
        path = tmp_path / f"{name}.zarr"
        labels = {"train": np.arange(n) % 3, "test": LABELS["test"]}
        P = {split: np.full((1, len(y), n_classes), 1 / n_classes) for split, y in labels.items()}
        record_predictions(
            path, P["train"], labels["train"], test_predictions=P["test"],
            test_labels=labels["test"], network=name,
        )  # fmt: skip
        with pytest.raises(StoreError) as error:
            Models([first, path])
        assert str(error.value).startswith(f"{path}: {message} {first}")


def test_a_recording_without_test_samples_is_refused(tmp_path):
    path = tmp_path / "half.zarr"
    record_predictions(path, np.full((1, 3, 3), 1 / 3), np.arange(3), network="Half")
    with pytest.raises(StoreError, match=r"half.zarr: no test predictions"):
        Models([path])


def test_a_store_without_its_manifest_is_not_whole(make):
    path, _ = make("A")
    path.with_suffix(".json").unlink()
    with pytest.raises(StoreError, match="A.json: missing; without it A.zarr is not complete"):
        Models([path])


def test_missing_and_foreign_stores_are_refused(make, tmp_path):
    path, _ = make("A")
    with pytest.raises(StoreError, match="missing.zarr: not a Zarr store"):
        Models([path, tmp_path / "missing.zarr"])
    write_dataset(xr.Dataset({"x": ("model", [1.0])}), tmp_path / "derived.zarr")
    with pytest.raises(StoreError, match="derived.zarr: not a predictions store"):
        Models([path, tmp_path / "derived.zarr"])


def test_configurations_are_told_apart_by_what_is_known(make):
    recorded = {split: labels.copy() for split, labels in LABELS.items()}
    here, elsewhere = make("Net")[0], make("Other", seeds=1, recorded=recorded)[0]
    settings = {
        "network_name": "Net",
        "network": {"architecture": "vit"},
        "optimiser_name": "Opt",
        "optimiser": {"algorithm": "sgd", "momentum": 0.9, "nesterov": True, "batch_size": None},
        "training": {"batch_size": 20},
    }
    zarr.open_group(here, mode="r+").attrs["configuration"] = json.dumps(settings)
    zarr.open_group(here, mode="r+").attrs["trained_parameters"] = 6
    found = Models([here, elsewhere]).configurations.set_index("network")
    about = found.loc["Net", ["architecture", "parameters", "algorithm", "batch_size"]]
    assert about.tolist() == ["vit", 6, "sgd-nesterov", 20]
    unknown = ["architecture", "parameters", "algorithm", "batch_size", "weight_decay"]
    assert found.loc["Other", unknown].isna().all()
    assert found["augmentation"].tolist() == ["unknown", "unknown"]
