"""Progress by time and by error."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.reporting.style import palette


def test_lines_are_means_and_bands_extremes(data, tables):
    models = tables["models"].query("split == 'train'").copy()
    axes = hr.plot.progress(data, split="train")
    assert len(axes.lines) == len(axes.collections) == models["network"].nunique()
    for line, (name, colour) in zip(axes.lines, palette(models["network"]).items(), strict=True):
        mean = models[models["network"] == name].groupby("epoch")["progress"].mean()
        np.testing.assert_allclose(line.get_xdata(), mean.index)
        np.testing.assert_allclose(line.get_ydata(), mean)
        assert same_color(line.get_color(), colour)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "train progress")


def test_a_band_reaches_from_the_lowest_to_the_highest():
    table = pd.DataFrame(
        {
            "training": [0, 0, 1, 1],
            "network": "A",
            "step": [0, 9, 0, 9],
            "progress": [0, 0.2, 0, 0.6],
        }
    )
    axes = hr.plot.progress(table)
    corners = axes.collections[0].get_paths()[0].vertices
    assert corners[corners[:, 0] == 9][:, 1].min() == 0.2
    assert corners[:, 1].max() == 0.6
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [0, 0.4])


def test_trainings_at_other_times_have_a_line_each():
    """A mean of whoever happens to be there would jump."""
    table = pd.DataFrame(
        {
            "training": [0, 0, 0, 1, 1],
            "network": "A",
            "step": [0, 5, 9, 0, 7],
            "progress": [0.0, 0.1, 0.2, 0.0, 0.9],
        }
    )
    axes = hr.plot.progress(table.sample(frac=1, random_state=0).assign(checkpoint=table["step"]))
    assert not axes.collections
    found = sorted(line.get_ydata().tolist() for line in axes.lines)
    assert found == [[0.0, 0.1, 0.2], [0.0, 0.9]]


def test_styles_are_dashes(tables, words):
    axes = hr.plot.progress(tables, color="optimiser", style="augmentation")
    assert len(axes.lines) == 6
    assert len({str(line._dash_pattern) for line in axes.lines}) == 2
    assert words(axes.figure) == [*tables["models"]["optimiser"].unique(), "none", "flip"]


def test_error_is_points_with_r_squared(tables, points):
    axes = hr.plot.progress(tables, x="error", split="test")
    models = tables["models"].query("split == 'test'")
    assert len(points(axes)) == len(models)
    assert axes.get_title() == "test: $R^2$ = 1.00"  # a line, as made up
    assert axes.get_xlabel() == "test error"


def test_steps_where_epochs_are_not_known(tables):
    tables["models"]["epoch"] = np.nan
    assert hr.plot.progress(tables).get_xlabel() == "step"


@pytest.mark.parametrize("kind", ["array", "list", "one"])
def test_predictions_make_progress(trainings, labels, kind):
    P = {"array": trainings, "list": list(trainings), "one": trainings[0]}[kind]
    axes = hr.plot.progress(P, labels=labels)
    lines = [line.get_ydata() for line in axes.lines]
    expected = hr.progress(trainings if kind != "one" else trainings[:1], labels)
    np.testing.assert_allclose(lines, expected)
    assert axes.get_xlabel() == "checkpoint"


@pytest.mark.parametrize(("x", "said"), [("los", "expected a column"), ("network", "names")])
def test_impossible_axes_are_refused(tables, x, said):
    with pytest.raises(DataError, match=f"^x = '{x}': .*{said}"):
        hr.plot.progress(tables, x=x)
