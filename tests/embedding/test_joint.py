import numpy as np
import pytest

from hyperribbon.embedding import InPCA, joint_embedding
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance


@pytest.fixture
def train_and_test(random_models):
    P = random_models(1, 15, 40, 3)
    return pairwise_distance(P[:, :20]), pairwise_distance(P[:, 20:])


def test_is_equation_2_3_1(train_and_test):
    train, test = train_and_test
    joint = joint_embedding(train, test, n_components=4)
    inpca = InPCA(4, "precomputed").fit(train)
    np.testing.assert_array_equal(joint.train, inpca.embedding_)
    np.testing.assert_array_equal(joint.inpca.eigenvalues_, inpca.eigenvalues_)
    rows = train.mean(axis=1)
    W = -test / 2 + (rows[:, None] + rows - train.mean()) / 2
    U = inpca.embedding_ / np.sqrt(np.abs(inpca.eigenvalues_))
    expected = W @ U * inpca.signature_ / np.sqrt(np.abs(inpca.eigenvalues_))
    np.testing.assert_allclose(joint.test, expected, atol=1e-10)
    assert np.abs(joint.test - joint.train).max() > 1e-2


def test_the_same_distances_give_the_same_coordinates(train_and_test):
    train, _ = train_and_test
    joint = joint_embedding(train, train.copy(), n_components=None)
    assert joint.train.shape == (15, 15)
    np.testing.assert_allclose(joint.test, joint.train, atol=1e-10)


def test_distances_that_lie_elsewhere(held, train_and_test):
    train, test = train_and_test
    expected = joint_embedding(train, test)
    joint = joint_embedding(held(train), held(test))
    np.testing.assert_allclose(joint.test, expected.test, atol=1e-11)


def test_what_does_not_fit_is_refused(train_and_test):
    train, test = train_and_test
    asymmetric = test.copy()
    asymmetric[0, 1] += 1
    for first, second, words in (
        (train, test[:14, :14], "test_distance: shape (14, 14), expected that of train_distance"),
        (train, test[:14], "test_distance: shape (14, 15), expected a square matrix"),
        (train[:14], test, "train_distance: shape (14, 15), expected a square matrix"),
        (train, asymmetric, "test_distance: not symmetric (entries differ by up to 1"),
        (["a"], test, "train_distance: entries of type text, expected real numbers"),
    ):
        with pytest.raises(DataError) as error:
            joint_embedding(first, second)
        assert words in str(error.value)
