"""What a problem is given, in many forms: taken, or refused by one line."""

from collections import OrderedDict

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from hyperribbon.curvature import (
    Fisher,
    GaussNewton,
    Hessian,
    JacobianGram,
    Problem,
    correlation_eigenvalues,
    spectral_density,
    subspace_overlap,
)
from hyperribbon.errors import DataError

N = 40  # more than any first part of the samples that could be all that is looked at
rng = torch.Generator().manual_seed(0)
X, Y = torch.randn(N, 4, generator=rng), torch.arange(N) % 2


class Net(nn.Module):
    """A function of a linear layer and what the network is called with."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.layer, self.function = nn.Linear(4, 2), function

    def forward(self, *args, **kwargs):
        return self.function(self.layer, *args, **kwargs)


def net():
    return Net(lambda layer, x: layer(x))


def replaced(t, k, value):
    return t.index_fill(0, torch.tensor([k]), value)


FORMS = {
    "arrays": lambda: (X.numpy(), Y.numpy()),
    "lists": lambda: (X.tolist(), Y.tolist()),
    "tables": lambda: (pd.DataFrame(X.numpy()), pd.Series(Y.numpy())),
    "negative strides": lambda: (X.numpy()[::-1].copy()[::-1], Y.numpy()[::-1].copy()[::-1]),
    "other byte order": lambda: (X.numpy().astype(">f4"), Y.numpy().astype(">i8")),
    "requires grad": lambda: (X.clone().requires_grad_(), Y),
    "double precision": lambda: (X.double(), Y),
    **{
        str(t): lambda t=t: (X, Y.to(t))
        for t in (torch.int32, torch.uint8, torch.int16, torch.bool)
    },
    **{t: lambda t=t: (X, Y.numpy().astype(t)) for t in ("uint16", "uint32", "uint64", "int8")},
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_one_data_set(form):
    problem = Problem(net(), *FORMS[form]())
    assert torch.equal(problem.inputs, X) and torch.equal(problem.targets, Y)
    assert not problem.inputs.requires_grad


def test_half_precision_inputs_are_taken_as_they_are():
    assert torch.equal(Problem(net(), X.bfloat16(), Y).inputs, X.bfloat16().float())


def test_networks_within_others_are_those_networks():
    expected = Fisher(Problem(net(), X, Y)).dense()
    for outer in (torch.compile(net()), nn.DataParallel(net())):
        problem = Problem(outer, X, Y, only=["layer.weight", "layer.bias"])
        np.testing.assert_array_equal(Fisher(problem).dense(), expected)


REFUSED = {
    "tuple out": (
        lambda: (Net(lambda f, x: (f(x), x)), X, Y),
        "outputs are a tuple, expected a tensor",
    ),
    "dict out": (
        lambda: (Net(lambda f, x: OrderedDict(logits=f(x))), X, Y),
        "outputs are a OrderedDict, .*; wrap it",
    ),
    "squeezed": (
        lambda: (Net(lambda f, x: f(x)[:, 0]), X, Y),
        r"outputs of shape \(40,\), expected \(40, C\) for 40 samples; remove squeeze",
    ),
    "squeezed alone": (
        lambda: (Net(lambda f, x: f(x).squeeze()), X, Y),
        r"outputs of shape \(2,\), expected \(1, C\) for 1 sample; remove squeeze",
    ),
    "classes out": (
        lambda: (Net(lambda f, x: f(x).argmax(1, keepdim=True)), X, Y),
        "outputs of torch.int64, expected torch.float32",
    ),
    "half out": (
        lambda: (Net(lambda f, x: f(x).bfloat16()), X, Y),
        "outputs of torch.bfloat16, expected torch.float32",
    ),
    "NaN out": (
        lambda: (Net(lambda f, x: f(x) / (x[:, :1] != X[35, 0])), X, Y),
        "outputs for sample 35 contain NaN",
    ),
    "dict": (
        lambda: (net(), {"x": X}, Y),
        r"inputs: a dict, expected one array \(n, ...\); wrap a",
    ),
    "DataLoader": (
        lambda: (net(), DataLoader(X), Y),
        r"inputs: a DataLoader, expected one array .* torch.cat",
    ),
    "Dataset": (
        lambda: (net(), TensorDataset(X, Y), Y),
        "inputs: a TensorDataset, expected one array",
    ),
    "list of tensors": (lambda: (net(), list(X), Y), "inputs: a list of tensors, .* torch.stack"),
    "ragged": (lambda: (net(), [[1.0, 2.0], [3.0]], Y), "inputs: not an array of numbers"),
    "text": (lambda: (net(), X, ["a"] * N), "targets: entries of type text, expected real numbers"),
    "masked": (
        lambda: (net(), np.ma.masked_less(X.numpy(), 0), Y),
        r"inputs: \d+ of \d+ entries masked, expected none",
    ),
    "nothing": (lambda: (net(), None, Y), "inputs: NoneType, expected an array of real numbers"),
    "a number": (lambda: (net(), 3.0, Y), r"inputs: shape \(\), expected one sample or more"),
    "complex": (
        lambda: (net(), X.to(torch.complex64), Y),
        "inputs: torch.complex64, expected real",
    ),
    "sparse": (lambda: (net(), X.to_sparse(), Y), "inputs: a sparse"),
    "meta": (lambda: (net(), X.to("meta"), Y), "inputs: on the meta device"),
    "meta targets": (lambda: (net(), X, Y.to("meta")), "targets: on the meta device"),
    "meta network": (lambda: (net().to("meta"), X, Y), "layer.weight: on the meta device"),
    "lazy": (lambda: (nn.LazyLinear(2), X, Y), "weight: no shape yet"),
    "bfloat16": (
        lambda: (net().bfloat16(), X, Y),
        r"layer.weight: torch.bfloat16, .* network.double\(\)",
    ),
    "complex weights": (
        lambda: (nn.Linear(4, 2, dtype=torch.complex64), X, Y),
        "weight: torch.complex64",
    ),
    "two precisions": (
        lambda: (nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2).double()), X, Y),
        "1.weight: torch.float64 on cpu, but 0.weight torch.float32",
    ),
    "function": (
        lambda: (torch.tanh, X, Y),
        "network: builtin_function_or_method, expected a torch.nn.Module",
    ),
    "scripted": (lambda: (torch.jit.trace(nn.Linear(4, 2), X), X, Y), "is scripted or traced"),
    "parallel inside": (
        lambda: (nn.Sequential(nn.DataParallel(nn.Linear(4, 2))), X, Y),
        "DataParallel '0' distributes .* .module",
    ),
    "keyword inputs": (
        lambda: (Net(lambda f, *, x: f(x)), X, Y),
        r"network: Net '' fails on inputs of shape .*; expected forward\(inputs\)",
    ),
    "integer inputs": (
        lambda: (net(), X.byte(), Y),
        "network: Linear 'layer' fails on inputs of shape .* and torch.uint8",
    ),
    "fewer features": (
        lambda: (net(), X[:, :3], Y),
        r"network: Linear 'layer' fails on inputs of shape \(40, 3\)",
    ),
    "hidden weights": (
        lambda: (Net(lambda f, x: checkpoint(f, x, use_reentrant=True)), X, Y),
        "network: Net '' checkpoints with use_reentrant=True",
    ),
    "no gradient": (
        lambda: (Net(torch.no_grad()(lambda f, x: f(x))), X, Y),
        "outputs depend on no parameter, as torch sees it",
    ),
    "class of a late sample": (
        lambda: (net(), X, replaced(Y, 35, -100)),
        "targets: classes -100 to 1, expected 0 to 1",
    ),
    "class beyond": (
        lambda: (net(), X, replaced(Y, 39, 2)),
        "targets: classes 0 to 2, expected 0 to 1",
    ),
    "NaN in a late sample": (
        lambda: (net(), replaced(X, 39, torch.nan), Y),
        "inputs: contains NaN",
    ),
    "NaN in a late target": (
        lambda: (net(), X, replaced(X[:, :2], 39, torch.nan), "squared_error"),
        "targets: contains NaN",
    ),
    "loss ignores a late sample": (
        lambda: (net(), X, replaced(Y, 35, -100), nn.CrossEntropyLoss()),
        "loss: nan for sample 35 alone",
    ),
    "loss leaves one out": (
        lambda: (
            net(),
            X,
            Y,
            lambda z, y: (
                nn.functional.cross_entropy(z[:39], y[:39])
                if len(z) == N
                else nn.functional.cross_entropy(z, y)
            ),
        ),
        "loss: .* for 40 samples together",
    ),
    "loss of other weights": (
        lambda: (
            net(),
            X,
            Y,
            lambda z, y: ((z - z.detach()) * torch.arange(len(z)).view(-1, 1)).sum(),
        ),
        "loss: sample 39 alone has another gradient",
    ),
    "loss by class weights": (
        lambda: (net(), X, Y, nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))),
        "loss: .* expected a mean over samples",
    ),
    "loss of pairs": (
        lambda: (Net(lambda f, x: f(x)[:, :1]), X, X[:, 0], nn.MSELoss()),
        "loss: .* expected a mean over samples",
    ),
    "loss by chance": (
        lambda: (net(), X, Y, lambda z, y: z.mean() + torch.randn(()) * 1e-6),
        "loss: differs from call to call",
    ),
    "loss a float": (
        lambda: (net(), X, Y, lambda z, y: z.mean().item()),
        "loss: a float, expected a tensor",
    ),
    "loss fails": (
        lambda: (Net(lambda f, x: f(x)[:, :1]), X, Y[:, None], nn.BCEWithLogitsLoss()),
        "loss: fails on outputs .* torch.int64",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.filterwarnings("ignore")
def test_refused_by_one_line(case):
    make, message = REFUSED[case]
    with pytest.raises(DataError, match=message) as caught:
        Problem(*make())
    assert "\n" not in str(caught.value)


def test_a_layer_without_second_derivatives_is_named_and_what_does_without():
    torch.manual_seed(0)
    network = nn.Sequential(nn.EmbeddingBag(6, 2)).double()
    problem = Problem(network, torch.randint(6, (5, 3)), torch.arange(5) % 2)
    for matrix, instead in ((Fisher, "JacobianGram"), (Hessian, "Fisher or JacobianGram")):
        expected = f"network: EmbeddingBag '0' lacks derivatives .*; use {instead}"
        with pytest.raises(DataError, match=expected):
            matrix(problem).dense()
    plain = nn.Embedding.from_pretrained(network[0].weight.detach(), freeze=False)

    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(1)

    equal = Problem(nn.Sequential(plain, Mean()), problem.inputs, problem.targets)
    values = np.linalg.eigvalsh(Fisher(equal).dense())[::-1]
    np.testing.assert_allclose(JacobianGram(problem).fisher(), values[:10], atol=1e-15)


@pytest.mark.parametrize(
    ("loss", "targets"),
    [
        (nn.MSELoss(), torch.randn(N, 2, generator=rng)),
        (nn.CrossEntropyLoss(label_smoothing=0.1), Y),
        (nn.HuberLoss(), torch.randn(N, 2, generator=rng)),
        (nn.KLDivLoss(reduction="batchmean"), torch.rand(N, 2, generator=rng)),
        (lambda z, y: (z[y > 0].square().sum() + z[y <= 0].exp().sum()) / len(z), Y),
    ],
    ids=["MSELoss", "CrossEntropyLoss", "HuberLoss", "KLDivLoss", "indices"],
)
def test_losses_that_are_functions(loss, targets):
    network = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).double()
    problem = Problem(network, X, targets, loss)
    w = torch.from_numpy(problem.flat_weights())

    def total(w):
        parts = w.split([p.numel() for p in problem.parameters.values()])
        at = {
            k: t.view(p.shape) for (k, p), t in zip(problem.parameters.items(), parts, strict=True)
        }
        return loss(problem.outputs(at, problem.inputs), problem.targets)

    expected = torch.autograd.functional.hessian(total, w)
    np.testing.assert_allclose(Hessian(problem).dense(), expected, atol=1e-12)
    J = by_outputs(problem)
    z = problem.all_outputs()
    curved = torch.autograd.functional.hessian(lambda z: loss(z, problem.targets), z)
    G = np.einsum("ncp,ncmd,mdq->pq", J, curved.numpy(), J)
    np.testing.assert_allclose(GaussNewton(problem).dense(), G, atol=1e-12)


def by_outputs(problem):
    """Jacobian (N, C, p), one output at a time."""
    weights = list(problem.network.parameters())
    z = problem.network(problem.inputs)
    rows = [torch.autograd.grad(one, weights, retain_graph=True) for one in z.flatten()]
    flat = torch.stack([torch.cat([g.flatten() for g in row]) for row in rows])
    return flat.view(*z.shape, -1).numpy()


@pytest.mark.parametrize("size", [0, -1, 2.5, "4", True])
def test_batch_sizes(size):
    with pytest.raises(DataError, match="batch_size: .*, expected an integer, 1 or more"):
        Problem(net(), X, Y, batch_size=size)


def test_absurd_counts_and_arrays_are_refused():
    problem = Problem(net(), X, Y)
    for call, message in (
        (lambda: spectral_density(Hessian(problem), steps=10**20), "steps: .* 2 to 10"),
        (lambda: spectral_density(Hessian(problem), steps=4, probes=10**20), "probes: .* 2 to"),
        (lambda: JacobianGram(problem).logit(2), "k: 2, expected an integer, 0 to 1"),
        (lambda: Hessian(problem) @ np.zeros((10, 0)), r"vectors: shape \(10, 0\)"),
        (
            lambda: Hessian(problem) @ ["a"] * 10,
            "vectors: entries of type text, expected real numbers",
        ),
        (lambda: correlation_eigenvalues([1.0, 2.0]), r"H: shape \(2,\), expected \(N, ...\)"),
        (
            lambda: Problem(net(), X, Y, only="layer.weight"),
            "only = 'layer.weight': expected a list",
        ),
    ):
        with pytest.raises(DataError, match=message):
            call()


def test_tensors_that_require_gradients_are_arrays_too():
    problem = Problem(net(), X, Y)
    ones = torch.ones(10, requires_grad=True)
    np.testing.assert_array_equal(Hessian(problem) @ ones, Hessian(problem) @ np.ones(10))
    eye = torch.eye(3, requires_grad=True)
    np.testing.assert_array_equal(subspace_overlap(eye, eye), 1)
