import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hyperribbon.errors import DataError, SingularMetricWarning
from hyperribbon.representations import riemann
from hyperribbon.representations.riemann import ricci_scalar, ricci_tensor, riemann_tensor

ROOT3 = 3**0.5  # features count by their mean square
POINT = st.floats(-2, 2)


def graph(x):
    """The graph z = f(x, y), whose coordinates are not orthogonal, and its scalar curvature."""
    u, v = x[:, 0], x[:, 1]
    return ROOT3 * torch.stack([u, v, 0.7 * u * v + torch.sin(u) + 0.3 * v**3], dim=1)


def curvature_of_graph(u, v):
    fx, fy = 0.7 * v + np.cos(u), 0.7 * u + 0.9 * v**2
    fxx, fyy, fxy = -np.sin(u), 1.8 * v, 0.7
    return 2 * (fxx * fyy - fxy**2) / (1 + fx**2 + fy**2) ** 2


def brioschi(features, point):
    """Scalar curvature from the metric alone, by Brioschi's formula."""

    def first_form(p):
        J = torch.func.jacfwd(lambda q: features(q[None])[0])(p)
        return J.T @ J / len(J)

    p = torch.tensor(point, dtype=torch.float64)
    g, dg = first_form(p), torch.func.jacfwd(first_form)(p)
    ddg = torch.func.jacfwd(torch.func.jacfwd(first_form))(p)
    (E, F), G = g[0], g[1, 1]
    E_u, E_v = dg[0, 0]
    F_u, F_v = dg[0, 1]
    G_u, G_v = dg[1, 1]
    corner = -ddg[0, 0, 1, 1] / 2 + ddg[0, 1, 0, 1] - ddg[1, 1, 0, 0] / 2
    zero = torch.zeros_like(E)
    first = [[corner, E_u / 2, F_u - E_v / 2], [F_v - G_u / 2, E, F], [G_v / 2, F, G]]
    second = [[zero, E_v / 2, G_u / 2], [E_v / 2, E, F], [G_u / 2, F, G]]
    matrices = [torch.stack([torch.stack(row) for row in m]) for m in (first, second)]
    determinants = torch.linalg.det(torch.stack(matrices))
    return float(2 * (determinants[0] - determinants[1]) / (E * G - F**2) ** 2)


def test_networks_of_the_oracle(deep):
    features, oracle = deep
    for ours, key in ((riemann_tensor, "riemann"), (ricci_tensor, "ricci"), (ricci_scalar, "R")):
        found, expected = ours(features, oracle["x"]), oracle[key]
        scale = np.abs(expected).max(axis=tuple(range(1, expected.ndim)), keepdims=True)
        np.testing.assert_allclose(found / scale, expected / scale, rtol=1e-9, atol=1e-9)


def test_shallow_and_deep_networks_of_the_other_oracle(o7, layers):
    for kind in ("Sigmoid", "Erf"):
        features = layers(kind.lower(), (o7[f"{kind}_W"], o7[f"{kind}_b"]))
        np.testing.assert_allclose(ricci_scalar(features, o7[f"{kind}_x"]), o7[f"{kind}_R"], 1e-9)
    (W1, b1), (W2, b2) = ((o7[f"deep_W{k}"], o7[f"deep_b{k}"]) for k in (1, 2))
    features = layers("sigmoid", (W1, b1), (W2 * 8**0.5, b2))  # there, no layer is scaled
    np.testing.assert_allclose(ricci_scalar(features, o7["deep_x"]), o7["deep_R"], 1e-9)


@settings(max_examples=25)
@given(POINT, POINT)
def test_a_graph_in_oblique_coordinates(u, v):
    found = ricci_scalar(graph, [[u, v]])
    np.testing.assert_allclose(found, curvature_of_graph(u, v), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found, brioschi(graph, [u, v]), rtol=1e-7, atol=1e-9)


@settings(max_examples=25)
@given(POINT, POINT)
def test_a_torus_and_a_sphere(u, v):
    def torus(x):
        u, v = x[:, 0], x[:, 1]
        ring = 2 + v.cos()
        return ROOT3 * torch.stack([ring * u.cos(), ring * u.sin(), v.sin()], dim=1)

    expected = 2 * np.cos(v) / (2 + np.cos(v))
    np.testing.assert_allclose(ricci_scalar(torus, [[u, v]]), [expected], rtol=1e-9, atol=1e-12)

    def three_sphere(x):  # of radius 2, by inverse stereographic projection
        square = (x**2).sum(dim=1, keepdim=True)
        return 2 * 2 * torch.cat([2 * x, square - 1], dim=1) / (square + 1)

    # d (d - 1) / radius^2
    np.testing.assert_allclose(ricci_scalar(three_sphere, [[u, v, 0.3]]), [6 / 4], rtol=1e-9)


def smooth(seed, d=3, n=8):
    rng = np.random.default_rng(seed)
    W, b = torch.tensor(rng.normal(size=(n, d))), torch.tensor(rng.normal(size=n))
    return (lambda x: torch.tanh(x @ W.T + b)), rng


