"""What dimensions explain, by study, as a figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.probability.shuffling import NULLS
from hyperribbon.reporting.panels import legend_below, title_left
from hyperribbon.reporting.style import COLUMN, as_text, palette

LABELS = {
    "explained_stress": "explained stress",
    "explained_pairwise_distance": "explained pairwise distance",
}
LINES: dict[str, Any] = dict(zip(["observed", *NULLS], ["-", "--", ":"], strict=True))
ALL = "black"  # of all studies together


def explained_figure(explained: pd.DataFrame) -> Figure:
    """Explained stress and pairwise distance by dimension, for the studies of one picture.

    Lines are those of studies, with their 95% interval; broken lines are the means of the draws of
    null models.

    Parameters
    ----------
    explained : DataFrame
        As `hyperribbon.analysis.across.explained.explained_by_dimension` makes it, of one picture.
    """
    splits, picture = list(explained["split"].unique()), explained["picture"].iloc[0]
    names = list(explained["study"].unique())
    several = [name for name in names if name != picture or len(names) == 1]
    colours = palette(several) | ({picture: ALL} if len(names) > 1 else {})
    size = (1.2 * COLUMN * len(splits), 1.7 * COLUMN)
    figure, panels = plt.subplots(2, len(splits), figsize=size, sharex=True, squeeze=False)
    for row, measure in zip(panels, LABELS, strict=True):
        for axes, split in zip(row, splits, strict=True):
            of_split = explained[explained["split"] == split]
            for (name, kind), part in of_split.groupby(["study", "kind"], sort=False):
                _draw(axes, part, measure, colours[name], LINES[kind])
            axes.set(xscale="log", ylabel=LABELS[measure] if axes is row[0] else "", ylim=(None, 1))
            title_left(axes, split)
    for axes in panels[-1]:
        ticks = [d for d in (1, 3, 10, 25, 50, 100) if d <= explained["dimension"].max()]
        axes.set_xticks(ticks, [str(d) for d in ticks])
        axes.minorticks_off()
        axes.set_xlabel("dimensions")
    keys = [
        *(Line2D([], [], color=colour, label=as_text(name)) for name, colour in colours.items()),
        *(
            Line2D([], [], color="0.4", linestyle=LINES[kind], label=kind)
            for kind in explained["kind"].unique()
        ),
    ]
    legend_below(figure, panels.flat, keys)
    return figure


def _draw(axes: Axes, part: pd.DataFrame, measure: str, colour: str, line: str) -> None:
    mean = part.groupby("dimension")[[measure, "low", "high"]].mean()
    axes.plot(mean.index, mean[measure], linestyle=line, color=colour, linewidth=1.2)
    if measure == "explained_stress" and np.isfinite(mean["low"]).all():
        axes.fill_between(
            mean.index, mean["low"], mean["high"], color=colour, alpha=0.15, linewidth=0
        )
