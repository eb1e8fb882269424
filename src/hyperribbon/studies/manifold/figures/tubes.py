"""Figures of distances from the seeds' mean and from the geodesic (2.15 to 2.17)."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyperribbon.plot._to_geodesic import to_geodesic as draw_to_geodesic
from hyperribbon.plot._tubes import tubes as draw_tubes
from hyperribbon.plot.bands import PARTLY
from hyperribbon.plot.tables import of_split
from hyperribbon.reporting.style import COLUMN, OTHERS, LeftOut, network_legend, palette

SPLITS = ("train", "test")


def tubes(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of seeds from their configuration's mean model at equal progress (2.16)."""
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    _draw(draw_tubes, tables, panels)
    for axes, split in zip(panels, SPLITS, strict=True):
        axes.set_title(split, loc="left")
    return figure


def tubes_by(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of seeds from their mean by architecture and by augmentation (2.15)."""
    names = list(dict.fromkeys(tables["tubes"]["augmentation"]))
    factors = {"network": palette(tables["models"]["network"])}
    if len(names) > 1:
        factors["augmentation"] = palette(names, OTHERS)
    figure, panels = plt.subplots(
        len(factors), 2, figsize=(2 * COLUMN, 0.75 * COLUMN * len(factors)),
        sharex=True, sharey=True, squeeze=False,
    )  # fmt: skip
    for row, (factor, colours) in zip(panels, factors.items(), strict=True):
        _draw(draw_tubes, tables, row, color=factor, palette=colours)
        for axes, split in zip(row, SPLITS, strict=True):
            axes.set_title(f"{split}, by {factor.replace('network', 'architecture')}", loc="left")
        network_legend(row[1], colours, PARTLY, loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def to_geodesic(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances of models from the geodesic's point at their progress (2.17)."""
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.75 * COLUMN), sharey=True)
    _draw(draw_to_geodesic, tables, panels)
    for axes, split in zip(panels, SPLITS, strict=True):
        axes.set_title(split, loc="left")
    colours = palette(tables["models"]["network"])
    network_legend(figure, colours, PARTLY, loc="outside right center")
    return figure


def _draw(picture: Callable, tables: dict[str, pd.DataFrame], panels: Any, **options: Any) -> None:
    """Draw a picture of each split, or leave its panel empty, unless both have nothing to draw."""
    left_out: list[LeftOut] = []
    for axes, split in zip(panels, SPLITS, strict=True):
        own = {**tables, "tubes": of_split(tables["tubes"], split)}
        try:
            picture(own, ax=axes, legend=False, **options)
        except LeftOut as reason:
            left_out.append(reason)
            _leave_empty(axes, str(reason))
        axes.label_outer()
    if len(left_out) == len(SPLITS):
        plt.close(panels[0].figure)
        raise left_out[0]


def _leave_empty(axes: Axes, reason: str) -> None:
    axes.set_axis_off()
    axes.text(0.5, 0.5, reason, ha="center", va="center", wrap=True, transform=axes.transAxes)
