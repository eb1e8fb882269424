import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations import jacobian
from hyperribbon.representations.metric import (
    log_volume_element,
    metric_spectrum,
    pullback_metric,
)


def small(seed, d, n):
    rng = np.random.default_rng(seed)
    W, b = torch.tensor(rng.normal(size=(n, d)) / d**0.5), torch.tensor(rng.normal(size=n))
    return (lambda x: torch.tanh(x @ W.T + b)), rng


def test_networks_of_the_oracle(deep):
    features, oracle = deep
    x = oracle["x"]
    np.testing.assert_allclose(pullback_metric(features, x), oracle["g"], rtol=1e-9)
    volume = log_volume_element(features, x)
    np.testing.assert_allclose(volume.log, oracle["logsqrtdet"], rtol=1e-9)
    assert (volume.rank == x.shape[1]).all()


@pytest.mark.parametrize("kind", ["Sigmoid", "Erf"])
def test_shallow_networks_of_the_oracle(o7, layers, kind):
    features = layers(kind.lower(), (o7[f"{kind}_W"], o7[f"{kind}_b"]))
    x = o7[f"{kind}_x"]
    np.testing.assert_allclose(pullback_metric(features, x), o7[f"{kind}_g"], rtol=1e-9)
    volume = np.exp(log_volume_element(features, x).log)
    np.testing.assert_allclose(volume, o7[f"{kind}_sqrtdet"], rtol=1e-9)


def test_a_metric_of_low_rank_has_the_volume_of_the_oracle_and_says_its_rank(o11, layers):
    features = layers("gelu", (o11["rankdef_W"], o11["rankdef_b"]))
    log, rank = log_volume_element(features, o11["rankdef_x"][None])
    # The oracle's features are not divided by the root of their number.
    np.testing.assert_allclose(log + 2.5 * np.log(5), o11["rankdef_log_pseudodet"], rtol=1e-9)
    assert rank == 5


@given(st.integers(0, 99), st.integers(1, 6), st.integers(1, 9), st.floats(0.1, 10))
def test_the_volume_is_that_of_the_eigenvalues_and_scales(seed, d, n, scale):
    features, rng = small(seed, d, n)
    x = rng.normal(size=(3, d))
    log, rank = log_volume_element(features, x)
    assert (rank == min(d, n)).all()
    values = metric_spectrum(features, x)
    assert values.shape == (3, min(d, n))
    np.testing.assert_allclose(log, np.log(values).sum(axis=1) / 2, rtol=1e-8, atol=1e-8)
    scaled = log_volume_element(lambda x: scale * features(x), x)
    np.testing.assert_allclose(scaled.log, log + rank * np.log(scale), rtol=1e-8, atol=1e-8)


@given(st.integers(0, 99))
def test_rotated_features_change_nothing_and_a_subspace_is_a_restriction(seed):
    features, rng = small(seed, 4, 7)
    x, U = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    rotation = torch.tensor(np.linalg.qr(rng.normal(size=(7, 7)))[0])
    g = pullback_metric(features, x)
    rotated = pullback_metric(lambda x: features(x) @ rotation, x)
    np.testing.assert_allclose(rotated, g, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(pullback_metric(features, x, U), U.T @ g @ U, rtol=1e-9, atol=1e-12)


def test_blocks_change_nothing(monkeypatch):
    features, rng = small(0, 150, 160)  # more than a strip of the Gram matrix
    x = rng.normal(size=(5, 150))
    g = pullback_metric(features, x)
    log = log_volume_element(features, x).log
    monkeypatch.setattr(jacobian, "BLOCK_BYTES", 8 * 2 * 150 * 160)
    np.testing.assert_allclose(pullback_metric(features, x), g, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(log_volume_element(features, x).log, log, rtol=1e-12)
    np.testing.assert_allclose(log, np.linalg.slogdet(g)[1] / 2, rtol=1e-11)


def test_units_that_are_off_lower_the_rank():
    x = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    log, rank = log_volume_element(torch.relu, x)
    assert rank.tolist() == [2, 1, 0]
    np.testing.assert_allclose(log[:2], [-np.log(2), -np.log(2) / 2])
    assert np.isnan(log[2])


def test_a_badly_conditioned_metric_keeps_its_digits():
    scales = torch.tensor([1.0, 1e-7], dtype=torch.float64)
    turn = torch.tensor([[0.6, 0.8], [-0.8, 0.6]], dtype=torch.float64)
    log, rank = log_volume_element(lambda x: (x @ turn) * scales, np.zeros((1, 2)))
    np.testing.assert_allclose(log, np.log(1e-7 / 2), rtol=1e-9)
    assert rank == 2


@pytest.mark.parametrize(
    ("features", "x", "subspace", "words"),
    [
        (torch.tanh, np.zeros(3), None, "x: shape (3,), expected (B, d)"),
        (torch.tanh, [[np.nan, 0.0]], None, "x: 1 numbers are NaN or infinite"),
        (torch.tanh, [["a"]], None, "x: entries of type text, expected real"),
        (torch.tanh, np.zeros((1, 3)), np.ones((2, 1)), "subspace: shape (2, 1), expected (3, k)"),
        (torch.tanh, np.zeros((1, 3)), np.ones((3, 2)), "subspace: 2 directions that span 1"),
        (torch.tanh, np.zeros((1100, 1000)), None, "x: 1100 metrics of 1000 x 1000 take over 8"),
        (torch.sum, np.zeros((1, 3)), None, "features: return () for one input"),
        (lambda x: x.long(), np.zeros((1, 3)), None, "features: return torch.int64, which is not"),
        (lambda x: x.detach(), np.zeros((1, 3)), None, "features: not differentiable"),
        (torch.sign, np.ones((2, 3)), None, "features: all derivatives are zero at every point"),
    ],
)
def test_bad_input_is_one_line(features, x, subspace, words):
    with pytest.raises(DataError) as error:
        pullback_metric(features, x, subspace)
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)
