"""Infinitely wide networks, against oracles, kernels of two points and random networks."""

from math import pi

import intrinsic_curvature
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group
from torch import nn
from torch.func import grad, jacrev, vmap

from hyperribbon.errors import DataError
from hyperribbon.representations.activations import find_activation
from hyperribbon.representations.infinite_width import InfiniteWidth, ntk_features
from hyperribbon.representations.metric import pullback_metric
from hyperribbon.representations.riemann import ricci_scalar

S2, Z2 = 1.3, 0.4
VARIANCES = {"weight_variance": S2, "bias_variance": Z2}


def erf(z):
    return torch.erf(z / 2**0.5)


def kernels(x, y, depth):
    """NNGP kernel of the last layer of an erf network and its NTK, of two points."""
    k, theta = (S2 * (x @ y) + Z2 for _ in range(2))
    q, p = S2 * (x @ x) + Z2, S2 * (y @ y) + Z2
    for _ in range(depth):
        scale = torch.sqrt((1 + q) * (1 + p))
        change = 2 / pi / torch.sqrt(scale**2 - k**2)
        features = 2 / pi * torch.asin(k / scale)
        q, p = (S2 * 2 / pi * torch.asin(v / (1 + v)) + Z2 for v in (q, p))
        k = S2 * features + Z2
        theta = k + S2 * change * theta
    return features, theta


def metric_of(kernel, depth):
    def metric(p):
        return jacrev(lambda x: jacrev(lambda y: kernels(x, y, depth)[kernel])(p))(p)

    return metric


@pytest.mark.parametrize("activation", ["erf", erf])
def test_metrics_and_curvature_of_the_oracle(o11, activation):
    for d in (2, 3):
        x = np.linspace(0.2, 1.1, d)[None]
        for depth in (1, 2, 3):
            network = InfiniteWidth(activation, depth=depth, **VARIANCES)
            g = o11[f"nngp_erf_L{depth}_d{d}_g"]
            np.testing.assert_allclose(network.metric(x)[0], g, rtol=1e-9)
            volume = np.linalg.slogdet(g)[1] / 2
            np.testing.assert_allclose(network.log_volume(x), volume, rtol=1e-9)
    for d in (2, 3, 4, 5):
        found = InfiniteWidth(activation, **VARIANCES).ricci_scalar(np.linspace(0.2, 1.1, d)[None])
        np.testing.assert_allclose(found, o11[f"nngp_erf_d{d}_R"], rtol=1e-9)


def test_scalars_and_determinants_of_the_other_oracle(o7):
    for d, scalar, _, determinant, _ in o7["nngp_shallow"]:
        x = np.linspace(0.2, 1.1, int(d))[None]
        network = InfiniteWidth("erf", **VARIANCES)
        np.testing.assert_allclose(network.ricci_scalar(x), scalar, rtol=1e-9)
        np.testing.assert_allclose(np.exp(2 * network.log_volume(x)), determinant, rtol=1e-9)


@pytest.mark.parametrize(("kernel", "number"), [("nngp", 0), ("ntk", 1)])
@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("d", [2, 3])
def test_metric_and_curvature_are_those_of_the_kernel_of_two_points(kernel, number, depth, d):
    metric = metric_of(number, depth)
    x = torch.from_numpy(np.random.default_rng(d).standard_normal((2, d)))
    expected = np.stack([metric(p).numpy() for p in x])
    scalar = intrinsic_curvature.scalar(metric, x[0])
    for activation in ("erf", erf):
        network = InfiniteWidth(activation, kernel=kernel, depth=depth, **VARIANCES)
        np.testing.assert_allclose(network.metric(x), expected, rtol=1e-9)
        np.testing.assert_allclose(network.log_volume(x), np.linalg.slogdet(expected)[1] / 2)
        np.testing.assert_allclose(network.ricci_scalar(x[:1]), scalar, rtol=1e-8)


@pytest.mark.parametrize("d", [1, 2, 50])
def test_volume_of_a_shallow_network_in_any_dimension(d):
    x = np.random.default_rng(0).standard_normal((3, d))
    r = np.square(x).sum(1)
    omega = np.log(2 * S2 / pi) - np.log(1 + 2 * Z2 + 2 * S2 * r) / 2
    slope = -S2 / (1 + 2 * Z2 + 2 * S2 * r)
    expected = (d * omega + np.log(1 + 2 * r * slope)) / 2
    found = InfiniteWidth("erf", **VARIANCES)
    np.testing.assert_allclose(found.log_volume(x), expected, rtol=1e-10)
    assert np.array_equal(found.ricci_scalar(x) == 0, np.full(3, d == 1))


