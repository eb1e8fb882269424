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

from hyperribbon.reporting.panels import legend_below
from hyperribbon.reporting.style import COLUMN

BOUNDARIES = {3: "black", 10: "#CC79A7", 30: "#D55E00"}  # by dimensions, as in the thesis
TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500)  # of the colour bar
# The heat maps show the nearest values in the table; the thesis does not give them.
SHOWN_RATIOS = (50.0, 5.0, 0.5)
SHOWN_SLOPE = 0.5
RATIO = r"$\sigma_*/\sigma_w$"


def grid(phase: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ratios, slopes, steps, and dimensions (ratio, slope, steps), from one row per point."""
    axes = [np.unique(phase[name]) for name in ("ratio", "slope", "steps")]
    ordered = phase.sort_values(["ratio", "slope", "steps"])["dimension"].to_numpy()
    return *axes, ordered.reshape([len(axis) for axis in axes])


def linear_phase(tables: dict[str, pd.DataFrame]) -> Figure:
    """Heat maps for three ratios and for one slope, and boundaries for all ratios (Fig. 5.3)."""
    ratios, slopes, steps, dimension = grid(tables["linear_phase"])
    exponents = np.log10(steps)  # boundaries are interpolated linearly in log T
    figure, panels = plt.subplots(2, 3, figsize=(2.4 * COLUMN, 1.6 * COLUMN))
    norm = LogNorm(1, dimension.max())
    for axes, letter, wanted in zip(panels[0], "abc", SHOWN_RATIOS, strict=True):
        k = _nearest(np.log(ratios), np.log(wanted))
        title = f"({letter}) {RATIO} = {ratios[k]:.3g}"
        mesh = _heat_map(axes, slopes, exponents, dimension[k], norm, title)
    colours = figure.colorbar(mesh, ax=panels[0], label="dimensions of the hyper-ribbon", pad=0.01)
    ticks = [t for t in TICKS if t <= dimension.max()]
    colours.set_ticks(ticks, labels=[str(t) for t in ticks], minor=False)
    colours.ax.yaxis.set_minor_locator(FixedLocator([]))
    k = _nearest(slopes, SHOWN_SLOPE)
    title = f"(d) c = {slopes[k]:.3g}"
    _heat_map(panels[1, 0], np.log10(ratios), exponents, dimension[:, k], norm, title)
    panels[1, 0].xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
    panels[1, 0].xaxis.set_major_formatter(_power)
    panels[1, 0].set_xlabel(RATIO)
    by_ratio = ScalarMappable(LogNorm(ratios[0], ratios[-1]), "turbo")
    for axes, letter, level in zip(panels[1, 1:], "ef", (3, 10), strict=True):
        for ratio, values in zip(ratios, dimension, strict=True):
            _boundary(axes, slopes, exponents, values, level, by_ratio.to_rgba(ratio))
        axes.set(xlim=(slopes[0], slopes[-1]), ylim=(exponents[0], exponents[-1]))
        _frame(axes, f"({letter}) boundary of {level} dimensions")
    figure.colorbar(by_ratio, ax=panels[1, 1:], label=RATIO, pad=0.01)
    lines = [Line2D([], [], color=c, label=f"{d} dimensions") for d, c in BOUNDARIES.items()]
    legend_below(figure, [], lines)
    return figure


def _nearest(values: np.ndarray, wanted: float) -> int:
    return int(np.argmin(np.abs(values - wanted)))


def _heat_map(axes: Axes, x, exponents, values: np.ndarray, norm: LogNorm, title: str):
    """Draw dimensions (x, T) in colours, with the boundaries of the phases."""
    mesh = axes.pcolormesh(x, exponents, values.T, norm=norm, shading="nearest")
    for level, colour in BOUNDARIES.items():
        _boundary(axes, x, exponents, values, level, colour)
    _frame(axes, title)
    return mesh


def _power(exponent: float, _=None) -> str:
    return f"$10^{{{exponent:.0f}}}$"


def _frame(axes: Axes, title: str) -> None:
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(_power)
    axes.set(xlabel="slope c", ylabel="steps T")
    axes.set_title(title, loc="left")


def _boundary(axes: Axes, x, y, values: np.ndarray, level: int, colour) -> None:
    """Draw the line where values (x, y) equal a level, if there is one."""
    if values.min() < level < values.max():
        axes.contour(x, y, values.T, levels=[level], colors=[colour], linewidths=1)
