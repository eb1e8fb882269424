import numpy as np
import pytest
import xarray as xr

import hyperribbon as hr
from hyperribbon.errors import StoreError
from hyperribbon.storage.models import Models

N = 12
X = np.random.default_rng(0).normal(size=(N, 2))
TEST = X[:6] + 1
LABELS = np.zeros(N, int)  # which agree in every order


@pytest.fixture
def record(tmp_path):
    """Function recording a training on some inputs; returns its store."""

    def make(name, inputs=X, test=TEST, labels=LABELS):
        path = tmp_path / f"{name}.zarr"
        with hr.Recorder(
            path, inputs, labels, test_inputs=test, test_labels=labels[:6], network=name
        ) as rec:
            rec.checkpoint(lambda batch: np.log(np.tile([0.2, 0.8], (len(batch), 1))), 0)
        return path

    return make


def refusal(*paths):
    with pytest.raises(StoreError) as error:
        Models(paths)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_same_samples_in_the_same_order_agree(record):
    images = X.astype(np.float32).reshape(N, 1, 2)
    paths = [record("a"), record("b"), record("images", images)]
    assert len(Models(paths)) == 3
    hashes = [xr.open_zarr(path)["train_input_hash"] for path in paths]
    assert hashes[0].dims == ("train_sample",)
    np.testing.assert_array_equal(hashes[0], hashes[2])


SWAPPED = [1, 0, *range(2, N)]
OTHERS = {
    "in reverse": (X[::-1], "sample 0 is sample 11 of"),
    "two of them": (X[SWAPPED], "sample 0 is sample 1 of"),
    "in single precision": (X[SWAPPED].astype(np.float32), "sample 0 is sample 1 of"),
    "some of them": (np.concatenate([X[4:], X[:4] * 2]), "sample 0 is sample 4 of"),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_samples_in_another_order_are_refused_though_labels_agree(record, kind):
    inputs, message = OTHERS[kind]
    a, b = record("a"), record("b", inputs)
    assert refusal(a, b).startswith(f"{b}: train {message} {a}; expected the same samples in the")
    c = record("c", test=TEST[::-1])
    assert refusal(a, c).startswith(f"{c}: test sample 0 is sample 5 of {a}")


def test_other_features_of_the_samples_are_allowed_but_not_in_another_order(record, tmp_path):
    a, b = record("a"), record("b", inputs=X**2, test=np.exp(TEST))
    hr.record_predictions(  # whose inputs nobody knows
        tmp_path / "made", np.full((5, N, 2), 0.5), LABELS,
        test_predictions=np.full((5, 6, 2), 0.5), test_labels=LABELS[:6], network="Made",
    )  # fmt: skip
    made = tmp_path / "made.zarr"
    assert len(Models([made, a, b])) == 7
    c = record("c", inputs=X[::-1] ** 2, test=np.exp(TEST))
    assert refusal(made, a, b, c).startswith(f"{c}: train sample 0 is sample 11 of {b}")


def test_samples_that_occur_twice_say_nothing(record):
    twice = X.copy()
    twice[5] = twice[2]
    moved = twice.copy()
    moved[5], moved[7] = X[5], X[2]  # elsewhere, but it occurs twice
    assert len(Models([record("a", twice), record("b", moved)])) == 2


def test_classes_of_other_names_are_refused(record):
    names = np.array(["no", "yes"])
    a, b = record("a", labels=names[np.arange(N) % 2]), record("b", labels=np.arange(N) % 2)
    assert len(Models([a, b])) == 2
    c = record("c", labels=np.array(["cat", "dog"])[np.arange(N) % 2])
    assert refusal(a, b, c) == (
        f"{c}: classes ['cat', 'dog'], expected those of {a}, ['no', 'yes']"
    )
