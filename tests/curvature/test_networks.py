"""Networks of all kinds of layers: every matrix is what plain differentiation of each sample says.

The expected matrices come from single samples, one output at a time, by reverse differentiation of
the network as it is; Hessians by differentiating once more. What they have in common with the code
under test is torch's rule for each layer.
"""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from marked import with_slow
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import cross_entropy
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

from hyperribbon.curvature import (
    KFAC,
    EmpiricalFisher,
    Fisher,
    Hessian,
    JacobianGram,
    Problem,
    correlation_eigenvalues,
    layer_spectra,
)
from hyperribbon.errors import DataError

N, C = 5, 3


class Net(nn.Module):
    """Modules by name, and a function of (modules, inputs)."""

    def __init__(self, forward, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)
        self._forward = forward

    def forward(self, x):
        return self._forward(self, x)


def vectors(*shape):
    return torch.randn(N, *shape)


def tokens(*shape):
    return torch.randint(6, (N, *shape))


def chain(*layers):
    return nn.Sequential(*layers)


def recurrent(kind, **options):
    rnn = kind(2, 2, batch_first=True, **options)
    return Net(lambda m, x: m.last(m.rnn(x)[0][:, -1]), rnn=rnn, last=nn.LazyLinear(C))


def attention(x_first=False):
    mha = nn.MultiheadAttention(4, 2, batch_first=not x_first)

    def forward(m, x):
        x = x.transpose(0, 1) if x_first else x
        h = m.mha(x, x, x)[0]
        return m.last(h.mean(0 if x_first else 1))

    return Net(forward, mha=mha, last=nn.Linear(4, C))


def encoder(**options):
    layer = nn.TransformerEncoderLayer(4, 2, 5, batch_first=True, **options)
    return Net(lambda m, x: m.last(m.encoder(x).mean(1)),
               encoder=nn.TransformerEncoder(layer, 1), last=nn.Linear(4, C))  # fmt: skip


def tied():
    net = Net(lambda m, x: m.last(m.b(torch.tanh(m.a(x)))),
              a=nn.Linear(4, 4), b=nn.Linear(4, 4, bias=False), last=nn.Linear(4, C))  # fmt: skip
    net.b.weight = net.a.weight
    return net


def with_buffers(forward, **buffers):
    net = Net(forward, first=nn.Linear(4, 4), last=nn.Linear(4, C))
    for name, buffer in buffers.items():
        net.register_buffer(name, buffer)
    return net


def counting(m, x):
    m.calls += 1
    m.seen.copy_(x[0])  # of the batch, yet outputs do not depend on it
    return m.last(torch.tanh(m.first(x)))


def in_place(m, x):
    x *= 2
    h = m.first(x)
    h[:, 1] += 1
    h.tanh_()
    return m.last(h).add_(1)


def partly_without_gradient(m, x):
    with torch.no_grad():
        h = m.first(x)
    return m.last(torch.tanh(h))


class Cosine(nn.Linear):
    """A layer that is called linear and is not."""

    def forward(self, x):
        return nn.functional.linear(x, self.weight / self.weight.norm(dim=1, keepdim=True))


