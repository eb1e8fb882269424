"""The phase diagram of linear regression."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.linear import phase_diagram

SLOPES, STEPS, RATIOS = [0.05, 0.3, 1.0], [1, 10, 1000], [0.1, 1.0, 10.0]


@pytest.fixture(scope="module")
def diagram():
    return phase_diagram(SLOPES, STEPS, RATIOS, n=40, draws=2)


@pytest.fixture(params=["dataset", "table", "tables"])
def given(request, diagram):
    table = diagram.to_dataframe().reset_index()
    return {"dataset": diagram, "table": table, "tables": {"linear_phase": table}}[request.param]


def values(axes) -> np.ndarray:
    return np.asarray(axes.collections[0].get_array())


def test_sections_are_those_of_the_diagram(given, diagram):
    axes = hr.plot.phase_diagram(given, ratio=9.0)
    np.testing.assert_array_equal(values(axes), diagram["dimension"].sel(ratio=10.0).T)
    assert axes.get_title().endswith("= 10") and axes.get_xlabel() == "slope c"
    axes = hr.plot.phase_diagram(given, slope=0.25)
    np.testing.assert_array_equal(values(axes), diagram["dimension"].sel(slope=0.3).T)
    assert axes.get_title() == "c = 0.3"
    np.testing.assert_array_equal(
        values(hr.plot.phase_diagram(given)), diagram["dimension"].sel(ratio=1.0).T
    )


def test_dimensions_have_a_logarithmic_scale_and_boundaries(diagram, words):
    axes = hr.plot.phase_diagram(diagram)
    assert isinstance(axes.collections[0].norm, LogNorm)
    found = diagram["dimension"].sel(ratio=1.0)
    crossed = [f"{d} dimensions" for d in (3, 10, 30) if found.min() < d < found.max()]
    assert words(axes.figure) == crossed
    assert len(axes.collections) == 1 + len(crossed)


def test_another_column_is_drawn(diagram):
    axes = hr.plot.phase_diagram(diagram, color="standard_error")
    np.testing.assert_array_equal(values(axes), diagram["standard_error"].sel(ratio=1.0).T)
    assert axes.figure.axes[1].get_ylabel() == "standard error"
    assert len(axes.collections) == 1


def test_an_array_is_drawn():
    axes = hr.plot.phase_diagram(np.arange(1, 7).reshape(2, 3), x=[0.1, 0.2], y=[1, 10, 100])
    np.testing.assert_array_equal(values(axes), [[1, 4], [2, 5], [3, 6]])


def test_the_legend_is_optional(diagram):
    figure, axes = plt.subplots()
    assert hr.plot.phase_diagram(diagram, ax=axes, legend=False) is axes
    assert figure.axes == [axes] and axes.get_legend() is None


@pytest.mark.parametrize(
    ("data", "options", "said"),
    [
        (None, {"ratio": 1, "slope": 1}, "ratio = 1, slope = 1: both given"),
        (None, {"color": "dimensions"}, "data: no column dimensions in the table linear_phase"),
        (None, {"x": [1]}, "x, y: given with a table"),
        (None, {"style": "x"}, "style = 'x': phase_diagram has no markers"),
        ([[1, 2], [3, 4]], {}, "x, y: missing"),
        ([[1, 2], [3, 4]], {"x": [1], "y": [1, 2]}, "data: shape (2, 2), expected"),
        ([[1, 2], [3, 4]], {"x": [1, 2], "y": [0, 2]}, "y: steps of 0 or less"),
        ([[1, 2], [3, 4]], {"x": [1, 2], "y": [1, 2], "ratio": 3}, "ratio, slope, color: given"),
        ("x", {"x": [1], "y": [1]}, "data: not numbers"),
    ],
)
def test_what_does_not_fit_is_refused(diagram, data, options, said):
    with pytest.raises(DataError) as error:
        hr.plot.phase_diagram(diagram if data is None else data, **options)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_an_incomplete_grid_is_refused(diagram):
    with pytest.raises(DataError, match="^data: 26 rows, expected one per ratio"):
        hr.plot.phase_diagram(diagram.to_dataframe().reset_index().iloc[1:])
