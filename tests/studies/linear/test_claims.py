"""Claims on linear regression: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.linear import measures as linear
from hyperribbon.studies.linear.claims import CLAIMS

SLOPES = np.linspace(0.1, 1, 10)
STEPS = np.geomspace(1, 10**9, 10).astype(int)


def phase(ratios, dimension):
    """Tables of a diagram whose dimension is a function of ratio, c and log10 T."""
    rows = [
        (ratio, c, T, dimension(ratio, c, np.log10(T)))
        for ratio in ratios
        for c in SLOPES
        for T in STEPS
    ]
    columns = ["ratio", "slope", "steps", "dimension"]
    return {"linear_phase": pd.DataFrame(rows, columns=columns)}


def test_low_dimensions_are_counted_at_the_largest_ratio():
    found = phase([1.0, 50.0], lambda r, c, t: 2 if r > 10 and t < 4.5 else 9)
    ours = linear.low_where_weights_are_small(found)
    assert ours[:3] == pytest.approx((0.5, 0.5, 0.5))
    assert ours.drawn.startswith("exact: closed form")
    assert ours.sample == "2 ratios, 10 slopes, 10 lengths T"


def test_a_ridge_along_a_line_is_found():
    found = phase([1.0, 9.0], lambda r, c, t: 10 - abs(t - 8 * c))
    ours = linear.line_of_log_steps(found)
    assert ours.value > 0.99
    assert "ratio 9" in ours.note
    flat = phase([1.0, 9.0], lambda r, c, t: t)
    with pytest.raises(NotHere, match="needs five slopes with most dimensions"):
        linear.line_of_log_steps(flat)


def test_a_boundary_along_a_line_is_found_at_the_smallest_ratio():
    found = phase([0.1, 9.0], lambda r, c, t: 12 if r < 1 and t >= 8 * c else 3)
    assert linear.line_of_a_boundary(found).value > 0.95
    with pytest.raises(NotHere, match="ten dimensions"):
        linear.line_of_a_boundary(phase([0.1], lambda r, c, t: 3))


def test_two_wings_are_one_region_from_some_ratio():
    def wings(r, c, t):
        """Low on the upper left and the lower right; from 9 on, between them, too."""
        apart = 0.35 < c < 0.65
        return 9 if (apart and r < 9) or t == 0 else 2

    ours = linear.ratio_of_one_region(phase([3.0, 9.0, 27.0], wings))
    assert ours[:3] == (9, 3, 9) and "next smaller ratio" in ours.drawn
    with pytest.raises(NotHere, match="not connected at any ratio"):
        linear.ratio_of_one_region(phase([3.0, 5.0], wings))


@pytest.mark.parametrize(
    ("joined_at", "verdict"),
    [(9.0, "reproduced"), (27.0, "undecided"), (81.0, "contradicted")],
)
def test_the_ratio_of_one_region_is_known_up_to_the_grid(joined_at, verdict):
    found = phase([5.0, 9.0, 27.0, 81.0], lambda r, c, t: 2 if r >= joined_at or c < 0.2 else 9)
    claims = [claim for claim in CLAIMS if claim.measure is linear.ratio_of_one_region]
    assert judge(claims, found, "study", "linear")["verdict"].tolist() == [verdict]


def test_small_slopes_and_the_upper_left():
    found = phase([0.1, 9.0], lambda r, c, t: 40 if r < 1 and c < 0.55 else 4)
    assert linear.dimensions_at_small_slope(found).value == 40
    assert linear.upper_left_grows(found).value == 36


def bounds(**columns):
    rows = {
        "bound": "Lemma 5.2.1", "slope": [0.1, 0.2, 0.5], "steps": 100,
        "eigenvalues": 10, "violations": 0, "decay": [4.0, 2.0, 1.0], "decay_of_bound": 1.0,
    }  # fmt: skip
    return {"linear_bounds": pd.DataFrame({**rows, **columns})}


def test_decay_is_over_that_of_the_bound():
    assert linear.decay_over_bound("longest")(bounds()).value == 2
    found = bounds(steps=[10, 100, 100])
    assert linear.decay_over_bound("longest")(found).value == 1.5
    assert linear.decay_over_bound("all")(found).value == 2
    # A bound that does not fall is left out.
    assert linear.decay_over_bound("all")(bounds(decay_of_bound=[0.0, 1.0, 1.0])).value == 1.5
    assert linear.sloppier_decays_slower(bounds()).value == -1
    assert linear.sloppier_decays_slower(bounds(decay=[1.0, 2.0, 4.0])).value == 1


def test_violations_are_counted_by_name():
    found = bounds(bound=["Lemma 5.2.1", "Lemma 5.2.2, lower", "Eq. 5.2.10"], violations=[1, 2, 4])
    assert linear.violations("Lemma 5.2.1", "Lemma 5.2.2")(found).value == 3
    assert linear.violations("Eq. 5.2.10")(found).value == 4


def spectra(figure, parts, steps=(1,)):
    """Eigenvalues by part, times T."""
    return {
        "linear_spectra": pd.concat(
            pd.DataFrame(
                {
                    "figure": figure, "part": part, "steps": T, "slope": 0.1,
                    "index": range(1, len(values) + 1), "eigenvalue": np.multiply(values, T),
                }
            )
            for part, values in parts.items()
            for T in steps
        )
    }  # fmt: skip


def test_head_and_tail_are_compared_with_their_parts():
    found = spectra(
        "5.2",
        {"both": [10, 5, 2, 1], "targets": [10, 4, 2], "initialisation": [3, 2, 1, 1]},
    )
    assert linear.head_of_targets(found).value == pytest.approx(0.25)
    assert linear.tail_of_initialisation(found).value == pytest.approx(1)


def test_growth_is_the_least_from_one_length_to_the_next():
    found = spectra("5.5", {"limit": [9, 9], "models": [3, 1]}, steps=(1, 3, 4))
    assert linear.growth_with_time(0)(found).value == pytest.approx(1 / 3)


def test_what_is_reached_is_the_last_that_the_longest_training_learns():
    found = spectra("5.1", {"initialisation": [1.0, 0.5, 0.1]}, steps=(1,))
    found["linear_spectra"]["slope"] = 2.0
    found["linear_spectra"]["steps"] = 100  # of exp(0), exp(-2) and exp(-4)
    assert linear.last_of_initialisation(found).value == 0.5


def test_a_kernel_that_moves_is_told():
    rows = [("two layers", 10, 5.0, 9.0), ("two layers, balanced", 1, 0.1, 0.0),
            ("two layers, balanced", 10, 2.0, 0.25)]  # fmt: skip
    columns = ["variant", "steps", "kernel_change", "imbalance_change"]
    ours = linear.change_of_balanced_kernel(
        {"linear_variants": pd.DataFrame(rows, columns=columns)}
    )
    assert ours.value == 2
    assert "after 10 steps; v v^T - u u^T moves by 0.25" in ours.note
    assert ours.low == ours.high == 2 and ours.sample == "1 network"


def test_predictions_are_compared_model_by_model():
    with pytest.raises(NotHere, match=r"as in config/linear.yaml"):
        linear.linear_models_as_predicted({})
    rows = [
        ("digits", "linear", 3, 10, 11), ("digits", "64-64", 1, 10, 10),
        ("digits", "64-64", 3, 10, 5), ("digits", "16", 3, 10, 30), ("digits", "99-2", 3, 10, 30),
    ]  # fmt: skip
    columns = ["data", "model", "steps", "predicted", "measured"]
    found = {"linear_experiments": pd.DataFrame(rows, columns=columns)}
    alone = linear.linear_models_as_predicted(found)
    assert alone.value == pytest.approx(0.1)
    assert np.isnan(alone.low) and alone.drawn == "no interval: one data set"
    ours = linear.wide_networks_as_predicted(found)
    assert ours.value == pytest.approx(0.5)
    assert "64-64 units, digits, T = 3: 10 predicted, 5 measured" in ours.note
    more = [("mnist", "linear", 3, 10, 13), ("kmnist", "linear", 3, 10, 12)]
    found = {"linear_experiments": pd.DataFrame(rows + more, columns=columns)}
    ours = linear.linear_models_as_predicted(found)
    assert ours.value == pytest.approx(0.2) and ours.low < 0.1 < 0.3 < ours.high
    assert "largest 0.3: mnist" in ours.note and ours.drawn.startswith("3 data sets drawn")
    with pytest.raises(NotHere, match="needs networks"):
        linear.wide_networks_as_predicted({"linear_experiments": found["linear_experiments"][:1]})
