import numpy as np
import pytest
import torch
from scipy.optimize import approx_fprime
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression

from hyperribbon.errors import DataError
from hyperribbon.tasks import (
    ClassSums,
    imprint,
    imprinted_predictions,
    linear_probe,
    prototype_predictions,
    prototypes,
)


@pytest.fixture(scope="module", name="samples")
def three_clouds():
    """Features of different size, one of them constant, and labels that they nearly tell."""
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    x = 2 * np.eye(3, 5)[labels] + rng.normal(1, 1, (90, 5))
    x[:, 4] = 0.3
    return x * [1, 10, 0.1, 1, 1], labels


def test_prototypes_are_class_means_and_predict_by_distance(samples):
    x, labels = samples
    means = prototypes(x, labels, 3)
    for c in range(3):
        np.testing.assert_allclose(means[c], x[labels == c].mean(axis=0), rtol=1e-12)
    squares = ((x[:, None] - means) ** 2).sum(axis=2)
    expected = softmax(-squares, axis=1)
    np.testing.assert_allclose(prototype_predictions(x, means), expected, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(
        prototype_predictions(3 * x, 3 * means), prototype_predictions(x, means, scale=9), rtol=1e-9
    )
    found = prototype_predictions(torch.from_numpy(x), prototypes(torch.from_numpy(x), labels, 3))
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)
    single = x.astype(np.float32)
    assert prototype_predictions(single, prototypes(single, labels, 3)).dtype == np.float32
    sums = ClassSums(3)
    for part in (slice(0, 50), slice(50, 90)):
        sums.add(x[part], labels[part])
    np.testing.assert_allclose(sums.means(), means, rtol=1e-12)


@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("l2", [1e-3, 1.0])
def test_the_probe_is_at_the_minimum(samples, l2, standardise):
    x, labels = samples
    probe = linear_probe(x, labels, 3, l2=l2, standardise=standardise)
    spread = np.where(x.std(axis=0) > 1e-9, x.std(axis=0), 1) if standardise else np.ones(5)

    def loss(parameters):
        W, b = parameters[:15].reshape(3, 5), parameters[15:]
        logarithms = log_softmax(x @ W.T + b, axis=1)
        return -logarithms[np.arange(90), labels].mean() + l2 / 2 * ((W * spread) ** 2).sum()

    at = np.append(probe.weights, probe.bias)
    assert np.abs(approx_fprime(at, loss, 1e-6)).max() < 1e-3
    # scikit-learn minimises N times the same.
    z = (x - x.mean(axis=0)) / spread
    theirs = LogisticRegression(C=1 / (90 * l2), tol=1e-8, max_iter=10_000).fit(z, labels)
    np.testing.assert_allclose(probe.predictions(x), theirs.predict_proba(z), atol=1e-4)


def test_the_probe_finds_what_imprinting_finds(samples):
    x, labels = samples
    P = linear_probe(x, labels, 3).predictions(x)
    np.testing.assert_allclose(P.sum(axis=1), 1)
    assert (P.argmax(axis=1) == labels).mean() > 0.8
    imprinted = imprinted_predictions(x, imprint(x, labels, 3))
    assert (P.argmax(axis=1) == labels).mean() >= (imprinted.argmax(axis=1) == labels).mean()


def test_the_probe_of_two_classes_and_of_single_precision(samples):
    x, labels = samples
    two = labels < 2
    P = linear_probe(x[two], labels[two], 2).predictions(x)
    found = linear_probe(torch.from_numpy(x[two]).float(), labels[two], 2).predictions(x)
    assert P.shape == (90, 2) and found.dtype == np.float64
    np.testing.assert_allclose(found, P, atol=1e-4)


def test_features_on_other_scales_give_the_same_standardised_probe(samples):
    x, labels = samples
    P = linear_probe(x, labels, 3).predictions(x)
    moved = x * [1e3, 1e-3, 1, 1, 1] + [5, 0, -3, 0, 0]
    np.testing.assert_allclose(linear_probe(moved, labels, 3).predictions(moved), P, atol=1e-4)


def test_what_probes_refuse(samples):
    x, labels = samples
    for function in (prototypes, linear_probe):
        with pytest.raises(DataError, match="features: class frog: no samples, expected one or"):
            function(x, labels, 4, class_names=["cat", "dog", "bird", "frog"])
        with pytest.raises(DataError, match="features: class 1: features that are not finite"):
            function(np.where((labels == 1)[:, None], np.nan, x), labels, 3)
        with pytest.raises(DataError, match="labels: 89, expected one per sample, 90"):
            function(x, labels[1:], 3)
    for l2 in (0, -1, np.nan):
        with pytest.raises(DataError, match=f"l2 = {l2}: expected a number above 0"):
            linear_probe(x, labels, 3, l2=l2)
    with pytest.raises(DataError, match=r"features, weights: shapes \(90, 4\) and \(3, 5\)"):
        linear_probe(x, labels, 3).predictions(x[:, 1:])
    with pytest.raises(DataError, match=r"features, prototypes: shapes \(90, 4\) and \(3, 5\)"):
        prototype_predictions(x[:, 1:], prototypes(x, labels, 3))
    with pytest.raises(DataError, match="scale = 0: expected a number above 0"):
        prototype_predictions(x, prototypes(x, labels, 3), scale=0)
