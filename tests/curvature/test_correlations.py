import numpy as np
import pytest
import torch

from hyperribbon.curvature import correlation_eigenvalues, layer_spectra


@pytest.mark.parametrize("shape", [(30, 4), (4, 30), (6, 2, 3, 3)])
def test_eigenvalues_are_those_of_the_smaller_side(shape):
    H = np.random.default_rng(0).normal(size=shape)
    flat = H.reshape(len(H), -1)
    expected = np.linalg.svd(flat, compute_uv=False) ** 2 / len(H)
    np.testing.assert_allclose(correlation_eigenvalues(H), expected, atol=1e-13)


def test_a_perceptron(small_problem):
    """Two layers by hand: h = tanh(W x + b), dl/dh = V^T (p - y), dl/dx = W^T (h' dl/dh)."""
    first, _, last = small_problem.network
    x, y = small_problem.inputs, small_problem.targets
    with torch.no_grad():
        h = torch.tanh(first(x))
        residual = last(h).softmax(dim=1) - torch.eye(5, dtype=x.dtype)[y]
        of_h = residual @ last.weight
        of_x = ((1 - h**2) * of_h) @ first.weight
    found = layer_spectra(small_problem)
    for name, kind, values in [
        ("0", "activations", x),
        ("2", "activations", h),
        ("2", "gradients", of_h),
        ("0", "gradients", of_x),
    ]:
        expected = correlation_eigenvalues(values)
        np.testing.assert_allclose(found[name][kind], expected, atol=1e-14)


def test_every_architecture_in_chunks(any_problem):
    whole = layer_spectra(any_problem)
    any_problem.batch_size = 2
    chunked = layer_spectra(any_problem)
    assert list(whole) == list(chunked) and len(whole) >= 2
    for name, spectra in whole.items():
        for kind, values in spectra.items():
            np.testing.assert_allclose(chunked[name][kind], values, atol=1e-12 * values[0])
    first = next(iter(whole.values()))["activations"]
    if any_problem.inputs[0].numel() == len(first):
        np.testing.assert_allclose(first, correlation_eigenvalues(any_problem.inputs))
