"""Distances from the geodesic."""

import numpy as np
import pytest
from matplotlib.colors import same_color

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.reporting.style import LeftOut, palette


def test_lines_are_medians_by_network(data, tables):
    axes = hr.plot.to_geodesic(data, split="test")
    found = tables["tubes"].query("split == 'test'")
    for name, colour in palette(tables["models"]["network"]).items():
        median = found[found["network"] == name].groupby("progress")["to_geodesic"].median()
        (line,) = (
            line for line in axes.lines
            if same_color(line.get_color(), colour) and line.get_linestyle() == "-"
        )  # fmt: skip
        np.testing.assert_allclose(line.get_ydata(), median)
    assert axes.get_xlabel() == "test progress"


def test_seeds_are_lines_of_their_own(tables, words):
    axes = hr.plot.to_geodesic(tables, color="seed")
    assert words(axes.figure) == ["seed 0", "seed 1", "some trainings missing"]


def test_without_progress_there_is_nothing(make_tables):
    with pytest.raises(LeftOut, match="No training makes enough progress"):
        hr.plot.to_geodesic(make_tables(reach=0.0))


def test_a_style_is_refused(tables):
    with pytest.raises(DataError, match="^style = 'seed': to_geodesic has no markers"):
        hr.plot.to_geodesic(tables, style="seed")
