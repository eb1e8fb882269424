import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import geodesic, ignorance, progress, truth
from hyperribbon.probability.shuffling import shuffled_within_classes


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(0, 2**32 - 1))
def test_every_sample_takes_the_place_of_one_of_its_class(labels, seed):
    labels = np.array(labels)
    permutation = shuffled_within_classes(labels, seed)
    assert sorted(permutation) == list(range(len(labels)))
    np.testing.assert_array_equal(labels[permutation], labels)


def test_all_permutations_are_equally_likely():
    labels = np.array([0, 1, 0, 0])
    found = [tuple(shuffled_within_classes(labels, seed)) for seed in range(1200)]
    counts = np.unique(found, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (np.abs(counts - 200) < 60).all()


def test_what_a_model_is_alone_stays_and_what_two_share_goes(random_models):
    labels = np.arange(300) % 3
    P = random_models(0, 2, 300, 3)
    P[1] = 0.9 * P[0] + 0.1 * P[1]  # nearly the same
    Q = np.stack([P[k, shuffled_within_classes(labels, k)] for k in range(2)])
    np.testing.assert_allclose(progress(Q, labels), progress(P, labels), atol=1e-6)
    curve = geodesic(ignorance(300, 3), truth(labels, 3), np.linspace(0, 1, 5))
    np.testing.assert_allclose(pairwise_distance(curve, Q), pairwise_distance(curve, P))
    assert pairwise_distance(Q)[0, 1] > 10 * pairwise_distance(P)[0, 1]


def test_labels_that_are_none_are_refused():
    with pytest.raises(DataError, match="labels"):
        shuffled_within_classes(np.array([0.5, 1.0]), 0)
