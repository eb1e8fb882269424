"""Every figure is drawn, without a warning and legibly, of any study that it is for."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.style import LeftOut, apply_style
from hyperribbon.studies.manifold.figure_list import FIGURES
from hyperribbon.studies.parts import figure_function

DRAWN = sorted(name for figure in FIGURES for name in figure.drawn())
OF_ONE_SPLIT = [name for name in DRAWN if not name.endswith("_test")]
NOTHING_TO_DRAW = {
    "away",
    "dendrogram",
    "ensemble_gain",
    "ensembles",
    "importance",
    "subset_embedding",
    "trajectory_embedding",
    "tubes",
    "tubes_by",
}

pytestmark = pytest.mark.filterwarnings("error")


def words(figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(plt.Text))


@pytest.fixture(autouse=True)
def style():
    apply_style()
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWN)
def test_an_ordinary_study(make_tables, name):
    figure = figure_function(name)(make_tables())
    figure.draw_without_rendering()
    assert len(figure.axes) > 0
    check_room(figure)


def check_room(figure):
    """Nothing is cut off, no label is longer than its axis, and titles keep out of each other."""
    whole = figure.bbox.padded(1)
    renderer = figure.canvas.get_renderer()
    boxes = {}
    for axes in figure.axes:
        if axes.name == "3d":
            continue
        inside = axes.get_window_extent(renderer).padded(1)
        for axis, size in ((axes.xaxis, "width"), (axes.yaxis, "height")):
            label = axis.label.get_window_extent(renderer)
            text = axis.label.get_text()
            assert getattr(label, size) <= getattr(inside, size), f"{text} is longer than its axis"
            ticks = [tick.label1 for tick in axis.get_major_ticks() if tick.label1.get_visible()]
            shown = [t.get_window_extent(renderer) for t in ticks if t.get_text()]
            shown = [box for box in shown if inside.padded(20).overlaps(box)]
            assert not any(map(overlap, shown[1:], shown)), f"{text}: labels of ticks overlap"
        for loc in ("left", "center"):
            title = getattr(axes, {"left": "_left_title", "center": "title"}[loc])
            if title.get_text():
                boxes[title.get_text(), id(axes)] = title.get_window_extent(renderer)
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    for legend in filter(None, legends):
        boxes["legend", id(legend)] = legend.get_window_extent(renderer)
    for (text, _), box in boxes.items():
        assert whole.x0 <= box.x0 and box.x1 <= whole.x1, f"{text} is cut off"
        assert whole.y0 <= box.y0 and box.y1 <= whole.y1, f"{text} is cut off"
    found = list(boxes.items())
    for k, (key, box) in enumerate(found):
        for other, another in found[:k]:
            assert not overlap(box, another), f"{key[0]} lies on {other[0]}"


def overlap(box, other) -> bool:
    return (
        min(box.x1, other.x1) - max(box.x0, other.x0) > 1
        and min(box.y1, other.y1) - max(box.y0, other.y0) > 1
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", OF_ONE_SPLIT)
def test_one_training(make_tables, name):
    tables = make_tables({"ViT": "vit"}, {"Adam": ("adam", 10, 0.0)}, ("none",), seeds=1)
    base = name.removesuffix("_train")
    if base in NOTHING_TO_DRAW:
        with pytest.raises(LeftOut, match=r"\.$"):
            figure_function(name)(tables)
        return
    figure = figure_function(name)(tables)
    figure.draw_without_rendering()
    assert figure.axes


@pytest.mark.parametrize("name", ["dendrogram_train", "to_geodesic", "tubes", "tubes_by"])
def test_nobody_gets_anywhere(make_tables, name):
    with pytest.raises(LeftOut):
        figure_function(name)(make_tables(reach=0.0))


@pytest.mark.parametrize("name", ["dendrogram_test", "progress_epoch", "updates", "tubes_by"])
def test_a_grid(make_tables, name):
    optimisers = {
        f"{algorithm}-{batch}{'-wd' * (decay > 0)}": (algorithm, batch, decay)
        for algorithm in ("sgd", "sgd-nesterov", "adam")
        for batch in (200, 500, 1000)
        for decay in (0.0, 0.001)
    }
    figure = figure_function(name)(make_tables(optimisers=optimisers))
    figure.draw_without_rendering()
    if name == "dendrogram_test":
        for factor in ("architecture", "algorithm", "batch size", "weight decay", "augmentation"):
            assert factor in words(figure)
        assert "Small-" not in words(figure)  # too many rows for labels


def test_sizes_of_one_architecture_have_a_panel(make_tables):
    figure = figure_function("updates")(make_tables())
    assert [axes.get_title("left") for axes in figure.axes] == ["wide resnet"]
    assert "Large\n(200 parameters)" in words(figure)
    assert "ViT" not in words(figure)


@pytest.mark.slow  # the two figures that look at epochs are drawn in test_progress.py
@pytest.mark.parametrize("name", OF_ONE_SPLIT)
def test_recordings_without_epochs(make_tables, name):
    tables = make_tables()
    tables |= {k: t.assign(epoch=float("nan")) for k, t in tables.items() if "epoch" in t}
    figure = figure_function(name)(tables)
    figure.draw_without_rendering()
    if name in ("progress_epoch", "away_train"):
        assert "step" in words(figure)


@pytest.mark.parametrize("name", ["manifold_train", "spectrum_test", "joint", "metrics"])
def test_one_point_is_said_instead_of_drawn(name):
    """All that a figure of an embedding needs to know; others are not asked for."""
    stress = pd.DataFrame({"split": ["train", "test"], "explained_stress": np.nan})
    with pytest.raises(LeftOut, match="they are a single point"):
        figure_function(name)({"explained_stress": stress})
