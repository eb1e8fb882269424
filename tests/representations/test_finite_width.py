"""Random layers of finite width against the infinite one."""

import numpy as np
import pytest
import torch

from hyperribbon.errors import DataError
from hyperribbon.representations.activations import find_activation
from hyperribbon.representations.finite_width import finite_widths
from hyperribbon.representations.infinite_width import InfiniteWidth

VARIANCES = {"weight_variance": 1.3, "bias_variance": 0.4}
RADIUS = np.hypot(0.2, 1.1)


@pytest.fixture(scope="module")
def of_erf():
    return finite_widths([100, 400, 1600, 6400, 25600], [RADIUS], draws=50, **VARIANCES)


def test_deviations_fall_as_one_over_the_width(of_erf):
    for rate in (of_erf.metric_rate, of_erf.asymmetry_rate):
        assert rate.error < 0.05
        assert abs(rate.slope + 1) < 4 * rate.error
    assert (of_erf.asymmetry < of_erf.metric_deviation).all()


def test_scalars_of_wide_layers_are_those_of_the_limit(of_erf):
    np.testing.assert_allclose(of_erf.scalar_limit, -2.5241493, rtol=1e-7)
    np.testing.assert_allclose(of_erf.scalar_mean[-1], of_erf.scalar_limit, atol=0.03)
    assert 0.5 < of_erf.scalar_sd[0, 0] < 1.1  # 0.65 in an earlier run with fewer draws
    assert 0.04 < of_erf.scalar_sd[-1, 0] < 0.06
    np.testing.assert_allclose(of_erf.volume_mean[-1], of_erf.volume_limit, atol=0.01)


@pytest.mark.parametrize(("activation", "d"), [("erf", 2), ("tanh", 3)])
def test_the_deviation_is_the_variance_of_one_unit(activation, d):
    n, rng = 200_000, np.random.default_rng(5)
    W, b = 1.3**0.5 * rng.standard_normal((n, d)), 0.4**0.5 * rng.standard_normal(n)
    slope = find_activation(activation).slope(torch.from_numpy(RADIUS * W[:, 0] + b)).numpy()
    terms = slope[:, None, None] ** 2 * W[:, :, None] * W[:, None, :]
    x = RADIUS * np.eye(1, d)
    size = np.linalg.norm(InfiniteWidth(activation, **VARIANCES).metric(x)[0])
    expected = np.sqrt(terms.var(0).sum()) / size
    widths = np.array([50, 100, 200])
    found = finite_widths(
        widths, [RADIUS], dimension=d, activation=activation, draws=400, **VARIANCES
    )
    np.testing.assert_allclose(found.metric_deviation[:, 0], expected / widths**0.5, rtol=0.1)


def test_many_directions_show_all_of_an_asymmetry():
    """Of few units the metric is uneven; the closest symmetric one is at most as far as the limit's
    and, over many directions, hardly follows a draw."""
    found = finite_widths([20, 30, 40], [0.5, 2.0], draws=30, directions=60)
    assert (found.asymmetry < found.metric_deviation).all()
    assert (found.asymmetry > 0.3 * found.metric_deviation).all()


def test_layers_with_relu_are_flat():
    found = finite_widths([50, 100, 200], [1.0], activation="relu", draws=20)
    assert not found.scalar_mean.any() and not found.scalar_limit.any()


def test_draws_repeat_and_have_shapes_of_widths_and_radii():
    first, again, other = (
        finite_widths([20, 40, 80], [0.5, 1.0], draws=3, directions=2, random_state=seed)
        for seed in (1, 1, 2)
    )
    assert first.metric_deviation.shape == first.scalar_sd.shape == (3, 2)
    assert first.volume_limit.shape == (2,)
    assert np.array_equal(first.scalar_mean, again.scalar_mean)
    assert not np.array_equal(first.scalar_mean, other.scalar_mean)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"widths": [100, 200]}, r"widths: \[100, 200\], expected at least 3 increasing numbers"),
        ({"widths": [200, 100, 400]}, "expected at least 3 increasing numbers of units"),
        ({"widths": [2, 4, 8]}, "above the dimension 2"),
        ({"widths": [10.5, 20, 40]}, "expected at least 3 increasing numbers of units"),
        ({"radii": [0.0, 1.0]}, r"radii: \[0.0, 1.0\], expected a list of distances above 0"),
        ({"radii": []}, r"radii: \[\], expected a list of distances above 0"),
        ({"dimension": 1}, "dimension, draws, directions: 1, 100, 8, expected at least 2 of each"),
        ({"draws": 1}, "expected at least 2 of each"),
        ({"weight_variance": -1}, "weight_variance: -1, expected a number above 0"),
        ({"activation": "selu"}, "activation: 'selu' is unknown, expected one of erf"),
    ],
)
def test_bad_arguments(change, words):
    with pytest.raises(DataError, match=words):
        finite_widths(**{"widths": [20, 40, 80], "radii": [1.0]} | change)
