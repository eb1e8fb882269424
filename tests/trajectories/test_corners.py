"""Trainings by a corner, on made-up models."""

import math

import numpy as np
import pandas as pd
import pytest

from hyperribbon.probability import bhattacharyya_distance, ignorance, truth
from hyperribbon.trajectories.corners import (
    approach_to_corner,
    distance_to_direct,
    expected_geodesic_distance,
    geodesic_distance_to_ignorance,
    rejoining,
)


def test_the_matrix_is_read_by_the_rows_of_a_training():
    class Rows:
        """As a Zarr array, but only few rows at a time."""

        def __init__(self, D):
            self.D, self.oindex = D, self

        def __getitem__(self, key):
            assert len(key[0]) <= 3
            return self.D[np.ix_(*key)]

    keys = {"network": "A", "optimiser": "O", "augmentation": "none"}
    stages = [("direct", 0), ("direct", 1), ("to corner 1", 0), ("from corner 1", 0)]
    table = pd.DataFrame(
        [{**keys, "configuration": s, "stage": s, "seed": k} for s, k in stages for _ in range(3)]
    )
    D = np.random.default_rng(0).random((12, 12))
    direct = (table["stage"] == "direct").to_numpy()
    found = distance_to_direct(table, Rows(D), direct, ~direct)
    np.testing.assert_array_equal(found[:6], np.nan)
    np.testing.assert_array_equal(found[6:], D[6:, :6].min(axis=1))


def test_only_trainings_that_are_alike_are_compared():
    keys = {"optimiser": "O", "augmentation": "none", "seed": 0}
    table = pd.DataFrame({"configuration": list("abc"), "network": list("NNM"), **keys})
    D = np.array([[0, 3, 1], [3, 0, 2], [1, 2, 0.0]])
    by_corner = np.array([True, False, True])
    found = distance_to_direct(table, D, ~by_corner, by_corner)
    np.testing.assert_array_equal(found, [3, np.nan, np.nan])


def test_the_approach_to_a_corner_is_half_the_loss_on_its_labels(random_models):
    P, labels = random_models(0, 3, 12, 4), np.arange(12) % 4
    distance, error = approach_to_corner(P, labels).T
    loss = -np.log(P[:, np.arange(12), labels]).mean(axis=1)
    np.testing.assert_allclose(distance, loss / 2)
    np.testing.assert_array_equal(error, (P.argmax(axis=2) != labels).mean(axis=1))
    smooth = approach_to_corner(P, labels, smoothing=0.2)[:, 0]
    np.testing.assert_allclose(smooth, bhattacharyya_distance(P, truth(labels, 4, 0.2)))


@pytest.mark.parametrize("C", [2, 3, 10])
def test_geodesics_from_random_labels_come_as_near_to_ignorance_as_expected(C):
    labels = np.repeat(np.arange(C), C)
    corner = np.tile(np.arange(C), C)  # 1 / C of them are true
    found = geodesic_distance_to_ignorance(truth(corner, C), truth(labels, C))
    assert found == pytest.approx(expected_geodesic_distance(C))
    assert found < bhattacharyya_distance(truth(labels, C), ignorance(len(labels), C))


def test_a_training_rejoins_when_it_first_comes_near():
    to_manifold = np.array([0.5, 0.15, 0.14, 0.2, 0.01])
    to_ignorance, progress = np.array([0.8, 0.3, 0.2, 0.1, 0.9]), np.linspace(0, 1, 5)
    found = rejoining(to_ignorance, to_manifold, progress, range(5))
    assert found == {
        "min_distance_to_ignorance": 0.1, "progress_at_min": 0.75,
        "rejoining_progress": 0.5, "rejoining_epoch": 2,
    }  # fmt: skip
    far = rejoining(to_ignorance, to_manifold + 1, progress, range(5))
    assert math.isnan(far["rejoining_progress"]) and math.isnan(far["rejoining_epoch"])
