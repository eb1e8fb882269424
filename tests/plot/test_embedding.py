"""Models in the first coordinates."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm, to_hex

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.reporting.style import LeftOut, palette


@pytest.mark.parametrize("split", ["train", "test"])
def test_models_of_a_split_are_where_the_table_says(data, tables, points, split):
    models = tables["models"].query("split == @split")
    axes = hr.plot.embedding(data, split=split, dimensions=2, legend=False)
    np.testing.assert_array_equal(
        np.sort(points(axes), axis=0), np.sort(models[["pc1", "pc2"]], axis=0)
    )
    assert axes.get_title() == f"{split} predictions of {len(models)} models: " + (
        "explained stress 80%"
    )


def test_three_dimensions_have_a_line_per_training(tables, points):
    axes = hr.plot.embedding(tables)
    models = tables["models"].query("split == 'train'")
    assert axes.name == "3d"
    assert len(points(axes)) == len(models)
    runs = models.groupby(["configuration", "seed"]).ngroups
    assert len(axes.lines) == runs + 1  # and the geodesic
    assert axes.get_zlabel() == "PC3 (time-like)"
    assert axes.get_title() == f"train predictions of {len(models)} models: explained stress 90%"
    assert len(hr.plot.embedding(tables, lines=False).lines) == 1


def test_networks_have_the_colours_of_the_study(tables, words):
    axes = hr.plot.embedding(tables, dimensions=2)
    colours = palette(tables["models"]["network"])
    found = [to_hex(group.get_facecolor()[0]).upper() for group in axes.collections]
    assert found == list(colours.values())
    assert words(axes.figure) == [*colours, "geodesic", "ignorance", "truth"]


def test_numbers_have_a_bar(tables):
    axes = hr.plot.embedding(tables, dimensions=2, color="progress")
    (drawn,) = axes.collections
    models = tables["models"].query("split == 'train'")
    np.testing.assert_array_equal(drawn.get_array(), models["progress"])
    _, bar = axes.figure.axes
    assert bar.get_ylabel() == "progress"
    (drawn,) = hr.plot.embedding(
        tables, dimensions=2, color="progress", norm=LogNorm(0.1, 1)
    ).collections
    assert isinstance(drawn.norm, LogNorm)


def test_style_and_options_of_points(tables):
    axes = hr.plot.embedding(tables, dimensions=2, color="crimson", style="optimiser", s=11)
    assert len(axes.collections) == 3
    assert {tuple(group.get_sizes()) for group in axes.collections} == {(11,)}
    paths = [group.get_paths()[0].vertices for group in axes.collections]
    assert not any(np.array_equal(paths[0], path) for path in paths[1:])


def test_any_coordinates_can_be_chosen(tables):
    axes = hr.plot.embedding(tables, dimensions=(3, 1), legend=False)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("PC3 (time-like)", "PC1")
    assert "stress" not in axes.get_title()  # of others


def test_dimensions_follow_what_there_is(tables):
    assert hr.plot.embedding(np.eye(4)[:, :2]).name != "3d"
    assert hr.plot.embedding(np.eye(4)).name == "3d"
    assert hr.plot.embedding(tables, ax=plt.figure().add_subplot()).get_ylabel() == "PC2"
    space = plt.figure().add_subplot(projection="3d")
    assert hr.plot.embedding(tables, ax=space) is space


@pytest.mark.parametrize("dimensions", [1, 4, 0, (1, 1), (0, 1), (1,), "two", 2.5, (1, 2, 3, 4)])
def test_impossible_dimensions_are_refused(tables, dimensions):
    with pytest.raises(DataError, match="^dimensions = .*: expected 2, 3, or"):
        hr.plot.embedding(tables, dimensions=dimensions)


def test_a_coordinate_that_is_not_there_is_named(tables):
    with pytest.raises(DataError, match="^data: no column pc9 in the table models"):
        hr.plot.embedding(tables, dimensions=(1, 9))


def test_predictions_with_labels_have_ends_and_scores(trainings, labels, words):
    axes = hr.plot.embedding({"slow": trainings[0], "fast": trainings[1]}, labels=labels)
    assert words(axes.figure) == ["slow", "fast", "geodesic", "ignorance", "truth"]
    for color in ("progress", "loss", "error"):
        hr.plot.embedding(trainings, labels=labels, color=color, dimensions=2)
    without = hr.plot.embedding(trainings, dimensions=2)
    assert words(without.figure) == ["training 0", "training 1"]


def test_values_of_models_colour_them(trainings):
    flat = trainings.reshape(-1, *trainings.shape[2:])
    axes = hr.plot.embedding(flat, color=np.arange(12), style=["a", "b"] * 6, dimensions=2)
    assert len(axes.collections) == 2
    with pytest.raises(DataError, match="^color = shape .3,.: expected a column .* 12 values"):
        hr.plot.embedding(flat, color=[1, 2, 3])


def test_an_estimator_is_drawn(trainings, points):
    inpca = hr.InPCA(4).fit(trainings[0])
    axes = hr.plot.embedding(inpca, dimensions=2)
    np.testing.assert_allclose(points(axes), inpca.embedding_[:, :2])
    assert axes.get_title() == f"6 models: explained stress {inpca.explained_stress_[1]:.0%}"


def test_an_end_of_the_geodesic_that_is_not_known_is_not_marked(tables, words):
    tables["geodesic"] = tables["geodesic"].query("alpha < 1")
    axes = hr.plot.embedding(tables, dimensions=2)
    assert words(axes.figure)[-2:] == ["geodesic", "ignorance"]


def test_one_point_is_said(tables):
    tables["explained_stress"]["explained_stress"] = np.nan
    with pytest.raises(LeftOut, match="All models make the same test predictions"):
        hr.plot.embedding(tables, split="test")


def test_no_models_are_said():
    with pytest.raises(DataError, match="^data: the table models has no rows"):
        hr.plot.embedding(pd.DataFrame({"pc1": [], "pc2": []}))


@pytest.mark.parametrize("options", [{"colour": "network"}, {"c": "red"}, {"s": "large"}])
def test_options_that_points_do_not_have_are_refused(tables, options):
    with pytest.raises(
        DataError, match=f"{next(iter(options))}.*: not what scatter takes"
    ) as error:
        hr.plot.embedding(tables, dimensions=2, **options)
    assert "\n" not in str(error.value)
    assert plt.get_fignums() == []
