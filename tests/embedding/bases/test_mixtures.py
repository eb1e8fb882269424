"""Mixtures of basis models, in memory and where they are sliced."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.embedding.bases import MIXTURES, Mixtures
from hyperribbon.embedding.bases.mixtures import basis_from, frame_of
from hyperribbon.errors import DataError
from hyperribbon.pairwise import pairwise_distance
from hyperribbon.probability import as_distributions, centroid


def by_hand(basis, weights, mixture):
    """(m, N, C), from the formulae."""
    if mixture == "probability":
        return np.einsum("jk,knc->jnc", weights, basis)
    if mixture == "root":
        P = np.einsum("jk,knc->jnc", weights, np.sqrt(basis)) ** 2
    else:
        P = np.exp(np.einsum("jk,knc->jnc", weights, np.log(basis)))
    return P / P.sum(axis=-1, keepdims=True)


@pytest.fixture(scope="module")
def basis(random_models):
    return random_models(0, 4, 6, 3)


@pytest.fixture(scope="module")
def weights():
    return np.random.default_rng(0).dirichlet(np.ones(4), size=9)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_formulae_and_every_way_to_slice(mixture, basis, weights):
    mixtures, expected = Mixtures(basis, weights, mixture), by_hand(basis, weights, mixture)
    assert mixtures.shape == expected.shape
    assert len(mixtures) == 9
    as_distributions(mixtures[:])
    for key in (
        slice(None),
        3,
        -1,
        slice(2, 7),
        [5, 1],
        (slice(1, 4), slice(2, 5)),
        (2, 3),
        (slice(None), slice(None), 1),
        (slice(0, 3), 2, slice(0, 2)),
        (0, slice(1, 3), 2),
    ):
        np.testing.assert_allclose(mixtures[key], expected[key], atol=1e-14)
    assert Mixtures(basis, weights, mixture, np.float32)[:2].dtype == np.float32


@pytest.mark.parametrize("mixture", MIXTURES)
def test_a_single_weight_is_the_basis_model(mixture, basis):
    np.testing.assert_allclose(Mixtures(basis, np.eye(4), mixture)[:], basis, atol=1e-14)


@pytest.mark.parametrize(
    ("mixture", "kind"),
    [("probability", "arithmetic"), ("root", "sqrt_arithmetic"), ("geometric", "geometric")],
)
def test_equal_weights_are_the_known_averages(mixture, kind, basis):
    found = Mixtures(basis, np.full((1, 4), 0.25), mixture)[0]
    np.testing.assert_allclose(found, centroid(basis, kind), atol=1e-14)


@pytest.mark.parametrize("mixture", MIXTURES)
def test_frames_go_there_and_back(mixture, basis):
    kind = MIXTURES[mixture]
    np.testing.assert_allclose(basis_from(frame_of(basis, kind), kind), basis, atol=1e-14)


@given(st.integers(0, 10**6), st.sampled_from(sorted(MIXTURES)))
def test_permuting_the_basis_permutes_the_weights(seed, mixture):
    rng = np.random.default_rng(seed)
    basis, weights = rng.dirichlet(np.ones(3), (4, 5)), rng.dirichlet(np.ones(4), 2)
    order = rng.permutation(4)
    np.testing.assert_allclose(
        Mixtures(basis[order], weights[:, order], mixture)[:],
        Mixtures(basis, weights, mixture)[:],
        atol=1e-12,
    )


@pytest.mark.parametrize("mixture", MIXTURES)
def test_distances_between_mixtures_are_those_of_the_arrays(mixture, basis, weights):
    mixtures = Mixtures(basis, weights, mixture)
    expected = pairwise_distance(mixtures[:])
    np.testing.assert_allclose(mixtures.pairwise_distances(), expected, atol=1e-13)
    # Few models fit: tiles then read parts of them.
    np.testing.assert_allclose(mixtures.pairwise_distances(memory=1000), expected, atol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"mixture": "harmonic"}, "mixture = 'harmonic': expected one of probability, root, geo"),
        ({"weights": np.ones((2, 3)) / 3}, "weights: shape (2, 3), expected (models, 4)"),
        (
            {"weights": np.ones((2, 4))},
            "weights: from 1, with sums from 4 to 4; expected 0",
        ),
        ({"weights": [[1.5, -0.5, 0, 0]]}, "weights: from -0.5, with sums from 1 to 1"),
        ({"weights": [[np.nan, 1, 0, 0]]}, "weights: from nan"),
        ({"basis": np.ones((4, 6, 3))}, "basis: a row that sums to 3"),
        (
            {"basis": np.full((4, 2), 0.5)},
            "basis: shape (4, 2), expected (models, samples,",
        ),
    ],
)
def test_what_is_no_mixture_is_refused(arguments, words, basis):
    given = {"basis": basis, "weights": np.eye(4), **arguments}
    with pytest.raises(DataError) as error:
        Mixtures(given["basis"], given["weights"], given.get("mixture", "probability"))
    assert words in str(error.value)
    assert "\n" not in str(error.value)
