import numpy as np
import pytest

from hyperribbon.embedding.neighbourhood import for_classes, is_away, nearest_within
from hyperribbon.errors import DataError
from hyperribbon.probability import bhattacharyya_distance, ignorance, truth


def test_radii_grow_as_the_distance_from_ignorance_to_truth():
    labels = np.zeros(5, dtype=int)
    between = {c: bhattacharyya_distance(ignorance(5, c), truth(labels, c)) for c in (2, 10, 100)}
    for c, distance in between.items():
        assert for_classes(2.0, c) / 2.0 == pytest.approx(distance / between[10])
        assert not is_away(np.array([distance]), c).any()


def test_nearest_within_takes_the_nearest(random_distances):
    distance = random_distances(0, 9)[:4]
    found = nearest_within(distance, 1.0)
    for model, which in enumerate(found):
        if which < 0:
            assert (distance[:, model] > 1).all()
        else:
            assert distance[which, model] == distance[:, model].min() <= 1
    assert set(found) > {-1}


def test_no_points_is_an_error():
    with pytest.raises(DataError, match="expected \\(points, models\\)"):
        nearest_within(np.empty((0, 3)), 1.0)
