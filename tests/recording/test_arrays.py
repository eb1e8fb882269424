import numpy as np
import pytest
import torch

import hyperribbon as hr
from hyperribbon.probability.distributions import check_size
from hyperribbon.recording.arrays import as_predictions, check_positive


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
    "P: one output per sample, from 0 to 3; expected probabilities": np.arange(4)[:, None],
    "P: shape (5,), expected (4, classes)": np.ones(5),
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


def test_one_column_and_rows_that_are_not_finite():
    p = np.array([0.25, 1, np.nan, 0])
    expected = np.array([[0.75, 0.25], [0, 1], [np.nan, np.nan], [1, 0]])
    for given in (p, p[:, None], torch.tensor(p)):
        np.testing.assert_array_equal(as_predictions(given, "P", 4, 2), expected)
    with pytest.raises(hr.DataError, match=r"P: shape \(4, 2\), expected \(4, 3\)"):
        as_predictions(p, "P", 4, 3)
    rows = np.array([[0.5, 0.5], [np.inf, 0.5]])
    np.testing.assert_array_equal(as_predictions(rows, "P", 2, 2), [[0.5, 0.5], [np.nan] * 2])
