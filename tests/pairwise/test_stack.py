"""Models of any sequence of arrays, as one array."""

import numpy as np
import pytest
import zarr

from hyperribbon.errors import DataError
from hyperribbon.pairwise.stack import Stack

KEYS = [
    slice(None), slice(2, 5), slice(4, 4), slice(None, None, 2), 3, -1, np.array([5, 0, 5]),
    (slice(1, 6), slice(0, 2)), (2, np.array([1, 0])), (np.array([4, 1]), 2), (0, 1, 2),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_stack_is_sliced_like_an_array(random_models, key):
    P = random_models(0, 7, 4, 3)
    stack = Stack([P[:2], zarr.array(P[2:6].reshape(2, 2, 4, 3)), P[6]], "P")
    np.testing.assert_array_equal(stack[key], P[key])
    assert stack[key].dtype == stack.dtype == np.float64


def test_a_stack_in_a_stack(random_models):
    P = random_models(0, 7, 4, 3).astype(np.float32)
    outer = Stack([Stack([P[:3], P[3:5]], "P"), P[5:]], "P")
    np.testing.assert_array_equal(outer[:], P)
    assert outer.dtype == np.float32


@pytest.mark.parametrize(
    ("P", "words"),
    [
        ([], "P: empty"),
        (7, "P: int, expected an array of models"),
        (np.zeros((1, 2, 3, 4, 5)), "P: shape .*, expected"),
        ([np.ones((2, 3, 4)), np.ones((2, 4, 4))], r"P: models of shapes \(3, 4\) and \(4, 4\)"),
    ],
)
def test_what_is_no_set_of_models(P, words):
    with pytest.raises(DataError, match=words):
        Stack(P, "P")
