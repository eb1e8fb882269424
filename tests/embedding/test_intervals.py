import numpy as np
import pytest
import zarr

from hyperribbon.embedding import InPCA, align
from hyperribbon.embedding.fidelity import explained_pairwise_distance
from hyperribbon.embedding.intervals import (
    explained_pairwise_distance_draws,
    explained_pairwise_distance_interval,
    explained_stress_draws,
    explained_stress_interval,
    rmsd_interval,
    second_eigenvalue_interval,
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


def test_draws_of_two_statistics_take_the_same_groups(random_distances):
    """A distance and its double explain equally much in every draw."""
    D, groups = random_distances(1, 30), np.repeat(range(6), 5)
    inpca = InPCA(3, metric="precomputed").fit(D)
    stress, share = inpca.explained_stress_, inpca.explained_pairwise_distance_
    draws = [explained_stress_draws(factor * D, groups, stress) for factor in (1, 2)]
    assert draws[0].shape == (100, 3)
    np.testing.assert_allclose(*draws, atol=1e-9)
    X, signature = inpca.embedding_, inpca.signature_
    draws = [
        explained_pairwise_distance_draws(factor * D, X * factor**0.5, signature, groups, share)
        for factor in (1, 2)
    ]
    np.testing.assert_allclose(*draws, atol=1e-9)


def test_the_second_eigenvalue_has_an_interval_of_its_ratio(random_distances):
    D, groups = random_distances(1, 30), np.repeat(range(6), 5)
    values = InPCA(2, metric="precomputed").fit(D).eigenvalues_
    ratio = values[1] / values[0]
    low, high = second_eigenvalue_interval(D, groups, ratio)
    assert -1 <= low <= ratio <= high <= 1
    # A time-like second dimension, far from the others in size.
    u, v = np.random.default_rng(0).normal(size=(2, 60))
    D = 4 * (u[:, None] - u) ** 2 - (v[:, None] - v) ** 2
    found = InPCA(2, metric="precomputed").fit(D).eigenvalues_
    low, high = second_eigenvalue_interval(D, range(60), found[1] / found[0])
    assert high < 0
    assert np.isnan(second_eigenvalue_interval(D, ["one"] * 60, -0.5)).all()


def test_every_draw_is_aligned_anew(random_distances):
    """An embedding that was rotated and moved has an RMSD of 0 whatever is drawn."""
    rng = np.random.default_rng(0)
    B, groups = rng.normal(size=(40, 3)), np.repeat(range(8), 5)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    low, high = rmsd_interval(B @ rotation + 1, B, np.ones(3), groups, 0.0)
    assert (low, high) == (0, pytest.approx(0, abs=1e-12))
    moved = B + 0.1 * rng.normal(size=B.shape)
    rmsd = align(moved, B, np.ones(3)).rmsd
    low, high = rmsd_interval(moved, B, np.ones(3), groups, rmsd)
    assert 0.5 * rmsd < low < rmsd < high < 1.5 * rmsd


def test_each_draw_has_the_stress_of_the_repeated_models(random_distances, monkeypatch):
    D = random_distances(1, 12)

    def interval(statistic, labels, estimate):
        chosen = np.repeat([0, 2, 1, 1], 3)
        found, rows = statistic(chosen.astype(float)), np.repeat(range(12), chosen)
        expected = InPCA(3, metric="precomputed").fit(D[np.ix_(rows, rows)]).explained_stress_
        np.testing.assert_allclose(found, expected, atol=1e-12)
        return np.array([estimate])

    monkeypatch.setattr("hyperribbon.embedding.intervals.bootstrap_draws", interval)
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
        return np.array([estimate])

    monkeypatch.setattr("hyperribbon.embedding.intervals.bootstrap_draws", interval)
    explained_pairwise_distance_interval(D, X, signature, groups, np.ones(3))
    for found, expected in draws:
        np.testing.assert_allclose(found, expected, atol=1e-12)
    assert np.isnan(draws[-1][0]).all()
    with pytest.raises(DataError, match="embedding, signature: shapes"):
        explained_pairwise_distance_interval(D, X, signature[:2], groups, np.ones(3))
