import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import KFAC, Fisher, Problem
from hyperribbon.errors import DataError


def dense(kfac):
    p = kfac.problem.n_parameters
    B = kfac.from_basis(np.eye(p))
    np.testing.assert_allclose(B.T @ B, np.eye(p), atol=1e-12)
    np.testing.assert_allclose(kfac.to_basis(B), np.eye(p), atol=1e-12)
    return (B * kfac.eigenvalues) @ B.T


@pytest.mark.parametrize("architecture", ["fully_connected", "lenet"])
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_curvlinops(problem_of, architecture):
    curvlinops = pytest.importorskip("curvlinops")
    problem = problem_of(architecture)
    data = [(problem.inputs, problem.targets)]
    theirs = curvlinops.KFACLinearOperator(
        problem.network,
        nn.CrossEntropyLoss(),
        list(problem.network.parameters()),
        data,
        fisher_type="type-2",
        separate_weight_and_bias=False,
    )
    V = np.random.default_rng(0).normal(size=(problem.n_parameters, 2))
    expected = (theirs @ torch.from_numpy(V)).detach().numpy()
    np.testing.assert_allclose(dense(KFAC(problem)) @ V, expected, atol=1e-12)


def test_exact_for_a_linear_layer_of_one_sample():
    rng = np.random.default_rng(0)
    network = nn.Linear(4, 3).double().eval()
    problem = Problem(network, rng.normal(size=(1, 4)), np.array([1]))
    np.testing.assert_allclose(dense(KFAC(problem)), Fisher(problem).dense(), atol=1e-15)


def test_other_layers_are_refused(problem_of):
    with pytest.raises(DataError, match=r"features\.positions: not of a linear layer"):
        KFAC(problem_of("vit"))
    with pytest.raises(DataError, match="not of a linear layer or an ungrouped convolution"):
        KFAC(problem_of("convmixer"))


def test_curvature_along_another_basis(problem_of):
    """The diagonal of B^T F B, for the eigenbasis at other weights and for the weights."""
    problem, other = problem_of("lenet", n=5), problem_of("lenet")
    other.parameters = {k: p + 0.1 for k, p in other.parameters.items()}
    kfac = KFAC(problem)
    F = dense(kfac)
    for basis in (KFAC(other), kfac.weights(), kfac):
        B = basis.from_basis(np.eye(len(F)))
        np.testing.assert_allclose(kfac.diagonal(basis), np.diag(B.T @ F @ B), atol=1e-12)
    np.testing.assert_allclose(
        np.sort(kfac.weights().to_basis(np.arange(len(F)))), np.arange(len(F))
    )
