import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.probability.progress_average import progress_weighted_sums


def test_the_sums_are_those_of_the_formula(random_models, holder):
    P, s = random_models(0, 9, 6, 4), np.linspace(0, 1, 9)
    values, sigma = [0.2, 0.8], 0.05
    sums, weights = progress_weighted_sums(holder(P), s, values, sigma)
    for k, value in enumerate(values):
        w = np.exp(-((s - value) ** 2) / (2 * sigma**2))
        np.testing.assert_allclose(weights[k], w.sum())
        np.testing.assert_allclose(sums[k], sum(a * p for a, p in zip(w, P, strict=True)))
    parts = [progress_weighted_sums(P[a], s[a], values) for a in (slice(4), slice(4, 9))]
    np.testing.assert_allclose(parts[0][0] + parts[1][0], sums)
    np.testing.assert_allclose((sums / weights[:, None, None]).sum(axis=-1), 1)


def test_a_narrow_average_is_the_model_itself(random_models):
    P = random_models(1, 3, 5, 3)
    sums, weights = progress_weighted_sums(P, np.array([0.1, 0.5, 0.9]), [0.5], 1e-3)
    np.testing.assert_allclose(sums[0] / weights[0], P[1])


def test_bad_input_is_named(random_models):
    P = random_models(0, 3, 4, 3)
    with pytest.raises(DataError, match="progress: shape \\(2,\\), expected one per model"):
        progress_weighted_sums(P, np.zeros(2), [0.5])
    with pytest.raises(DataError, match="sigma = 0"):
        progress_weighted_sums(P, np.zeros(3), [0.5], 0)
