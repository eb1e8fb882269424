"""Further claims on linear regression: diagrams and spectra with known answers."""

import itertools

import numpy as np
import pandas as pd
import pytest

from hyperribbon.linear.spectra import chapter_spectra
from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.linear import further_claims as claims

SLOPES, STEPS, RATIOS = np.linspace(0.1, 1, 10), 10 ** np.arange(6), [1.0, 5.0, 10.0, 20.0]


def phase(dimension):
    rows = [
        (ratio, slope, T, dimension(ratio, slope, T))
        for ratio, slope, T in itertools.product(RATIOS, SLOPES, STEPS)
    ]
    columns = ["ratio", "slope", "steps", "dimension"]
    return {"linear_phase": pd.DataFrame(rows, columns=columns)}


def test_trends_of_the_phase_diagram():
    found = phase(lambda ratio, slope, T: 1 + np.log10(T) / slope / ratio)
    assert claims.longer_is_higher(found).value == pytest.approx(1)
    assert claims.lower_with_ratio(found).value == pytest.approx(-1)
    assert claims.sensitive_at_small_slope(found).value == pytest.approx(50 - 5)
    assert claims.from_corner_to_corner(found).value == pytest.approx(50)
    assert claims.short_on_sloppy(found).value == 1


def test_regions_join_at_a_ratio():
    # A ridge of many dimensions on the diagonal, which is lower the larger the ratio.
    def ridge(ratio, slope, T):
        on = abs(slope - 0.2 * np.log10(T) - 0.05) < 0.15
        return {1.0: 30, 5.0: 12, 10.0: 6, 20.0: 2}[ratio] if on else 1

    found = phase(ridge)
    assert claims.wings(found).value == 0
    assert claims.ten_before_three(found).value == pytest.approx(10 / 20)
    joined = phase(lambda ratio, slope, T: 1)
    assert claims.wings(joined).value == 1 and claims.ten_before_three(joined).value == 1
    with pytest.raises(NotHere, match="at no ratio"):
        claims.ten_before_three(phase(lambda ratio, slope, T: 30))


def test_eigenvalues_from_initial_weights_fall_as_the_bound_says():
    ours = claims.fall_of_initialisation({"linear_spectra": chapter_spectra(50, 0)})
    assert ours.value == pytest.approx(1, abs=0.05) and ours.low == ours.value
    with pytest.raises(NotHere, match="two lengths"):
        claims.fall_of_initialisation({"linear_spectra": chapter_spectra(5, 0)})


def test_heads_of_both_parts_are_compared():
    index = np.arange(1, 9)
    parts = [
        pd.DataFrame({"index": index, "eigenvalue": height * np.exp(-rate * index)}).assign(
            figure="5.2", part=part, slope=0.2, steps=50
        )
        for part, height, rate in (("targets", 20.0, 0.3), ("initialisation", 1.0, 0.2))
    ]
    found = {"linear_spectra": pd.concat(parts)}
    assert claims.decays_of_heads(found).value == pytest.approx(1.5)
    assert claims.heights_of_heads(found).value == pytest.approx(20 * np.exp(-0.1))


def test_decay_over_lengths():
    table = pd.DataFrame({
        "bound": ["Lemma 5.2.1"] * 4 + ["Eq. 5.2.10"], "slope": [0.1, 0.1, 0.1, 0.2, 0.1],
        "steps": [1, 10, 100, 10, 10], "decay": [9.0, 2.0, 3.0, 1.0, 99.0],
    })  # fmt: skip
    assert claims.decay_over_lengths({"linear_bounds": table}).value == pytest.approx(1.5)
    with pytest.raises(NotHere, match="two lengths"):
        claims.decay_over_lengths({"linear_bounds": table[:1]})


def test_kernels_are_compared_on_each_data_set():
    rows = [("a", "linear", 0.1), ("a", "RBF", 0.2), ("b", "linear", 0.1), ("b", "RBF", 0.1)]
    table = pd.DataFrame(rows, columns=["data", "kernel", "slope"])
    ours = claims.kernel_decays("RBF")({"linear_kernel_spectra": table})
    assert ours.value == pytest.approx(1.5) and "a 2" in ours.note
    with pytest.raises(NotHere, match="no sloppy range"):
        claims.kernel_decays("Laplace")({"linear_kernel_spectra": table})
    with pytest.raises(NotHere, match="trained on data"):
        claims.kernel_decays("RBF")({})
