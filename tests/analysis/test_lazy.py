"""Labelled arrays that are read where they are sliced."""

import numpy as np
import pytest
import zarr

from hyperribbon.analysis.lazy import lazy_array
from hyperribbon.probability.arrays import sliceable

WHOLE = np.arange(60).reshape(5, 4, 3)


class Counting:
    """An array that knows what was read of it."""

    shape, dtype = WHOLE.shape, WHOLE.dtype

    def __init__(self):
        self.read = []

    def __getitem__(self, key):
        self.read.append(key)
        return WHOLE[key]


@pytest.mark.parametrize(
    "key",
    [
        (slice(None),), (2,), (slice(1, 4, 2), 0), (slice(None, None, -1),),
        (slice(4, 0, -2), slice(None), 1), ([3, 0, 3],), (slice(0, 0),), (-1, [1, 2], slice(None)),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("holder", [np.asarray, zarr.array])
def test_it_is_sliced_like_an_array(key, holder):
    array = lazy_array(holder(WHOLE), ("x", "y", "z"), {})
    rows = [np.arange(n)[part] for part, n in zip(key, WHOLE.shape, strict=False)]
    expected = WHOLE
    for axis in reversed(range(len(rows))):
        expected = np.take(expected, rows[axis], axis)
    np.testing.assert_array_equal(array[key].values, expected)


def test_nothing_is_read_before_it_is_needed():
    source = Counting()
    array = lazy_array(source, ("x", "y", "z"), {"y": list("abcd")})
    part = array[1:3].sel(y="c")
    assert source.read == []
    assert "[6 values" in repr(part)
    np.testing.assert_array_equal(part, WHOLE[1:3, 2])
    (read,) = source.read
    assert read[:2] == (slice(1, 3, 1), 2)


def test_functions_of_models_read_it_in_parts():
    source = Counting()
    models = sliceable(lazy_array(source, ("model", "sample", "class"), {}), "P")
    assert (models.shape, models.dtype, len(models)) == (WHOLE.shape, WHOLE.dtype, 5)
    assert source.read == []
    np.testing.assert_array_equal(models[1:3, 2:], WHOLE[1:3, 2:])
    assert [read[0] for read in source.read] == [slice(1, 3, 1)]
