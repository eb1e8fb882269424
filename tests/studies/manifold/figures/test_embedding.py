"""Colours and titles of pictures of the embedding."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hyperribbon.reporting.style import COLOURS, OUTSIDE, LeftOut, palette
from hyperribbon.studies.manifold.figures.dimensionality import metric_embedding
from hyperribbon.studies.manifold.figures.embedding import (
    away,
    four_points,
    joint,
    loss_error,
    near,
    quantile_scale,
)


def words(found) -> list[str]:
    return [text.get_text() for text in found.findobj(plt.Text)]


def test_progress_has_no_colour_of_a_network(make_tables, style):
    """Points on the geodesic, left, and ends of trainings, right."""
    tables = make_tables()
    models = tables["models"]
    models["near_geodesic"] = np.resize(["0.02", "0.50", "0.98", "none"], len(models))
    ends = ["Small none", "Small flip", "Large none", "none"]
    models["near_end"] = np.resize(ends, len(models))
    left, right = near(tables, split="train").axes
    colours = [to_hex(dots.get_facecolor()[0]) for dots in left.collections]
    assert len(set(colours)) == 4
    assert not {to_hex(c) for c in COLOURS} & (set(colours) - {OUTSIDE})
    # Ends of one network share its colour, and are told apart by their markers.
    looks = {
        key.get_label(): (key.get_color(), key.get_marker())
        for key in right.get_legend().legend_handles
    }
    networks = palette(models["network"])
    assert looks["Small none"][0] == looks["Small flip"][0] == networks["Small"]
    assert len(set(looks.values())) == len(ends)


def test_every_colour_of_a_loss_holds_as_many_models():
    values = pd.Series(np.random.default_rng(0).lognormal(-5, 3, 1000))  # over ten decades
    _, counts = np.unique(quantile_scale(values)(values), return_counts=True)
    assert len(counts) == 10
    assert counts.min() >= 99


@pytest.mark.parametrize("constant", [0.0, 0.3])
def test_losses_that_are_all_the_same(make_tables, style, constant):
    tables = make_tables()
    tables["models"][["loss", "error"]] = constant
    loss_error(tables, split="test").draw_without_rendering()


def test_four_points_say_at_which_progress(make_tables, style):
    figure = four_points(make_tables(), split="train")
    assert "of four points, s = 0.2, RMSD 0.1" in words(figure)


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.83, "83% of pairwise distance explained (80% in"), (-144.93, "axes do not suit the test")],
)
def test_axes_that_do_not_suit_the_test_models_are_said_to(make_tables, style, share, said):
    """Of the three dimensions drawn, whatever comes out in more."""
    tables = make_tables()
    explained = tables["joint_explained"]
    placed = (explained["split"] == "test") & (explained["axes"] == "train")
    explained.loc[placed & (explained["dimension"] == 3), "explained_pairwise_distance"] = share
    later = explained[placed].tail(1).assign(dimension=4, explained_pairwise_distance=-1e5)
    tables["joint_explained"] = pd.concat([explained, later])
    title = joint(tables).axes[0].get_title(loc="left")
    assert said in title
    assert "-" not in title


def test_other_metrics_have_a_legend(make_tables, style):
    figure = metric_embedding(make_tables(), split="train")
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["Small", "Large", "ViT", "geodesic", "ignorance"]


def test_where_no_model_is_away_there_is_no_figure(make_tables, style):
    tables = make_tables()
    tables["away"] = tables["away"].assign(away=0)
    with pytest.raises(LeftOut, match="No model is away from the test manifold"):
        away(tables, split="test")
