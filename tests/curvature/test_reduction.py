import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import (
    Fisher,
    JacobianGram,
    Problem,
    WholeEigenpairs,
    reduced_models,
    reduced_weights,
)
from hyperribbon.curvature.sloppiness import critical_number, stiff_fraction
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
    with pytest.raises(DataError, match=f"eigenvectors: {p + 1}, expected an integer, 1 to {p}"):
        list(reduced_weights(pairs, [p + 1]))


def test_of_an_eigenspace_of_zero_there_are_no_parts():
    """What is kept ends at the rank: beyond, directions are those that rounding chose."""
    rng = np.random.default_rng(0)
    network = nn.Linear(10, 3, bias=False).double().eval()
    X, test = rng.normal(size=(4, 10)), rng.normal(size=(50, 10))
    problem = Problem(network, X, np.array([0, 1, 2, 0]))
    unseen = Problem(network, test, rng.integers(3, size=50))
    pairs = WholeEigenpairs(Fisher(problem))
    assert len(pairs.eigenvalues) == 30 and pairs.rank == 4 * 2
    found = reduced_models(pairs, unseen, [0.001, 0.1, 0.2, 0.5, 0.9, 1.0])
    assert found.kept.tolist() == [3, 6, 8, 30]
    assert found.predictions.shape == (4, 4, 3) and found.errors.shape == (4, 2)
    gram = reduced_models(JacobianGram(problem).fisher_eigenpairs(), unseen, [0.1, 0.2])
    assert gram.kept.tolist() == [3, 6, 8, 30]
    np.testing.assert_allclose(gram.predictions, found.predictions, atol=1e-6)
    np.testing.assert_array_equal(gram.errors, found.errors)
    # Of a linear network the whole one's predictions of these samples need no more.
    np.testing.assert_allclose(found.predictions[-2], found.predictions[-1], atol=1e-6)
    whole = problem.all_outputs().softmax(dim=1).numpy()
    np.testing.assert_allclose(found.predictions[-1], whole, atol=1e-6)


def test_the_whole_model_is_enough_if_no_other_is():
    assert critical_number(np.array([1, 5, 9]), np.array([0.9, 0.8, 0.1])) == 9
    assert critical_number(np.array([1, 5, 9]), np.array([0.1, 0.8, 0.1])) == 1


def test_of_isotropic_inputs_nearly_all_directions_are_stiff():
    assert stiff_fraction(np.ones(100), 100) == pytest.approx(0.95, abs=0.011)
    assert stiff_fraction(np.array([1.0, 0, 0]), 100) == 0.01


@pytest.mark.parametrize("count", [0, 81])
def test_impossible_counts_are_refused(small_problem, count):
    pairs = JacobianGram(small_problem).fisher_eigenpairs()
    with pytest.raises(DataError, match=f"eigenvectors: {count}, expected an integer, 1 to 80"):
        list(reduced_weights(pairs, [count]))
