import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.probability import as_distributions, ignorance, truth


def test_ignorance_and_truth():
    assert ignorance(2, 5).tolist() == [[0.2] * 5] * 2
    assert truth(np.array([2, 0]), 3).tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 3], "from 0 to 3, expected 0 to 2"),
        ([-1, 2], "from -1 to 2, expected 0 to 2"),
        ([0.0, 1.0], "float64, expected integers"),
        ([[0, 1]], "shape (1, 2)"),
    ],
)
def test_impossible_labels_are_refused(labels, words):
    with pytest.raises(DataError) as error:
        truth(np.array(labels), 3)
    assert str(error.value).startswith("labels: ")
    assert words in str(error.value)


def test_float32_rows_are_normalised_in_float64():
    P = np.random.default_rng(0).dirichlet(np.ones(10), size=50).astype(np.float32)
    assert np.abs(P.astype(np.float64).sum(axis=1) - 1).max() > 1e-9
    rows = as_distributions(P)
    assert rows.dtype == np.float64
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-15)
    np.testing.assert_allclose(rows, P, atol=1e-6)


@pytest.mark.parametrize(
    ("P", "words"),
    [
        (np.ones(3) / 3, "shape (3,)"),
        (np.empty((2, 0)), "shape (2, 0)"),
        ([[0.5, np.nan]], "not finite"),
        ([[np.inf, 0.0]], "not finite"),
        # Negative entries are found though the row sums to 1.
        ([[1.5, -0.5]], "negative entries, down to -0.5"),
        ([[0.5, 0.5], [0.5, 0.501]], "sums to 1.001"),
    ],
)
def test_rows_that_are_no_distributions_are_refused(P, words):
    with pytest.raises(DataError) as error:
        as_distributions(P, "models")
    assert str(error.value).startswith("models: ")
    assert words in str(error.value)
