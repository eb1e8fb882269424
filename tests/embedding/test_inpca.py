import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hyperribbon.embedding import InPCA
from hyperribbon.embedding.inpca import explained_pairwise_distance
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance

seeds = st.integers(0, 2**32 - 1)


def random_distances(seed, m):
    """Nonnegative and symmetric, but of no Euclidean space."""
    upper = np.triu(np.random.default_rng(seed).uniform(0, 3, size=(m, m)), 1)
    return upper + upper.T


def minkowski(X, signature):
    return (signature * (X[:, None] - X) ** 2).sum(axis=-1)


def test_agrees_with_the_oracle(o1):
    D = o1["D"][:29, :29]
    inpca = InPCA(n_components=10).fit(D)
    np.testing.assert_allclose(inpca.eigenvalues_, o1["evals"], rtol=1e-9, atol=1e-14)
    expected = o1["xp"][:, :10]
    sign = np.sign((inpca.embedding_ * expected).sum(axis=0))  # an axis has no direction
    np.testing.assert_allclose(inpca.embedding_ * sign, expected, atol=1e-9)
    np.testing.assert_allclose(inpca.explained_stress_, o1["explained_stress"], atol=1e-9)
    np.testing.assert_allclose(
        explained_pairwise_distance(D, inpca.embedding_, inpca.signature_),
        o1["explained_pairwise_distance"],
        atol=1e-9,
    )
    new = inpca.transform(o1["DQ"][:, :29])
    np.testing.assert_allclose(new[:, :6] * sign[:6], o1["lazy_Q"], atol=1e-9)
    assert inpca.signature_.tolist() == np.sign(o1["evals"][:10]).tolist()


@given(seed=seeds, m=st.integers(2, 25))
@settings(deadline=None, max_examples=40)
def test_all_components_give_back_the_distances(seed, m):
    D = random_distances(seed, m)
    inpca = InPCA(n_components=m).fit(D)
    np.testing.assert_allclose(minkowski(inpca.embedding_, inpca.signature_), D, atol=1e-10)
    explained = explained_pairwise_distance(D, inpca.embedding_, inpca.signature_)
    assert explained[-1] == pytest.approx(1, abs=1e-10)


@given(seed=seeds, m=st.integers(4, 25), k=st.integers(1, 3))
@settings(deadline=None, max_examples=40)
def test_fitted_models_return_to_their_coordinates(seed, m, k):
    D = random_distances(seed, m)
    inpca = InPCA(n_components=k)
    embedding = inpca.fit_transform(D)
    assert embedding.shape == (m, k)
    np.testing.assert_allclose(inpca.transform(D), embedding, atol=1e-9)
    np.testing.assert_allclose(inpca.transform(D[1:3]), embedding[1:3], atol=1e-9)


def test_degenerate_axes_do_not_spoil_the_others():
    # Points on a line: only one axis has a length, the other eigenvalues are 0 or nearly.
    x = np.array([0.0, 1.0, 3.0, 7.0])
    D = (x[:, None] - x) ** 2
    inpca = InPCA(n_components=4).fit(D)
    new = inpca.transform(D)
    assert np.isfinite(new).all()
    np.testing.assert_allclose(new[:, 0], inpca.embedding_[:, 0], atol=1e-12)
    np.testing.assert_allclose(minkowski(inpca.embedding_, inpca.signature_), D, atol=1e-12)


def test_two_models_that_coincide():
    inpca = InPCA(n_components=2).fit(np.array([[0.0, 2.0, 2.0], [2.0, 0.0, 0.0], [2.0, 0.0, 0.0]]))
    np.testing.assert_allclose(inpca.embedding_[1], inpca.embedding_[2], atol=1e-7)
    assert np.isfinite(inpca.transform(np.array([[2.0, 0.0, 0.0]]))).all()


