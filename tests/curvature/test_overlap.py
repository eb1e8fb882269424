import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hyperribbon.curvature import (
    EmpiricalFisher,
    Hessian,
    extreme_eigenpairs,
    overlaps,
    subspace_overlap,
)
from hyperribbon.errors import DataError


def test_oracle(o4, oracle_problem):
    U = extreme_eigenpairs(EmpiricalFisher(oracle_problem), 10)[1]
    V = extreme_eigenpairs(Hessian(oracle_problem), 10)[1]
    np.testing.assert_allclose(subspace_overlap(U, V), o4["overlap_emp_hess"], atol=1e-5)


@given(st.integers(0, 1000), st.integers(1, 6))
def test_turning_a_basis_changes_nothing(seed, k):
    rng = np.random.default_rng(seed)
    U, V = (np.linalg.qr(rng.normal(size=(9, k)))[0] for _ in range(2))
    turn = np.linalg.qr(rng.normal(size=(k, k)))[0]
    found = subspace_overlap(U, V)
    assert subspace_overlap(U @ turn, V)[-1] == pytest.approx(found[-1])
    assert (found > -1e-12).all() and (found < 1 + 1e-12).all()
    np.testing.assert_allclose(subspace_overlap(U, U), 1)
    np.testing.assert_allclose((overlaps(U, V) ** 2).sum() / k, found[-1])


def test_random_spaces_overlap_by_k_over_p():
    rng = np.random.default_rng(0)
    p, k = 400, 10
    U = np.linalg.qr(rng.normal(size=(p, k)))[0]
    found = [subspace_overlap(U, np.linalg.qr(rng.normal(size=(p, k)))[0])[-1] for _ in range(50)]
    assert np.mean(found) == pytest.approx(k / p, rel=0.05)


def test_vectors_of_different_spaces_are_refused():
    with pytest.raises(DataError, match=r"vectors of shape \(3, 2\) and \(4, 2\)"):
        subspace_overlap(np.eye(3)[:, :2], np.eye(4)[:, :2])
