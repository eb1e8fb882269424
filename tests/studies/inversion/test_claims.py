"""Claims on the inversion: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, Ours, judge
from hyperribbon.studies.inversion import measures as inversion
from hyperribbon.studies.inversion.claims import CLAIMS, PUBLISHED_SHARE

COLUMNS = ["data", "kind", "condition", "layer", "run", "inverts", "error", "test_error"]


def points(*rows):
    return {"inversion_points": pd.DataFrame(rows, columns=COLUMNS)}


def row(error, kind="usual", condition="usual", data="mnist", run=0, layer=1, test_error=0.1):
    return (data, kind, condition, layer, run, int(error > 0), error or np.nan, test_error)


def test_the_share_is_of_the_runs_that_invert_on_one_data_set():
    found = points(row(0.09), row(0.11, run=1), row(0, run=2), row(0.3, data="cifar10"))
    ours = inversion.share_of("mnist")(found)
    assert ours.value == pytest.approx(0.1) and ours.low <= 0.1 <= ours.high
    assert "2 runs, 0.090 to 0.110" in ours.note
    with pytest.raises(NotHere, match="needs KMNIST"):
        inversion.share_of("kmnist")(found)
    with pytest.raises(NotHere, match="no run on MNIST inverts"):
        inversion.share_of("mnist")(points(row(0)))


@pytest.mark.parametrize(
    ("ours", "holds"),
    [((0.11,), True), ((0.092,), False), ((0.092, 0.09, 0.1), True), ((0.31, 0.3, 0.32), False)],
)
def test_the_published_share_counts_the_interval(ours, holds):
    assert PUBLISHED_SHARE.holds(Ours(*ours), np.nan) == holds


def test_differences_are_of_means_and_the_largest_counts():
    found = points(
        row(0.1), row(0.1, run=1), row(0.08, "optimiser", "Adam"), row(0, "optimiser", "slow"),
        row(0.12, "optimiser", "SGD"), row(0.1, "optimiser", "SGD", run=1),
    )  # fmt: skip
    ours = inversion.difference_over("optimiser")(found)
    assert ours.value == pytest.approx(0.2)
    assert "mnist Adam" in ours.note and "never inverts: mnist slow" in ours.note
    with pytest.raises(NotHere, match="needs trainings with another width"):
        inversion.difference_over("width")(found)


def test_the_subsamples_are_the_largest_and_the_fewest_that_invert_everywhere():
    errors = {
        "mnist": {"512": 0, "1024": 0.05, "4096": 0.09},
        "cifar10": {"512": 0.1, "1024": 0.27, "4096": 0.3},
    }
    rows = [
        row(error, "samples", size, data)
        for data, of_data in errors.items()
        for size, error in of_data.items()
    ]
    found = points(row(0.1), row(0.3, data="cifar10"), *rows)
    assert inversion.difference_over("samples", inversion.half)(found).value == pytest.approx(0.1)
    least = inversion.difference_over("samples", inversion.smallest)(found)
    assert least.value == pytest.approx(0.5)


def test_the_peak_of_conservation_is_compared_with_the_inversion():
    levels = [("runs", 0.05, 70), ("runs", 0.1, 80), ("runs", 0.2, 60), ("stragglers", 0.08, 78)]
    table = pd.DataFrame(levels, columns=["compared", "error", "z"]).assign(data="mnist")
    found = {"inversion_conservation": table}
    assert inversion.peak_of_conservation(found).value == pytest.approx(1.25)
    assert inversion.conservation_at_inversion(found).value == pytest.approx(78 / 80)
    with pytest.raises(NotHere):
        inversion.peak_of_conservation({"inversion_conservation": table.iloc[:3]})


def test_runs_that_invert_without_some_samples_are_counted():
    found = points(
        row(0.1, "removal", "nothing"), row(0, "removal", "stragglers", test_error=0.13),
        row(0.1, "removal", "random, as many"), row(0, "removal", "random, as many", run=1),
    )  # fmt: skip
    assert inversion.inverting_without("stragglers")(found).value == 0
    assert inversion.inverting_without("random, as many")(found).value == 0.5
    assert inversion.cost_of_removal(found).value == pytest.approx(0.03)


def test_the_last_layer_is_that_of_each_network():
    found = points(
        row(0.1, "depth", "2", layer=1), row(0, "depth", "2", layer=2),
        row(0.1, "depth", "3", layer=3),
    )  # fmt: skip
    assert inversion.inverting("depth", "last")(found).value == 0.5


def test_turns_are_means_over_runs_and_the_farthest_data_set_counts():
    table = pd.DataFrame({"data": ["a", "a", "b"], "quantity": "pc2", "ratio": [0.9, 1.1, 0.4]})
    ours = inversion.turn_of("pc2")({"inversion_signatures": table})
    assert ours.value == pytest.approx(0.4) and "a 1.00, b 0.40" in ours.note
    with pytest.raises(NotHere, match="spread never turns"):
        inversion.turn_of("spread")({"inversion_signatures": table})


def test_correlations_need_three_tasks():
    table = pd.DataFrame({"task": ["parity"] * 3, "share": [0.1, 0.2, 0.3], "progress": [3, 2, 1]})
    found = {"inversion_difficulty": table}
    assert inversion.correlation_with("progress")(found).value == pytest.approx(-1)
    with pytest.raises(NotHere, match="needs three tasks"):
        inversion.correlation_with("progress")({"inversion_difficulty": table[:2]})


@pytest.mark.parametrize("study", ["inverting", "never", "both"])
def test_all_are_judged_in_any_study(study, request):
    verdicts = judge(CLAIMS, request.getfixturevalue(study), study, "inversion")
    assert len(verdicts) == len(CLAIMS)
    assert verdicts["verdict"].notna().all()
    if study == "inverting":
        assert (verdicts["verdict"] != "not comparable here").sum() > 15
