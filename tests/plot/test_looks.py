"""Colours, markers and legends of rows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import same_color, to_hex

from hyperribbon.errors import DataError
from hyperribbon.plot.looks import MOST_KEYS, Looks
from hyperribbon.reporting.style import COLOURS, MARKERS, OUTSIDE, as_text, palette


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "network": ["ViT", "LeNet", "ViT", "LeNet"],
            "seed": [0, 1, 0, 1],
            "loss": [1.0, np.nan, 0.5, np.inf],
        }
    )


@given(
    st.lists(st.sampled_from("abcde"), min_size=1),
    st.lists(st.sampled_from("xyz"), min_size=30, max_size=30),
)
def test_every_row_is_in_one_group(names, styles):
    table = pd.DataFrame({"name": names, "style": (styles * len(names))[: len(names)]})
    groups = list(Looks(table, "name", "style").groups())
    assert sorted(row for group in groups for row in group.rows) == list(range(len(names)))
    assert len({(group.colour, group.marker) for group in groups}) == len(groups)
    for group in groups:
        assert set(table["name"].iloc[group.rows]) == {group.name}


def test_by_default_networks_have_colours(table):
    assert Looks(table).colours == palette(["ViT", "LeNet"])
    assert Looks(table[["loss"]]).colours == {}
    assert next(Looks(table[["loss"]]).groups()).colour == COLOURS[0]


def test_colours_agree_with_those_of_the_whole_study(table):
    whole = pd.Series(["ResNet", "LeNet", "ViT"])
    look = Looks(table, whole=lambda column: whole)
    assert look.colours == {name: palette(whole)[name] for name in ("LeNet", "ViT")}


def test_seeds_are_names_and_losses_numbers(table):
    assert Looks(table, "seed").scale is None
    look = Looks(table, "loss")
    assert look.scale.get_clim() == (0.5, 1.0)  # of finite values
    axes = plt.figure().add_subplot()
    look.scatter(axes, np.arange(8.0).reshape(4, 2))
    axes.figure.canvas.draw()
    (drawn,) = axes.collections
    assert len(drawn.get_offsets()) == 4
    assert to_hex(drawn.to_rgba(np.ma.masked_invalid([np.nan]))[0]) == OUTSIDE


def test_values_and_colours_are_taken(table):
    assert list(Looks(table, ["a", "b", "b", "a"]).colours) == ["a", "b"]
    assert Looks(table, np.arange(4)).scale is not None
    assert Looks(table, pd.Series([3, 1, 2, 0], index=[9, 8, 7, 6], name="x")).label == "x"
    for colour in ("crimson", "C3", "#112233", (0.1, 0.2, 0.3)):
        (group,) = Looks(table, colour).groups()
        assert same_color(group.colour, colour)


def test_missing_names_are_said_and_grey(table):
    table["network"] = ["ViT", None, np.nan, "ViT"]
    assert Looks(table).colours == {"ViT": COLOURS[0], "unknown": OUTSIDE}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"color": "optimiser"}, "color = 'optimiser': expected a column (network, seed, loss)"),
        ({"color": [1, 2]}, "color = shape (2,): expected a column"),
        ({"style": "optimiser"}, "style = 'optimiser': expected a column"),
        ({"style": "red"}, "style = 'red': expected a column"),
        ({"palette": {"ViT": "red"}}, "palette: no colour for 'LeNet'"),
    ],
)
def test_what_is_unknown_is_refused(table, options, said):
    with pytest.raises(DataError) as error:
        Looks(table, **options)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)


def test_numbers_that_are_all_missing_are_refused(table):
    with pytest.raises(DataError, match="color = 'epoch': all values are missing"):
        Looks(table.assign(epoch=np.nan), "epoch")


def test_more_names_than_markers_are_refused():
    many = pd.DataFrame({"name": [str(k) for k in range(len(MARKERS) + 1)]})
    with pytest.raises(DataError, match="expected at most 8, one marker each"):
        Looks(many, style="name")


def test_many_names_have_as_many_colours_and_a_short_legend():
    look = Looks(pd.DataFrame({"name": [str(k) for k in range(40)]}), "name")
    assert len(set(look.colours.values())) == 40
    assert len(look.handles()) == MOST_KEYS + 1
    assert look.handles()[-1].get_label() == "and 16 more"


def test_names_are_shown_as_they_are(table):
    table["network"] = [r"$\bad{", "_hidden", "a $b$", "<b>"]
    figure = plt.figure()
    figure.legend(handles=Looks(table).handles())
    figure.canvas.draw()
    shown = [text.get_text() for text in figure.legends[0].get_texts()]
    assert shown == [as_text(name) for name in table["network"]]


def test_one_column_for_colour_and_marker_has_one_key_each(table):
    keys = Looks(table, "network", "network").handles()
    assert [(key.get_label(), key.get_marker()) for key in keys] == [("ViT", "o"), ("LeNet", "^")]
