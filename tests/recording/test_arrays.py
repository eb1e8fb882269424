import numpy as np
import pandas as pd
import pytest
import torch

import hyperribbon as hr
from hyperribbon.probability.distributions import check_size
from hyperribbon.recording.arrays import as_labels, as_predictions, check_positive

CLASSES = np.array([0, 2, 1, 2])

LABELS = {
    "list": CLASSES.tolist(),
    "uint8": CLASSES.astype(np.uint8),
    "uint64": CLASSES.astype(np.uint64),
    "objects": CLASSES.astype(object),
    "tensor of int8": torch.tensor(CLASSES, dtype=torch.int8),
    "Series": pd.Series(CLASSES, index=[7, 5, 3, 1]),
    "categories": pd.Series(CLASSES).astype("category"),
    "nullable": pd.Series(CLASSES, dtype="Int64"),
    "backwards": CLASSES[::-1].copy()[::-1],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_are_the_same_integers(kind):
    found = as_labels(LABELS[kind], "labels")
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, CLASSES)


def test_labels_are_a_copy_and_booleans_are_two_classes():
    given = CLASSES.copy()
    found = as_labels(given, "labels")
    given[:] = 0
    np.testing.assert_array_equal(found, CLASSES)
    np.testing.assert_array_equal(as_labels(CLASSES > 0, "labels"), [0, 1, 1, 1])


names = np.array(["cat", "dog", "cat", "cow"])
NO_LABELS = {
    "x: no integers; expected classes 0, 1, ... in the order of the outputs": [
        names,
        names.astype(object),
        pd.Series(names).astype("category"),
        None,
        [10**30],
    ],
    "x: shape (4, 3), expected integers of shape (N,); argmax(axis=1) of one-hot": [np.eye(4, 3)],
    "x: shape (4, 1), expected integers of shape (N,); use ravel()": [CLASSES[:, None]],
    "x: shape (4,) of float64, expected integers": [CLASSES * 1.0],
    "x: of type list_iterator, expected an array of integers": [iter([0, 1])],
    "x: from -100 to 2, expected 0 or more": [np.array([-100, 0, 2])],
    "x: 2 masked entries, expected none": [np.ma.masked_equal(CLASSES, 2)],
    "x: on the meta device": [torch.zeros(4, dtype=torch.long, device="meta")],
}


@pytest.mark.parametrize("message", NO_LABELS)
def test_what_is_no_labels_is_refused_in_one_line(message):
    for values in NO_LABELS[message]:
        with pytest.raises(hr.DataError) as error:
            as_labels(values, "x")
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("n_classes", [2, 10, 1000])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_softmax_in_half_precision_is_kept_normalised(dtype, n_classes):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(200, n_classes, generator=generator).to(dtype)
    exponentials = (logits - logits.amax(1, keepdim=True)).exp()
    rounded = as_predictions(logits.softmax(1), "P", 200, None)
    exact = logits.double().softmax(1).numpy()
    np.testing.assert_allclose(rounded, exact, rtol=torch.finfo(dtype).eps, atol=1e-7)
    for P in (logits.softmax(1), exponentials / exponentials.sum(1, keepdim=True)):
        kept = as_predictions(P, "P", 200, None)
        assert kept.dtype == np.float32
        np.testing.assert_allclose(kept.sum(axis=1, dtype=np.float64), 1, atol=1e-6)
        if dtype == torch.float16:
            np.testing.assert_array_equal(as_predictions(P.numpy(), "P", 200, None), kept)


def test_half_precision_is_no_excuse_for_other_sums_and_named_where_it_is_hidden():
    P = torch.full((4, 3), 0.25).bfloat16()
    with pytest.raises(hr.DataError, match="a row that sums to 0.75"):
        as_predictions(P, "P", 4, 3)
    hidden = torch.tensor([[0.1, 0.2, 0.7]]).bfloat16().float() * 1.002
    with pytest.raises(hr.DataError, match=r"computed in half precision\? take the softmax in fl"):
        as_predictions(hidden, "P", 1, 3)


NO_PREDICTIONS = {
    "P: one output per sample is no distribution over classes": np.ones((4, 1)),
    "P: shape (4,), expected (4, classes)": np.ones(4),
    'take the softmax of logits (a Recorder does so with outputs="logits")': np.log(
        np.full((4, 2), 0.5)
    ),
    "P: 4 masked entries": np.ma.masked_greater(np.tile([0.1, 0.9], (4, 1)), 0.5),
    "P: on the meta device": torch.ones(4, 3, device="meta"),
}


@pytest.mark.parametrize("message", NO_PREDICTIONS)
def test_what_is_no_predictions_is_refused_in_one_line(message):
    with pytest.raises(hr.DataError) as error:
        as_predictions(NO_PREDICTIONS[message], "P", 4, None)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_numbers_have_bounds():
    assert check_size(np.int64(3), "step", least=0) == 3
    with pytest.raises(hr.DataError, match="step = 100000000000000000000: expected an integer, 0 "):
        check_size(10**20, "step", least=0)
    assert check_positive(np.float32(2.5), "x") == 2.5
    for value in (0, -1, np.nan, np.inf, 10**400, "5", True, None):
        with pytest.raises(hr.DataError, match="expected a number above 0"):
            check_positive(value, "x")
