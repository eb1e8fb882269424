"""The samples that set each model apart."""

import numpy as np
import pytest

from hyperribbon.analysis.apart import samples_apart
from hyperribbon.analysis.explain import explain_distance
from hyperribbon.errors import DataError
from hyperribbon.probability import geodesic, ignorance, progress, truth

LABELS = np.arange(12) % 3


def test_they_are_those_that_contribute_most(random_models):
    P = random_models(0, 5, 12, 3)
    s = progress(P, LABELS)
    found = samples_apart([P[:2], P[2:]], LABELS, s, count=4)
    reference = geodesic(ignorance(12, 3), truth(LABELS, 3), s)
    for k in range(5):
        parts = explain_distance(P[k], reference[k], LABELS)
        largest = np.argsort(-parts.contribution.values)[:4]
        assert found.sample[k].tolist() == largest.tolist()
        assert found.distance[k] == pytest.approx(parts.total)
        np.testing.assert_allclose(found.share[k], parts.contribution[largest] / parts.total)
        assert found.predicted[k].tolist() == P[k].argmax(axis=1)[largest].tolist()


def test_without_labels_models_are_compared_with_their_mean(random_models):
    P = random_models(0, 5, 12, 3)
    found = samples_apart(P, count=2)
    parts = explain_distance(P[3], P.mean(axis=0))
    assert found.sample[3].tolist() == np.argsort(-parts.contribution.values)[:2].tolist()


def test_a_model_on_the_geodesic_is_not_apart():
    P = geodesic(ignorance(12, 3), truth(LABELS, 3), [0.5])
    found = samples_apart(P, LABELS, np.array([0.5]), count=50)
    assert found.sample.shape == (1, 12)
    assert found.distance[0] < 1e-12
    assert np.isfinite(found.share).all()


def test_the_number_of_models_is_checked(random_models):
    with pytest.raises(DataError, match="progress: 3 values, expected one per model, 5"):
        samples_apart(random_models(0, 5, 12, 3), LABELS, np.zeros(3))
    with pytest.raises(DataError, match="progress: 0 values"):
        samples_apart(random_models(0, 5, 12, 3), LABELS)
