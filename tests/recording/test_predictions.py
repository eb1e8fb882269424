import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier

import hyperribbon as hr
from hyperribbon.storage.manifest import Manifest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made.zarr"


def test_arrays_become_the_store_that_a_recorder_writes(path, P, labels):
    hr.record_predictions(
        path,
        P,
        labels,
        test_predictions=P[:, ::2],
        test_labels=labels[::2],
        network="Net",
        optimiser="SGD",
        seed=3,
        steps=[0, 2, 5, 7, 8],
        steps_per_epoch=4,
    )
    store = xr.open_zarr(path)
    np.testing.assert_array_equal(store["train_predictions"][0], P.astype(np.float32))
    np.testing.assert_array_equal(store["test_predictions"][0], P[:, ::2].astype(np.float32))
    assert store["step"].values.tolist() == [0, 2, 5, 7, 8]
    assert store["epoch"].values.tolist() == [0, 0.5, 1.25, 1.75, 2]
    assert store["seed"].values.tolist() == [3]
    truth = P[:, np.arange(12), labels]
    np.testing.assert_allclose(store["train_loss"][0], -np.log(truth).mean(axis=1), rtol=1e-5)
    assert Manifest.read(path.with_suffix(".json")) == Manifest.of(path)


def test_the_stages_of_boosting(tmp_path, path, listing):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2)), np.arange(60) % 3
    X[:, 0] += y
    boosting = GradientBoostingClassifier(n_estimators=4, random_state=0).fit(X, y)
    hr.record_predictions(path, boosting.staged_predict_proba(X), y, network="Boosting")
    store = xr.open_zarr(path)
    expected = np.stack(list(boosting.staged_predict_proba(X)))
    np.testing.assert_allclose(store["train_predictions"][0], expected, atol=1e-6)
    assert store["step"].values.tolist() == [0, 1, 2, 3]
    assert listing(tmp_path) == ["made.json", "made.zarr"]


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 4), st.integers(1, 6), st.integers(2, 5), st.sampled_from(["float32", "float64"])
)
def test_what_is_read_is_what_was_given(tmp_path_factory, k, n, c, dtype):
    path = tmp_path_factory.mktemp("any") / "any.zarr"
    P = np.random.default_rng(k).dirichlet(np.ones(c), size=(k, n)).astype(dtype)
    hr.record_predictions(path, iter(P), np.zeros(n, dtype=int), network="Any")
    found = xr.open_zarr(path)["train_predictions"].values
    np.testing.assert_array_equal(found, P[None].astype(np.float32))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_stored_normalised(path, P, labels, dtype):
    given = torch.from_numpy(P).to(dtype)
    hr.record_predictions(path, given, labels, network="Half")
    found = xr.open_zarr(path)["train_predictions"][0].values
    expected = given.double().numpy()
    np.testing.assert_allclose(
        found, expected / expected.sum(axis=2, keepdims=True), rtol=1e-6, atol=1e-9
    )
    hr.pairwise_distance(found)  # which wants sums of 1


BAD = {
    "step 1, train predictions: a row that sums to 2": lambda P: {"predictions": [P[0], 2 * P[1]]},
    "step 0, train predictions: shape (5, 12, 3)": lambda P: {"predictions": [P]},
    "test_predictions: only 4, expected equally many of each": lambda P: {
        "test_predictions": P[:4],
        "test_labels": np.arange(12) % 3,
    },
    "steps: only 2": lambda P: {"steps": [0, 1]},
    "predictions: only 5": lambda P: {"steps": range(6)},
    "step = 1: expected more than the previous step, 1": lambda P: {"steps": [0, 1, 1, 2, 3]},
    "test_predictions, test_labels: one without": lambda P: {"test_predictions": P},
    "network = 'a\\tb'": lambda P: {"network": "a\tb"},
    "predictions: of type dict, expected (N, C) for each": lambda P: {"predictions": {0: P[0]}},
    "predictions: of type DataFrame, expected": lambda P: {"predictions": pd.DataFrame(P[0])},
    "predictions, labels: one without the other": lambda P: {"predictions": None},
    "predictions, test_predictions: neither given": lambda P: {"predictions": None, "labels": None},
    "steps: of type int, expected integers": lambda P: {"steps": 5},
    "step = 100000000000000000000: expected an": lambda P: {"steps": [0, 1, 10**20, 3, 4]},
    "seed = 100000000000000000000: expected an": lambda P: {"seed": 10**20},
    "step 2, train predictions: 1 masked": lambda P: {
        "predictions": np.ma.masked_equal(P, P[2, 3, 1])
    },
    "train labels: 4 masked entries": lambda P: {
        "labels": np.ma.masked_equal(np.arange(12) % 3, 1)
    },
    "step 0, train predictions: negative entries": lambda P: {"predictions": np.log(P)},
    "step 0, train predictions: one output per sample, from 2 to 2": lambda P: {
        "predictions": np.full((5, 12, 1), 2),
        "labels": np.zeros(12, int),
    },
    "predictions, test_predictions: one iterator": lambda P: {
        "predictions": (rows := iter(P)),
        "test_predictions": rows,
        "test_labels": np.arange(12) % 3,
    },
}


