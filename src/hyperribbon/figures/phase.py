"""The phase diagram of linear regression (thesis Fig. 5.3)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, MaxNLocator

from hyperribbon.figures.style import COLUMN

BOUNDARIES = {3: "black", 10: "#CC79A7", 30: "#E69F00"}  # dimensions; black, pink and orange there
TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500)  # of colours
CUTS = 12  # through the boundaries
SHOWN_RATIOS = (50.0, 5.0, 0.5)  # of the heat maps, or those nearest; not said


def grid(phase: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ratios, slopes, steps and dimensions (ratio, slope, steps) of a table with a row a point."""
    axes = [np.unique(phase[name]) for name in ("ratio", "slope", "steps")]
    ordered = phase.sort_values(["ratio", "slope", "steps"])["dimension"].to_numpy()
    return *axes, ordered.reshape([len(axis) for axis in axes])


def linear_phase(tables: dict[str, pd.DataFrame]) -> Figure:
    """Six panels: heat maps over T and c for three ratios, boundaries of phases, contours."""
    ratios, slopes, steps, dimension = grid(tables["linear_phase"])
    exponents = np.log10(steps)  # between them, boundaries are straight lines in log T
    figure = plt.figure(figsize=(2.3 * COLUMN, 1.5 * COLUMN))
    panels = [figure.add_subplot(2, 3, k + 1) for k in range(3)]
    norm = LogNorm(1, dimension.max())
    for axes, letter, wanted in zip(panels, "abc", SHOWN_RATIOS, strict=True):
        k = int(np.argmin(np.abs(np.log(ratios / wanted))))
        mesh = axes.pcolormesh(slopes, exponents, dimension[k].T, norm=norm, shading="nearest")
        for level, colour in BOUNDARIES.items():
            _boundary(axes, slopes, exponents, dimension[k], level, colour)
        _frame(axes, f"({letter}) $\\sigma_*/\\sigma_w$ = {ratios[k]:.3g}")
    colours = figure.colorbar(mesh, ax=panels, label="dimensions of the hyper-ribbon", pad=0.01)
    ticks = [t for t in TICKS if t <= dimension.max()]
    colours.set_ticks(ticks, labels=map(str, ticks), minor=False)
    colours.ax.yaxis.set_minor_locator(FixedLocator([]))
    _boundaries(figure, ratios, slopes, exponents, dimension)
    below = [figure.add_subplot(2, 3, k) for k in (5, 6)]
    by_ratio = ScalarMappable(LogNorm(ratios[0], ratios[-1]), "turbo")
    for axes, letter, level in zip(below, "ef", (3, 10), strict=True):
        for ratio, values in zip(ratios, dimension, strict=True):
            _boundary(axes, slopes, exponents, values, level, by_ratio.to_rgba(ratio))
        axes.set(xlim=(slopes[0], slopes[-1]), ylim=(exponents[0], exponents[-1]))
        _frame(axes, f"({letter}) {level} dimensions, by $\\sigma_*/\\sigma_w$")
    figure.colorbar(by_ratio, ax=below, label=r"$\sigma_*/\sigma_w$", pad=0.01)
    return figure


def _frame(axes: Axes, title: str) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(lambda exponent, _: f"$10^{{{exponent:.0f}}}$")
    axes.set(xlabel="slope c", ylabel="steps T")
    axes.set_title(title, loc="left")


def _boundary(axes: Axes, x, y, values: np.ndarray, level: int, colour, **where) -> None:
    """Where values (x, y) are a level, if they are."""
    if values.min() < level < values.max():
        axes.contour(x, y, values.T, levels=[level], colors=[colour], linewidths=0.8, **where)


def _boundaries(figure: Figure, ratios, slopes, exponents, dimension) -> None:
    """Surfaces on which the dimension is a level, by their cuts at each ratio and some slopes."""
    axes = figure.add_subplot(2, 3, 4, projection="3d")
    heights = np.log10(ratios)
    cuts = np.unique(np.linspace(0, len(slopes) - 1, CUTS).round().astype(int))
    for level, colour in BOUNDARIES.items():
        for height, values in zip(heights, dimension, strict=True):
            _boundary(axes, slopes, exponents, values, level, colour, zdir="z", offset=height)
        for k in cuts:
            values = dimension[:, k].T  # (T, ratio)
            if values.min() < level < values.max():
                # In such a plane the values stand where its own coordinate would.
                axes.contour(
                    values, *np.meshgrid(exponents, heights, indexing="ij"), levels=[level],
                    colors=[colour], linewidths=0.8, zdir="x", offset=slopes[k],
                )  # fmt: skip
    axes.set(
        xlim=(slopes[0], slopes[-1]), ylim=(exponents[0], exponents[-1]),
        zlim=(heights[0], heights[-1]), xlabel="slope c", ylabel=r"$\log_{10}$ T",
        zlabel=r"$\log_{10}\, \sigma_*/\sigma_w$",
    )  # fmt: skip
    axes.set_title("(d) boundaries of the phases", loc="left")
    axes.set_box_aspect(None, zoom=0.85)  # room for the labels, which no layout sees
    axes.tick_params(pad=-3, labelsize=5)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.labelpad = -8
        axis.label.set_size(6)
    axes.view_init(elev=22, azim=-60)
    axes.legend(
        handles=[Line2D([], [], color=c, label=f"{d} dimensions") for d, c in BOUNDARIES.items()],
        fontsize=5, loc="upper left",
    )  # fmt: skip
