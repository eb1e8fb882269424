import numpy as np
import pytest
import torch
from torch import nn

from hyperribbon.curvature import (
    EmpiricalFisher,
    Fisher,
    GaussNewton,
    Hessian,
    Problem,
    correlation_eigenvalues,
)
from hyperribbon.curvature.operators import jacobian_product, jacobian_transposed_product
from hyperribbon.errors import DataError

OPERATORS = {"hessian": Hessian, "fisher": Fisher, "empirical": EmpiricalFisher}


@pytest.mark.parametrize("name", OPERATORS)
def test_oracle(o4, oracle_problem, name):
    operator = OPERATORS[name](oracle_problem)
    np.testing.assert_allclose(operator @ o4["V"], o4[f"{name}_products"], rtol=1e-9, atol=1e-12)
    eigenvalues = np.linalg.eigvalsh(operator.dense())
    expected = o4[f"{name}_eigenvalues"]
    np.testing.assert_allclose(eigenvalues, expected, atol=1e-12 * expected[-1], rtol=1e-6)


def test_oracle_jacobian(o4, oracle_problem):
    found = jacobian_product(oracle_problem, o4["V"])
    np.testing.assert_allclose(found, o4["jacobian_products"], rtol=1e-9, atol=1e-12)


def by_autograd(problem):
    """Hessian, and J (N, C, p), by reverse differentiation of a flat vector alone."""
    flat = torch.from_numpy(problem.flat_weights())

    def outputs(w):
        sizes = [p.numel() for p in problem.parameters.values()]
        parts = zip(problem.parameters.items(), w.split(sizes), strict=True)
        weights = {k: part.view(p.shape) for (k, p), part in parts}
        return problem.outputs(weights, problem.inputs)

    def loss(w):
        return nn.functional.cross_entropy(outputs(w), problem.targets)

    hessian = torch.autograd.functional.hessian(loss, flat)
    jacobian = torch.autograd.functional.jacobian(outputs, flat)
    return hessian.numpy(), jacobian.numpy()


def test_every_architecture_agrees_with_its_definition(any_problem):
    """Also in chunks of samples, one of them odd."""
    any_problem.batch_size = 3
    H, J = by_autograd(any_problem)
    p = any_problem.all_outputs().softmax(dim=1).numpy()
    A = np.apply_along_axis(np.diag, 1, p) - p[:, :, None] * p[:, None, :]
    F = np.einsum("ncp,ncd,ndq->pq", J, A, J) / len(p)
    g = np.einsum("nc,ncp->np", p - np.eye(3)[any_problem.targets], J)
    V = np.random.default_rng(0).normal(size=(len(H), 2))
    for operator, matrix in ((Hessian, H), (Fisher, F), (EmpiricalFisher, g.T @ g / len(p))):
        np.testing.assert_allclose(operator(any_problem) @ V, matrix @ V, atol=1e-10)
    np.testing.assert_allclose(jacobian_product(any_problem, V), J @ V, atol=1e-10)
    U = np.random.default_rng(1).normal(size=(*p.shape, 2))
    np.testing.assert_allclose(
        jacobian_transposed_product(any_problem, U), np.einsum("ncp,ncb->pb", J, U), atol=1e-10
    )


CURVLINOPS = {
    "HessianLinearOperator": Hessian,
    "GGNLinearOperator": GaussNewton,
    "EFLinearOperator": EmpiricalFisher,
}


@pytest.mark.parametrize("name", CURVLINOPS)
@pytest.mark.filterwarnings("ignore")
def test_agrees_with_curvlinops(problem_of, name):
    curvlinops = pytest.importorskip("curvlinops")
    problem = problem_of("allcnn")
    data = [(problem.inputs, problem.targets)]
    parameters = list(problem.network.parameters())
    theirs = getattr(curvlinops, name)(problem.network, nn.CrossEntropyLoss(), parameters, data)
    V = np.random.default_rng(0).normal(size=(problem.n_parameters, 2))
    expected = (theirs @ torch.from_numpy(V)).detach().numpy()
    np.testing.assert_allclose(CURVLINOPS[name](problem) @ V, expected, atol=1e-12)


