"""The Boston housing table inside mlxtend."""

import mlxtend.data
import numpy as np
import pytest

from hyperribbon.data import boston
from hyperribbon.errors import DataError


def test_it_has_506_rows_of_13_inputs_and_prices():
    inputs, targets = boston.load()
    assert inputs.shape == (506, 13)
    assert targets.shape == (506,)
    assert inputs.dtype == targets.dtype == np.float64
    assert (targets.min(), targets.max()) == (5.0, 50.0)


@pytest.mark.parametrize("changed", [0, 1])
def test_an_altered_table_is_refused(monkeypatch, changed):
    arrays = [array.copy() for array in mlxtend.data.boston_housing_data()]
    arrays[changed].flat[77] += 1
    monkeypatch.setattr(mlxtend.data, "boston_housing_data", lambda: arrays)
    with pytest.raises(DataError, match=f"data set boston: .*expected {boston.SHA256}"):
        boston.load()
