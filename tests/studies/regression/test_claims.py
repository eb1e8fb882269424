"""Claims on regression: what is put into tables is what is measured of them."""

import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.claims import NotHere
from hyperribbon.studies.regression import claims as regression

COLUMNS = ["data", "network", "seed", "moment", "epoch", "slope", "trace", "elbow", "first", "last"]


def tables(*rows):
    found = pd.DataFrame(rows, columns=COLUMNS).assign(matrix="fisher", eigenvalues=100)
    return {"regression_sloppiness": found}


def row(data, network, slope, seed=0, moment="end", trace=1.0):
    epoch = {"initialisation": 0, "middle": 1, "end": 2}[moment]
    return (data, network, seed, moment, epoch, slope, trace, 4, 5, 105)


def test_slopes_of_networks_are_means_over_seeds():
    found = tables(
        row("boston", "50", -0.02), row("boston", "50", -0.04, 1), row("boston", "20", -0.06),
        row("boston", "20", -0.06, 1), row("random", "50", -0.01), row("random", "50", -0.01, 1),
    )  # fmt: skip
    assert regression.slopes_differ(found).value == pytest.approx(2)
    less = regression.random_decays_slower(found)
    assert less[:3] == pytest.approx((0.02, 0.01, 0.03))
    assert regression.random_decades(found).value == pytest.approx(1 / np.log(10))
    assert regression.stiff_share(found).value == pytest.approx(0.04)
    with pytest.raises(NotHere, match="two networks"):
        regression.slopes_differ(tables(row("boston", "50", -0.02)))


def test_a_trace_that_falls_once_does_not_increase():
    found = tables(
        row("boston", "50", -0.1, moment="end", trace=3.0),
        row("boston", "50", -0.1, moment="initialisation", trace=1.0),
        row("boston", "50", -0.1, moment="middle", trace=4.0),
    )
    assert regression.least_growth_of_trace(found).value == pytest.approx(-0.25)
