"""Medians and bands of distances by progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from hyperribbon.plot.looks import Looks
from hyperribbon.plot.tables import Tables, run_columns

PARTLY = [Line2D([], [], color="0.3", linestyle=":", linewidth=0.7, label="some trainings missing")]


def looks_of_tubes(found: Tables, rows: pd.DataFrame, color: Any, palette: Mapping | None) -> Looks:
    """Colours of the table of tubes, which agree with those of models."""

    def whole(column: str) -> pd.Series | None:
        return found.names("tubes", column)

    return Looks(rows, color, palette=palette, whole=whole, names=True)


def draw_bands(axes: Axes, rows: pd.DataFrame, distance: str, look: Looks) -> None:
    """Draw the median of a distance by progress, and the band that contains half, by colour.

    Where some trainings are missing, there is no band and the line is dotted. It is interrupted
    where a training drops out, because the median can jump there.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    rows : DataFrame
        One row per training and value of progress.
    distance : str
        Column of the distance.
    look : Looks
        Colours of the rows.
    """
    for group in look.groups():
        part = rows.iloc[group.rows]
        keys = run_columns(part)
        trainings = part.groupby(keys).ngroups if keys else 1
        distances = part.groupby("progress")[distance]
        low, middle, high = (distances.quantile(q) for q in (0.25, 0.5, 0.75))
        count = distances.size()
        complete = count == trainings
        for _, piece in middle.groupby(count.diff().ne(0).cumsum()):
            axes.plot(piece, ":", color=group.colour, linewidth=0.9)
        axes.plot(middle.where(complete), color=group.colour, linewidth=1.2)
        axes.fill_between(
            middle.index, low, high, where=complete, color=group.colour, alpha=0.2, linewidth=0
        )
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=0, auto=None)  # other panels may share the axis
