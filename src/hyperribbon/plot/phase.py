"""The grid of the phase diagram of linear regression, its boundaries and its axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator

from hyperribbon.errors import DataError

BOUNDARIES = {3: "black", 10: "#CC79A7", 30: "#D55E00"}  # by dimensions, as in the thesis
TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500)  # of the colour bar
RATIO = r"$\sigma_*/\sigma_w$"


def grid(
    phase: pd.DataFrame, column: str = "dimension"
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ratios, slopes, steps, and dimensions (ratio, slope, steps), from one row per point."""
    axes = [np.unique(phase[name]) for name in ("ratio", "slope", "steps")]
    size = [len(axis) for axis in axes]
    if len(phase) != np.prod(size):
        raise DataError(
            f"data: {len(phase)} rows, expected one per ratio, slope and steps, {np.prod(size)}"
        )
    ordered = phase.sort_values(["ratio", "slope", "steps"])[column].to_numpy()
    return *axes, ordered.reshape(size)


def draw_boundary(axes: Axes, x, y, values: np.ndarray, level: int, colour: Any) -> None:
    """Draw the line where values (x, y) equal a level, if there is one."""
    if values.min() < level < values.max():
        axes.contour(x, y, values.T, levels=[level], colors=[colour], linewidths=1)


def frame(axes: Axes) -> None:
    """Label slopes and, by their exponents, steps."""
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(power)
    axes.set(xlabel="slope c", ylabel="steps T")


def tick_dimensions(bar: Any, most: float) -> None:
    """Set round numbers of dimensions as the ticks of a colour bar."""
    ticks = [t for t in TICKS if t <= most]
    bar.set_ticks(ticks, labels=[str(t) for t in ticks], minor=False)
    bar.ax.yaxis.set_minor_locator(FixedLocator([]))


def power(exponent: float, _=None) -> str:
    """A power of ten as the label of a tick."""
    return f"$10^{{{exponent:.0f}}}$"
