import numpy as np
import pytest
import zarr

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.fidelity import explained_pairwise_distance
from hyperribbon.embedding.intervals import (
    explained_pairwise_distance_interval,
    explained_stress_interval,
)
from hyperribbon.errors import DataError


def test_groups_that_are_copies_leave_no_doubt(random_distances):
    """However they are drawn, it is the same set repeated."""
    one = random_distances(0, 7)
    D = np.tile(one, (4, 4))
    groups = np.repeat(["a", "b", "c", "d"], 7)
    inpca = InPCA(5, metric="precomputed").fit(D)
    stress, share = inpca.explained_stress_, inpca.explained_pairwise_distance_
    low, high = explained_stress_interval(D, groups, stress)
    np.testing.assert_allclose(low, stress, atol=1e-12)
    np.testing.assert_allclose(high, stress, atol=1e-12)
    low, high = explained_pairwise_distance_interval(
        D, inpca.embedding_, inpca.signature_, groups, share
    )
    np.testing.assert_allclose(low, share, atol=1e-12)
    np.testing.assert_allclose(high, share, atol=1e-12)


def test_groups_that_differ_leave_some(random_distances):
    D, groups = random_distances(1, 30), np.repeat(range(6), 5)
    stress = InPCA(40 // 2, metric="precomputed").fit(D).explained_stress_
    low, high = explained_stress_interval(D, groups, stress)
    assert (low < stress).all()
    assert (high[:10] > stress[:10]).all()
    assert (low >= 0).all()
    assert (high <= 1).all()


def test_draws_in_which_all_models_are_one_do_not_count(random_distances):
    """Three groups, one of models that never change: it alone is drawn now and then."""
    D = np.zeros((9, 9))
    D[3:, 3:] = random_distances(2, 6)
    D[:3, 3:] = 1.0
    D[3:, :3] = 1.0
    stress = InPCA(3, metric="precomputed").fit(D).explained_stress_
    low, high = explained_stress_interval(D, np.repeat(["still", "a", "b"], 3), stress)
    assert np.isfinite([low, high]).all()
    assert (low <= high).all()


def test_of_many_models_evenly_spaced_ones_are_used(random_distances, monkeypatch, tmp_path):
    monkeypatch.setattr("hyperribbon.embedding.intervals.MODELS", 10)
    D, groups = random_distances(1, 30), np.repeat(range(6), 5)
    few = np.arange(0, 30, 3)
    inpca = InPCA(3, metric="precomputed").fit(D)
    stress, X = inpca.explained_stress_, inpca.embedding_
    stored = zarr.create_array(tmp_path / "D.zarr", data=D)
    some = D[np.ix_(few, few)]
    expected = explained_stress_interval(some, groups[few], stress)
    for whole in (D, stored):
        np.testing.assert_array_equal(explained_stress_interval(whole, groups, stress), expected)
    share = inpca.explained_pairwise_distance_
    signature = inpca.signature_
    expected = explained_pairwise_distance_interval(some, X[few], signature, groups[few], share)
    found = explained_pairwise_distance_interval(stored, X, signature, groups, share)
    np.testing.assert_array_equal(found, expected)


def test_each_draw_has_the_stress_of_the_repeated_models(random_distances, monkeypatch):
    D = random_distances(1, 12)

    def interval(statistic, labels, estimate):
        chosen = np.repeat([0, 2, 1, 1], 3)
        found, rows = statistic(chosen.astype(float)), np.repeat(range(12), chosen)
        expected = InPCA(3, metric="precomputed").fit(D[np.ix_(rows, rows)]).explained_stress_
        np.testing.assert_allclose(found, expected, atol=1e-12)
        return estimate, estimate

    monkeypatch.setattr("hyperribbon.embedding.intervals.bootstrap_interval", interval)
    explained_stress_interval(D, np.repeat(range(4), 3), np.ones(3))
    with pytest.raises(DataError, match="D: not symmetric"):
        explained_stress_interval(np.triu(D), np.repeat(range(4), 3), np.ones(3))


def test_each_draw_is_what_the_drawn_models_explain(random_distances, monkeypatch):
    """As the plain function says it of multiplicities, and NaN if all models coincide."""
    D, groups = random_distances(1, 12), np.repeat(range(4), 3)
    D[:3, :3] = 0
    inpca = InPCA(3, metric="precomputed").fit(D)
    X, signature = inpca.embedding_, inpca.signature_
    draws = []

    def interval(statistic, labels, estimate):
        for chosen in ([1, 1, 1, 1], [0, 2, 1, 1], [4, 0, 0, 0]):
            weights = np.repeat(chosen, 3).astype(float)
            draws.append(
                (statistic(weights), explained_pairwise_distance(D, X, signature, weights))
            )
        return estimate, estimate

    monkeypatch.setattr("hyperribbon.embedding.intervals.bootstrap_interval", interval)
    explained_pairwise_distance_interval(D, X, signature, groups, np.ones(3))
    for found, expected in draws:
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.isnan(draws[-1][0]).all()
    with pytest.raises(DataError, match="embedding, signature: shapes"):
        explained_pairwise_distance_interval(D, X, signature[:2], groups, np.ones(3))
