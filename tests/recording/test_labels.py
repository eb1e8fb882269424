import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import hyperribbon as hr
from hyperribbon.recording.labels import IGNORED, Kept, read_labels

CLASSES = np.array([0, 2, 1, 2])
NAMES = np.array(["cat", "dog", "cow", "dog"])

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
    "column": CLASSES[:, None],
    "list of columns": list(CLASSES[:, None]),
    "list of tensors": list(torch.tensor(CLASSES)),
    "names": NAMES,
    "list of names": NAMES.tolist(),
    "objects that are names": NAMES.astype(object),
    "Series of names": pd.Series(NAMES),
    "categories in another order": pd.Categorical(NAMES, categories=["dog", "cat", "cow"]),
}


def read(values, n_classes=None):
    return read_labels({"train": values}, n_classes)


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_kind_are_the_same_integers(kind):
    labels, names = read(LABELS[kind])
    assert labels["train"].classes.dtype == np.int64
    if names is None:
        np.testing.assert_array_equal(labels["train"].classes, CLASSES)
    else:  # in scikit-learn's order
        assert names == ["cat", "cow", "dog"]
        np.testing.assert_array_equal(labels["train"].classes, [0, 2, 1, 2])
    assert labels["train"].shape == (4,) and not labels["train"].ignored


def test_labels_are_a_copy_and_booleans_are_two_classes():
    given = CLASSES.copy()
    labels, _ = read(given)
    given[:] = 0
    np.testing.assert_array_equal(labels["train"].classes, CLASSES)
    assert read(CLASSES > 0)[0]["train"].classes.tolist() == [0, 1, 1, 1]


def test_names_are_those_of_all_splits():
    labels, names = read_labels({"train": ["b", "a"], "test": ["c", "b"]})
    assert names == ["a", "b", "c"]
    assert [labels[split].classes.tolist() for split in ("train", "test")] == [[1, 0], [2, 1]]


NO_LABELS = {
    "train labels: entries of type": [NAMES.astype("S"), np.array(["2020-01-01"], "M8[D]")],
    "train labels: ": [None, [10**30], ["a", None], ["a", 1], [[0, 1], [1]], "abc", [["a"], "b"]],
    "train labels: shape (4, 3) of float64, expected integers or names; argmax": [np.eye(4, 3)],
    "train labels: one-hot rows, expected classes; use argmax(axis=1)": [np.eye(4, dtype=int)],
    "train labels: shape (4,) of float64, expected integers": [CLASSES * 1.0],
    "train labels: of type list_iterator, expected an array": [iter([0, 1])],
    "train labels: from -1 to 2, expected 0 or more, or -100": [np.array([-1, 0, 2])],
    "train labels: 2 are None, expected integers or names": [[None, "a", None], [None, 0, None]],
    "train labels: all are -100": [np.full(3, IGNORED)],
    "train labels: shape (1, 1, 2), expected (N,), or (N, T)": [np.array([[[0, 1]]])],
    "train labels: 2 masked entries, expected none": [np.ma.masked_equal(CLASSES, 2)],
    "train labels: on the meta device": [torch.zeros(4, dtype=torch.long, device="meta")],
}


@pytest.mark.parametrize("message", NO_LABELS)
def test_what_is_no_labels_is_refused_in_one_line(message):
    for values in NO_LABELS[message]:
        with pytest.raises(hr.DataError) as error:
            read(values)
        assert str(error.value).startswith(message)
        assert "\n" not in str(error.value)


def test_numbers_of_classes_agree():
    with pytest.raises(hr.DataError, match="train labels: from 0 to 2, expected 0 to 1"):
        read(CLASSES, 2)
    with pytest.raises(hr.DataError, match="n_classes = 5: the labels are 3 names; expected as"):
        read(NAMES, 5)
    with pytest.raises(hr.DataError, match="names and numbers; expected one kind"):
        read_labels({"train": NAMES, "test": CLASSES})


@given(
    arrays(np.int64, st.tuples(st.integers(1, 6), st.integers(2, 4)), elements=st.integers(0, 2)),
    st.integers(1, 4),
    st.data(),
)
def test_batches_together_keep_what_counts(classes, size, data):
    """Of tokens, and of one per sample: as NumPy selects them."""
    ignored = data.draw(arrays(bool, classes.shape))
    ignored[0, 0] = False
    for labels_of in (
        np.where(ignored, IGNORED, classes),
        np.where(ignored, IGNORED, classes)[:, 0],
    ):
        if labels_of.ndim == 2 and labels_of.min() >= 0 and (labels_of.sum(axis=1) == 1).all():
            continue  # one-hot
        labels = read(labels_of)[0]["train"]
        outputs = np.random.default_rng(0).normal(size=(*labels_of.shape, 3))
        expected = outputs[labels_of != IGNORED]
        np.testing.assert_array_equal(labels.classes, labels_of[labels_of != IGNORED])
        n = len(labels_of)
        parts = [slice(start, min(start + size, n)) for start in range(0, n, size)]
        found = [labels.kept(part).rows(outputs[part], "P") for part in parts]
        np.testing.assert_array_equal(np.concatenate(found), expected)
        np.testing.assert_array_equal(labels.kept().rows(torch.tensor(outputs), "P"), expected)
        assert labels.ignored == (labels_of == IGNORED).sum()


def test_outputs_of_another_shape_are_refused():
    for shape in ((4, 3), (2, 4), (2, 4, 5, 3), (3, 4, 5)):
        with pytest.raises(hr.DataError, match=r"P: shape .*, expected \(2, 4, classes\)"):
            Kept((2, 4)).rows(np.zeros(shape), "P")
