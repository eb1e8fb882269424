import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hyperribbon.errors import DataError
from hyperribbon.representations.magnification import magnification, path_contrast


@given(st.integers(0, 99))
def test_correlations_are_those_of_ranks(seed):
    rng = np.random.default_rng(seed)
    volume, initial = rng.normal(size=(2, 3, 40))
    distance, radius = rng.normal(size=(2, 40)).round(1)  # with ties
    found = magnification(volume, distance, radius, initial)
    for values, plain, partial in (
        (volume, found.volume, found.volume_without_radius),
        (volume - initial, found.change, found.change_without_radius),
    ):
        for k in range(3):
            r = spearmanr(np.stack([values[k], distance, radius], axis=1)).statistic
            assert plain[k] == pytest.approx(r[0, 1])
            inverse = np.linalg.inv(r)
            expected = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
            assert partial[k] == pytest.approx(expected)


def test_a_volume_that_follows_the_radius_alone_shows_no_magnification_without_it():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 2))
    radius, distance = np.linalg.norm(x, axis=1), np.abs(x[:, 0])  # a line through the origin
    found = magnification(-radius, distance, radius)
    assert found.volume < -0.5
    assert np.isnan(found.volume_without_radius)  # the radius says all there is
    noisy = magnification(-radius + 0.1 * rng.normal(size=2000), distance, radius)
    assert noisy.volume < -0.5
    assert abs(noisy.volume_without_radius) < 0.05
    assert np.isnan(noisy.change)


def test_a_constant_has_no_correlation():
    assert np.isnan(magnification(np.ones(5), np.arange(5.0)).volume)


def test_contrast_takes_the_line_between_the_ends_out():
    grid = np.linspace(0, 1, 101)
    line = 3 - 2 * grid
    bump = 1.5 * np.exp(-(((grid - 0.3) / 0.05) ** 2))
    found = path_contrast([line, line + bump], [0.3, 0.3])
    np.testing.assert_allclose(found.contrast, [0, 1.5], atol=1e-9)
    np.testing.assert_allclose(found.peak, [0, 0.3], atol=0.011)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: magnification(np.zeros(3), np.zeros(3)), "log_volume: shape (3,), expected"),
        (lambda: magnification(np.zeros(5), np.zeros(4)), "distance: shape (4,), expected (5,)"),
        (lambda: magnification(np.zeros(5), np.full(5, np.inf)), "distance: 5 numbers are NaN"),
        (lambda: path_contrast(np.zeros((2, 5)), np.zeros(3)), "log_volume and position: shapes"),
        (lambda: path_contrast(np.zeros((1, 5)), [1.5]), "position: 1.5 to 1.5, expected 0 to 1"),
        (lambda: path_contrast([[0.0, np.nan, 1.0]], [0.5]), "log_volume: 1 numbers are NaN"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(DataError) as error:
        call()
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)