class Clipped(torch.autograd.Function):
    """Of the old kind, that knows neither forward differentiation nor vmap."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        return 3 * ctx.saved_tensors[0] ** 2 * g


def convolution(kind, ndim, **options):
    layer = kind(2, 2, 2, **options)
    return chain(layer, nn.Tanh(), nn.Flatten(), nn.LazyLinear(C)), vectors(2, *[3] * ndim)


def normalised(layer):
    return chain(nn.Unflatten(1, (2, 2)), layer, nn.Flatten(), nn.Tanh(), nn.Linear(4, C))


def mlp(hidden, *, wrap=lambda layer: layer):
    return chain(wrap(nn.Linear(4, 4)), hidden, nn.Linear(4, C))


def sequence_first():
    """Over time first: (T, B, D), with as many steps as samples."""
    return Net(lambda m, x: m.last(torch.tanh(m.first(x.transpose(0, 1))).mean(0)),
               first=nn.Linear(2, 4), last=nn.Linear(4, C)), vectors(N, 2)  # fmt: skip


def folded():
    """Frames in the batch: (B T, D)."""
    return Net(
        lambda m, x: m.last(m.first(x.flatten(0, 1)).tanh().unflatten(0, x.shape[:2]).mean(1)),
        first=nn.Linear(2, 4), last=nn.Linear(4, C)), vectors(3, 2)  # fmt: skip


def flipped():
    return Net(lambda m, x: m.last(torch.tanh(m.first(x.flip(0))).flip(0)),
               first=nn.Linear(4, 4), last=nn.Linear(4, C)), vectors(4)  # fmt: skip


def sorted_by_value():
    """Rows in an order that the samples say, as of sequences by length."""

    def forward(m, x):
        order = x[:, 0].argsort()
        return m.last(torch.tanh(m.first(x[order]))[order.argsort()])

    return Net(forward, first=nn.Linear(4, 4), last=nn.Linear(4, C)), vectors(4)


def some_samples():
    """A layer for samples of one kind, as a mixture of experts has."""

    def forward(m, x):
        chosen = x[:, 0] > 0
        h = torch.tanh(m.first(x))
        return m.last(h.index_put((chosen,), m.expert(h[chosen])))

    network = Net(forward, first=nn.Linear(4, 4), expert=nn.Linear(4, 4), last=nn.Linear(4, C))
    return network, vectors(4)


def called_twice():
    return Net(lambda m, x: m.last(m.first(torch.tanh(m.first(x)))),
               first=nn.Linear(4, 4), last=nn.Linear(4, C)), vectors(4)  # fmt: skip


def of_a_table():
    """A layer on a table of as many rows as there are samples, which all of them see."""
    net = Net(lambda m, x: m.last(torch.tanh(x) @ m.first(m.table)),
              first=nn.Linear(2, 4), last=nn.Linear(4, C))  # fmt: skip
    net.register_buffer("table", torch.randn(N, 2))
    return net, vectors(N)


def by_keyword():
    return Net(lambda m, x: m.last(torch.tanh(m.first(input=x))),
               first=nn.Linear(4, 4), last=nn.Linear(4, C)), vectors(4)  # fmt: skip


def frames_first():
    """Images (T, B, ...), three frames of each sample of which there are three."""
    return Net(
        lambda m, x: m.last(m.conv(x.transpose(0, 1).flatten(0, 1)).tanh().flatten(1)
                            .unflatten(0, (3, -1)).mean(0)),
        conv=nn.Conv2d(1, 2, 2), last=nn.Linear(8, C)), vectors(3, 1, 3, 3)  # fmt: skip


AXES = {f.__name__: f for f in (
    sequence_first, folded, flipped, sorted_by_value, some_samples, called_twice, of_a_table,
    by_keyword, frames_first)}  # fmt: skip
OTHERS = {
    "unused layer": lambda: (
        Net(lambda m, x: m.last(x), unused=nn.Linear(2, 2), last=nn.Linear(4, C)),
        vectors(4),
    ),
    "GRU": lambda: (recurrent(nn.GRU, num_layers=2, bidirectional=True), vectors(2, 2)),
    "LSTM": lambda: (recurrent(nn.LSTM), vectors(2, 2)),
    "RNN": lambda: (recurrent(nn.RNN), vectors(2, 2)),
    "RNN cells": lambda: (
        Net(lambda m, x: m.last(m.cell(x, m.cell(x))), cell=nn.GRUCell(4, 4), last=nn.Linear(4, C)),
        vectors(4),
    ),
    "PReLU": lambda: (mlp(nn.PReLU(4)), vectors(4)),
    "one PReLU": lambda: (mlp(nn.PReLU()), vectors(4)),
    "weight_norm": lambda: (mlp(nn.Tanh(), wrap=parametrizations.weight_norm), vectors(4)),
    "old weight_norm": lambda: (mlp(nn.Tanh(), wrap=nn.utils.weight_norm), vectors(4)),
    "spectral_norm": lambda: (mlp(nn.Tanh(), wrap=parametrizations.spectral_norm), vectors(4)),
    "old spectral_norm": lambda: (mlp(nn.Tanh(), wrap=nn.utils.spectral_norm), vectors(4)),
    "orthogonal": lambda: (mlp(nn.Tanh(), wrap=parametrizations.orthogonal), vectors(4)),
    "pruned": lambda: (
        mlp(nn.Tanh(), wrap=lambda layer: prune.random_unstructured(layer, "weight", 0.5)),
        vectors(4),
    ),
    "MultiheadAttention": lambda: (attention(), vectors(3, 4)),
    "MultiheadAttention, time first": lambda: (attention(x_first=True), vectors(N, 4)),
    "TransformerEncoder": lambda: (encoder(), vectors(3, 4)),
    "TransformerEncoder, norm first": lambda: (
        encoder(norm_first=True, activation="gelu"),
        vectors(3, 4),
    ),
    "Embedding": lambda: (
        chain(nn.Embedding(6, 2), nn.Flatten(), nn.Tanh(), nn.Linear(6, C)),
        tokens(3),
    ),
    "Embedding, padded": lambda: (
        chain(nn.Embedding(6, 2, padding_idx=0), nn.Flatten(), nn.Linear(6, C)),
        tokens(3),
    ),
    "GroupNorm": lambda: (normalised(nn.GroupNorm(1, 2)), vectors(4)),
    "LayerNorm": lambda: (mlp(nn.LayerNorm(4)), vectors(4)),
    "RMSNorm": lambda: (mlp(nn.RMSNorm(4)), vectors(4)),
    "InstanceNorm": lambda: (normalised(nn.InstanceNorm1d(2, affine=True)), vectors(4)),
    "InstanceNorm, tracked": lambda: (
        normalised(nn.InstanceNorm1d(2, affine=True, track_running_stats=True)),
        vectors(4),
    ),
    "BatchNorm": lambda: (mlp(nn.BatchNorm1d(4)), vectors(4)),
    "LocalResponseNorm": lambda: (normalised(nn.LocalResponseNorm(2)), vectors(4)),
    "Conv1d": lambda: convolution(nn.Conv1d, 1, padding="same"),
    "Conv2d": lambda: convolution(nn.Conv2d, 2, stride=2, padding=1),
    "Conv2d, grouped, dilated": lambda: convolution(nn.Conv2d, 2, groups=2, dilation=2),
    "Conv2d, reflected": lambda: convolution(nn.Conv2d, 2, padding=1, padding_mode="reflect"),
    "Conv3d": lambda: convolution(nn.Conv3d, 3),
    "ConvTranspose1d": lambda: convolution(nn.ConvTranspose1d, 1, stride=2),
    "ConvTranspose2d": lambda: convolution(nn.ConvTranspose2d, 2, groups=2),
    "Bilinear": lambda: (
        Net(lambda m, x: m.bilinear(x, x.tanh()), bilinear=nn.Bilinear(4, 4, C)),
        vectors(4),
    ),
    "max-pooling": lambda: (
        chain(nn.Conv2d(1, 2, 2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, C)),
        vectors(1, 4, 4),
    ),
    "ReLU and others": lambda: (
        chain(
            nn.Linear(4, 4),
            nn.ReLU(inplace=True),
            nn.GELU(),
            nn.SiLU(),
            nn.ELU(),
            nn.Softplus(),
            nn.Mish(),
            nn.Hardswish(),
            nn.LeakyReLU(inplace=True),
            nn.Linear(4, C),
        ),
        vectors(4),
    ),
    "GLU": lambda: (chain(nn.Linear(4, 8), nn.GLU(), nn.Linear(4, C)), vectors(4)),
    "Dropout": lambda: (mlp(nn.Dropout()), vectors(4)),
    "tied weights": lambda: (tied(), vectors(4)),
    "ParameterList": lambda: (
        Net(
            lambda m, x: m.last(torch.tanh(x * m.scales[0] + m.scales[1])),
            scales=nn.ParameterList([torch.randn(4), torch.randn(1)]),
            last=nn.Linear(4, C),
        ),
        vectors(4),
    ),
    "frozen layer": lambda: (
        chain(nn.Linear(4, 4).requires_grad_(False), nn.Tanh(), nn.Linear(4, C)),
        vectors(4),
    ),
    "no gradient within": lambda: (with_buffers(partly_without_gradient), vectors(4)),
    "detached": lambda: (
        with_buffers(lambda m, x: m.last(torch.tanh(m.first(x).detach()) + m.first(x))),
        vectors(4),
    ),
    "integer buffer": lambda: (
        with_buffers(
            lambda m, x: m.last(torch.tanh(m.first(x[:, m.order]))),
            order=torch.tensor([3, 1, 0, 2]),
        ),
        vectors(4),
    ),
    "changed buffers": lambda: (
        with_buffers(counting, calls=torch.tensor(0), seen=torch.zeros(4)),
        vectors(4),
    ),
    "in place": lambda: (with_buffers(in_place), vectors(4)),
    "checkpointing": lambda: (
        with_buffers(
            lambda m, x: m.last(
                checkpoint(lambda h: torch.tanh(m.first(h)), x, use_reentrant=False)
            )
        ),
        vectors(4),
    ),
    "autograd.Function": lambda: (
        with_buffers(lambda m, x: m.last(Clipped.apply(m.first(x)))),
        vectors(4),
    ),
    "numbers looked at": lambda: (
        with_buffers(lambda m, x: m.last(torch.tanh(m.first(x))) * (2 if x.abs().max() > 0 else 1)),
        vectors(4),
    ),
    "called linear": lambda: (chain(Cosine(4, 4), nn.Tanh(), nn.Linear(4, C)), vectors(4)),
    "DataParallel": lambda: (nn.DataParallel(mlp(nn.Tanh())), vectors(4)),
    "one output": lambda: (chain(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1)), vectors(4)),
}


# Where the outputs change with weights of which torch is to take no derivative.
CUT = ("no gradient within", "detached")


def problem_of(make):
    torch.manual_seed(0)
    network, x = make()
    x = x.double() if x.is_floating_point() else x
    with torch.no_grad():
        network.double().eval()(x.clone())
    classes = network(x.clone()).shape[1]
    return Problem(network, x, torch.arange(N) % classes)


@contextmanager
def plain_attention():
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    with sdpa_kernel(SDPBackend.MATH):
        yield
    torch.backends.mha.set_fastpath_enabled(fast)


def expected(problem):
    """Jacobian (N, C, p) and Hessian (p, p)."""
    network = problem.network
    weights = [p for p in network.parameters() if p.requires_grad]
    rows, H = [], 0
    with plain_attention():
        for k in range(problem.n_samples):
            z = network(problem.inputs[k : k + 1].clone())
            rows.append(torch.stack([flat_gradient(output, weights) for output in z[0]]))
            loss = cross_entropy(z, problem.targets[k : k + 1])
            slope = flat_gradient(loss, weights, create_graph=True)
            H = H + torch.stack([flat_gradient(one, weights) for one in slope])
    return torch.stack(rows).numpy(), H.numpy() / problem.n_samples


def flat_gradient(scalar, weights, create_graph=False):
    if not scalar.requires_grad:
        return torch.zeros(sum(w.numel() for w in weights), dtype=torch.float64)
    options = {"allow_unused": True, "materialize_grads": True, "retain_graph": True}
    found = torch.autograd.grad(scalar, weights, create_graph=create_graph, **options)
    return torch.cat([g.flatten() for g in found])


def by_differences(problem, v, step=1e-5):
    """Hessian times a vector, of the network's gradients at two weights beside each other."""
    slopes, weights = [], [p for p in problem.network.parameters() if p.requires_grad]
    v = torch.from_numpy(v).split([w.numel() for w in weights])
    for along in (step, -2 * step, step):
        with plain_attention():
            loss = cross_entropy(problem.network(problem.inputs.clone()), problem.targets)
            slopes.append(flat_gradient(loss, weights).numpy())
        for w, direction in zip(weights, v, strict=True):
            w.data += along * direction.view(w.shape)
    return (slopes[1] - slopes[2]) / (2 * step)


