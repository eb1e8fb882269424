"""Coordinates in pairs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import hyperribbon as hr
from hyperribbon.errors import DataError


def test_three_panels_show_the_pairs(data, tables, points):
    panels = hr.plot.pairs(data)
    models = tables["models"].query("split == 'train'")
    assert panels.shape == (3,)
    for axes, names in zip(panels, (["pc1", "pc2"], ["pc1", "pc3"], ["pc2", "pc3"]), strict=True):
        np.testing.assert_array_equal(np.sort(points(axes), axis=0), np.sort(models[names], axis=0))
    assert panels[2].get_ylabel() == "PC3 (time-like)"


def test_there_is_one_legend(tables, words):
    names = [*tables["models"]["network"].unique(), "geodesic", "ignorance", "truth"]
    assert words(hr.plot.pairs(tables)[0].figure) == names
    figure, panels = plt.subplots(1, 3)
    hr.plot.pairs(tables, ax=panels)
    assert words(figure) == names
    assert panels[0].get_legend() is None


@pytest.mark.parametrize("count", [2, 4])
def test_another_number_of_axes_is_refused(tables, count):
    _, panels = plt.subplots(1, count)
    with pytest.raises(DataError, match=f"^ax: {count} Axes, expected three"):
        hr.plot.pairs(tables, ax=panels)


def test_predictions_are_embedded(trainings, labels):
    panels = hr.plot.pairs(trainings, labels=labels, color="progress")
    assert len(panels[0].figure.axes) == 4  # and a bar


def test_two_coordinates_have_no_three_pairs():
    with pytest.raises(DataError, match="no column pc3"):
        hr.plot.pairs(np.eye(5)[:, :2])
