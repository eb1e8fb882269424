"""Figures of bases, from tables that the steps write."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyperribbon.reporting.style import LeftOut
from hyperribbon.reporting.thumbnails import sheet
from hyperribbon.studies.bases import figures
from hyperribbon.studies.bases.part import PART


@pytest.fixture
def complete(tables):
    """The tables, with those of trained networks, and images."""
    pictures = [sheet(np.full((1, 8, 8), k, np.uint8)).address for k in range(16)]
    kernel = pd.DataFrame({"network": ["A", "A"], "progress": [0.1, 0.5], "cosine": [0.9, 0.4]})
    missing = pd.DataFrame(
        {"network": ["A"] * 3, "label": range(3), "share": [0.3] * 3, "missing": [0.1, 0.2, 0.0]}
    )
    samples = tables["basis_samples"].assign(picture=pictures)
    own = {"basis_samples": samples, "kernel_tangents": kernel, "kernel_missing": missing}
    return {**tables, **own}


@pytest.mark.parametrize("figure", PART.figures, ids=lambda figure: figure.name)
def test_every_figure_is_drawn_from_its_tables(complete, figure, style, assert_legible):
    function = getattr(figures, figure.name)
    drawn = function(complete, split="test") if figure.splits else function(complete)
    assert_legible(drawn)
    assert any(axes.has_data() for axes in drawn.get_axes())
    plt.close(drawn)


def test_what_cannot_be_drawn_is_left_out(tables):
    one = {name: table[table["held_out"] == "none"] for name, table in tables.items()
           if "held_out" in table}  # fmt: skip
    for function in (figures.basis_of_models, figures.basis_of_samples, figures.monitoring):
        with pytest.raises(LeftOut, match="fewer than four trainings"):
            function(one, split="train")