@settings(max_examples=25)
@given(st.integers(0, 99))
def test_symmetries_and_contractions(seed):
    features, rng = smooth(seed)
    x = rng.normal(size=(2, 3))
    R, ricci, scalar = (f(features, x) for f in (riemann_tensor, ricci_tensor, ricci_scalar))
    # The part of each product of two second fundamental forms that cancels sets the error.
    close = {"rtol": 1e-9, "atol": 1e-10 * np.abs(R).max()}
    np.testing.assert_allclose(R, -R.transpose(0, 2, 1, 3, 4), **close)
    np.testing.assert_allclose(R, -R.transpose(0, 1, 2, 4, 3), **close)
    np.testing.assert_allclose(R, R.transpose(0, 3, 4, 1, 2), **close)
    bianchi = R + R.transpose(0, 1, 3, 4, 2) + R.transpose(0, 1, 4, 2, 3)
    np.testing.assert_allclose(bianchi, 0, **close)
    inverse = np.linalg.inv(riemann_metric(features, x))
    contracted = np.einsum("bik,bijkl->bjl", inverse, R)
    np.testing.assert_allclose(ricci, contracted, rtol=1e-6, atol=1e-7 * np.abs(ricci).max())
    trace = np.einsum("bjl,bjl->b", inverse, ricci)
    np.testing.assert_allclose(scalar, trace, rtol=1e-6, atol=1e-7 * np.abs(ricci).max())


def riemann_metric(features, x):
    J = torch.func.vmap(torch.func.jacrev(lambda p: features(p[None])[0]))(torch.tensor(x))
    return (J.mT @ J / J.shape[1]).numpy()


@settings(max_examples=25)
@given(st.integers(0, 99), st.floats(0.1, 10))
def test_rotated_and_scaled_features_and_inputs(seed, scale):
    features, rng = smooth(seed)
    x = rng.normal(size=(2, 3))
    expected = ricci_scalar(features, x)
    rotation = torch.tensor(np.linalg.qr(rng.normal(size=(8, 8)))[0])
    rotated = ricci_scalar(lambda x: scale * features(x) @ rotation + 5, x)
    np.testing.assert_allclose(rotated, expected / scale**2, rtol=1e-6)
    change = torch.tensor(np.eye(3) + 0.3 * rng.normal(size=(3, 3)).clip(-1, 1))
    moved = ricci_scalar(lambda x: features(x @ change), x @ np.linalg.inv(change.numpy()))
    np.testing.assert_allclose(moved, expected, rtol=1e-6)
    directions = change.numpy()  # of all space: the same metric in other coordinates
    np.testing.assert_allclose(ricci_scalar(features, x, directions), expected, rtol=1e-6)


def test_a_plane_of_inputs_has_the_curvature_of_its_image():
    features, rng = smooth(3, d=6, n=9)
    U, origin = rng.normal(size=(6, 2)), rng.normal(size=6)
    u = rng.normal(size=(4, 2))
    basis, start = torch.tensor(U), torch.tensor(origin)
    expected = ricci_scalar(lambda p: features(start + p @ basis.T), u)
    np.testing.assert_allclose(ricci_scalar(features, origin + u @ U.T, U), expected, rtol=1e-9)


def test_blocks_change_nothing(monkeypatch):
    features, rng = smooth(0)
    x = rng.normal(size=(7, 3))
    expected = ricci_tensor(features, x)
    monkeypatch.setattr(riemann, "_BLOCK_NUMBERS", 8 * 2)
    monkeypatch.setattr(riemann, "BLOCK_BYTES", 32 * 8 * 4)
    np.testing.assert_allclose(ricci_tensor(features, x), expected, rtol=1e-12)


def test_a_piecewise_linear_network_is_flat_between_its_kinks():
    W = torch.tensor([[1.0, 0.2], [-0.3, 1.0], [0.5, 0.5]], dtype=torch.float64)
    assert (ricci_scalar(lambda x: torch.relu(x @ W.T), [[1.0, 1.0], [0.5, 2.0]]) == 0).all()


def test_where_the_metric_is_singular_there_is_a_warning_and_no_number():
    def cusp(x):
        return torch.stack([x[:, 0] ** 2, x[:, 1], x[:, 0] ** 3 + x[:, 1] ** 2], dim=1)

    with pytest.warns(SingularMetricWarning, match="singular at 1 of 2 points"):
        found = ricci_scalar(cusp, [[0.0, 0.5], [1.0, 0.5]])
    assert np.isnan(found).tolist() == [True, False]
    with pytest.raises(DataError, match="the metric is singular at every point"):
        ricci_scalar(cusp, [[0.0, 0.5]])


@pytest.mark.parametrize(
    ("function", "features", "d", "words"),
    [
        (ricci_scalar, lambda x: x[:, :2], 3, "features: 2 of 3 directions: the metric is singu"),
        (ricci_scalar, torch.tanh, 784, "x: 784 dimensions with 784 features: the curvature at"),
        (riemann_tensor, torch.tanh, 200, "x: 200 dimensions with 200 features: the curvature a"),
    ],
)
def test_what_is_too_large_or_singular_is_one_line(function, features, d, words):
    with pytest.raises(DataError) as error:
        function(features, np.zeros((1, d)))
    assert str(error.value).startswith(words)
    assert "subspace" in str(error.value)
    assert "\n" not in str(error.value)