# Each takes more than a second; layers of their kinds are among the others.
LONG = {"GRU", "RNN cells", "TransformerEncoder", "Conv2d, reflected", "Conv3d", "ConvTranspose2d"}


@pytest.mark.parametrize("name", with_slow([*AXES, *OTHERS], LONG))
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")
def test_every_matrix_is_what_differentiation_of_each_sample_says(name):
    problem = problem_of({**AXES, **OTHERS}[name])
    before = {k: t.clone() for k, t in problem.network.state_dict().items()}
    inputs = problem.inputs.clone()
    J, H = expected(problem)
    for k, t in before.items():
        problem.network.state_dict()[k].copy_(t)
    p = problem.all_outputs().softmax(dim=1).numpy()
    R = np.apply_along_axis(np.diag, 1, p) - p[:, :, None] * p[:, None, :]
    F = np.einsum("ncp,ncd,ndq->pq", J, R, J) / N
    g = np.einsum("nc,ncp->np", p - np.eye(p.shape[1])[problem.targets], J)
    scale = max(1.0, np.abs(J).max() ** 2)
    for operator, matrix in ((Fisher, F), (EmpiricalFisher, g.T @ g / N)):
        np.testing.assert_allclose(operator(problem).dense(), matrix, atol=1e-13 * scale)
    found = Hessian(problem).dense()
    if "weight_norm" not in name:  # of which torch's own rule is wrong
        np.testing.assert_allclose(found, H, atol=1e-12 * scale)
    gram = JacobianGram(problem)
    np.testing.assert_allclose(gram.gram, np.einsum("ncp,mdp->ncmd", J, J), atol=1e-12 * scale)
    for k, t in problem.network.state_dict().items():
        assert torch.equal(t, before[k]), k
    assert torch.equal(problem.inputs, inputs)
    if name not in CUT:
        v = np.random.default_rng(0).normal(size=len(F))
        np.testing.assert_allclose(found @ v, by_differences(problem, v), atol=1e-6 * scale)


