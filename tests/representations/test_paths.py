import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations.paths import neighbour_paths, plane_through, straight_paths


def ring(number=60):
    angles = np.linspace(0, 2 * np.pi, number, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def test_paths_by_way_of_data_keep_to_them_and_are_evenly_spaced():
    data = ring()
    start, stop = data[[0, 7]], data[[25, 50]]
    found = neighbour_paths(data, start, stop, 33, neighbours=2)
    np.testing.assert_allclose(found[:, 0], start)
    np.testing.assert_allclose(found[:, -1], stop)
    assert (np.linalg.norm(found, axis=2) > 0.99).all()
    assert (np.linalg.norm(straight_paths(start, stop, 33), axis=2).min(axis=1) < 0.7).all()
    steps = np.linalg.norm(np.diff(found, axis=1), axis=2)
    np.testing.assert_allclose(steps, steps[:, :1] * np.ones(32), rtol=0.01)


def test_ends_that_are_no_samples_are_joined_too():
    found = neighbour_paths(ring(), [[1.1, 0.01]], [[-1.1, 0.01]], 9, neighbours=3)
    np.testing.assert_allclose(found[0, [0, -1]], [[1.1, 0.01], [-1.1, 0.01]])
    assert np.linalg.norm(found[0], axis=1).min() > 0.98


@given(st.integers(0, 99))
def test_a_plane_holds_its_corners(seed):
    corners = np.random.default_rng(seed).normal(size=(3, 7))
    plane = plane_through(corners)
    np.testing.assert_allclose(plane.basis.T @ plane.basis, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(plane.points(plane.corners), corners, atol=1e-12)
    np.testing.assert_allclose(plane.corners.mean(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: straight_paths(np.zeros((1, 2)), np.zeros((2, 2)), 3), "stop: shape (2, 2)"),
        (lambda: straight_paths(np.zeros((1, 2)), np.ones((1, 2)), 1), "steps: 1, expected at l"),
        (lambda: neighbour_paths(ring(), np.zeros((1, 3)), np.ones((1, 3)), 3), "samples: shape"),
        (
            lambda: neighbour_paths(ring(), ring()[:1], ring()[1:2], 3, neighbours=60),
            "neighbours: 60, expected 1 to 59",
        ),
        (
            lambda: neighbour_paths(
                np.concatenate([ring(), ring() + 50]), ring()[:1], ring()[:1] + 50, 3, neighbours=2
            ),
            "neighbours: 2: they do not join pair 0",
        ),
        (lambda: plane_through(np.zeros((2, 5))), "points: shape (2, 5), expected (3, d)"),
        (lambda: plane_through(np.arange(3.0)[:, None] * np.ones(4)), "points: all three on a l"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(DataError) as error:
        call()
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)
