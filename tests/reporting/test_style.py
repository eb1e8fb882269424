"""Colours and labels that all figures share."""

import pandas as pd
import pytest
from matplotlib.colors import to_hex

from hyperribbon.errors import DataError
from hyperribbon.reporting.style import (
    COLOURS,
    OTHERS,
    LeftOut,
    component_label,
    coordinate_label,
    palette,
)


@pytest.mark.parametrize("colours", [COLOURS, OTHERS])
@pytest.mark.parametrize("extra", [0, 1, 30])
def test_every_name_has_its_own_colour(colours, extra):
    names = [str(k) for k in range(len(colours) + extra)]
    found = palette(names, colours)
    assert list(found) == names
    assert len({to_hex(colour) for colour in found.values()}) == len(names)
    assert extra or list(found.values()) == colours


def test_time_like_coordinates_are_said():
    stress = pd.DataFrame(
        {"split": ["train", "test"], "dimension": 1, "kind": ["space-like", "time-like"]}
    )
    assert component_label(stress, "train", 1) == "PC1"
    assert component_label(stress, "test", 1) == "PC1 (time-like)"
    assert coordinate_label(None, 2) == coordinate_label(stress, 2) == "PC2"


def test_what_is_left_out_is_an_error_of_the_data():
    with pytest.raises(DataError, match="nothing"):
        raise LeftOut("There is nothing to draw.")
