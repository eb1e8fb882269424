"""Tables of certificates, against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from hyperribbon.errors import DataError
from hyperribbon.pac_bayes.analytic import analytic_precisions, dimension_row
from hyperribbon.pac_bayes.tables import (
    SCALE_COLUMNS,
    dimension_at,
    scale_correlation,
    scales_by_rank,
)


def test_at_the_best_scale_it_is_the_row_of_the_analytic_posterior():
    eigenvalues = np.exp(-0.1 * np.arange(200))
    row = dimension_row(eigenvalues, 1000, 4.0)
    found = dimension_at(eigenvalues, 1000, row["epsilon"])
    assert found == {name: row[name] for name in found}
    assert found["sloppy_factor"] == pytest.approx(0.1)
    assert np.isnan(dimension_at(eigenvalues, 1000, 1e9)["sloppy_factor"])


@given(st.integers(1, 3000), st.integers(0, 2**32 - 1))
def test_every_direction_is_in_one_range_of_ranks(p, seed):
    rng = np.random.default_rng(seed)
    eigenvalues, prior, posterior = rng.exponential(size=(3, p))
    found = scales_by_rank(eigenvalues, prior, posterior)
    assert list(found) == SCALE_COLUMNS and len(found) <= 60
    assert found["first"].iloc[0] == 1 and found["last"].iloc[-1] == p
    assert (found["first"].to_numpy()[1:] == found["last"].to_numpy()[:-1] + 1).all()
    assert (np.diff(found["eigenvalue"]) <= 0).all()
    assert (found["low"] <= found["posterior_scale"]).all()
    assert (found["posterior_scale"] <= found["high"]).all()
    again = rng.permutation(p)
    shuffled = scales_by_rank(eigenvalues[again], prior[again], posterior[again])
    np.testing.assert_array_equal(found, shuffled)


def test_the_analytic_posterior_is_most_spread_out_where_it_is_sloppiest():
    eigenvalues = np.random.default_rng(0).exponential(size=500)
    scales = 1 / np.sqrt(analytic_precisions(eigenvalues, 1000, 5.0))
    assert scale_correlation(eigenvalues, scales) == -1
    other = np.random.default_rng(1).exponential(size=500)
    expected = spearmanr(eigenvalues, other).statistic
    assert scale_correlation(eigenvalues, other) == pytest.approx(expected)
    assert np.isnan(scale_correlation(eigenvalues, np.ones(500)))


def test_scales_of_other_directions_are_refused():
    with pytest.raises(
        DataError, match=r"prior_scale: shape \(3,\), expected \(4,\) as the eigenvalues"
    ):
        scales_by_rank(np.ones(4), np.ones(3), np.ones(4))
    with pytest.raises(DataError, match=r"posterior_scale: shape \(2,\), expected \(4,\)"):
        scale_correlation(np.ones(4), np.ones(2))
