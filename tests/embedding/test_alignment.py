import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.embedding import align
from hyperribbon.errors import DataError


def orthogonal(rng, n):
    return np.linalg.qr(rng.normal(size=(n, n)))[0] if n else np.zeros((0, 0))


@given(
    seed=st.integers(0, 2**32 - 1),
    signs=st.lists(st.sampled_from([1, -1]), min_size=1, max_size=5),
    m=st.integers(7, 20),
    scale=st.sampled_from([None, 0.3, 4.0]),
)
@settings(deadline=None, max_examples=60)
def test_finds_a_random_transformation_again(minkowski, seed, signs, m, scale):
    rng = np.random.default_rng(seed)
    signature = np.array(signs)
    A = rng.normal(size=(m, len(signs)))
    rotation = np.zeros((len(signs),) * 2)
    for sign in (1, -1):
        part = np.flatnonzero(signature == sign)
        rotation[np.ix_(part, part)] = orthogonal(rng, len(part))
    B = (scale or 1) * A @ rotation + rng.normal(size=len(signs))
    found = align(A, B, signature, scale=scale is not None)
    np.testing.assert_allclose(found.aligned, B, atol=1e-12 * (1 + np.abs(B).max()))
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-10)
    assert found.rmsd < 1e-12 * (1 + np.abs(B).max())
    assert found.scale == pytest.approx(scale or 1, rel=1e-12)
    np.testing.assert_allclose(found.scale * A @ found.rotation + found.translation, B, atol=1e-10)
    if scale is None:
        np.testing.assert_allclose(
            minkowski(found.aligned, signature), minkowski(A, signature), atol=1e-10
        )


def test_space_and_time_are_not_exchanged():
    """The better fit would exchange the axes; it would change the distances."""
    A = np.array([[1.0, 0], [-1, 0], [0, 0.1], [0, -0.1]])
    B = A[:, ::-1]
    assert align(A, B, [1, 1]).rmsd < 1e-12
    mixed = align(A, B, [1, -1])
    assert mixed.rmsd > 0.5
    np.testing.assert_allclose(np.abs(mixed.rotation), np.eye(2), atol=1e-12)


def test_rmsd_is_least_and_of_what_is_returned():
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(2, 30, 3))
    signature = np.array([1, -1, 1])
    found = align(A, B, signature)
    assert found.rmsd == pytest.approx(
        np.sqrt(((found.aligned - B) ** 2).sum(axis=1).mean()), rel=1e-12
    )
    for angle in (-0.01, 0.01):  # around the time-like axis
        c, s = np.cos(angle), np.sin(angle)
        turned = found.aligned - B.mean(axis=0)
        turned = turned @ np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) + B.mean(axis=0)
        assert np.sqrt(((turned - B) ** 2).sum(axis=1).mean()) > found.rmsd
    assert align(A, B, signature, scale=True).rmsd < found.rmsd


def test_points_that_coincide_can_be_aligned():
    found = align(np.ones((4, 2)), np.zeros((4, 2)), [1, -1], scale=True)
    np.testing.assert_array_equal(found.aligned, 0)
    assert found.scale == 1
    assert found.rmsd == 0


@pytest.mark.parametrize(
    ("A", "B", "signature", "words"),
    [
        (np.ones((4, 2)), np.ones((5, 2)), [1, 1], "shapes (4, 2), (5, 2)"),
        (np.ones(4), np.ones(4), [1], "shapes (4,), (4,)"),
        (np.ones((0, 2)), np.ones((0, 2)), [1, 1], "shapes (0, 2)"),
        (np.ones((4, 2)), np.ones((4, 2)), [1], "signature: [1], expected +1 or -1"),
        (np.ones((4, 2)), np.ones((4, 2)), [1, 0], "signature: [1, 0]"),
        (np.ones((4, 2)), np.full((4, 2), np.nan), [1, 1], "NaN or infinite"),
    ],
)
def test_what_does_not_fit_is_refused(A, B, signature, words):
    with pytest.raises(DataError) as error:
        align(A, B, signature)
    assert words in str(error.value)
