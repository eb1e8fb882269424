"""Configurations clustered by the distance of their trajectories."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.spatial.distance import squareform

import hyperribbon as hr
from hyperribbon.errors import DataError
from hyperribbon.reporting.style import LeftOut, palette

D = np.array([[0.0, 3, 1], [3, 0, 2], [1, 2, 0]])


def labels_of(axes) -> list:
    """Labels beside the tree, or beside the factors."""
    return list(axes.figure.axes[-1].get_yticklabels())


def test_labels_are_configurations_in_their_networks_colours(data, tables):
    axes = hr.plot.dendrogram(data)
    colours = palette(tables["models"]["network"])
    labels = labels_of(axes)
    assert {text.get_text() for text in labels} == set(tables["configurations"]["configuration"])
    for text in labels:
        assert same_color(text.get_color(), colours[text.get_text().split("-")[0]])


def test_factors_are_beside_the_tree(tables, words):
    figure = hr.plot.dendrogram(tables).figure
    assert {"architecture", "algorithm", "batch size", "augmentation"} <= set(words(figure))


def test_heights_are_average_linkage():
    axes = hr.plot.dendrogram(D)
    links = linkage(squareform(D), "average")
    segments = np.concatenate([s for lines in axes.collections for s in lines.get_segments()])
    assert set(np.round(segments[:, 0], 9)) == {0, *np.round(links[:, 2], 9)}
    assert cophenet(links).max() == 2.5


@pytest.mark.parametrize("named", [True, False])
def test_a_matrix_is_enough(named):
    given = pd.DataFrame(D, list("abc"), list("abc")) if named else D
    found = [text.get_text() for text in labels_of(hr.plot.dendrogram(given))]
    assert sorted(found) == (["a", "b", "c"] if named else ["0", "1", "2"])


def test_one_identifier_is_left_out_of_a_name_and_no_more():
    names = ["net-0", "ViT-Adam-0a1b2c3d", "b"]
    found = [t.get_text() for t in labels_of(hr.plot.dendrogram(pd.DataFrame(D, names, names)))]
    assert set(found) == {"net-0", "ViT-Adam", "b"}


def test_what_cannot_be_compared_is_counted():
    gap = np.full((4, 4), np.nan)
    gap[:3, :3] = D
    assert "1 not comparable" in hr.plot.dendrogram(gap).get_title()


def test_labels_have_the_colours_asked_for(tables):
    axes = hr.plot.dendrogram(tables, color="optimiser", palette={
        "SGD-10": "red", "SGD-20": "blue", "Adam": "green"})  # fmt: skip
    about = tables["configurations"].set_index("configuration")["optimiser"]
    expected = {"SGD-10": "red", "SGD-20": "blue", "Adam": "green"}
    for text in labels_of(axes):
        assert same_color(text.get_color(), expected[about[text.get_text()]])


def test_factors_go_with_the_given_axes(tables):
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    axes = hr.plot.dendrogram(tables, ax=left)
    assert axes is left and left.get_legend() is not None and not figure.legends
    figure.draw_without_rendering()
    _, _, factors = figure.axes
    assert left.bbox.x1 < factors.bbox.x0 < factors.bbox.x1 < right.bbox.x0


def test_factors_are_beside_axes_in_any_place(tables):
    axes = plt.figure().add_axes((0.1, 0.1, 0.3, 0.8))
    hr.plot.dendrogram(tables, ax=axes)
    (factors,) = axes.child_axes
    assert factors.get_xticklabels()[0].get_text() == "architecture"


@pytest.mark.parametrize("many", [False, True])
def test_the_legend_keeps_off_the_factors(make_tables, many):
    optimisers = {
        f"{name}-{batch}": (name, batch, 0.0)
        for name in ("sgd", "adam", "rmsprop") for batch in (range(10, 120, 10) if many else (10,))
    }  # fmt: skip
    figure = hr.plot.dendrogram(make_tables(optimisers=optimisers)).figure
    figure.draw_without_rendering()
    (legend,) = figure.legends
    assert len(make_tables(optimisers=optimisers)["configurations"]) > 60 or not many
    assert figure.axes[-1].get_tightbbox().x1 <= legend.get_window_extent().x0


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (D[:2], "data: shape"),
        (np.triu(D), "data: shape"),
        (np.array([["a", "b"], ["b", "a"]]), "data: shape"),
    ],
)
def test_what_is_no_matrix_of_distances_is_refused(data, said):
    with pytest.raises(DataError, match=f"^{said}"):
        hr.plot.dendrogram(data)


def test_fewer_than_two_have_no_tree(make_tables):
    with pytest.raises(LeftOut, match="Fewer than two configurations reach a common test"):
        hr.plot.dendrogram(make_tables(reach=0.0), split="test")
