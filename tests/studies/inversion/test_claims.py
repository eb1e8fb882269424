"""Claims on the inversion: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.inversion import measures as inversion
from hyperribbon.studies.inversion.claims import CLAIMS

COLUMNS = ["data", "kind", "condition", "layer", "run", "inverts", "error", "test_error"]


def points(*rows):
    return {"inversion_points": pd.DataFrame(rows, columns=COLUMNS)}


def row(error, kind="usual", condition="usual", data="mnist", run=0, layer=1, test_error=0.1):
    return (data, kind, condition, layer, run, int(error > 0), error or np.nan, test_error)


def test_the_share_is_of_the_runs_that_invert_on_one_data_set():
    found = points(row(0.09), row(0.11, run=1), row(0, run=2), row(0.3, data="cifar10"))
    ours = inversion.share_of("mnist")(found)
    assert ours.value == pytest.approx(0.1) and ours.low <= 0.1 <= ours.high
    assert ours.note == "0.090 to 0.110" and ours.drawn == "2 runs drawn with replacement"
    with pytest.raises(NotHere, match="needs KMNIST"):
        inversion.share_of("kmnist")(found)
    with pytest.raises(NotHere, match="no run on MNIST inverts"):
        inversion.share_of("mnist")(points(row(0)))


def verdicts_on(found, words):
    claims = [claim for claim in CLAIMS if words in claim.text]
    return judge(claims, found, "study", "inversion")["verdict"].tolist()


@pytest.mark.parametrize(
    ("errors", "verdict"),
    [((0.11, 0.115, 0.12), "reproduced"), ((0.09, 0.1, 0.11), "undecided"),
     ((0.31, 0.3, 0.32), "contradicted"), ((0.11,), "undecided")],
)  # fmt: skip
def test_the_whole_interval_of_the_share_is_compared(errors, verdict):
    found = points(*(row(error, run=run) for run, error in enumerate(errors)))
    assert verdicts_on(found, "(MNIST)") == [verdict]


def test_the_spread_is_relative_and_the_largest_counts():
    found = points(
        *(row(0.1 + 0.01 * (run % 2), run=run) for run in range(6)),
        *(row(0.3 + 0.1 * (run % 3), run=run, data="cifar10") for run in range(6)),
    )
    ours = inversion.spread_over_initialisations(found)
    assert ours.value == pytest.approx(np.std([0.3, 0.4, 0.5] * 2, ddof=1) / 0.4)
    assert 0 < ours.low < ours.value < ours.high
    assert ours.drawn == "largest of 2, each: 6 runs, as of a normal sample (chi-squared)"
    assert verdicts_on(found, "stable across initialisations") == ["contradicted"]
    one = inversion.spread_over_initialisations(points(row(0.1)))
    assert np.isnan(one.low) and one.drawn == "no interval: one run"


def test_differences_are_of_means_and_the_largest_counts():
    found = points(
        row(0.1), row(0.1, run=1), row(0.08, "optimiser", "Adam"), row(0, "optimiser", "slow"),
        row(0.12, "optimiser", "SGD"), row(0.1, "optimiser", "SGD", run=1),
    )  # fmt: skip
    ours = inversion.difference_over("optimiser")(found)
    assert ours.value == pytest.approx(0.2)
    assert "mnist Adam" in ours.note and "never inverts: mnist slow" in ours.note
    assert np.isnan(ours.low) and "no interval: one run" in ours.drawn
    with pytest.raises(NotHere, match="needs trainings with another width"):
        inversion.difference_over("width")(found)


@pytest.mark.parametrize(
    ("error", "verdict"), [(0.1, "reproduced"), (0.11, "undecided"), (0.15, "contradicted")]
)
def test_differences_are_judged_with_the_runs_of_both(error, verdict):
    usual = [row(0.1 + 0.001 * (run % 3), run=run) for run in range(9)]
    wide = [row(error + 0.001 * (run % 3), "width", "50", run=run) for run in range(3)]
    assert verdicts_on(points(*usual, *wide), "depend on the width") == [verdict]


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
    peak = inversion.peak_of_conservation(found)
    assert peak.value == pytest.approx(1.25)
    assert np.isnan(peak.low) and peak.drawn == "no interval: one data set"
    assert inversion.conservation_at_inversion(found).value == pytest.approx(78 / 80)
    more = [table.assign(data=name) for name in ("cifar10", "kmnist")]
    more[0].loc[3, "error"] = 0.1
    found = {"inversion_conservation": pd.concat([table, *more])}
    peak = inversion.peak_of_conservation(found)
    assert peak.value == pytest.approx(1.25 ** (2 / 3)) and peak.low < 1 < peak.high
    assert "cifar10 1.00" in peak.note
    with pytest.raises(NotHere, match="two runs"):
        inversion.peak_of_conservation({"inversion_conservation": table.iloc[:3]})


def test_runs_that_invert_without_some_samples_are_counted():
    found = points(
        row(0.1, "removal", "nothing"), row(0, "removal", "stragglers", test_error=0.13),
        row(0.1, "removal", "random, as many"), row(0, "removal", "random, as many", run=1),
    )  # fmt: skip
    without = inversion.inverting_without("stragglers")(found)
    assert without.value == 0 and without.high > 0.9 and without.drawn.startswith("0 of 1 runs")
    random = inversion.inverting_without("random, as many")(found)
    assert random.value == 0.5 and "random, as many (mnist 0.50) 0.50" in random.note
    least = inversion.inverting_without("random, as many", "nothing")(found)
    assert least.value == 0.5 and least.low == random.low
    cost = inversion.cost_of_removal(found)
    assert cost.value == pytest.approx(0.03) and cost.drawn == "no interval: one run"


@pytest.mark.parametrize(
    ("inverting", "runs", "verdict"),
    [(0, 9, "undecided"), (0, 80, "reproduced"), (4, 9, "contradicted")],
)
def test_a_few_runs_that_do_not_invert_prove_little(inverting, runs, verdict):
    found = points(
        *(row(0.1 * (run < inverting), "removal", "stragglers", run=run) for run in range(runs))
    )
    assert verdicts_on(found, "Without stragglers") == [verdict]


def test_the_cost_of_removal_is_run_by_run():
    found = points(
        *(
            row(
                0.1,
                "removal",
                name,
                run=run,
                test_error=0.1 * run + (0.02 + 1e-4 * (run - 1)) * (name != "nothing"),
            )
            for name in ("nothing", "stragglers")
            for run in range(3)
        )
    )
    cost = inversion.cost_of_removal(found)
    assert cost[:3] == pytest.approx((0.02, 0.02, 0.02), abs=5e-4) and cost.low < cost.high


def test_the_last_layer_is_that_of_each_network():
    found = points(
        row(0.1, "depth", "2", layer=1), row(0, "depth", "2", layer=2),
        row(0.1, "depth", "3", layer=3),
    )  # fmt: skip
    assert inversion.inverting("depth", "last")(found).value == 0.5
    assert inversion.inverting("depth")(found).drawn.startswith("1 of 1 runs")


def test_turns_are_means_over_runs_and_the_farthest_data_set_counts():
    table = pd.DataFrame({"data": ["a", "a", "b"], "quantity": "pc2", "ratio": [0.9, 1.1, 0.4]})
    found = {"inversion_signatures": table.assign(run=[0, 1, 0])}
    ours = inversion.turn_of("pc2")(found)
    assert ours.value == pytest.approx(0.6) and "a 1.00, b 0.40" in ours.note
    assert np.isnan(ours.low) and "no interval: one run" in ours.drawn
    with pytest.raises(NotHere, match="spread never turns"):
        inversion.turn_of("spread")(found)
    runs = pd.DataFrame({"data": "a", "quantity": "pc2", "ratio": [0.95, 1.0, 0.9] * 3})
    ours = inversion.turn_of("pc2")({"inversion_signatures": runs.assign(run=range(9))})
    assert ours.value == pytest.approx(0.05) and 0 < ours.low < ours.high < 0.1
    assert ours.drawn == "9 runs drawn with replacement"


def test_correlations_need_three_tasks_and_five_for_a_sign():
    table = pd.DataFrame({"task": ["parity"] * 3, "share": [0.1, 0.2, 0.3], "progress": [3, 2, 1]})
    found = {"inversion_difficulty": table}
    ours = inversion.correlation_with("progress")(found)
    assert ours.value == pytest.approx(-1) and ours.drawn == "no interval: only 3 tasks"
    with pytest.raises(NotHere, match="needs three tasks"):
        inversion.correlation_with("progress")({"inversion_difficulty": table[:2]})
    many = pd.DataFrame({"task": "parity", "share": np.arange(20), "progress": -np.arange(20)})
    assert verdicts_on({"inversion_difficulty": many}, "falls with the progress") == ["reproduced"]


@pytest.mark.parametrize("study", ["inverting", "never", "both"])
def test_all_are_judged_in_any_study(study, request):
    verdicts = judge(CLAIMS, request.getfixturevalue(study), study, "inversion")
    assert len(verdicts) == len(CLAIMS)
    assert verdicts["verdict"].notna().all()
    if study == "inverting":
        compared = verdicts[verdicts["verdict"] != "not comparable here"]
        assert len(compared) > 15
        assert (compared["drawn"] != "").all() and (compared["sample"] != "").all()