@pytest.mark.parametrize("activation", ["erf", "sigmoid", "tanh", "gelu", "relu"])
def test_random_networks_of_one_hundred_thousand_units_have_this_metric(activation):
    n, d = 100_000, 2
    rng = np.random.default_rng(1)
    W, b = S2**0.5 * rng.standard_normal((n, d)), Z2**0.5 * rng.standard_normal(n)
    x = np.array([[0.0, 0.0], [0.5, -0.2], [1.5, 2.0]])
    slope = find_activation(activation).slope(torch.from_numpy(x @ W.T + b)).numpy()
    terms = slope[:, :, None, None] ** 2 * W[:, :, None] * W[:, None, :]
    error = terms.std(1) / n**0.5
    found = InfiniteWidth(activation, **VARIANCES).metric(x)
    assert (np.abs(terms.mean(1) - found) < 4.5 * error).all()
    assert (error < 0.02 * np.trace(found, axis1=1, axis2=2)[:, None, None]).all()


@pytest.mark.parametrize("activation", ["tanh", "gelu"])
def test_random_networks_of_two_layers_have_this_metric(activation):
    n, d, draws = 800, 2, 40
    phi = find_activation(activation)
    x = torch.tensor([[0.5, -0.2], [1.5, 2.0]], dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    found = []
    for _ in range(draws):
        W, b, V, c = (
            torch.randn(shape, generator=generator, dtype=torch.float64)
            for shape in ((n, d), n, (n, n), n)
        )
        h = S2**0.5 * x @ W.T + Z2**0.5 * b
        J = phi.slope(h)[:, :, None] * S2**0.5 * W
        V = (S2 / n) ** 0.5 * V
        J = phi.slope(phi.function(h) @ V.T + Z2**0.5 * c)[:, :, None] * (V @ J)
        found.append(J.mT @ J / n)
    found = torch.stack(found).numpy()
    expected = InfiniteWidth(activation, depth=2, **VARIANCES).metric(x)
    error = found.std(0) / draws**0.5
    assert (np.abs(found.mean(0) - expected) < 4.5 * error).all()
    assert (error < 0.02 * np.trace(expected, axis1=1, axis2=2)[:, None, None]).all()


@settings(max_examples=20)
@given(
    seed=st.integers(0, 999),
    activation=st.sampled_from(["erf", "sigmoid", "tanh", "gelu"]),
    kernel=st.sampled_from(["nngp", "ntk"]),
)
def test_orthogonal_maps_of_the_inputs_change_nothing(seed, activation, kernel):
    x = np.random.default_rng(seed).standard_normal((2, 3))
    Q = ortho_group.rvs(3, random_state=seed)
    network = InfiniteWidth(activation, kernel=kernel, depth=2)
    g = network.metric(x)
    close = {"rtol": 1e-8, "atol": 1e-10}
    np.testing.assert_allclose(network.metric(x @ Q.T), Q @ g @ Q.T, **close)
    np.testing.assert_allclose(network.log_volume(x @ Q.T), network.log_volume(x), **close)
    np.testing.assert_allclose(network.ricci_scalar(x @ Q.T), network.ricci_scalar(x), **close)


@pytest.mark.parametrize("kernel", ["nngp", "ntk"])
@pytest.mark.parametrize("activation", ["erf", "tanh"])
def test_the_origin_is_a_point_as_others_are(activation, kernel):
    network = InfiniteWidth(activation, kernel=kernel, depth=2, **VARIANCES)
    x = np.array([[0, 0, 0], [1e-5, 0, 0]])
    g, scalar = network.metric(x), network.ricci_scalar(x)
    np.testing.assert_allclose(g[0], g[0, 0, 0] * np.eye(3), rtol=1e-12)
    np.testing.assert_allclose(g[1], g[0], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(scalar[1], scalar[0], rtol=1e-8)


def test_without_biases_the_origin_has_a_metric_but_by_quadrature_no_curvature():
    x = np.array([[1.0, 1.0], [0.0, 0.0]])
    for activation in ("tanh", "gelu"):
        network = InfiniteWidth(activation, depth=2, bias_variance=0)
        g = network.metric(x)
        slope = float(find_activation(activation).slope(torch.zeros(1, dtype=torch.float64)))
        np.testing.assert_allclose(g[1], slope**4 * np.eye(2), rtol=1e-12)
        assert np.isfinite(network.log_volume(x)).all()
        with pytest.raises(DataError, match="row 1 has pre-activations of variance 0, expected at"):
            network.ricci_scalar(x)
        assert np.isfinite(network.ricci_scalar(x[:1])).all()
    exact = InfiniteWidth("erf", depth=2, bias_variance=0).ricci_scalar(x + np.array([[0], [1e-6]]))
    at_origin = InfiniteWidth("erf", depth=2, bias_variance=0).ricci_scalar(x)
    np.testing.assert_allclose(at_origin, exact, rtol=1e-9, atol=1e-9)


def test_relu_is_flat_at_infinite_width():
    x = np.random.default_rng(0).standard_normal((3, 2))
    network = InfiniteWidth("relu", depth=2, **VARIANCES)
    np.testing.assert_allclose(network.metric(x), (S2 / 2) ** 2 * np.eye(2)[None].repeat(3, 0))
    assert not network.ricci_scalar(x).any()


@pytest.mark.parametrize("activation", ["relu", torch.relu, nn.functional.leaky_relu])
def test_kinks_leave_the_ntk_without_a_metric(activation):
    with pytest.raises(DataError, match=r"slope.* has a jump.* so the features have no finite"):
        InfiniteWidth(activation, kernel="ntk")


class Wide(nn.Module):
    """Two hidden layers in the NTK parametrisation."""

    def __init__(self, n, d, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        sizes = (d, n, n, 1)
        shapes = [shape for i in range(3) for shape in ((sizes[i + 1], sizes[i]), (sizes[i + 1],))]
        self.weights = nn.ParameterList(
            [torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes]
        )

    def forward(self, x):
        for layer in range(3):
            W, b = self.weights[2 * layer], self.weights[2 * layer + 1]
            width = len(W.T) if layer else 1
            x = (S2 / width) ** 0.5 * x @ W.T + Z2**0.5 * b
            x = erf(x) if layer < 2 else x
        return x


def test_gradients_of_wide_networks_have_the_metric_of_the_ntk():
    x = torch.tensor([[0.5, -0.2], [1.5, 2.0]], dtype=torch.float64)
    expected = InfiniteWidth("erf", kernel="ntk", depth=2, **VARIANCES).metric(x)
    off = {}
    for n, draws in ((16, 60), (256, 20)):
        found = []
        for seed in range(draws):
            features = ntk_features(Wide(n, 2, seed))
            J = vmap(torch.func.jacfwd(lambda p, features=features: features(p[None])[0]))(x)
            found.append((J.mT @ J).numpy())
        error = np.std(found, axis=0) / draws**0.5
        assert (np.abs(np.mean(found, axis=0) - expected) < 4 * error).all()
        off[n] = np.sqrt(np.square(found - expected).mean((0, 2, 3)))
    assert (off[256] < off[16] / 2.5).all()  # expected: a quarter


def test_features_have_a_pullback_metric_and_curvature():
    features = ntk_features(Wide(8, 2, 0))
    x = torch.tensor([[0.5, -0.2], [1.5, 2.0]], dtype=torch.float64)
    J = vmap(torch.func.jacfwd(lambda p: features(p[None])[0]))(x)
    np.testing.assert_allclose(pullback_metric(features, x), J.mT @ J / J.shape[1], rtol=1e-9)
    assert np.isfinite(ricci_scalar(features, x)).all()


def test_features_are_the_gradient_of_the_chosen_output():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
    features = ntk_features(network, output=1)
    x = torch.randn(5, 3)
    copy = network.double().eval()
    for row, sample in zip(features(x), x.double(), strict=True):
        gradients = torch.autograd.grad(copy(sample[None])[0, 1], list(copy.parameters()))
        torch.testing.assert_close(row, torch.cat([g.flatten() for g in gradients]))


def test_features_do_not_follow_later_training():
    network = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    features, x = ntk_features(network), torch.randn(2, 2)
    before = features(x)
    with torch.no_grad():
        network[0].weight.zero_()
    assert torch.equal(features(x), before)


def test_features_can_be_differentiated_twice():
    features = ntk_features(nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1)))

    def one(t):
        return features(t[None, None])[0, 0]

    t, step = torch.tensor(0.3, dtype=torch.float64), 1e-4
    expected = (one(t + step) - 2 * one(t) + one(t - step)) / step**2
    torch.testing.assert_close(grad(grad(one))(t), expected, rtol=1e-5, atol=1e-6)


def test_bad_networks():
    with pytest.raises(DataError, match="network: no parameters, expected a network that can be"):
        ntk_features(nn.Tanh())
    with pytest.raises(DataError, match="output: 2, but the network has 2 outputs"):
        ntk_features(nn.Linear(3, 2), output=2)(torch.zeros(4, 3))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"activation": "softplus"}, "'softplus' is unknown, expected one of erf, sigmoid, tanh"),
        ({"kernel": "ntp"}, "kernel: 'ntp', expected one of nngp, ntk"),
        ({"depth": 0}, "depth: 0, expected a number of hidden layers, at least 1"),
        ({"depth": 1.5}, "depth: 1.5, expected a number of hidden layers"),
        ({"weight_variance": 0}, "weight_variance: 0, expected a number above 0"),
        ({"bias_variance": -1.0}, "bias_variance: -1.0, expected a number, at least 0"),
    ],
)
def test_bad_arguments(change, words):
    with pytest.raises(DataError, match=words):
        InfiniteWidth(**{"activation": "erf"} | change)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.ones(3), r"x: shape \(3,\), expected \(B, d\)"),
        (np.full((1, 2), np.nan), "x: [0-9]+ numbers are NaN or infinite"),
    ],
)
def test_bad_points(x, words):
    with pytest.raises(DataError, match=words):
        InfiniteWidth("erf").log_volume(x)


def test_constant_features_have_no_volume():
    with pytest.raises(DataError, match="x: the metric is singular at row 0"):
        InfiniteWidth(lambda z: 0 * z).log_volume(np.ones((1, 2)))
