"""Claims on regression: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere, judge
from hyperribbon.studies.regression import claims as regression

COLUMNS = ["data", "network", "seed", "moment", "epoch", "slope", "trace", "elbow", "first", "last"]


def tables(*rows):
    found = pd.DataFrame(rows, columns=COLUMNS).assign(matrix="fisher", eigenvalues=100)
    return {"regression_sloppiness": found}


def row(data, network, slope, seed=0, moment="end", trace=1.0):
    epoch = {"initialisation": 0, "middle": 1, "end": 2}[moment]
    return (data, network, seed, moment, epoch, slope, trace, 4, 5, 105)


def two_networks(*more):
    return tables(
        row("boston", "50", -0.02), row("boston", "50", -0.04, 1), row("boston", "20", -0.06),
        row("boston", "20", -0.06, 1), row("random", "50", -0.01), row("random", "50", -0.01, 1),
        *more,
    )  # fmt: skip


def test_slopes_of_networks_are_means_over_seeds():
    found = two_networks()
    differ = regression.slopes_differ(found)
    assert differ.value == pytest.approx(2) and differ.low < 2 < differ.high
    assert differ.drawn == "2 seeds drawn with replacement"
    assert differ.sample == "2 configurations, 4 trainings, 4 rows"
    less = regression.random_decays_slower(found)
    assert less.value == pytest.approx(0.02) and less.low < 0 < less.high
    assert less.drawn.startswith("2 seeds") and less.note == "0.0300 less 0.0100"
    assert regression.random_decades(found).value == pytest.approx(1 / np.log(10))
    share = regression.stiff_share(found)
    assert share.value == pytest.approx(0.04) and share.drawn.endswith(
        "2 configurations that all agree"
    )
    with pytest.raises(NotHere, match="two networks"):
        regression.slopes_differ(tables(row("boston", "50", -0.02)))


def test_more_seeds_that_agree_show_a_slower_decay():
    more = [row(data, "50", slope, seed) for data, slope in (("boston", -0.03), ("random", -0.01))
            for seed in range(2, 8)]  # fmt: skip
    verdicts = judge(regression.CLAIMS, two_networks(*more), "study", "boston")
    of_random = verdicts[verdicts["claim"].str.startswith("On random data")].iloc[0]
    assert of_random["verdict"] == "reproduced" and of_random["low"] > 0


def test_a_trace_that_falls_between_two_moments_does_not_increase():
    def trainings(**middle):
        return tables(
            *(
                row("boston", network, -0.1, seed, moment, trace)
                for network in ("50", "20")
                for seed in (0, 1)
                for moment, trace in (
                    ("end", 3.0),
                    ("initialisation", 1.0),
                    ("middle", middle.get(f"of_{network}", 4.0) + 0.1 * seed + 1e-4 * int(network)),
                )
            )
        )

    ours = regression.least_growth_of_trace(trainings())
    assert ours.value == pytest.approx((3 / 4 + 3 / 4.1) / 2 - 1, abs=1e-3)
    assert "until epoch 1 3.053" in ours.note and "until epoch 2 -0.260" in ours.note
    assert ours.drawn == "least of 2, each: 2 configurations drawn with replacement"
    # Another network in which it grows leaves it open.
    mixed = regression.least_growth_of_trace(trainings(of_20=1.5))
    assert mixed.low < 0 < mixed.high
    one = tables(row("boston", "50", -0.1), row("boston", "50", -0.1, moment="middle"))
    assert np.isnan(regression.least_growth_of_trace(one).low)
