"""What a metric's name leads to: a kernel that knows it, or a refusal."""

import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.pairwise import METRICS, pairwise_distance, plain
from hyperribbon.pairwise.metrics import Metric


def _mean(sums, n_samples):
    return sums / n_samples


def test_a_kernel_that_only_torch_has_is_used(monkeypatch, random_models):
    """As CONTRIBUTING says: a line in METRICS, one in plain.SUMS."""

    def add(kernel, A, B, out):
        (p,), (q,) = A.arrays, B.arrays
        out += (p[:, None] - q).abs().sum(dim=(2, 3)) / 2

    sums = plain.Sums(lambda kernel, P: ((P,), P.sum(dim=(1, 2))), add)
    monkeypatch.setitem(plain.SUMS, "total_variations", sums)
    metric = Metric("total_variation", "total_variations", _mean)
    monkeypatch.setitem(METRICS, metric.name, metric)
    P = random_models(0, 5, 7, 3)
    expected = np.abs(P[:, None] - P).sum(axis=3).mean(axis=2) / 2
    found = pairwise_distance(P, metric="total_variation")
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_a_kernel_that_nobody_has_is_refused(monkeypatch, path, random_models):
    monkeypatch.setitem(METRICS, "new", Metric("new", "no_such_sums", _mean))
    with pytest.raises(DataError, match="kernel = 'no_such_sums': expected one of log_coeff"):
        pairwise_distance(random_models(0, 3, 4, 2), metric="new")


def test_each_kernel_refuses_what_it_does_not_know(brute_force, random_models):
    from hyperribbon.pairwise.cpu import CompiledKernel

    with pytest.raises(DataError, match="kernel = 'squares': expected one of log_coeff"):
        CompiledKernel("squares", single=False, floor=0.0, threads=1)
    with pytest.raises(DataError, match="kernel = 'square': expected one of log_coeff"):
        plain.TorchKernel("square", single=False, floor=0.0, device="cpu", threads=1)
    P = random_models(0, 3, 4, 2)
    with pytest.raises(AssertionError, match="chebyshev"):
        brute_force(P, P, "chebyshev")


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("memory", [None, 1])
def test_equal_models_are_exactly_in_one_place(path, metric, dtype, memory, random_models):
    """Of several that are, each is 0 from its copies, and as far as they from the others."""
    P = random_models(1, 3, 40, 50).astype(dtype)
    D = pairwise_distance(P[[0, 1, 0, 2, 0]], metric=metric, memory=memory)
    assert (D[np.ix_([0, 2, 4], [0, 2, 4])] == 0).all()
    assert (D[0, [1, 3]] > 1e-3).all()
    assert (pairwise_distance(P[:1], P[[0, 0]], metric=metric, memory=memory) == 0).all()


def test_models_that_differ_by_little_are_apart(path, random_models, brute_force):
    P = random_models(2, 1, 30, 6) * 0.9 + 0.1 / 6
    Q = P * np.array([1.001, 0.999, 1, 1, 1, 1])
    Q /= Q.sum(axis=-1, keepdims=True)
    both = np.concatenate([P, Q])
    for metric in METRICS:
        expected = brute_force(both, both, metric)
        np.testing.assert_allclose(
            pairwise_distance(both, metric=metric), expected, rtol=1e-3, atol=1e-14, err_msg=metric
        )
