"""Distances by progress, where some trainings get farther than others."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from hyperribbon.reporting.style import palette
from hyperribbon.studies.manifold.figures.trajectories import lengths
from hyperribbon.studies.manifold.figures.tubes import to_geodesic, tubes, tubes_by


@pytest.fixture
def uneven(make_tables):
    """One training of network Small stops at progress 0.5; it is the farthest from all."""
    tables = make_tables(augmentations=("none",))
    found = tables["tubes"]
    first = found.query("network == 'Small'")[["configuration", "seed"]].iloc[0]
    of_it = (found["configuration"] == first["configuration"]) & (found["seed"] == first["seed"])
    found.loc[of_it, ["to_geodesic", "to_mean"]] = 100.0
    tables["tubes"] = found[~(of_it & (found["progress"] > 0.5))]
    return tables


@pytest.mark.parametrize("draw", [to_geodesic, tubes_by])
def test_a_line_is_whole_as_far_as_all_trainings_go(uneven, style, draw):
    colours = palette(uneven["models"]["network"])
    for axes in draw(uneven).axes[:2]:
        for network, end in (("Small", 0.5), ("Large", 0.9)):
            lines = [line for line in axes.lines if same_color(line.get_color(), colours[network])]
            reach = {
                line.get_linestyle(): np.max(line.get_xdata()[np.isfinite(line.get_ydata())])
                for line in lines
            }
            assert set(reach) == {":", "-"}
            assert end - 0.06 < reach["-"] <= end
            assert 0.84 < reach[":"] < 0.9  # what others do is there, but said to be of some


def test_colours_are_the_networks_own_where_some_have_nothing_to_show(make_tables, style):
    """The first network makes no progress: the others keep their colours."""
    tables = make_tables(augmentations=("none",))
    expected = palette(tables["models"]["network"])
    for name in ("tubes", "trajectories"):
        tables[name] = tables[name].query("network != 'Small'")
    for draw in (to_geodesic, tubes_by, lengths):
        found = draw(tables)
        shown = [line.get_color() for line in found.axes[0].lines]
        shown += [c for dots in found.axes[0].collections for c in dots.get_facecolor()[:, :3]]
        assert any(same_color(colour, expected["ViT"]) for colour in shown)
        assert not any(same_color(colour, expected["Small"]) for colour in shown)


def test_augmentations_have_no_colour_of_a_network(make_tables, style):
    tables = make_tables()
    networks = set(palette(tables["models"]["network"]).values())
    by_augmentation = tubes_by(tables).axes[2:]
    assert by_augmentation
    assert not networks & {line.get_color() for axes in by_augmentation for line in axes.lines}


def test_edges_of_bins_are_at_the_edges_of_boxes(make_tables, style):
    axes = tubes(make_tables()).axes[0]
    labels = {
        text.get_text(): x
        for text, x in zip(axes.get_xticklabels(), axes.get_xticks(), strict=True)
    }
    assert labels["0.0"] == -0.5
    assert labels["1.0"] == 9.5
    plt.close("all")