@pytest.mark.parametrize("message", BAD)
def test_what_cannot_be_is_refused_and_leaves_nothing(path, P, labels, message, listing, tmp_path):
    given = {"predictions": P, "labels": labels, "network": "Net", **BAD[message](P)}
    with pytest.raises(hr.HyperribbonError) as error:
        hr.record_predictions(path, **given)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert listing(tmp_path) == []


def test_labels_and_predictions_of_other_kinds(path, P, labels, caplog):
    """Names, samples left out, one column, test samples alone, and the end of a training."""
    names = np.array(["no", "yes"])[labels % 2].tolist()
    p = P[:, :, :1].copy()
    p[3, 5] = np.nan
    hr.record_predictions(path, test_predictions=p, test_labels=names, network="Net (ü)")
    store = xr.open_zarr(path)
    expected = np.concatenate([1 - p, p], axis=2)[:3]
    np.testing.assert_allclose(store["test_predictions"][0, :3], expected, atol=1e-6)
    assert "train_predictions" not in store
    assert store.attrs["class_names"] == ["no", "yes"]
    assert store["diverged_step"].values.tolist() == [3]
    assert store["step"].values.tolist() == [0, 1, 2, 3]
    assert "diverged at step 3 (no finite predictions of 1 of 12 test samples)" in caplog.text
    left = np.where(np.arange(12) == 4, -100, labels)
    hr.record_predictions(path.with_name("left"), P, left, network="Net")
    store = xr.open_zarr(path.with_name("left.zarr"))
    assert store["train_index"].values.tolist() == [k for k in range(12) if k != 4]
    expected = np.delete(P, 4, axis=1).astype(np.float32)
    np.testing.assert_array_equal(store["train_predictions"][0], expected)


def test_nothing_is_overwritten_nor_predicted_in_vain(path, P, labels):
    hr.record_predictions(path, P, labels, network="Net")
    before = Manifest.of(path)

    def predictions():
        pytest.fail("predicted, though there is a store already")
        yield

    with pytest.raises(hr.StoreError, match="exists already, not replaced"):
        hr.record_predictions(path, predictions(), labels, network="Net")
    assert Manifest.of(path) == before
    with pytest.raises(hr.StoreError, match="no checkpoint was recorded"):
        hr.record_predictions(path.with_name("none.zarr"), [], labels, network="Net")


def test_what_was_killed_begins_anew(path, P, labels, monkeypatch):
    class Killed(BaseException):
        pass

    def predictions():
        yield from P[::-1][:3]
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr("hyperribbon.recording.recording.Recording.discard", lambda self: None)
        hr.record_predictions(path, predictions(), labels, network="Net", steps=[5, 6, 7, 8])
    assert path.with_suffix(".recording").exists()
    hr.record_predictions(path, P, labels, network="Net", steps=[6, 7, 8, 9, 10])
    store = xr.open_zarr(path)
    assert store["step"].values.tolist() == [6, 7, 8, 9, 10]
    np.testing.assert_array_equal(store["train_predictions"][0], P.astype(np.float32))
