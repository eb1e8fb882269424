"""Figures of distances from the seeds' mean and from the geodesic (2.15 to 2.17)."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.reporting.style import COLUMN, OTHERS, LeftOut, network_legend, palette

PARTLY = [Line2D([], [], color="0.3", linestyle=":", linewidth=0.7, label="some trainings missing")]
ONE_SEED = "Each configuration has at most one seed at any progress, so there are no tubes."


def tubes(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of seeds from their configuration's mean model at equal progress (2.16)."""
    found = tables["tubes"].dropna(subset="to_mean")
    if found.empty:
        raise LeftOut(ONE_SEED)
    bins = np.linspace(0, 1, 11)
    where = pd.cut(found["progress"], bins, include_lowest=True, labels=False)
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        widths = found["to_mean"].where(found["split"] == split).dropna()
        axes.boxplot(
            [widths[where == k] for k in range(10)], positions=range(10), widths=0.8,
            patch_artist=True, boxprops={"facecolor": "0.8"},
            medianprops={"color": "black"}, flierprops={"marker": ".", "markersize": 1},
        )  # fmt: skip
        edges = np.arange(0, 11, 2)  # boxes are between them
        axes.set_xticks(edges - 0.5, [f"{bins[k]:.1f}" for k in edges])
        axes.set(xlim=(-0.5, 9.5), xlabel=f"{split} progress")
        axes.set_title(split, loc="left")
    panels[0].set_ylabel("distance from the\nseeds' mean (nats)")
    panels[0].set_ylim(bottom=0)
    return figure


def tubes_by(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of seeds from their mean by architecture and by augmentation (2.15)."""
    found = tables["tubes"].dropna(subset="to_mean")
    if found.empty:
        raise LeftOut(ONE_SEED)
    names = list(dict.fromkeys(tables["tubes"]["augmentation"]))
    factors = {"network": palette(tables["models"]["network"])}
    if len(names) > 1:
        factors["augmentation"] = palette(names, OTHERS)
    figure, panels = plt.subplots(
        len(factors), 2, figsize=(2 * COLUMN, 0.75 * COLUMN * len(factors)),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for row, (factor, colours) in zip(panels, factors.items(), strict=True):
        for axes, split in zip(row, ("train", "test"), strict=True):
            part = found.query("split == @split")
            _by_progress(axes, part, "to_mean", factor, colours)
            axes.set(xlabel=f"{split} progress", ylabel="distance from the\nseeds' mean (nats)")
            axes.label_outer()
            axes.set_title(f"{split}, by {factor.replace('network', 'architecture')}", loc="left")
        network_legend(row[1], colours, PARTLY, loc="center left", bbox_to_anchor=(1, 0.5))
    panels[0, 0].set_ylim(bottom=0)
    return figure


def to_geodesic(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of models from the geodesic's point at their progress (2.17)."""
    found = tables["tubes"]
    if found.empty:
        raise LeftOut("No training makes enough progress to be compared with the geodesic.")
    colours = palette(tables["models"]["network"])
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    for axes, split in zip(panels, ("train", "test"), strict=True):
        _by_progress(axes, found.query("split == @split"), "to_geodesic", "network", colours)
        axes.set(xlabel=f"{split} progress", ylabel="distance from the\ngeodesic (nats)")
        axes.label_outer()
        axes.set_title(split, loc="left")
    panels[0].set_ylim(bottom=0)
    network_legend(figure, colours, PARTLY, loc="outside right center")
    return figure


def _by_progress(axes: Axes, found: pd.DataFrame, name: str, factor: str, colours: dict) -> None:
    """Draw the median of a distance, and the band that contains half, by the values of a factor.

    Where some trainings are missing, there is no band and the line is dotted. It is interrupted
    where a training drops out, because the median can jump there.
    """
    for value, colour in colours.items():
        part = found[found[factor] == value]
        if part.empty:
            continue
        trainings = part.groupby(["configuration", "seed"]).ngroups
        distances = part.groupby("progress")[name]
        low, middle, high = (distances.quantile(q) for q in (0.25, 0.5, 0.75))
        count = distances.size()
        complete = count == trainings
        for _, piece in middle.groupby(count.diff().ne(0).cumsum()):
            axes.plot(piece, ":", color=colour, linewidth=0.9)
        axes.plot(middle.where(complete), color=colour, linewidth=1.2)
        axes.fill_between(
            middle.index, low, high, where=complete, color=colour, alpha=0.2, linewidth=0
        )
    axes.set_xlim(0, 1)
