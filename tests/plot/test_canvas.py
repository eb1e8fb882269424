"""Where pictures are drawn: one figure in the project's style, or the given axes."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import pytest

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.plot.canvas import canvas

PICTURES = {
    "embedding": {},
    "pairs": {},
    "spectrum": {},
    "progress": {},
    "tubes": {},
    "dendrogram": {},
    "to_geodesic": {},
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_one_figure(name, data):
    getattr(hr.plot, name)(data)
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("name", PICTURES)
def test_given_axes_are_used(name, data):
    figure, panels = plt.subplots(1, 3)
    ax = panels if name == "pairs" else panels[1]
    found = getattr(hr.plot, name)(data, ax=ax)
    assert found is ax or list(found) == list(ax)
    assert plt.get_fignums() == [figure.number]
    assert panels[1].has_data()
    assert name == "pairs" or not panels[0].has_data()


@pytest.mark.parametrize("name", [*PICTURES, "curvature_spectrum", "phase_diagram"])
def test_what_is_not_axes_is_refused_and_no_figure_is_left(name, tables):
    given = {"curvature_spectrum": [2.0, 1.0], "phase_diagram": [[1, 2], [3, 4]]}.get(name, tables)
    more = {"x": [1, 2], "y": [1, 10]} if name == "phase_diagram" else {}
    with pytest.raises(DataError, match="^ax: ") as error:
        getattr(hr.plot, name)(given, ax="here", **more)
    assert "\n" not in str(error.value)
    assert plt.get_fignums() == []


def test_the_style_is_kept_when_the_figure_is_drawn_later(tables):
    """Ticks are made when a figure is drawn, with the user's settings in force."""
    with mpl.rc_context({"xtick.labelsize": 30, "font.size": 25, "axes.spines.top": True}):
        axes = hr.plot.spectrum(tables)
        axes.figure.canvas.draw()
        assert {text.get_fontsize() for text in axes.get_xticklabels()} == {7}
        assert axes.title.get_fontsize() == 8
        assert not axes.spines["top"].get_visible()


def test_a_figure_that_fails_is_closed():
    with pytest.raises(ZeroDivisionError), canvas(None, (2, 2)):
        raise ZeroDivisionError
    assert plt.get_fignums() == []


@pytest.mark.parametrize(("dimensions", "projection"), [(3, None), (2, "3d")])
def test_axes_of_another_kind_are_refused(tables, dimensions, projection):
    axes = plt.figure().add_subplot(projection=projection)
    with pytest.raises(DataError, match="^ax: Axes .* expected add_subplot"):
        hr.plot.embedding(tables, ax=axes, dimensions=dimensions)
