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
from matplotlib.ticker import FixedLocator

from hyperribbon.figures.style import COLUMN

BOUNDARIES = {3: "black", 10: "#CC79A7", 30: "#E69F00"}  # dimensions; black, pink and orange there
SHOWN_RATIOS = (50.0, 5.0, 0.5)  # of the heat maps, or those nearest; not said


def grid(phase: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ratios, slopes, steps and dimensions (ratio, slope, steps) of a table with a row a point."""
    axes = [np.unique(phase[name]) for name in ("ratio", "slope", "steps")]
    ordered = phase.sort_values(["ratio", "slope", "steps"])["dimension"].to_numpy()
    return *axes, ordered.reshape([len(axis) for axis in axes])


def linear_phase(tables: dict[str, pd.DataFrame]) -> Figure:
    """Six panels: heat maps over T and c for three ratios, boundaries of phases, contours."""
    ratios, slopes, steps, dimension = grid(tables["linear_phase"])
    figure = plt.figure(figsize=(2.3 * COLUMN, 1.5 * COLUMN))
    panels = [figure.add_subplot(2, 3, k + 1) for k in range(3)]
    norm = LogNorm(1, dimension.max())
    for axes, letter, wanted in zip(panels, "abc", SHOWN_RATIOS, strict=True):
        k = int(np.argmin(np.abs(np.log(ratios / wanted))))
        mesh = axes.pcolormesh(slopes, steps, dimension[k].T, norm=norm, shading="nearest")
        _lines(axes, slopes, steps, dimension[k])
        _frame(axes, f"({letter}) $\\sigma_*/\\sigma_w$ = {ratios[k]:.3g}")
    colours = figure.colorbar(mesh, ax=panels, label="dimensions of the hyper-ribbon", pad=0.01)
    ticks = [t for t in (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500) if t <= dimension.max()]
    colours.set_ticks(ticks, labels=map(str, ticks), minor=False)
    colours.ax.yaxis.set_minor_locator(FixedLocator([]))
    _boundaries(figure, ratios, slopes, steps, dimension)
    below = [figure.add_subplot(2, 3, k) for k in (5, 6)]
    by_ratio = ScalarMappable(LogNorm(ratios[0], ratios[-1]), "turbo")
    for axes, letter, level in zip(below, "ef", (3, 10), strict=True):
        _contours(axes, ratios, slopes, steps, dimension, level, by_ratio)
        _frame(axes, f"({letter}) {level} dimensions, by $\\sigma_*/\\sigma_w$")
    figure.colorbar(by_ratio, ax=below, label=r"$\sigma_*/\sigma_w$", pad=0.01)
    return figure


def _frame(axes: Axes, title: str) -> None:
    axes.set(yscale="log", xlabel="slope c", ylabel="steps T")
    axes.set_title(title, loc="left")


def _lines(axes: Axes, slopes: np.ndarray, steps: np.ndarray, dimension: np.ndarray) -> None:
    """Boundaries of the phases, on a heat map."""
    for level, colour in BOUNDARIES.items():
        if dimension.min() < level < dimension.max():
            axes.contour(
                slopes, steps, dimension.T, levels=[level], colors=[colour], linewidths=0.8
            )


def _contours(axes, ratios, slopes, steps, dimension, level: int, colours) -> None:
    """Where the dimension is a level, a line for each ratio."""
    for ratio, values in zip(ratios, dimension, strict=True):
        if values.min() < level < values.max():
            style = {"levels": [level], "colors": [colours.to_rgba(ratio)], "linewidths": 0.8}
            axes.contour(slopes, steps, values.T, **style)
    axes.set(xlim=(slopes[0], slopes[-1]), ylim=(steps[0], steps[-1]))


def _boundaries(figure: Figure, ratios, slopes, steps, dimension) -> None:
    """Surfaces on which the dimension is a level, by their cuts at each ratio and each slope."""
    axes = figure.add_subplot(2, 3, 4, projection="3d")
    exponents, heights = np.log10(steps), np.log10(ratios)
    for level, colour in BOUNDARIES.items():
        style = {"levels": [level], "colors": [colour], "linewidths": 0.5}
        for height, values in zip(heights, dimension, strict=True):
            if values.min() < level < values.max():
                axes.contour(slopes, exponents, values.T, zdir="z", offset=height, **style)
        for k in np.linspace(0, len(slopes) - 1, 12).round().astype(int):
            values = dimension[:, k]  # (ratio, steps)
            if values.min() < level < values.max():
                # In these planes, the first coordinate is what is cut along.
                axes.contour(
                    np.broadcast_to(values.T, values.T.shape), *np.meshgrid(exponents, heights,
                    indexing="ij"), zdir="x", offset=slopes[k], **style,
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