@given(seed=seeds, m=st.integers(2, 25))
@settings(deadline=None, max_examples=25)
def test_explained_stress_increases_to_one(seed, m):
    stress = InPCA(n_components=1).fit(random_distances(seed, m)).explained_stress_
    assert stress.shape == (m,)
    assert (np.diff(stress) >= 0).all()
    assert stress[0] > 0
    assert stress[-1] == 1


def test_axes_of_points_whose_signature_is_known():
    """Points of a plane with one time-like direction, longer than the space-like one."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(12, 2)) * [3.0, 1.0]
    D = minkowski(X, np.array([-1, 1]))
    inpca = InPCA(n_components=2).fit(D)
    assert inpca.signature_.tolist() == [-1, 1]
    assert inpca.explained_stress_[1] == pytest.approx(1, abs=1e-7)
    np.testing.assert_allclose(minkowski(inpca.embedding_, inpca.signature_), D, atol=1e-10)
    np.testing.assert_allclose(inpca.transform(D), inpca.embedding_, atol=1e-10)


def test_euclidean_points_have_no_time_like_axis():
    X = np.random.default_rng(5).normal(size=(15, 3))
    inpca = InPCA(n_components=3).fit(minkowski(X, np.ones(3)))
    assert inpca.signature_.tolist() == [1, 1, 1]
    assert (inpca.eigenvalues_[3:] < 1e-12).all()


@given(seed=seeds)
@settings(deadline=None, max_examples=20)
def test_order_of_models_does_not_matter(random_models, seed):
    D = pairwise_distance(random_models(seed, 12, 6, 4), threads=1)
    order = np.random.default_rng(seed).permutation(12)
    first = InPCA(n_components=3).fit(D)
    second = InPCA(n_components=3).fit(D[np.ix_(order, order)])
    np.testing.assert_allclose(
        minkowski(second.embedding_, second.signature_),
        minkowski(first.embedding_[order], first.signature_),
        atol=1e-8,
    )


def test_a_new_model_between_the_fitted_ones_is_placed_by_its_distances():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(20, 3)) * [3.0, 2.0, 1.0]
    signature = np.array([1, -1, 1])
    D = minkowski(X, signature)
    inpca = InPCA(n_components=3).fit(D[:17, :17])
    new = inpca.transform(D[17:, :17])
    together = np.concatenate([inpca.embedding_, new])
    np.testing.assert_allclose(minkowski(together, inpca.signature_), D, atol=1e-9)


def _changed(D, i, j, value):
    D = D.copy()
    D[i, j] = value
    return D


@pytest.mark.parametrize(
    ("D", "k", "words"),
    [
        (np.zeros((3, 4)), 1, "shape (3, 4)"),
        (np.zeros(4), 1, "shape (4,)"),
        (_changed(random_distances(0, 5), 1, 2, np.nan), 1, "not finite"),
        (_changed(random_distances(0, 5), 1, 2, np.inf), 1, "not finite"),
        (_changed(np.zeros((5, 5)), 1, 2, 0.25), 1, "not symmetric, off by up to 0.25"),
        (random_distances(0, 5), 6, "n_components = 6: expected 1 to the number of models, 5"),
        (random_distances(0, 5), 0, "n_components = 0"),
    ],
)
def test_impossible_fits_are_refused(D, k, words):
    with pytest.raises(DataError) as error:
        InPCA(n_components=k).fit(D)
    assert words in str(error.value)


def test_impossible_transforms_are_refused():
    inpca = InPCA(n_components=2)
    with pytest.raises(NotFittedError):
        inpca.transform(np.zeros((1, 5)))
    inpca.fit(random_distances(0, 5))
    for shape in ((1, 4), (5,)):
        with pytest.raises(DataError, match=r"^D_new: shape .*expected \(new models, 5\)"):
            inpca.transform(np.zeros(shape))


def test_is_an_estimator_that_can_be_cloned():
    copy = clone(InPCA(n_components=4).fit(random_distances(0, 6)))
    assert copy.n_components == 4
    assert not hasattr(copy, "embedding_")
