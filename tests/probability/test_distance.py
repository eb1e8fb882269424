import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import arc_length, bhattacharyya_distance, ignorance, truth

seeds = st.integers(0, 2**32 - 1)


def test_bhattacharyya_agrees_with_the_oracle(o1):
    # The last two models, truth and the random-label corner, have no class in common: the
    # oracle's floor is another.
    P = o1["P"]
    found = bhattacharyya_distance(P[:, None], P[None])
    np.testing.assert_allclose(found[:-2, :], o1["D"][:-2, :], rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(found[-1, -1], 0, atol=1e-15)


def test_arcs_agree_with_the_oracle(o1, data):
    with np.load(data / "o1_trajectories_slice.npz") as arrays:
        expected = arrays["arcs"]
    found = arc_length(o1["P"][:, None], o1["P"][None])
    # The oracle's arccos has rounding errors on its diagonal.
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-14)


@given(seed=seeds, c=st.integers(2, 6), spread=st.sampled_from([0.05, 0.5, 5.0]))
@settings(deadline=None, max_examples=30)
def test_paired_distances_are_the_pairwise_ones(random_models, seed, c, spread):
    P, Q = random_models(seed, 6, 7, c, spread).reshape(2, 3, 7, c)
    expected = pairwise_distance(P, Q)
    np.testing.assert_allclose(bhattacharyya_distance(P, Q), np.diag(expected), atol=1e-12)
    np.testing.assert_allclose(bhattacharyya_distance(P, Q[1]), expected[:, 1], atol=1e-12)


@given(seed=seeds)
@settings(deadline=None, max_examples=20)
def test_order_of_samples_and_names_of_classes_do_not_matter(random_models, seed):
    P, Q = random_models(seed, 2, 9, 4)
    rng = np.random.default_rng(seed)
    n, c = rng.permutation(9), rng.permutation(4)
    for distance in (bhattacharyya_distance, arc_length):
        assert distance(P[n][:, c], Q[n][:, c]) == pytest.approx(distance(P, Q), abs=1e-14)
        assert distance(Q, P) == pytest.approx(distance(P, Q), abs=1e-14)


@pytest.mark.parametrize("c", [2, 3, 10])
def test_from_ignorance_to_truth(c):
    ends = ignorance(7, c), truth(np.arange(7) % c, c)
    assert bhattacharyya_distance(*ends) == pytest.approx(np.log(c) / 2, rel=1e-14)
    assert arc_length(*ends) == pytest.approx(np.arccos(1 / np.sqrt(c)), rel=1e-14)


def test_from_truth_it_is_half_the_cross_entropy(random_models):
    P, labels = random_models(3, 1, 8, 5, 5.0)[0], np.arange(8) % 5
    cross_entropy = -np.log(P[np.arange(8), labels]).mean()
    assert bhattacharyya_distance(P, truth(labels, 5)) == pytest.approx(cross_entropy / 2)


def test_without_a_class_in_common():
    P, Q = truth([0, 1], 3), truth([1, 1], 3)
    assert bhattacharyya_distance(P, Q) == pytest.approx(30 * np.log(10) / 2)
    assert bhattacharyya_distance(P, Q, floor=1e-4) == pytest.approx(4 * np.log(10) / 2)
    assert bhattacharyya_distance(P, Q, floor=0) == np.inf
    assert arc_length(P, Q) == pytest.approx(np.pi / 4)


def test_of_a_model_to_itself_it_is_zero(random_models):
    P = random_models(0, 2, 50, 7)
    np.testing.assert_allclose(bhattacharyya_distance(P, P), 0, atol=1e-15)
    assert (arc_length(P, P) == 0).all()
    assert str(bhattacharyya_distance(truth([0], 2), truth([0], 2))) == "0.0"


def test_arcs_are_exact_where_models_nearly_coincide():
    # arccos of the coefficient, 1 - 1e-18 / 8, would give 0.
    p, q = np.array([[0.5, 0.5]]), np.array([[0.5 + 5e-10, 0.5 - 5e-10]])
    assert arc_length(p, q) == pytest.approx(5e-10, rel=1e-6)


def test_arc_length_agrees_with_its_definition(random_models):
    P, Q = random_models(1, 5, 8, 3), random_models(2, 5, 8, 3)
    np.testing.assert_allclose(
        arc_length(P, Q), np.arccos(np.sqrt(P * Q).sum(axis=-1)).mean(axis=-1), atol=1e-12
    )


@pytest.mark.parametrize("distance", [bhattacharyya_distance, arc_length])
def test_any_array_is_taken(random_models, holder, distance):
    P, Q = random_models(0, 5, 6, 4), random_models(1, 5, 6, 4)
    np.testing.assert_allclose(distance(holder(P), holder(Q)), distance(P, Q), rtol=1e-14)
    single = distance(P.astype(np.float32), Q.astype(np.float32))
    np.testing.assert_allclose(single, distance(P, Q), rtol=1e-5)


@pytest.mark.parametrize("distance", [bhattacharyya_distance, arc_length])
def test_what_distances_refuse(random_models, broken, distance):
    P = random_models(0, 2, 6, 4)
    with pytest.raises(DataError, match=r"P, Q: shapes \(2, 6, 4\) and \(6, 1\), expected the sam"):
        distance(P, np.ones((6, 1)))
    with pytest.raises(DataError, match=r"P, Q: shapes \(2, 6, 4\) and \(3, 6, 4\)"):
        distance(P, P[[0, 1, 0]])
    bad, words = broken
    with pytest.raises(DataError, match=f"^Q: .*{words}"):
        distance(P, bad)


@pytest.mark.parametrize("floor", [-1e-3, 1.0, np.nan])
def test_impossible_floors_are_refused(floor):
    with pytest.raises(DataError, match="floor = "):
        bhattacharyya_distance(ignorance(1, 2), ignorance(1, 2), floor=floor)
