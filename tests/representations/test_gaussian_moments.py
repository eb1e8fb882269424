"""Means over Gaussians, against exact ones, other integrals and each other."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch import nn

from hyperribbon.errors import DataError
from hyperribbon.representations.activations import ACTIVATIONS
from hyperribbon.representations.gaussian_moments import squared_moments

V = np.array([0.01, 0.3, 1.0, 20.0])


@pytest.mark.parametrize("k", [0, 1, 2])
def test_quadrature_of_erf_is_exact(k):
    v = np.geomspace(1e-2, 1e3, 40)
    exact = squared_moments("erf")(v, k)
    found = squared_moments(lambda z: torch.erf(z / 2**0.5))(v, k)
    scale = np.abs(exact[0]) / v ** np.arange(3)[:, None]  # a derivative may cross 0
    assert (np.abs(found - exact) < 1e-11 * scale).all()


@pytest.mark.parametrize("k", [0, 1])
def test_quadrature_of_relu_is_exact(k):
    exact, found = squared_moments("relu")(V, k), squared_moments(torch.relu)(V, k)
    np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("k", [0, 1, 2])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "gelu", nn.functional.elu])
def test_means_and_derivatives(activation, k):
    moments = squared_moments(activation)
    found = moments(V, k)
    if isinstance(activation, str):
        function = ACTIVATIONS[activation][k]
        for v, value in zip(V, found[0], strict=True):

            def integrand(z, v=v):
                u = torch.tensor(z * v**0.5, dtype=torch.float64)
                return float(function(u)) ** 2 * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)

            expected = quad(integrand, -9, 9, points=[0], epsabs=1e-10, epsrel=1e-10)[0]
            np.testing.assert_allclose(value, expected, rtol=1e-8)
    step = 1e-4 * V
    for order in (1, 2):
        above, below = moments(V + step, k)[order - 1], moments(V - step, k)[order - 1]
        slope, scale = (above - below) / (2 * step), found[0] / V**order
        assert (np.abs(found[order] - slope) < 1e-6 * scale).all()


@given(st.floats(0.01, 100), st.floats(0.1, 10))
def test_a_scaled_activation_is_one_of_other_variance(v, scale):
    one = squared_moments("tanh")(np.array([v * scale**2]), 1)
    other = squared_moments(lambda z: torch.tanh(scale * z))(np.array([v]), 1)
    powers = scale ** (2 + 2 * np.arange(3))[:, None]
    np.testing.assert_allclose(other, powers * one, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(
    ("activation", "k", "v", "words"),
    [
        (torch.sign, 1, 1.0, "activation: the activation has a jump"),
        (torch.relu, 2, 1.0, "activation: its slope has a jump"),
        (lambda z: torch.relu(z - 1), 1, 2.0, "variance 2 are not found to 1e-10; expected an"),
        (lambda z: torch.relu(z - 1.1), 1, 0.001, "has a jump, or a kink away from 0, so the"),
        (torch.exp, 0, 100.0, "variance 100 are not found to 1e-10; expected an activation that"),
        (lambda z: torch.exp(z**2), 0, 1.0, "are not found to 1e-10"),
        ("sigmoid", 1, 1e12, "are not found to 1e-10"),
    ],
)
def test_what_cannot_be_integrated_is_refused(activation, k, v, words):
    with pytest.raises(DataError, match=words):
        squared_moments(activation)(np.array([v]), k)
