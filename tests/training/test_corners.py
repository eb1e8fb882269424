import numpy as np
import pytest
import torch
import xarray as xr

from hyperribbon.config import AllCNNConfig, AugmentationConfig, SGDConfig
from hyperribbon.errors import ConfigError, StoreError
from hyperribbon.storage.dataset import open_dataset
from hyperribbon.storage.manifest import Manifest, inputs_of
from hyperribbon.training import seed
from hyperribbon.training.corners import Start, partly_random_labels, random_labels
from hyperribbon.training.job import train_configuration
from hyperribbon.training.plan import Plan
from hyperribbon.training.state import save_state

NETWORK = AllCNNConfig(architecture="allcnn", widths=[8, 8])  # with BatchNorm


# Of the first corner, ten classes.
LABELS = [2, 6, 5, 3, 5, 9, 1, 1, 1, 3, 5, 8, 5, 7, 3, 1, 7, 6, 8, 1]


class Interrupted(BaseException):
    """As if the process had died."""


@pytest.fixture(scope="module")
def stages(tiny_configuration):
    """Trained directly, to a corner and from there."""
    direct = tiny_configuration(network=NETWORK, batch_size=10)
    to, start = direct.stages(1, epochs=30)
    return {"direct": direct, "to": to, "from": start}


@pytest.fixture(scope="module")
def trained(stages, tiny_dataset, tmp_path_factory):
    """Their published stores."""
    folder = tmp_path_factory.mktemp("corners")
    for name, configuration in stages.items():
        start = folder / "to.zarr" if configuration.start else None
        path = folder / f"{name}.zarr"
        train_configuration(configuration, tiny_dataset, folder / "work", path, start=start)
    return folder


def stores(folder):
    return {name: open_dataset(folder / f"{name}.zarr").load() for name in ("direct", "to", "from")}


def test_labels_depend_on_the_corner_alone():
    """In whatever process: predictions that were stored were trained to these."""
    np.random.seed(3)
    random_labels(7, 3, 2)
    assert random_labels(20, 10, 1).tolist() == LABELS


def test_labels_are_uniform_and_independent_of_the_truth_and_each_other():
    n, truth = 50_000, np.arange(50_000) % 10
    corners = [random_labels(n, 10, corner) for corner in (1, 2, 3)]
    for k, labels in enumerate(corners):
        np.testing.assert_allclose(np.bincount(labels, minlength=10) / n, 0.1, atol=0.01)
        for other in (truth, *corners[:k]):
            assert (labels == other).mean() == pytest.approx(0.1, abs=0.01)


def test_the_first_stage_learns_its_labels_and_is_recorded_against_the_truth(trained):
    found = stores(trained)
    truth = found["direct"]["train_label"].values
    assert "train_corner_label" not in found["direct"]
    for name in ("to", "from"):
        store = found[name]
        np.testing.assert_array_equal(store["train_corner_label"], random_labels(60, 3, 1))
        np.testing.assert_array_equal(store["train_label"], truth)
        P = store["train_predictions"].values
        error = (P.argmax(axis=-1) != truth).mean(axis=-1)
        np.testing.assert_array_equal(store["train_error"], error)
    error = [
        (found[name]["train_predictions"].values.argmax(axis=-1) != labels).mean(axis=-1)
        for name, labels in (("to", random_labels(60, 3, 1)), ("from", truth))
    ]
    assert (error[0][:, -1] < 0.5 * error[0][:, 0]).all()
    assert (error[1][:, -1] < 0.5 * error[1][:, 0]).all()
    assert [store.attrs["stage"] for store in found.values()] == [
        "direct",
        "to corner 1",
        "from corner 1",
    ]


def test_the_second_stage_starts_exactly_where_the_first_ended(trained):
    """BatchNorm's statistics, too."""
    found = stores(trained)
    for split in ("train", "test"):
        name = f"{split}_predictions"
        last, first = found["to"][name][:, -1], found["from"][name][:, 0]
        np.testing.assert_array_equal(first, last)
        # It begins as the direct training does, for the seeds are the same.
        np.testing.assert_array_equal(found["to"][name][:, 0], found["direct"][name][:, 0])
    np.testing.assert_array_equal(found["from"]["weights"][:, 0], found["to"]["weights"][:, -1])


def test_the_manifest_says_what_it_started_from(trained):
    inputs = {name: Manifest.read(trained / f"{name}.json").inputs for name in ("to", "from")}
    assert inputs == {"to": {}, "from": inputs_of([trained / "to.zarr"])}


def test_killed_at_every_checkpoint_it_is_bit_equal(
    stages, tiny_dataset, trained, tmp_path, monkeypatch
):
    def die(path, state):
        save_state(path, state)
        raise Interrupted

    job = (stages["from"], tiny_dataset, tmp_path / "work", tmp_path / "from.zarr")
    with monkeypatch.context() as patch:
        patch.setattr(seed, "save_state", die)
        for _ in range(5):
            with pytest.raises(Interrupted):
                train_configuration(*job, start=trained / "to.zarr")
    train_configuration(*job, start=trained / "to.zarr")
    ours, theirs = (open_dataset(folder / "from.zarr").load() for folder in (tmp_path, trained))
    xr.testing.assert_identical(ours, theirs)
    assert Manifest.of(tmp_path / "from.zarr").files == Manifest.of(trained / "from.zarr").files


