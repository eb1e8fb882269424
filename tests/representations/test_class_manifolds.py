"""Class manifolds: sizes and distances as the definition says, and what is refused."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.representations.class_manifolds import class_manifolds

DATA = Path(__file__).parents[1] / "data"


def directly(H, labels, normalise):
    """The definition, sample by sample."""
    H = H / np.linalg.norm(H, axis=1, keepdims=True) if normalise else H
    members = [H[labels == k] for k in range(labels.max() + 1)]
    centres = np.array([x.mean(axis=0) for x in members])
    each = zip(members, centres, strict=True)
    radii = [np.sqrt(((x - centre) ** 2).sum(axis=1).mean()) for x, centre in each]
    return np.array(radii), np.linalg.norm(centres[:, None] - centres, axis=2)


@given(st.integers(2, 4), st.integers(1, 5), st.booleans(), st.integers(0, 2**32 - 1))
def test_it_is_what_the_definition_says_whatever_axes_precede(n_classes, n, normalise, seed):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(4 * n_classes) % n_classes)
    H = rng.normal(size=(3, 2, len(labels), n)) + rng.normal(size=n)
    radii, distances = class_manifolds(H, labels, normalise)
    assert radii.shape == (3, 2, n_classes) and distances.shape == (3, 2, n_classes, n_classes)
    for place in np.ndindex(3, 2):
        expected = directly(H[place], labels, normalise)
        np.testing.assert_allclose(radii[place], expected[0], rtol=1e-9, atol=1e-7)
        np.testing.assert_allclose(distances[place], expected[1], rtol=1e-9, atol=1e-12)


@given(st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_turned_or_longer_vectors_have_the_same_manifolds(factor, seed):
    rng = np.random.default_rng(seed)
    H, labels = rng.normal(size=(30, 4)), np.arange(30) % 3
    turn, _ = np.linalg.qr(rng.normal(size=(4, 4)))
    lengths = factor * rng.uniform(0.5, 2, size=(30, 1))
    for found, expected in zip(
        class_manifolds(lengths * H @ turn, labels), class_manifolds(H, labels), strict=True
    ):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


def test_it_agrees_with_the_oracle():
    o5 = np.load(DATA / "o5_slice.npz")
    hidden = np.tanh(o5["X"].reshape(512, -1) @ o5["init0"].T + o5["init1"])
    radii, distances = class_manifolds(hidden, o5["Y"])
    np.testing.assert_allclose(radii, o5["R0"], rtol=1e-9)
    np.testing.assert_allclose(distances[0, 1], o5["D0"], rtol=1e-9)


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    H, labels = rng.normal(size=(7, 20, 3)), np.arange(20) % 2
    whole = class_manifolds(H, labels)
    module = import_module("hyperribbon.representations.class_manifolds")
    monkeypatch.setattr(module, "BLOCK_BYTES", 1000)
    for found, expected in zip(class_manifolds(H, labels), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


ONES = np.ones((4, 2))


@pytest.mark.parametrize(
    ("H", "labels", "message"),
    [
        (ONES, [0, 0, 0, 0], "labels: one class, expected two or more"),
        (ONES, [0, 0, 0, 1], "labels: class 1 has 1 samples"),
        (ONES, [0, 0, 2, 2], "labels: class 1 has 0 samples"),
        (ONES, [0, 0, -1, -1], "labels: -1, expected classes from 0"),
        (ONES, [0.0, 0, 1, 1], "labels: float64 of shape (4,), expected integers"),
        (ONES, [0, 1], "labels: int64 of shape (2,), expected integers of shape (4,)"),
        (ONES[0], [0, 1], "H: shape (2,), expected (..., samples, features)"),
        (np.full((4, 2), "a"), [0, 0, 1, 1], "H: entries of type text"),
        (np.array([[1.0], [2.0], [np.nan], [1.0]]), [0, 0, 1, 1], "H[2]: not finite"),
        (
            np.array([[1.0], [2.0], [0.0], [1.0]]),
            [0, 0, 1, 1],
            "H[2]: zero, which has no direction",
        ),
    ],
)
def test_what_has_no_manifolds_is_refused_in_one_line(H, labels, message):
    with pytest.raises(DataError) as refusal:
        class_manifolds(H, np.array(labels))
    assert str(refusal.value).startswith(message)
    assert "\n" not in str(refusal.value)


def test_the_place_of_a_wrong_vector_is_named():
    H = np.ones((2, 3, 4, 2))
    H[1, 0, 3] = 0
    with pytest.raises(DataError, match=r"^H\[1, 0, 3\]: zero"):
        class_manifolds(H, np.array([0, 0, 1, 1]))
    assert class_manifolds(H, np.array([0, 0, 1, 1]), normalise=False).radii[1, 0, 1] > 0
