"""Ensembles: how good the centroids are, and that they are made where they are sliced."""

import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.probability import Centroids, centroid, ensemble_scores, progress
from hyperribbon.probability.centroids import KINDS


def test_scores_are_those_of_the_centroids(random_models):
    P, labels = random_models(0, 4, 50, 5), np.arange(50) % 5
    scores = ensemble_scores(P, labels, smoothing=0.1)
    assert tuple(scores) == KINDS
    for kind, (loss, error, to_truth) in scores.items():
        q = centroid(P, kind)
        assert loss == pytest.approx(-np.log(q[np.arange(50), labels]).mean())
        assert error == (q.argmax(axis=1) != labels).mean()
        assert to_truth == progress(q, labels, smoothing=0.1)


def test_the_centroid_of_equal_models_is_that_model(random_models):
    P, labels = random_models(1, 1, 30, 3), np.arange(30) % 3
    loss = -np.log(P[0, np.arange(30), labels]).mean()
    for score in ensemble_scores(np.repeat(P, 3, axis=0), labels).values():
        assert score.loss == pytest.approx(loss)


def test_a_probability_of_0_is_no_infinite_loss():
    scores = ensemble_scores(np.array([[[1.0, 0.0]]] * 2), np.array([1]))
    assert scores["arithmetic"].loss == pytest.approx(-np.log(1e-30))


@pytest.mark.parametrize("kind", KINDS)
def test_centroids_of_trajectories(random_models, kind):
    seeds = [random_models(seed, 6, 20, 3).astype("f4") for seed in range(3)]
    whole = np.stack([centroid(np.stack([P[k] for P in seeds]), kind) for k in range(6)])
    made = Centroids(seeds, kind)
    assert made.shape == whole.shape
    assert len(made) == 6
    np.testing.assert_allclose(made[1:4, 5:9], whole[1:4, 5:9], rtol=1e-6)


def test_trajectories_of_other_checkpoints_are_not_averaged():
    P = np.full((3, 4, 2), 0.5)
    with pytest.raises(DataError, match=r"trajectories\[1\]: shape \(2, 4, 2\), expected that of"):
        Centroids([P, P[:2]], "arithmetic")
