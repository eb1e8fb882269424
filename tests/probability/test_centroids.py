import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.numerics import blocks
from hyperribbon.probability import centroid, centroids, truth

KINDS = {
    "arithmetic": "AM",
    "sqrt_arithmetic": "sqrtAM_sq",
    "geometric": "GM",
    "harmonic": "HM",
    "bhattacharyya": "bhat_exact",
    "jeffreys": "jeffreys_norm",
}
seeds = st.integers(0, 2**32 - 1)
spreads = st.sampled_from([0.02, 0.3, 3.0])


def bhattacharyya(P, q):
    """Mean over models of the Bhattacharyya distance, each sample its own."""
    return -np.log(np.sqrt(P * q).sum(axis=-1)).mean(axis=0)


def jeffreys(P, q):
    """Mean symmetrised Kullback-Leibler divergence, also to q that do not sum to 1."""
    return ((P - q) * np.log(P / q)).sum(axis=-1).mean(axis=0)


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_oracle(data, kind):
    with np.load(data / "o6_slice.npz") as o6:
        np.testing.assert_allclose(centroid(o6["P"], kind), o6[KINDS[kind]], rtol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=seeds, m=st.integers(1, 6), spread=spreads)
@settings(deadline=None, max_examples=25)
def test_is_a_distribution_within_the_models_reach(random_models, kind, seed, m, spread):
    P = random_models(seed, m, 5, 4, spread)
    q = centroid(P, kind)
    assert q.shape == (5, 4)
    assert (q >= 0).all()
    np.testing.assert_allclose(q.sum(axis=-1), 1, atol=1e-14)
    shuffled = np.random.default_rng(seed)
    models, n, c = (shuffled.permutation(size) for size in (m, 5, 4))
    again = centroid(P[models][:, n][..., c], kind)
    np.testing.assert_allclose(again, q[n][:, c], rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize("kind", KINDS)
def test_of_equal_models_is_the_model(random_models, kind):
    P = np.repeat(random_models(0, 1, 8, 5, 0.3), 3, axis=0)
    P[:, 0] = truth([2], 5)
    np.testing.assert_allclose(centroid(P, kind), P[0], rtol=1e-10, atol=1e-25)


@given(seed=seeds, m=st.integers(1, 6))
@settings(deadline=None, max_examples=40)
def test_means_are_in_order_before_they_are_normalised(random_models, seed, m):
    P = random_models(seed, m, 5, 4, 0.5)
    order = ("harmonic", "geometric", "sqrt_arithmetic", "arithmetic")
    means = np.stack([centroids._MEANS[kind](P) for kind in order])
    assert (np.diff(means, axis=0) >= -1e-14).all()
    # Nielsen (2013): the Jeffreys centroid lies between the geometric and arithmetic means.
    middle = centroids._MEANS["jeffreys"](P)
    assert (middle >= means[1] - 1e-14).all()
    assert (middle <= means[3] + 1e-14).all()


def perturbations(q, rng):
    """Distributions near q, nearer and nearer."""
    for size in (0.5, 1e-1, 1e-2, 1e-3):
        for _ in range(20):
            near = q * np.exp(size * rng.normal(size=q.shape))
            yield near / near.sum(axis=-1, keepdims=True)


@given(seed=seeds, m=st.integers(2, 6), spread=spreads)
@settings(deadline=None, max_examples=25)
def test_bhattacharyya_centroid_is_the_minimum(random_models, seed, m, spread):
    P = random_models(seed, m, 5, 4, spread)
    q = centroid(P, "bhattacharyya")
    least = bhattacharyya(P, q)
    for near in perturbations(q, np.random.default_rng(seed)):
        assert (bhattacharyya(P, near) >= least - 1e-13).all()
    for other in (*P, *(centroid(P, kind) for kind in KINDS)):
        assert (bhattacharyya(P, np.maximum(other, 1e-300)) >= least - 1e-13).all()
    # Stationary on the simplex: the derivative in q, mean of sqrt(P / q) / coefficients, is 1.
    coefficients = np.sqrt(P * q).sum(axis=-1, keepdims=True)
    rooted = (np.sqrt(P) / coefficients).mean(axis=0)
    np.testing.assert_allclose(np.sqrt(q), rooted, rtol=1e-10, atol=1e-150)


@given(seed=seeds, m=st.integers(2, 6))
@settings(deadline=None, max_examples=25)
def test_jeffreys_centroid_is_the_minimum_up_to_its_normalisation(random_models, seed, m):
    P = random_models(seed, m, 5, 4, 1.0)
    q = centroid(P, "jeffreys")
    positive = centroids._MEANS["jeffreys"](P)
    mass = positive.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(q, positive / mass, rtol=1e-12)
    # Among positive measures it is the minimum ...
    least = jeffreys(P, positive)
    rng = np.random.default_rng(seed)
    for size in (0.5, 1e-1, 1e-2, 1e-3):
        for _ in range(20):
            near = positive * np.exp(size * rng.normal(size=q.shape))
            assert (jeffreys(P, near) >= least * (1 - 1e-12) - 1e-14).all()
    # ... which no distribution undercuts, and normalised it is at most 1 / mass off (Nielsen).
    assert (jeffreys(P, q) >= least - 1e-14).all()
    assert (jeffreys(P, q) <= least / mass[:, 0] + 1e-14).all()


@pytest.mark.parametrize("kind", KINDS)
def test_models_without_a_class_in_common(kind):
    labels = np.array([[0, 0, 1], [1, 0, 1], [2, 0, 1]])
    P = np.stack([truth(row, 4) for row in labels])
    q = centroid(P, kind)
    # In the first sample the models disagree; by symmetry three classes share.
    np.testing.assert_allclose(q, [[1 / 3] * 3 + [0], [1, 0, 0, 0], [0, 1, 0, 0]], atol=1e-8)


def test_zeros_count_as_the_documented_floor():
    P = np.array([[[0.5, 0.5, 0.0]], [[0.25, 0.25, 0.5]]])
    floored = np.maximum(P, 1e-30)
    expected = np.sqrt(floored[0] * floored[1])
    np.testing.assert_allclose(centroid(P, "geometric"), expected / expected.sum(), rtol=1e-13)
    expected = 1 / (1 / floored).mean(axis=0)
    np.testing.assert_allclose(centroid(P, "harmonic"), expected / expected.sum(), rtol=1e-13)
    for kind in ("geometric", "harmonic", "jeffreys"):
        np.testing.assert_array_equal(centroid(P, kind), centroid(np.maximum(P, 1e-31), kind))


@pytest.mark.parametrize("tiny", [1e-12, 1e-150, 1e-300])
def test_bhattacharyya_centroid_of_all_but_disjoint_models(tiny):
    P = np.full((3, 2, 3), tiny)
    P[np.arange(3), :, np.arange(3)] = 1
    np.testing.assert_allclose(centroid(P, "bhattacharyya"), 1 / 3, rtol=1e-11)
    P[2] = P[1]
    q = centroid(P, "bhattacharyya")
    coefficients = np.sqrt(P * q).sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(q, np.sqrt(q) * (np.sqrt(P) / coefficients).mean(axis=0), rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_any_array_is_taken_in_blocks_of_samples(random_models, holder, kind, monkeypatch):
    P = random_models(0, 5, 7, 4)
    expected = centroid(P, kind)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 2 * P[:, 0].nbytes)
    np.testing.assert_allclose(centroid(holder(P), kind), expected, rtol=1e-11)
    single = centroid(holder(P.astype(np.float32)), kind)
    np.testing.assert_allclose(single, expected, rtol=1e-4, atol=1e-7)


def test_what_centroids_refuse(random_models, broken):
    P = random_models(0, 2, 6, 4)
    for kind in ("mean", None, ["arithmetic"]):
        with pytest.raises(DataError, match=r"kind = .*: expected one of arithmetic, sqrt_arithm"):
            centroid(P, kind)
    for shape in ((6, 4), (0, 6, 4), (2, 0, 4), (2, 6, 0)):
        with pytest.raises(DataError, match=r"P: shape .*, expected \(models, samples, classes\)"):
            centroid(np.empty(shape), "arithmetic")
    bad, words = broken
    for kind in KINDS:
        with pytest.raises(DataError, match=words):
            centroid(bad, kind)
