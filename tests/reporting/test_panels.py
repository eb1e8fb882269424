"""Panels in rows, and legends below them."""

import pytest

from hyperribbon.reporting.panels import (
    WIDEST,
    legend_below,
    name_outer,
    stacked,
    title_left,
    wrapped,
)

pytestmark = pytest.mark.usefixtures("style")


@pytest.mark.parametrize("number", [1, 2, 4, 5, 7])
def test_panels_are_in_rows_and_named_where_nothing_is_below_them(number):
    figure, panels = wrapped(number, 0.8, most=3, sharex=True, sharey=True)
    name_outer(panels, "x", "y")
    assert len(panels) == number == len(figure.axes)
    places = [axes.get_subplotspec() for axes in panels]
    taken = {(place.rowspan.start, place.colspan.start) for place in places}
    for axes, place in zip(panels, places, strict=True):
        below = (place.rowspan.start + 1, place.colspan.start) in taken
        assert bool(axes.get_xlabel()) != below
        assert bool(axes.get_ylabel()) == (place.colspan.start == 0)


def test_pairs_have_one_scale_above_and_one_below():
    figure, pairs = stacked(6, 2.0)
    assert figure.get_figwidth() <= WIDEST
    pairs[0][0].set_ylim(1, 2)
    pairs[0][1].set_ylim(3, 4)
    assert all(a.get_ylim() == (1, 2) and b.get_ylim() == (3, 4) for a, b in pairs)


def test_a_legend_has_each_label_once():
    figure, panels = wrapped(3, 0.8)
    for axes in panels:
        axes.plot([1], label="a")
        axes.plot([2], label="a much longer label " * 8)
    legend_below(figure, panels)
    assert len(figure.legends[0].texts) == 2
    assert figure.legends[0]._ncols == 1


def test_labels_and_titles_that_pictures_have_on_their_own_are_replaced():
    _, panels = wrapped(2, 1.0, sharey=True)
    for axes in panels:
        axes.set(xlabel="own", ylabel="own", title="own")
        title_left(axes)
    name_outer(panels, "x", "y")
    assert [(axes.get_xlabel(), axes.get_ylabel()) for axes in panels] == [("x", "y"), ("x", "")]
    assert [(axes.get_title(), axes.get_title("left")) for axes in panels] == [("", "own")] * 2
    assert title_left(panels[0], "other").get_title("left") == "other"
