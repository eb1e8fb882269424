import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import EmpiricalFisher, Fisher, GaussNewton, JacobianGram, Problem, gram
from hyperribbon.curvature.operators import jacobian_product
from hyperribbon.errors import DataError


def spectrum(matrix):
    return np.linalg.eigvalsh(matrix)[::-1]


def test_every_architecture_agrees_with_the_dense_matrices(any_problem, monkeypatch):
    J = jacobian_product(any_problem, np.eye(any_problem.n_parameters))
    N = len(J)
    dense = {
        "fisher": Fisher(any_problem).dense(),
        "empirical_fisher": EmpiricalFisher(any_problem).dense(),
        "summed": np.einsum("ncp,ndq->pq", J, J, optimize=True) / N,
        "all_logits": np.einsum("ncp,ncq->pq", J, J, optimize=True) / N,
    }
    spectra = {name: spectrum(matrix) for name, matrix in dense.items()}
    logits = [spectrum(J[:, k].T @ J[:, k] / N)[:N] for k in range(3)]
    for block_bytes in (2**29, 7 * 3 * 8 * 10):  # Jacobians whole, and ten columns at a time
        monkeypatch.setattr(gram, "BLOCK_BYTES", block_bytes)
        found = JacobianGram(any_problem)
        np.testing.assert_allclose(
            found.gram, np.einsum("ncp,mdp->ncmd", J, J), atol=1e-13 * found.gram.max()
        )
        for name, expected in spectra.items():
            values = getattr(found, name)()
            n = min(len(values), len(expected))
            np.testing.assert_allclose(values[:n], expected[:n], atol=1e-13 * expected[0])
            np.testing.assert_allclose(values[n:], 0, atol=1e-13 * expected[0])
        for k, expected in enumerate(logits):
            np.testing.assert_allclose(found.logit(k), expected, atol=1e-13 * expected[0])


def test_oracle(o4, oracle_problem):
    found = JacobianGram(oracle_problem)
    expected = o4["fisher_eigenvalues"][::-1]
    np.testing.assert_allclose(found.fisher()[:179], expected, rtol=1e-6, atol=1e-13)
    leading = o4["empirical_eigenvalues"][::-1][:60]
    np.testing.assert_allclose(found.empirical_fisher()[:60], leading, rtol=1e-6, atol=1e-13)
    np.testing.assert_allclose(found.logit(0)[:15], o4["logit0_eig"], rtol=1e-5)


def test_eigenvectors_are_those_of_the_matrix(small_problem):
    F, pairs = Fisher(small_problem).dense(), JacobianGram(small_problem).fisher_eigenpairs()
    assert len(pairs.eigenvalues) == np.linalg.matrix_rank(F, tol=1e-12) == 20 * 4
    V = pairs.leading(20)
    np.testing.assert_allclose(V.T @ V, np.eye(20), atol=1e-11)
    np.testing.assert_allclose(F @ V, V * pairs.eigenvalues[:20], atol=1e-13)
    w = small_problem.flat_weights()
    np.testing.assert_allclose(pairs.components(w)[:20], V.T @ w, atol=1e-11)
    with pytest.raises(DataError, match="k, up to the rank: 81, expected an integer, 1 to 80"):
        pairs.leading(81)


def test_regression(small_problem):
    targets = np.zeros((20, 5))
    problem = Problem(small_problem.network, small_problem.inputs, targets, "squared_error")
    expected = spectrum(GaussNewton(problem).dense())
    np.testing.assert_allclose(JacobianGram(problem).fisher(), expected[:93], atol=1e-14)


class Odd(nn.Module):
    """A parameter of its own, a layer used twice, one that shares, and one that is bypassed."""

    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.randn(4))
        self.twice, self.tied, self.bypassed = (nn.Linear(4, 4) for _ in range(3))
        self.also_tied = nn.Linear(4, 4, bias=False)
        self.also_tied.weight = self.tied.weight
        self.conv = nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular")
        self.grouped = nn.Conv2d(2, 4, 2, groups=2, stride=2, dilation=1)
        self.last = nn.Linear(16, 3)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.twice(self.relu(self.twice(x + self.shift)))
        x = self.also_tied(torch.tanh(self.tied(x)))
        x = nn.functional.linear(x, self.bypassed.weight, self.bypassed.bias)
        x = self.relu(self.conv(x[:, None, None, :].expand(-1, 1, 4, 4)))
        return self.last(self.grouped(x).flatten(1))


def test_parameters_used_in_odd_ways_all_count():
    torch.manual_seed(3)
    problem = Problem(Odd().double().eval(), torch.randn(6, 4), torch.arange(6) % 3)
    J = jacobian_product(problem, np.eye(problem.n_parameters))
    found = JacobianGram(problem).gram
    np.testing.assert_allclose(found, np.einsum("ncp,mdp->ncmd", J, J), rtol=1e-11, atol=1e-12)


def test_a_layer_alone_is_a_block(problem_of):
    problem = problem_of("allcnn")
    names = [name for name in problem.parameters if name.startswith("features.0.0")]
    names = names or list(problem.parameters)[:1]
    block = Problem(problem.network, problem.inputs, problem.targets, only=names)
    expected = spectrum(Fisher(block).dense())
    np.testing.assert_allclose(
        JacobianGram(block).fisher()[: len(expected)], expected[:21], atol=1e-14
    )