@pytest.mark.parametrize("name", AXES)
def test_samples_are_followed_through_every_layer(name):
    """Layers whose rows are not the samples' have no Kronecker factors and no spectra."""
    problem = problem_of(AXES[name])
    of_samples = {"some_samples": ["first", "last"]}.get(name, ["last"])
    spectra = layer_spectra(problem)
    assert list(spectra) == of_samples
    with pytest.raises(DataError, match=r"(first|conv|expert)\.weight: not of a linear .* Fisher"):
        KFAC(problem)
    last, entered = problem.network.last, []
    handle = last.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0].detach()))
    z = torch.cat([problem.network(x) for x in problem.inputs.split(1)]).detach()
    handle.remove()
    h = torch.cat(entered)
    np.testing.assert_allclose(spectra["last"]["activations"], correlation_eigenvalues(h))
    names = ["last.weight", "last.bias"]
    kfac = KFAC(Problem(problem.network, problem.inputs, problem.targets, only=names))
    p, a = z.softmax(dim=1), torch.cat([h, torch.ones(N, 1)], dim=1)
    G = torch.diag(p.mean(0)) - p.T @ p / N
    factors = np.linalg.eigvalsh(np.kron(G.numpy(), (a.T @ a / N).numpy()))
    np.testing.assert_allclose(np.sort(kfac.eigenvalues), factors, atol=1e-14)