def test_only_seeds_whose_start_changed_are_trained_again(
    stages, tiny_dataset, trained, tmp_path, monkeypatch, caplog
):
    """As after a first stage that was trained again on a GPU."""
    Plan_ = (stages["from"], tiny_dataset, "")
    before = [
        seed.SeedTraining(Plan(*Plan_, trained / "to.zarr"), tmp_path, k)._origin for k in (0, 1)
    ]
    assert before[0] != before[1]
    manifest = Manifest.read(trained / "to.json")
    changed = {
        name: "0" if name.startswith("weights/c/1/") else sha256
        for name, sha256 in manifest.files.items()
    }
    Manifest(changed).write(tmp_path / "to.json")
    after = [
        seed.SeedTraining(Plan(*Plan_, tmp_path / "to.zarr"), tmp_path, k)._origin for k in (0, 1)
    ]
    assert after[0] == before[0]
    assert after[1] != before[1]


def test_another_first_stage_is_another_second_one(stages, tiny_dataset, trained):
    to = stages["to"]
    longer = to.model_copy(update={"training": to.training.model_copy(update={"epochs": 31})})
    other = stages["from"].model_copy(update={"start": longer})
    assert other.id != stages["from"].id
    store = trained / "to.zarr"
    assert (
        Plan(other, tiny_dataset, "", store).key
        != Plan(stages["from"], tiny_dataset, "", store).key
    )


def test_where_the_first_stage_diverged_so_does_the_second(
    tiny_configuration, tiny_dataset, tmp_path
):
    wild = SGDConfig(algorithm="sgd", learning_rate=1e30)
    direct = tiny_configuration(optimiser=wild, epochs=1)
    to, start = direct.stages(1, epochs=1)
    train_configuration(to, tiny_dataset, tmp_path / "work", tmp_path / "to.zarr")
    path = tmp_path / "from.zarr"
    train_configuration(start, tiny_dataset, tmp_path / "work", path, start=tmp_path / "to.zarr")
    store = open_dataset(path).load()
    assert store["diverged_step"].values.tolist() == [0, 0]
    assert store["train_predictions"].isnull().all()
    assert Start(tmp_path / "to.zarr").weights(0) is None


def test_a_start_must_be_given_if_and_only_if_there_is_one(stages, tiny_dataset, tmp_path):
    with pytest.raises(ConfigError, match="start = None, expected Net-Opt-to-corner-1-"):
        Plan(stages["from"], tiny_dataset, "")
    with pytest.raises(ConfigError, match="expected none"):
        Plan(stages["direct"], tiny_dataset, "", tmp_path / "to.zarr")
    plan = Plan(stages["from"], tiny_dataset, "", tmp_path / "nowhere.zarr")
    with pytest.raises(StoreError, match="nowhere.json: missing"):
        seed.SeedTraining(plan, tmp_path, 0)


def test_targets_are_the_corners_in_the_first_stage_only(stages, tiny_dataset):
    labels = torch.from_numpy(tiny_dataset.train_labels)
    expected = {"direct": labels, "to": torch.from_numpy(random_labels(60, 3, 1)), "from": labels}
    for name, configuration in stages.items():
        start = "to.zarr" if configuration.start else None
        found = Plan(configuration, tiny_dataset, "", start).targets(labels)
        assert torch.equal(found, expected[name]), name


def test_partly_random_labels_are_nested_and_uniform():
    labels = np.arange(6000) % 10
    some, more = (partly_random_labels(labels, 10, fraction) for fraction in (0.2, 0.5))
    changed = some != labels
    assert changed.mean() == pytest.approx(0.2 * 0.9, abs=0.02)
    np.testing.assert_array_equal(some[changed], more[changed])
    assert (more != labels).mean() == pytest.approx(0.5 * 0.9, abs=0.02)
    drawn = partly_random_labels(labels, 10, 1.0)
    assert np.abs(np.bincount(drawn) - 600).max() < 100
    np.testing.assert_array_equal(partly_random_labels(labels, 10, 0.0), labels)


def test_random_labels_are_trained_to_and_images_left_alone(tiny_dataset, tiny_configuration):
    plain = tiny_configuration(network=NETWORK)
    noisy = plain.model_copy(update={"augmentation": AugmentationConfig(random_labels=1.0)})
    plans = [Plan(configuration, tiny_dataset, "") for configuration in (plain, noisy)]
    assert plans[0].key != plans[1].key
    device = torch.device("cpu")
    (images, labels), (same, true) = (plan.samples("train", device) for plan in plans)
    assert torch.equal(labels, true) and torch.equal(images.images, same.images)
    assert plans[1].method(0).material.augmentations == {}
    assert torch.equal(plans[0].targets(labels), labels)
    drawn = partly_random_labels(labels.numpy(), 3, 1.0)
    assert plans[1].targets(labels).tolist() == drawn.tolist() != labels.tolist()
