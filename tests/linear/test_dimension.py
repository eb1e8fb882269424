import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.errors import DataError
from hyperribbon.linear import ribbon_dimension, trajectory_covariance


def by_hand(P, fraction):
    values = np.linalg.eigvalsh(P)[::-1]
    return 1 + int(np.argmax(values.cumsum() >= fraction * values.sum()))


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.floats(0, 3), st.floats(0.05, 0.999))
def test_it_is_that_of_all_eigenvalues(seed, n, decay, fraction):
    rng = np.random.default_rng(seed)
    G = rng.normal(size=(5, n, n)) * np.exp(-decay * rng.permutation(n))[:, None]
    P = G @ G.transpose(0, 2, 1)
    found = ribbon_dimension(P, fraction)
    assert found.tolist() == [by_hand(one, fraction) for one in P]


def test_of_sloppy_ribbons_small_matrices_are_enough(monkeypatch):
    sizes = []
    eigvalsh = np.linalg.eigvalsh

    def counted(P):
        sizes.append(P.shape[-1])
        return eigvalsh(P)

    eigenvalues = np.exp(-np.arange(50.0))
    y = np.sqrt(eigenvalues) * np.random.default_rng(0).normal(size=(20, 50))
    P = trajectory_covariance(eigenvalues, y, step_size=1.0, steps=1000, sigma_w=0.1).total
    expected = [by_hand(one, 0.95) for one in P]
    monkeypatch.setattr(np.linalg, "eigvalsh", counted)
    assert ribbon_dimension(P).tolist() == expected
    assert max(sizes) < 50


def test_axes_stay():
    P = np.stack([np.diag([9.0, 1.0]), np.diag([1.0, 1.0])]).reshape(1, 2, 1, 2, 2)
    found = ribbon_dimension(P, 0.9)
    assert found.tolist() == [[[1], [2]]]


@pytest.mark.parametrize(
    ("P", "fraction", "message"),
    [
        (np.ones((2, 3)), 0.95, r"P: shape \(2, 3\), expected"),
        (np.eye(2), 1.0, "fraction = 1.0: expected above 0 and below 1"),
        (np.zeros((2, 2)), 0.95, "no variance"),
        (np.full((2, 2), np.nan), 0.95, "no variance"),
    ],
)
def test_what_cannot_be_is_refused(P, fraction, message):
    with pytest.raises(DataError, match=message):
        ribbon_dimension(P, fraction)
