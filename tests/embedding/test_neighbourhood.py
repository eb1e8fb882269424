import numpy as np
import pandas as pd
import pytest
import zarr

from hyperribbon.embedding.neighbourhood import for_classes, is_away, nearest_within, places
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


def test_places_are_named_by_what_is_near(tmp_path):
    """Two networks of two seeds and two checkpoints, on a line."""
    x = np.array([0.0, 1.0, 0.1, 1.1, 5.0, 9.0, 5.1, 9.2])
    models = pd.DataFrame(
        {"configuration": list("aaaabbbb"), "network": list("AAAABBBB"), "augmentation": "none",
         "seed": [0, 0, 1, 1] * 2}
    )  # fmt: skip
    D = abs(x[:, None] - x)
    alpha = np.array([0, 0.02, 0.5, 0.98, 1])
    to_geodesic = np.array([x, x, abs(x - 0.5), abs(x - 1), abs(x - 1)])
    stored = zarr.create_array(tmp_path / "D.zarr", data=D)
    for distance in (D, stored):
        found = places(models, distance, to_geodesic, alpha, n_classes=10, geodesic_radius=0.15)
        assert found["near_end"].tolist() == ["none", "A", "none", "A", "none", "B", "none", "B"]
        near = ["0.02", "0.98", "0.02", "0.98", "none", "none", "none", "none"]
        assert found["near_geodesic"].tolist() == near
        assert found["away"].tolist() == [False] * 4 + [True] * 4
        np.testing.assert_array_equal(found["distance_to_ignorance"], x)
    augmented = models.assign(augmentation=["none"] * 4 + ["flip"] * 4)
    found = places(augmented, D, to_geodesic, alpha, n_classes=10, geodesic_radius=0.15)
    assert found["near_end"].iloc[[1, 5]].tolist() == ["A none", "B flip"]
