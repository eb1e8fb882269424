"""The intrinsic dimension of data of a known one."""

import numpy as np
import pytest

from hyperribbon.errors import DataError
from hyperribbon.representations.intrinsic_dimension import intrinsic_dimension

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("d", [1, 3, 6])
def test_of_gaussians_in_more_dimensions(d):
    x = RNG.normal(size=(1500, d)) @ np.linalg.qr(RNG.normal(size=(20, d)))[0].T
    assert intrinsic_dimension(x) == pytest.approx(d, rel=0.12)
    assert intrinsic_dimension(7 + 3 * x) == pytest.approx(intrinsic_dimension(x), rel=1e-6)


def test_of_a_curved_surface_and_with_repeated_samples():
    angles = RNG.uniform(0, 6, size=(1500, 2))
    torus = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    once = intrinsic_dimension(torus)
    assert once == pytest.approx(2, rel=0.1)
    assert intrinsic_dimension(np.concatenate([torus, torus[:300]])) == pytest.approx(once)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.full((9, 2), np.nan), "not all values are finite"),
        (np.ones((9, 2)), "1 distinct samples, expected at least 3"),
        (np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]]), "fewer than 3 samples have two neighbours"),
    ],
)
def test_what_has_none_is_refused(x, message):
    with pytest.raises(DataError, match=message):
        intrinsic_dimension(x)
