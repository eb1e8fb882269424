import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import Fisher, JacobianGram, Problem, reduced_weights
from hyperribbon.errors import DataError


def test_projections_on_dense_eigenvectors(small_problem):
    pairs = JacobianGram(small_problem).fisher_eigenpairs()
    _, vectors = np.linalg.eigh(Fisher(small_problem).dense())
    w = small_problem.flat_weights()
    found = dict(reduced_weights(pairs, [0.1, 0.25]))
    assert list(found) == [8, 20]
    for k, reduced in found.items():
        V = vectors[:, ::-1][:, :k]
        np.testing.assert_allclose(reduced, V @ (V.T @ w), atol=1e-9)


def test_all_stiff_directions_of_a_linear_network_keep_its_predictions():
    """There, what is left out is orthogonal to every input."""
    rng = np.random.default_rng(0)
    network = nn.Linear(10, 3, bias=False).double().eval()
    problem = Problem(network, rng.normal(size=(4, 10)), np.array([0, 1, 2, 0]))
    ((k, reduced),) = reduced_weights(JacobianGram(problem).fisher_eigenpairs(), [1.0])
    assert k == 4 * 2
    p, q = (problem.all_outputs(w).softmax(dim=1) for w in (problem.flat_weights(), reduced))
    torch.testing.assert_close(p, q, atol=1e-12, rtol=0)
    assert np.linalg.norm(reduced) < np.linalg.norm(problem.flat_weights())


@pytest.mark.parametrize("fraction", [0, 1.2, float("nan")])
def test_impossible_fractions_are_refused(small_problem, fraction):
    pairs = JacobianGram(small_problem).fisher_eigenpairs()
    with pytest.raises(DataError, match="expected above 0, at most 1"):
        list(reduced_weights(pairs, [fraction]))
