"""One hidden layer in closed form, against oracles and against derivatives of the features."""

import intrinsic_curvature
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from hyperribbon.errors import DataError, SingularMetricWarning
from hyperribbon.representations import one_layer
from hyperribbon.representations.activations import ACTIVATIONS
from hyperribbon.representations.one_layer import OneLayer

SMOOTH = [name for name in ACTIVATIONS if name != "relu"]
FUNCTIONS = {
    "erf": lambda z: torch.erf(z / 2**0.5),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": torch.nn.functional.gelu,
    "relu": torch.relu,
}


def layer(seed=0, n=12, d=3):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, d)), rng.standard_normal(n), rng.standard_normal((4, d))


def pulled_back(W, b, activation):
    """The metric as a function of a point, from the Jacobian of the features."""
    W, b = torch.from_numpy(W), torch.from_numpy(b)
    jacobian = torch.func.jacrev(lambda p: FUNCTIONS[activation](W @ p + b))

    def metric(p):
        J = jacobian(p)
        return J.T @ J / len(W)

    return metric


@pytest.mark.parametrize("name", ["Sigmoid", "Erf"])
def test_shallow_networks_of_the_oracle(o7, name):
    W, b, x = (o7[f"{name}_{key}"] for key in "Wbx")
    found = OneLayer(W, b, name.lower())
    g = found.metric(x)
    np.testing.assert_allclose(g, o7[f"{name}_g"], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.linalg.det(g)), o7[f"{name}_sqrtdet"], rtol=1e-9)
    np.testing.assert_allclose(found.ricci_scalar(x), o7[f"{name}_R"], rtol=1e-9)


@pytest.mark.parametrize(("name", "activation"), [("sigmoid_d2", "sigmoid"), ("erf_d3", "erf")])
def test_tensors_of_the_oracle(o11, name, activation):
    W, b, x = (o11[f"{name}_{key}"] for key in ("W1", "b1", "x"))
    found = OneLayer(W, b, activation)
    g = found.metric(x)
    np.testing.assert_allclose(g, o11[f"{name}_g"], rtol=1e-9)
    np.testing.assert_allclose(np.linalg.slogdet(g)[1] / 2, o11[f"{name}_logsqrtdet"], rtol=1e-9)
    np.testing.assert_allclose(found.ricci_scalar(x), o11[f"{name}_R"], rtol=1e-9)
    for key, tensor in (("ricci", found.ricci_tensor(x)), ("riemann", found.riemann_tensor(x))):
        expected = o11[f"{name}_{key}"]
        np.testing.assert_allclose(tensor, expected, rtol=1e-9, atol=1e-9 * abs(expected).max())


