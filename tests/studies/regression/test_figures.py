"""The figure of a regression is drawn, without a warning, of any study."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hyperribbon.figures import REGRESSION_FIGURES

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]


def tables_of(networks, seeds=2, slope=-0.1):
    jobs = [("boston", network) for network in networks] + [("random", networks[0])]
    about = [
        {"data": data, "network": network, "seed": seed, "moment": moment, "matrix": "fisher"}
        for (data, network), seed, moment in itertools.product(
            jobs, range(seeds), ["initialisation", "middle", "end"]
        )
    ]
    about += [{"data": data, "matrix": "input"} for data in ("boston", "random")]
    of_one = pd.DataFrame({"index": range(1, 9), "eigenvalue": np.geomspace(5, 1e-9, 8)})
    found = pd.DataFrame(about).assign(slope=slope, low=slope - 0.02, high=slope + 0.02)
    spectra = pd.concat([of_one.assign(**row) for row in about])
    return {"regression_spectra": spectra, "regression_sloppiness": found}


def legends(figure):
    return [[text.get_text() for text in axes.get_legend().texts] for axes in figure.axes]


@pytest.mark.parametrize(
    "study",
    [
        {"networks": ["50"], "seeds": 1},
        {"networks": ["50", "20-20"], "slope": np.nan},
        {"networks": [str(k) for k in range(1, 9)]},
    ],
)
def test_every_study_has_the_figure(study, assert_legible):
    figure = REGRESSION_FIGURES["regression"](tables_of(**study))
    assert_legible(figure)
    assert len(figure.axes) == 3


def test_panels_say_what_is_shown_with_slopes_and_intervals():
    found = legends(REGRESSION_FIGURES["regression"](tables_of(["50", "20-20"])))
    slope = ": \N{MINUS SIGN}0.100 ± 0.020"
    moments = [name + slope for name in ("inputs", "initialisation", "middle", "end")]
    assert found[0] == found[2] == moments
    assert found[1] == [name + slope for name in ("inputs", "50", "20, 20")]
