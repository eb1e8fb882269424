"""Spectra as tables: thinned out, and how sloppy they are."""

import numpy as np
import pytest

from hyperribbon.curvature.tables import named_spectra, sloppiness_row, thinned


def test_thinned_out_keeps_the_first_the_last_and_no_rounding():
    values = np.concatenate([np.exp(-0.01 * np.arange(2000)), np.full(50, 1e-14)])
    found = thinned(values)
    assert found["index"].tolist()[:200] == list(range(1, 201))
    assert found["index"].iloc[-1] == 2000
    assert len(found) <= 260
    assert thinned(values, len(values))["index"].tolist() == list(range(1, 2001))
    np.testing.assert_array_equal(found["eigenvalue"], values[found["index"] - 1])


def test_a_slope_is_told_of_complete_spectra_only():
    values = np.exp(-0.2 * np.arange(50))
    row = sloppiness_row(values)
    assert row["slope"] == pytest.approx(-0.2)
    assert row["trace"] == pytest.approx(values.sum())
    leading = sloppiness_row(values, complete=False)
    assert "slope" not in leading and np.isnan(leading["trace"])
    few = sloppiness_row(values[:3])
    assert "slope" not in few and few["trace"] == pytest.approx(values[:3].sum())


def test_layers_and_classes_are_named():
    spectra = {name: np.ones((2, 3)) for name in ("activations", "gradients", "jacobian")}
    found = [tuple(about.values()) for about, _ in named_spectra(spectra, ["a", "b"])]
    assert found == [
        ("input", ""), ("activations", "b"), ("gradients", "a"), ("gradients", "b"),
        ("jacobian", "0"), ("jacobian", "1"),
    ]  # fmt: skip