@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("activation", SMOOTH)
def test_tensors_are_those_of_the_metric_of_the_features(activation, d):
    W, b, x = layer(d=d)
    found, metric = OneLayer(W, b, activation), pulled_back(W, b, activation)
    expected = np.stack([metric(p).numpy() for p in torch.from_numpy(x)])
    np.testing.assert_allclose(found.metric(x), expected, rtol=1e-9, atol=1e-12)
    for name in ("riemann", "ricci", "scalar"):
        method = "ricci_scalar" if name == "scalar" else f"{name}_tensor"
        values = getattr(found, method)(x[:2])
        expected = np.stack([getattr(intrinsic_curvature, name)(metric, p) for p in x[:2]])
        np.testing.assert_allclose(values, expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("activation", SMOOTH)
def test_a_torch_function_is_as_good_as_a_name(activation):
    W, b, x = layer(d=2)
    named, given_ = OneLayer(W, b, activation), OneLayer(W, b, FUNCTIONS[activation])
    np.testing.assert_allclose(named.metric(x), given_.metric(x), rtol=1e-10)
    np.testing.assert_allclose(named.ricci_scalar(x), given_.ricci_scalar(x), rtol=1e-9)


def test_a_saturated_layer_has_a_metric_to_all_digits():
    """Where 1 - phi is rounded to 0, so that a formula with it has no slope."""
    W, b, x = np.eye(2), np.zeros(2), np.array([[40.0, 45.0]])
    for activation, scale in (("sigmoid", 1.0), ("tanh", 2.0)):
        g = OneLayer(W, b, activation).metric(x / scale)[0]
        np.testing.assert_allclose(np.diag(g), scale**4 * np.exp(-2 * x[0]) / 2, rtol=1e-9)


def test_relu_is_flat_off_its_kinks():
    W, b, x = layer(d=2)
    found = OneLayer(W, b, "relu")
    expected = np.stack([pulled_back(W, b, "relu")(p).numpy() for p in torch.from_numpy(x)])
    np.testing.assert_allclose(found.metric(x), expected, rtol=1e-12, atol=1e-15)
    assert not found.ricci_scalar(x).any()


@pytest.mark.parametrize("method", ["metric", "ricci_scalar"])
def test_relu_has_no_geometry_on_a_kink(method):
    W, b, x = layer(d=2)
    x[2] = np.linalg.solve(W[:2], -b[:2])
    W, b = np.vstack([[[1.0, 0.0]], W]), np.concatenate([[-x[2, 0]], b])
    with pytest.raises(DataError, match="x: row 2 is on a kink of the activation"):
        getattr(OneLayer(W, b, "relu"), method)(x)


def test_a_unit_without_weights_has_no_kink():
    W, b, x = layer(d=2)
    W[0], b[0] = 0, 0
    assert OneLayer(W, b, "relu").metric(x).all()


@pytest.mark.parametrize("activation", ["erf", "gelu"])
def test_a_subspace_is_the_surface_through_it(activation):
    W, b, x = layer(n=30, d=6)
    U = np.random.default_rng(3).standard_normal((6, 2))
    found = OneLayer(W, b, activation, subspace=U)
    whole = OneLayer(W, b, activation).metric(x)
    np.testing.assert_allclose(found.metric(x), U.T @ whole @ U, rtol=1e-10)
    for p, value in zip(x, found.ricci_scalar(x), strict=True):
        slice_ = OneLayer(W @ U, b + W @ p, activation)
        np.testing.assert_allclose(slice_.ricci_scalar(np.zeros((1, 2))), value, rtol=1e-9)


@settings(max_examples=15)
@given(seed=st.integers(0, 999), activation=st.sampled_from(SMOOTH))
def test_symmetries_and_contractions_of_the_riemann_tensor(seed, activation):
    W, b, x = layer(seed, n=20)
    found = OneLayer(W, b, activation)
    R, ricci = found.riemann_tensor(x), found.ricci_tensor(x)
    small = {"atol": 1e-10 * abs(R).max()}
    np.testing.assert_allclose(R, -R.transpose(0, 2, 1, 3, 4), **small)
    np.testing.assert_allclose(R, -R.transpose(0, 1, 2, 4, 3), **small)
    np.testing.assert_allclose(R, R.transpose(0, 3, 4, 1, 2), **small)
    bianchi = R + R.transpose(0, 1, 3, 4, 2) + R.transpose(0, 1, 4, 2, 3)
    np.testing.assert_allclose(bianchi, 0, **small)
    inverse = np.linalg.inv(found.metric(x))
    traced = np.einsum("xac,xabcd->xbd", inverse, R)
    np.testing.assert_allclose(ricci, traced, rtol=1e-6, atol=1e-8 * abs(ricci).max())
    scalar = np.einsum("xbd,xbd->x", inverse, ricci)
    np.testing.assert_allclose(
        found.ricci_scalar(x), scalar, rtol=1e-6, atol=1e-8 * abs(scalar).max()
    )


@settings(max_examples=15)
@given(seed=st.integers(0, 999), scale=st.floats(0.1, 10))
def test_rotated_inputs_and_scaled_features(seed, scale):
    W, b, x = layer(seed, n=20)
    Q = ortho_group.rvs(3, random_state=seed)
    found, turned = OneLayer(W, b, "tanh"), OneLayer(W @ Q.T, b, "tanh")
    np.testing.assert_allclose(turned.metric(x @ Q.T), Q @ found.metric(x) @ Q.T, atol=1e-12)
    R = found.ricci_scalar(x)
    close = {"rtol": 1e-7, "atol": 1e-8 * abs(R).max()}
    np.testing.assert_allclose(turned.ricci_scalar(x @ Q.T), R, **close)
    scaled = OneLayer(W, b, lambda z: scale * torch.tanh(z))
    np.testing.assert_allclose(scaled.metric(x), scale**2 * found.metric(x), rtol=1e-9)
    np.testing.assert_allclose(scaled.ricci_scalar(x), R / scale**2, **close)


def test_blocks_change_nothing(monkeypatch):
    W, b, x = layer(d=3)
    found = OneLayer(W, b, "erf")
    at_once = found.metric(x), found.ricci_scalar(x)
    monkeypatch.setattr(one_layer, "BLOCK", 27)
    monkeypatch.setattr(one_layer, "FEWEST", 1)
    monkeypatch.setattr(one_layer, "PRODUCTS", 27)
    np.testing.assert_allclose(found.metric(x), at_once[0], rtol=1e-13)
    np.testing.assert_allclose(found.ricci_scalar(x), at_once[1], rtol=1e-11)


def test_fewer_units_than_inputs_have_a_singular_metric_and_no_curvature():
    W, b, x = layer(n=2)
    found = OneLayer(W, b, "erf")
    assert (np.linalg.matrix_rank(found.metric(x)) == 2).all()
    with pytest.raises(DataError, match="2 units for 3 dimensions, so the metric is singular"):
        found.ricci_scalar(x)
    plane = OneLayer(W, b, "erf", subspace=np.eye(3, 2))
    assert np.isfinite(plane.ricci_scalar(x)).all()


def test_a_singular_metric_has_no_curvature():
    W, b, x = np.vstack([np.eye(2), np.ones((1, 2))]), np.zeros(3), np.ones((3, 2))
    x[1] = -1  # where no unit is active
    found = OneLayer(W, b, "relu")
    for method in (found.ricci_scalar, found.ricci_tensor, found.riemann_tensor):
        with pytest.warns(SingularMetricWarning, match="singular at 1 of 3 points: NaN there"):
            values = method(x)
        assert np.isnan(values[1]).any() and not values[[0, 2]].any()
    with pytest.raises(DataError, match="the metric is singular at every point; give a subspace"):
        found.ricci_scalar(-x[:1])


def test_a_full_riemann_tensor_has_few_dimensions():
    W, b, x = layer(n=400, d=33)
    W /= 33**0.5
    with pytest.raises(
        DataError, match=r"33 dimensions, so a tensor takes 33\^4 = 1,185,921 numbers"
    ):
        OneLayer(W, b, "erf").riemann_tensor(x)
    assert np.isfinite(OneLayer(W, b, "erf").ricci_scalar(x)).all()
    assert OneLayer(W, b, "erf", subspace=np.eye(33, 2)).riemann_tensor(x).shape == (4, 2, 2, 2, 2)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"activation": "swish"}, "'swish' is unknown, expected one of erf, sigmoid, tanh, gelu,"),
        ({"activation": 3}, "activation: int, expected a name or a torch function"),
        ({"activation": lambda z: z.sum()}, "a function that acts on each entry alone"),
        ({"activation": lambda z: torch.softmax(z, 0)}, "a function that acts on each entry alone"),
        ({"activation": lambda z: z.detach().numpy()}, "cannot be differentiated twice"),
        ({"weights": np.ones(3)}, r"weights: shape \(3,\), expected \(n, d\)"),
        ({"weights": np.ones((0, 3))}, r"weights: shape \(0, 3\), expected \(n, d\)"),
        ({"biases": np.ones(3)}, "biases: 3 for 12 units, expected one for each unit"),
        ({"biases": np.full(12, np.nan)}, "biases: 12 numbers are NaN"),
        ({"subspace": np.ones((2, 2))}, r"subspace: shape \(2, 2\), expected \(3, k\)"),
    ],
)
def test_bad_layers(change, words):
    W, b, _ = layer()
    arguments = {"weights": W, "biases": b, "activation": "erf"} | change
    with pytest.raises(DataError, match=words):
        OneLayer(**arguments)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.ones(3), r"x: shape \(3,\), expected \(B, d\)"),
        (np.ones((2, 4)), r"x: shape \(2, 4\), expected \(B, 3\)"),
        (np.full((2, 3), np.inf), "x: [0-9]+ numbers are NaN or infinite"),
    ],
)
def test_bad_points(x, words):
    W, b, _ = layer()
    with pytest.raises(DataError, match=words):
        OneLayer(W, b, "erf").metric(x)
