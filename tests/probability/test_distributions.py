import numpy as np
import pytest
import torch

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
        (np.empty((0, 2, 3)), "shape (0, 2, 3)"),
        (np.empty((1, 0, 3)), "shape (1, 0, 3)"),
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


def test_smoothed_truth_is_what_torch_trains_on():
    labels = torch.tensor([2, 0, 1, 1])
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.15).item()
    rows = truth(labels, 3, smoothing=0.15)
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-15)
    assert -(rows * torch.log_softmax(logits, 1).numpy()).sum(axis=1).mean() == pytest.approx(loss)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, np.nan, "a"])
def test_impossible_smoothing_is_refused(smoothing):
    with pytest.raises(DataError, match="smoothing = .*: expected a number in \\[0, 1\\)"):
        truth([0, 1], 2, smoothing=smoothing)


def test_impossible_sizes_are_refused():
    with pytest.raises(DataError, match="n_samples = 0: expected an integer, 1 or more"):
        ignorance(0, 3)
    with pytest.raises(DataError, match="n_classes = 2.5: expected an integer"):
        truth([0, 1], 2.5)
    with pytest.raises(DataError, match="labels: empty"):
        truth(np.array([], dtype=int), 3)


def test_any_array_is_taken(random_models, holder):
    P = random_models(0, 7, 6, 4)
    np.testing.assert_allclose(as_distributions(holder(P)), P, rtol=1e-14)
    np.testing.assert_allclose(as_distributions(holder(P.astype(np.float32))), P, rtol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_arrays_on_a_gpu_are_taken(random_models):
    P = random_models(0, 7, 6, 4)
    np.testing.assert_allclose(as_distributions(torch.tensor(P).cuda()), P, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, int])
def test_what_is_given_is_not_changed(dtype):
    P = np.array([[1, 0], [0, 1]], dtype=dtype) * dtype(1.00001)
    before = P.copy()
    rows = as_distributions(P)
    rows[:] = 7
    np.testing.assert_array_equal(P, before)


@pytest.mark.parametrize(
    ("P", "words"),
    [
        ([[0.5, 0.5], [1.0]], "not an array of numbers"),
        ([["a", "b"]], "expected real numbers"),
        ([[0.5 + 0j, 0.5]], "complex128, expected real numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(P, words):
    with pytest.raises(DataError, match=f"^P: .*{words}"):
        as_distributions(P)
