"""Figures of certificates are drawn, without a warning, of any study."""

import numpy as np
import pytest

from hyperribbon.reporting.style import LeftOut
from hyperribbon.studies.certificates.part import PART
from hyperribbon.studies.parts import figure_function

FIGURES = {figure.name: figure_function(figure.name) for figure in PART.figures}

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(
    "networks",
    [
        pytest.param(("FC-600-1",), id="1", marks=pytest.mark.slow),
        pytest.param(("FC-600-1", "FC-600-2"), id="2"),
    ],
)
def test_every_study_has_the_figure(name, networks, made, assert_legible):
    assert_legible(FIGURES[name](made(networks=networks)))


def test_of_method_1_alone_there_is_nothing_optimised(made):
    tables = made(["analytic"], seeds=1)
    with pytest.raises(LeftOut, match="No posterior was optimised"):
        FIGURES["certificate_optimisation"](tables)
    for name in set(FIGURES) - {"certificate_optimisation"}:
        assert FIGURES[name](tables).axes


@pytest.mark.parametrize("name", FIGURES)
def test_where_all_seeds_diverged_there_is_none(name, made):
    with pytest.raises(LeftOut):
        FIGURES[name](made([]))


def test_bounds_are_right_of_what_they_bound(made):
    tables = made()
    figure = FIGURES["certificates"](tables)
    drawn = {marker: [line.get_xdata()[0] for line in figure.axes[0].lines
                      if line.get_marker() == marker] for marker in ("D", "o")}  # fmt: skip
    bounds = tables["certificates"].groupby(["network", "method"])["bound"].mean()
    assert sorted(drawn["D"]) == pytest.approx(sorted(bounds))
    assert (np.array(drawn["D"]) > np.array(drawn["o"])).all()


def test_the_analytic_posterior_lies_on_its_line(made):
    figure = FIGURES["posterior_scales"](made(["analytic"], ["FC-600-1"]))
    ours, line = figure.axes[0].lines
    x = ours.get_xdata()
    np.testing.assert_allclose(ours.get_ydata(), 1 / np.sqrt(1 + x))
    assert line.get_xdata()[0] == pytest.approx(x.min())


def test_the_effective_dimension_is_where_the_table_says(made):
    figure = FIGURES["stiff_and_sloppy"](made())
    assert len(figure.axes) == 2
    [line] = [line for line in figure.axes[0].lines if line.get_label() == "effective dimension"]
    assert line.get_xdata()[0] == 2400
