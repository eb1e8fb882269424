"""Radii of tubes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.reporting.style import LeftOut, palette


def test_boxes_are_quartiles_of_tenths(data, tables):
    axes = hr.plot.tubes(data, split="train")
    found = tables["tubes"].query("split == 'train'")
    lines = [line.get_ydata() for line in axes.lines if same_color(line.get_color(), "black")]
    medians = [y[0] for y in lines if len(y)]
    first = found[found["progress"] <= 0.1]["to_mean"].median()
    assert any(np.isclose(first, median) for median in medians)
    assert len(axes.patches) == 10
    assert axes.get_ylim()[0] == 0
    assert axes.get_xlabel() == "train progress"


def test_lines_are_medians_by_colour(tables, words):
    axes = hr.plot.tubes(tables, color="network")
    found = tables["tubes"].query("split == 'train'")
    for name, colour in palette(tables["models"]["network"]).items():
        median = found[found["network"] == name].groupby("progress")["to_mean"].median()
        (line,) = (
            line for line in axes.lines
            if same_color(line.get_color(), colour) and line.get_linestyle() == "-"
        )  # fmt: skip
        np.testing.assert_allclose(line.get_ydata(), median)
    assert words(axes.figure) == ["Small", "Large", "ViT", "some trainings missing"]


def test_panels_that_share_an_axis_show_all(tables):
    tables["tubes"].loc[tables["tubes"]["split"] == "test", "to_mean"] *= 5
    _, panels = plt.subplots(1, 2, sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        hr.plot.tubes(tables, split=split, ax=axes)
    bottom, top = panels[0].get_ylim()
    assert bottom == 0
    assert top > tables["tubes"]["to_mean"].max()


def test_without_seeds_there_are_no_tubes(make_tables):
    with pytest.raises(LeftOut, match="at most one seed"):
        hr.plot.tubes(make_tables(seeds=1))


def test_a_style_is_refused(tables):
    with pytest.raises(DataError, match="^style = 'seed': tubes has no markers"):
        hr.plot.tubes(tables, style="seed")
