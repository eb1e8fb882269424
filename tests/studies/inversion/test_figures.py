"""Figures of class manifolds are drawn, without a warning, of any study."""

import pytest

from hyperribbon.reporting.style import LeftOut
from hyperribbon.studies.inversion.part import PART
from hyperribbon.studies.parts import figure_function

FIGURES = {figure.name: figure_function(figure.name) for figure in PART.figures}
NEED_STRAGGLERS = {"inversion_removal", "inversion_difficulty"}

pytestmark = [pytest.mark.filterwarnings("error"), pytest.mark.usefixtures("style")]


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("study", ["inverting", "both"])
def test_every_study_has_the_figure(name, study, request, assert_legible):
    assert_legible(FIGURES[name](request.getfixturevalue(study)))


@pytest.mark.parametrize("name", FIGURES)
def test_without_an_inversion_curves_are_drawn_and_the_others_left_out(name, never):
    if name in NEED_STRAGGLERS:
        with pytest.raises(LeftOut, match=r"^No run inverts, so there"):
            FIGURES[name](never)
    else:
        assert FIGURES[name](never).axes


def test_the_inversion_is_where_the_table_says(inverting):
    figure = FIGURES["inversion_curves"](inverting)
    usual = inverting["inversion_points"].query("kind == 'usual'")
    [line] = [line for line in figure.axes[0].lines if line.get_label() == "inversion t*"]
    assert line.get_xdata()[0] == pytest.approx(usual["step"].mean())
