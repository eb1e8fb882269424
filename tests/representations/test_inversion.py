"""The inversion of curves whose minimum is known, and what never inverts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations.inversion import inversion_point, stragglers, turning_points

DATA = Path(__file__).parents[1] / "data"
T = np.arange(100)


def curves(*bottoms, rise=0.003):
    """Radii (S, T, 2), both halves of a curve with a minimum near each of some places."""
    one = [np.exp(-T / b * 4) + rise * np.maximum(T - b, 0) for b in bottoms]
    return np.repeat(np.stack(one)[..., None] / 2, 2, axis=-1)


def test_the_first_minimum_is_found_with_its_error():
    radii = curves(20, 40)
    errors = np.linspace(0.5, 0, 100) * np.ones((2, 1))
    found = inversion_point(radii, np.zeros((2, 100, 2, 2)), errors, steps=10 * T)
    exact = radii.sum(axis=-1).argmin(axis=1)
    assert np.abs(found.record - exact).max() <= 2
    np.testing.assert_array_equal(found.step, 10 * found.record)
    np.testing.assert_allclose(found.error, errors[[0, 1], found.record])
    assert (found.low <= found.step).all() and (found.step <= found.high).all()
    np.testing.assert_array_equal(found.radius_steps, np.repeat(found.step[:, None], 2, axis=1))
    assert found.inverts.all() and np.isnan(found.distance_steps).all()


def test_what_never_inverts_is_a_result():
    falling = np.repeat(np.exp(-T / 20)[None, :, None], 2, axis=2)
    radii = np.concatenate([falling, 1 - falling, np.ones_like(falling), curves(20)])
    found = inversion_point(radii, np.zeros((4, 100, 2, 2)), np.zeros((4, 100)))
    assert found.inverts.tolist() == [False, False, False, True]
    assert np.isnan(found.step[:3]).all() and np.isnan(found.error[:3]).all()
    wrong = np.zeros((4, 100, 6), dtype=bool)
    with pytest.raises(DataError, match="3 of 4 trainings never invert, so they have no"):
        stragglers(wrong, found)


def test_observables_turn_on_their_own():
    radii = np.stack([curves(20)[0, :, 0], curves(50)[0, :, 0]], axis=-1)
    distances = np.zeros((100, 2, 2))
    distances[:, 0, 1] = distances[:, 1, 0] = 1 - curves(35)[0, :, 0]
    found = inversion_point(radii, distances, np.zeros(100))
    first, last = found.radius_steps
    assert first < found.step < last
    assert first < found.distance_steps < last


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.floats(-5, 5))
def test_it_depends_on_no_scale_and_noise_is_smoothed(seed, factor, shift):
    rng = np.random.default_rng(seed)
    curve = curves(30)[0].sum(axis=-1)
    at = turning_points(curve)
    assert turning_points(factor * curve + shift) == at
    noisy = curve + 0.002 * rng.standard_normal(100)
    assert abs(turning_points(noisy, window=9) - at) <= 12


def test_a_wiggle_in_the_fast_phase_does_not_count():
    curve = curves(30)[0].sum(axis=-1)
    wiggling = curve.copy()
    wiggling[2:4] += 0.3
    assert turning_points(wiggling, window=1) == turning_points(curve, window=1)
    shallow = curves(30, rise=0.0001)[0].sum(axis=-1)
    assert turning_points(shallow) == -1
    assert turning_points(shallow, rise=0.001) > 0


def test_of_the_oracle_the_radius_of_label_0_turns_where_it_says():
    history = np.load(DATA / "o5_slice.npz")["history"]
    distances = np.zeros((300, 2, 2))
    distances[:, 0, 1] = distances[:, 1, 0] = history[:, 5]
    found = inversion_point(history[:, 3:5], distances, history[:, 1], window=1)
    assert found.radius_steps[0] == 105  # it rises first at 106
    assert 105 < found.step < found.radius_steps[1]
    assert abs(found.step - found.distance_steps) < 5


def test_stragglers_are_those_at_the_inversion():
    rng = np.random.default_rng(0)
    wrong = rng.random((2, 100, 12)) < 0.3
    found = inversion_point(curves(20, 40), np.zeros((2, 100, 2, 2)), np.zeros((2, 100)))
    expected = np.stack([wrong[k, found.record[k]] for k in range(2)])
    np.testing.assert_array_equal(stragglers(wrong, found), expected)


RADII, APART, ERRORS = curves(20)[0], np.zeros((100, 2, 2)), np.zeros(100)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((RADII, APART, ERRORS[:5]), "radii, distances and errors of shapes"),
        ((RADII, APART[:, :1], ERRORS), "radii, distances and errors of shapes"),
        ((RADII[:2], APART[:2], ERRORS[:2]), "radii: 2 records, expected at least 3"),
        ((RADII * np.nan, APART, ERRORS), "radii: not all values are finite"),
        ((RADII, APART, ERRORS + np.inf), "errors: not all values are finite"),
    ],
)
def test_what_is_no_curve_is_refused(arguments, message):
    with pytest.raises(DataError, match=message):
        inversion_point(*arguments)


def test_steps_and_masks_of_other_shapes_are_refused():
    with pytest.raises(DataError, match=r"steps of shape \(5,\): expected \(100,\)"):
        inversion_point(RADII, APART, ERRORS, steps=T[:5])
    found = inversion_point(RADII, APART, ERRORS)
    with pytest.raises(DataError, match=r"wrong: int64 of shape \(100,\), expected bool"):
        stragglers(T, found)
    with pytest.raises(DataError, match="wrong: 5 records, expected those from which"):
        stragglers(np.zeros((5, 3), dtype=bool), found)
