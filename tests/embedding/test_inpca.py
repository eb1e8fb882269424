"""InPCA: what it computes. How it behaves as an estimator is in test_estimator.py."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.embedding import InPCA, explained_pairwise_distance
from hyperribbon.pairwise import pairwise_distance

seeds = st.integers(0, 2**32 - 1)
FITTED = ("eigenvalues_", "explained_stress_", "explained_pairwise_distance_", "signature_")


def precomputed(n_components=3, **parameters):
    return InPCA(n_components, metric="precomputed", **parameters)


def assert_same_fit(a, b, atol=1e-10):
    for name in FITTED:
        np.testing.assert_allclose(getattr(a, name), getattr(b, name), rtol=1e-9, atol=atol)


def same_directions(X, reference):
    """X with axes turned as the reference's; an axis has no direction."""
    return X * np.where((X * reference).sum(axis=0) < 0, -1, 1)


def test_agrees_with_the_oracle(o1):
    D = o1["D"][:29, :29]
    inpca = precomputed(n_components=None).fit(D)
    np.testing.assert_allclose(inpca.eigenvalues_, o1["evals"], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(inpca.explained_stress_, o1["explained_stress"], atol=1e-9)
    inpca = precomputed(n_components=10).fit(D)
    expected = o1["xp"][:, :10]
    np.testing.assert_allclose(
        same_directions(inpca.embedding_, expected), expected, rtol=1e-9, atol=1e-11
    )
    np.testing.assert_allclose(inpca.explained_stress_, o1["explained_stress"][:10], rtol=1e-9)
    np.testing.assert_allclose(
        inpca.explained_pairwise_distance_, o1["explained_pairwise_distance"], rtol=1e-9
    )
    assert inpca.signature_.tolist() == np.sign(o1["evals"][:10]).tolist()


def test_places_new_models_as_the_oracle_does(o1):
    inpca = precomputed(n_components=6).fit(o1["D"][:29, :29])
    sign = np.sign((inpca.embedding_ * o1["xp"][:, :6]).sum(axis=0))
    new = inpca.transform(o1["DQ"][:, :29])
    np.testing.assert_allclose(new * sign, o1["lazy_Q"], rtol=1e-9, atol=1e-11)


def test_weights_agree_with_the_oracle(o1, o1_weighted):
    inpca = precomputed(n_components=10)
    X = inpca.fit_transform(o1["D"][:29, :29], sample_weight=o1_weighted["mult"])
    total = o1_weighted["mult"].sum()  # the oracle's weighted eigenvalues are of mu = mult / total
    for expected in (o1_weighted["repeat_e"], total * o1_weighted["weighted_e"]):
        np.testing.assert_allclose(inpca.eigenvalues_, expected, rtol=1e-9)
    for expected in (o1_weighted["repeat_xp"], o1_weighted["weighted_xp"]):
        np.testing.assert_allclose(same_directions(X, expected), expected, rtol=1e-9, atol=1e-11)


def test_models_of_the_oracle_give_its_embedding(o1):
    """Distances among rows 0 to 27, which have support in common, from the models themselves."""
    D, P = o1["D"][:28, :28], o1["P"][:28]
    from_models, from_distances = InPCA(5).fit(P), precomputed(5).fit(D)
    assert_same_fit(from_models, from_distances)
    np.testing.assert_allclose(from_models.embedding_, from_distances.embedding_, atol=1e-9)
    np.testing.assert_allclose(
        from_models.transform(o1["Q"]), from_distances.transform(o1["DQ"][:, :28]), atol=1e-9
    )


@pytest.mark.parametrize(
    "metric", ["bhattacharyya", "symmetric_kl", "geodesic", "hellinger", "euclidean"]
)
def test_every_metric_is_that_of_pairwise_distance(metric, random_models):
    P = random_models(1, 12, 6, 4)
    D = pairwise_distance(P, metric=metric)
    from_models, from_distances = InPCA(3, metric=metric).fit(P[:9]), precomputed().fit(D[:9, :9])
    np.testing.assert_allclose(from_models.embedding_, from_distances.embedding_, atol=1e-10)
    np.testing.assert_allclose(
        from_models.transform(P[9:]), from_distances.transform(D[9:, :9]), atol=1e-10
    )
    np.testing.assert_allclose(from_models.transform(P[:9]), from_models.embedding_, atol=1e-9)


@given(seed=seeds, m=st.integers(2, 25))
@settings(deadline=None, max_examples=40)
def test_all_components_give_back_the_distances(random_distances, minkowski, seed, m):
    D = random_distances(seed, m)
    inpca = precomputed(n_components=None).fit(D)
    np.testing.assert_allclose(minkowski(inpca.embedding_, inpca.signature_), D, atol=1e-10)
    assert inpca.explained_pairwise_distance_[-1] == pytest.approx(1, abs=1e-10)
    assert inpca.explained_stress_.shape == (m,)
    assert (np.diff(inpca.explained_stress_) >= 0).all()
    assert inpca.explained_stress_[0] > 0
    assert inpca.explained_stress_[-1] == 1
    assert (inpca.residuals_ < 1e-9).all()


@given(seed=seeds, m=st.integers(4, 25), k=st.integers(1, 4), weighted=st.booleans())
@settings(deadline=None, max_examples=40)
def test_fitted_models_return_to_their_coordinates(random_distances, seed, m, k, weighted):
    D = random_distances(seed, m)
    weights = np.random.default_rng(seed).uniform(0.1, 5, m) if weighted else None
    inpca = precomputed(k)
    embedding = inpca.fit_transform(D, sample_weight=weights)
    assert embedding.shape == (m, k)
    np.testing.assert_allclose(inpca.transform(D), embedding, atol=1e-10)
    np.testing.assert_allclose(inpca.transform(D[1:3]), embedding[1:3], atol=1e-10)
    np.testing.assert_array_equal(embedding.max(axis=0), np.abs(embedding).max(axis=0))


@given(
    seed=seeds,
    weights=st.lists(st.integers(0, 4), min_size=5, max_size=15).filter(
        lambda w: sum(x > 0 for x in w) > 3
    ),
    solver=st.sampled_from(["full", "block"]),
)
@settings(deadline=None, max_examples=60)
def test_weights_are_repetitions_and_zero_is_out_of_sample(random_distances, seed, weights, solver):
    D = random_distances(seed, len(weights))
    weighted = precomputed(3, solver=solver, random_state=0).fit(D, sample_weight=weights)
    index = np.repeat(np.arange(len(weights)), weights)
    repeated = precomputed(3, solver=solver, random_state=1).fit(D[np.ix_(index, index)])
    assert_same_fit(weighted, repeated)
    np.testing.assert_allclose(weighted.embedding_[index], repeated.embedding_, atol=1e-8)
    # Those of weight 0 too, which the repeated fit has never seen.
    np.testing.assert_allclose(weighted.embedding_, repeated.transform(D[:, index]), atol=1e-8)
    np.testing.assert_allclose(weighted.transform(D), repeated.transform(D[:, index]), atol=1e-8)
    np.testing.assert_allclose(
        explained_pairwise_distance(D, weighted.embedding_, weighted.signature_, weights),
        weighted.explained_pairwise_distance_,
        atol=1e-10,
    )


def test_equal_weights_change_nothing_but_the_scale_of_eigenvalues(random_distances):
    D = random_distances(3, 20)
    plain = precomputed().fit(D)
    ones, threes = (precomputed().fit(D, sample_weight=np.full(20, w)) for w in (1, 3.0))
    for name in ("embedding_", *FITTED):
        # Not to the bit: BLAS rounds by how its operands happen to be aligned.
        one, of_plain = getattr(ones, name), getattr(plain, name)
        np.testing.assert_allclose(one, of_plain, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(threes.embedding_, plain.embedding_, atol=1e-12)
    np.testing.assert_allclose(threes.eigenvalues_, 3 * plain.eigenvalues_, rtol=1e-12)
    np.testing.assert_allclose(threes.explained_stress_, plain.explained_stress_, rtol=1e-12)


@pytest.mark.parametrize("solver", ["full", "block"])
def test_a_distance_added_to_all_moves_no_new_model(solver, random_distances):
    """Row means are taken out (2.2.9)."""
    D = random_distances(3, 150)
    inpca = precomputed(3, solver=solver, random_state=0).fit(D)
    np.testing.assert_allclose(inpca.transform(D + 1e4), inpca.embedding_, atol=1e-9)


def test_weight_draws_the_origin_to_a_point(random_distances):
    weights = np.ones(10)
    weights[4] = 1e6
    X = precomputed(2).fit_transform(random_distances(2, 10), sample_weight=weights)
    assert np.abs(X[4]).max() < 1e-3
    assert np.abs(X).max() > 0.1


@given(seed=seeds, solver=st.sampled_from(["full", "block"]))
@settings(deadline=None, max_examples=20)
def test_order_of_models_does_not_matter(random_models, seed, solver):
    D = pairwise_distance(random_models(seed, 12, 6, 4))
    order = np.random.default_rng(seed).permutation(12)
    first, second = (
        precomputed(solver=solver, random_state=0).fit(d) for d in (D, D[np.ix_(order, order)])
    )
    assert_same_fit(first, second)
    np.testing.assert_allclose(
        same_directions(second.embedding_, first.embedding_[order]),
        first.embedding_[order],
        atol=1e-8,
    )


@pytest.mark.parametrize("sample_weight", [None, np.arange(400) % 4])
def test_block_solver_agrees_with_the_full_one(random_models, sample_weight):
    """On distances of models, of which several leading axes are time-like."""
    P = random_models(0, 400, 5, 4, spread=0.1)
    D = pairwise_distance(P)
    full = precomputed(20, solver="full").fit(D, sample_weight=sample_weight)
    block = precomputed(20, solver="block", random_state=3).fit(D, sample_weight=sample_weight)
    assert (full.signature_ == -1).sum() > 2
    assert_same_fit(block, full)
    np.testing.assert_allclose(block.embedding_, full.embedding_, atol=1e-7)
    np.testing.assert_allclose(block.transform(D[:9]), full.embedding_[:9], atol=1e-7)
    assert (block.residuals_ < 1e-9).all()
    W = D - D.mean(axis=0) - D.mean(axis=1)[:, None] + D.mean()
    if sample_weight is None:
        u = block.embedding_ / np.linalg.norm(block.embedding_, axis=0)
        residual = np.linalg.norm(-0.5 * W @ u - u * block.eigenvalues_, axis=0)
        np.testing.assert_allclose(
            block.residuals_, residual / np.abs(block.eigenvalues_), rtol=0.1, atol=1e-13
        )


def test_block_solver_is_deterministic(random_distances):
    D = random_distances(1, 150)
    first, second, other = (
        precomputed(solver="block", random_state=seed).fit(D) for seed in (5, 5, 6)
    )
    np.testing.assert_array_equal(first.embedding_, second.embedding_)
    assert (first.embedding_ != other.embedding_).any()
    np.testing.assert_allclose(first.embedding_, other.embedding_, atol=1e-8)


def test_explained_stress_of_the_block_solver_keeps_its_last_digits(minkowski):
    """Two axes hold all but 1e-10 of the distances: 1 - stress is far below their rounding."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 5)) * [1, 0.5, 1e-5, 1e-5, 1e-5]
    D = minkowski(X, np.ones(5))
    for solver in ("full", "block"):
        inpca = precomputed(2, solver=solver, random_state=0).fit(D)
        small = np.linalg.svd(X - X.mean(axis=0), compute_uv=False) ** 2
        left = np.sqrt((small[2:] ** 2).sum() / (small**2).sum())
        assert 1 - inpca.explained_stress_[1] == pytest.approx(left, rel=1e-4)
        assert inpca.explained_stress_[1] < 1


def test_degenerate_axes_do_not_spoil_the_others(minkowski):
    # Points on a line: only one axis has a length, the other eigenvalues are rounding errors.
    x = np.array([0.0, 1.0, 3.0, 7.0])
    D = (x[:, None] - x) ** 2
    inpca = precomputed(n_components=4).fit(D)
    assert inpca.eigenvalues_[1:].tolist() == [0, 0, 0]
    assert inpca.signature_.tolist() == [1, 1, 1, 1]
    np.testing.assert_array_equal(inpca.embedding_[:, 1:], 0)
    np.testing.assert_allclose(minkowski(inpca.embedding_, inpca.signature_), D, atol=1e-12)
    new = inpca.transform(np.array([[81.0, 64, 36, 4], [1e8, 3, 7, 1e7]]))
    assert new[0] == pytest.approx([inpca.embedding_[3, 0] + 2, 0, 0, 0], abs=1e-12)
    np.testing.assert_array_equal(new[:, 1:], 0)
    assert (inpca.residuals_ < 1e-12).all()


@pytest.mark.parametrize("solver", ["full", "block"])
def test_rounding_errors_are_no_axes(solver, minkowski):
    """300 points of a plane far from the origin: the other 298 eigenvalues are cut to 0."""
    X = np.random.default_rng(1).normal([50.0, 0.0], size=(300, 2))
    inpca = precomputed(20, solver=solver, random_state=0).fit(minkowski(X, np.array([1, -1])))
    assert sorted(inpca.signature_[:2]) == [-1, 1]
    np.testing.assert_array_equal(inpca.eigenvalues_[2:], 0)
    np.testing.assert_allclose(inpca.explained_stress_[1:], 1)


def test_two_models_that_coincide():
    inpca = precomputed(2).fit(np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    np.testing.assert_allclose(inpca.embedding_[1], inpca.embedding_[2], atol=1e-15)


def test_axes_of_points_whose_signature_is_known(minkowski):
    """Points of a plane with one time-like direction, longer than the space-like one."""
    X = np.random.default_rng(4).normal(size=(12, 2)) * [3.0, 1.0]
    D = minkowski(X, np.array([-1, 1]))
    inpca = precomputed(2).fit(D)
    assert inpca.signature_.tolist() == [-1, 1]
    assert inpca.explained_stress_[1] == pytest.approx(1, abs=1e-7)
    np.testing.assert_allclose(minkowski(inpca.embedding_, inpca.signature_), D, atol=1e-10)


def test_euclidean_points_have_no_time_like_axis(minkowski):
    X = np.random.default_rng(5).normal(size=(15, 3))
    inpca = precomputed(n_components=None).fit(minkowski(X, np.ones(3)))
    assert (inpca.signature_ == 1).all()
    assert (inpca.eigenvalues_ > 0).sum() == 3


def test_a_new_model_between_the_fitted_ones_is_placed_by_its_distances(minkowski):
    X = np.random.default_rng(6).normal(size=(20, 3)) * [3.0, 2.0, 1.0]
    signature = np.array([1, -1, 1])
    D = minkowski(X, signature)
    inpca = precomputed().fit(D[:17, :17])
    together = np.concatenate([inpca.embedding_, inpca.transform(D[17:, :17])])
    np.testing.assert_allclose(minkowski(together, inpca.signature_), D, atol=1e-9)


def test_trajectories_are_embedded_together(random_models):
    P, new = random_models(0, 9, 6, 3), random_models(1, 2, 6, 3)
    whole = InPCA(3).fit(P)
    for several in ([P[:4], P[4:]], P.reshape(3, 3, 6, 3), [P[:6].reshape(2, 3, 6, 3), P[6:]]):
        fitted = InPCA(3).fit(several)
        assert_same_fit(fitted, whole)
        np.testing.assert_allclose(fitted.transform([new]), whole.transform(new), atol=1e-9)
