import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations.boundary import boundary_distance, crossings, plane_boundary
from hyperribbon.representations.paths import straight_paths


@given(st.floats(0.01, 0.49), st.floats(0.51, 0.99))
def test_every_crossing_of_a_path_is_found_with_its_classes(first, second):
    def classify(x):
        return (x[:, 0] > first).astype(int) + 2 * (x[:, 0] > second)

    paths = straight_paths([[0.0, 5.0], [1.0, 5.0]], [[1.0, 5.0], [0.0, 5.0]], 3)
    found = crossings(classify, paths, 1e-9)
    assert found.path.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(found.position, [first, second, 1 - second, 1 - first], atol=1e-9)
    assert found.before.tolist() == [0, 1, 3, 1]
    assert found.after.tolist() == [1, 3, 1, 0]
    np.testing.assert_allclose(found.point[:, 0], [first, second, second, first], atol=1e-9)
    np.testing.assert_array_equal(found.point[:, 1], 5.0)


def test_a_third_class_within_a_segment_is_the_one_named():
    found = crossings(lambda x: (3 * x[:, 0]).astype(int), [[[0.0], [0.9]]])
    assert (found.before[0], found.after[0]) in {(0, 1), (1, 2)} or found.before[0] == 0
    np.testing.assert_allclose(found.position, [1 / 2.7], atol=1e-5)
    assert found.after.tolist() == [1]


def test_paths_within_a_class_have_no_crossing():
    found = crossings(lambda x: np.zeros(len(x)), np.zeros((3, 4, 2)))
    assert len(found.path) == len(found.position) == len(found.point) == 0


def test_a_circle_and_distances_from_it():
    axis = np.linspace(-1.5, 1.5, 61)
    boundary = plane_boundary(lambda x: (x**2).sum(axis=1) < 1, axis, axis)
    np.testing.assert_allclose(np.linalg.norm(boundary, axis=1), 1, atol=1e-6)
    points = np.random.default_rng(0).normal(size=(50, 2))
    expected = np.abs(np.linalg.norm(points, axis=1) - 1)
    np.testing.assert_allclose(boundary_distance(points, boundary), expected, atol=0.025)
    far = expected > 0.3
    np.testing.assert_allclose(
        boundary_distance(points, boundary)[far], expected[far], atol=0.05**2 / (8 * 0.3) + 1e-6
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: crossings(len, np.zeros((2, 3))), "paths: shape (2, 3), expected (P, T, d)"),
        (lambda: crossings(len, np.full((1, 2, 1), np.inf)), "paths: 2 numbers are NaN or infin"),
        (lambda: crossings(len, np.zeros((1, 2, 1))), "classify: returned shape"),
        (lambda: boundary_distance(np.zeros((1, 2)), np.zeros((0, 2))), "boundary: no points"),
    ],
)
def test_bad_input_is_one_line(call, words):
    with pytest.raises(DataError) as error:
        call()
    assert str(error.value).startswith(words)
    assert "\n" not in str(error.value)
