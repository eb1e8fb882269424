import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import (
    Fisher,
    JacobianGram,
    Problem,
    WholeEigenpairs,
    reduced_weights,
)
from hyperribbon.errors import DataError


def test_projections_on_dense_eigenvectors(small_problem):
    pairs = JacobianGram(small_problem).fisher_eigenpairs()
    _, vectors = np.linalg.eigh(Fisher(small_problem).dense())
    w = small_problem.flat_weights()
    for k, reduced in zip([8, 20], reduced_weights(pairs, [8, 20]), strict=True):
        V = vectors[:, ::-1][:, :k]
        np.testing.assert_allclose(reduced, V @ (V.T @ w), atol=1e-9)


def test_all_stiff_directions_of_a_linear_network_keep_its_predictions():
    """There, what is left out is orthogonal to every input."""
    rng = np.random.default_rng(0)
    network = nn.Linear(10, 3, bias=False).double().eval()
    problem = Problem(network, rng.normal(size=(4, 10)), np.array([0, 1, 2, 0]))
    (reduced,) = reduced_weights(JacobianGram(problem).fisher_eigenpairs(), [4 * 2])
    p, q = (problem.all_outputs(w).softmax(dim=1) for w in (problem.flat_weights(), reduced))
    torch.testing.assert_close(p, q, atol=1e-12, rtol=0)
    assert np.linalg.norm(reduced) < np.linalg.norm(problem.flat_weights())


def test_all_of_few_weights_are_the_whole_model(small_problem):
    pairs = WholeEigenpairs(Fisher(small_problem))
    w, p = small_problem.flat_weights(), small_problem.n_parameters
    some, whole = reduced_weights(pairs, [20, p])
    np.testing.assert_allclose(whole, w, atol=1e-12)
    (known,) = reduced_weights(JacobianGram(small_problem).fisher_eigenpairs(), [20])
    np.testing.assert_allclose(some, known, atol=1e-9)
    with pytest.raises(DataError, match=f"eigenvectors = {p + 1}: expected 1 to the {p}"):
        list(reduced_weights(pairs, [p + 1]))


@pytest.mark.parametrize("count", [0, 81])
def test_impossible_counts_are_refused(small_problem, count):
    pairs = JacobianGram(small_problem).fisher_eigenpairs()
    with pytest.raises(DataError, match=f"eigenvectors = {count}: expected 1 to the 80 that are"):
        list(reduced_weights(pairs, [count]))