def test_gauss_newton_is_fisher_of_the_cross_entropy(small_problem):
    F, G = Fisher(small_problem).dense(), GaussNewton(small_problem).dense()
    np.testing.assert_array_equal(F, G)


def test_fisher_is_the_expectation_of_empirical_ones_over_labels(small_problem):
    """Each label's empirical matrix, weighted sample by sample by its probability."""
    p = small_problem.all_outputs().softmax(dim=1)
    _, J = by_autograd(small_problem)
    F = 0
    for y in range(p.shape[1]):
        g = np.einsum("nc,ncp->np", p.numpy() - np.eye(p.shape[1])[y], J)
        F = F + (g * p[:, y : y + 1].numpy()).T @ g / len(p)
    np.testing.assert_allclose(Fisher(small_problem).dense(), F, atol=1e-13)


def test_fisher_of_linear_regression_is_the_input_correlation_exactly():
    X = np.random.default_rng(0).normal(size=(40, 6)) * np.exp(-np.arange(6))
    network = nn.Linear(6, 1, bias=False).double().eval()
    problem = Problem(network, X, np.zeros((40, 1)), "squared_error")
    F = Fisher(problem).dense()
    np.testing.assert_allclose(F, X.T @ X / 40, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(Hessian(problem).dense(), F, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(np.linalg.eigvalsh(F)[::-1], correlation_eigenvalues(X), atol=1e-14)


def test_hessian_is_gauss_newton_where_the_network_is_linear_in_its_weights():
    rng = np.random.default_rng(2)
    network = nn.Linear(4, 3).double().eval()
    problem = Problem(network, rng.normal(size=(9, 4)), rng.integers(3, size=9))
    np.testing.assert_allclose(Hessian(problem).dense(), Fisher(problem).dense(), atol=1e-15)


def test_batchnorm_is_the_affine_map_that_it_is():
    """Folded into the layer before it, all eigenvalues in that layer's weights stay."""
    torch.manual_seed(0)
    first, norm, last = nn.Linear(4, 3), nn.BatchNorm1d(3, affine=False), nn.Linear(3, 2)
    norm.running_mean[:], norm.running_var[:] = torch.randn(3), torch.rand(3) + 0.5
    network = nn.Sequential(first, norm, nn.Tanh(), last).double().eval()
    x, y = torch.randn(8, 4), torch.arange(8) % 2

    class Affine(nn.Module):
        def forward(self, h):
            return (h - norm.running_mean) / (norm.running_var + norm.eps).sqrt()

    plain = nn.Sequential(first, Affine(), nn.Tanh(), last)
    for operator in (Hessian, Fisher):
        np.testing.assert_allclose(
            operator(Problem(network, x, y)).dense(),
            operator(Problem(plain.eval(), x, y)).dense(),
            atol=1e-15,
        )


def test_a_function_as_loss_equals_the_named_one(small_problem):
    custom = Problem(
        small_problem.network,
        small_problem.inputs,
        small_problem.targets,
        lambda z, y: nn.functional.cross_entropy(z, y),
    )
    for operator in (Hessian, GaussNewton, EmpiricalFisher):
        expected = operator(small_problem).dense()
        np.testing.assert_allclose(operator(custom).dense(), expected, atol=1e-13)
    with pytest.raises(DataError, match=r"loss: a function that .* expected \"cross_entropy\""):
        Fisher(custom)


def test_single_precision_is_near(small_problem):
    network = perceptron_like(small_problem.network)
    single = Problem(network.float().eval(), small_problem.inputs, small_problem.targets)
    found, expected = Hessian(single).dense(), Hessian(small_problem).dense()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def perceptron_like(network):
    layers = [nn.Linear(m.in_features, m.out_features) if isinstance(m, nn.Linear) else nn.Tanh()
              for m in network]  # fmt: skip
    found = nn.Sequential(*layers)
    found.load_state_dict(network.state_dict())
    return found


def test_vectors_of_another_length_are_refused(small_problem):
    with pytest.raises(DataError, match=r"vectors: shape \(3, 1\), expected \(93, b\)"):
        Hessian(small_problem) @ np.zeros(3)
