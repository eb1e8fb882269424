"""The phase diagram of linear regression (thesis Fig. 5.3)."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot._phase_diagram import phase_diagram
from hyperribbon.plot.phase import BOUNDARIES, RATIO, draw_boundary, frame, grid, tick_dimensions
from hyperribbon.reporting.panels import legend_below, title_left
from hyperribbon.reporting.style import COLUMN

# The heat maps show the nearest values in the table; the thesis does not give them.
SHOWN_RATIOS = (50.0, 5.0, 0.5)
SHOWN_SLOPE = 0.5


def linear_phase(tables: dict[str, pd.DataFrame]) -> Figure:
    """Heat maps for three ratios and for one slope, and boundaries for all ratios (Fig. 5.3)."""
    ratios, slopes, steps, dimension = grid(tables["linear_phase"])
    exponents = np.log10(steps)  # boundaries are interpolated linearly in log T
    figure, panels = plt.subplots(2, 3, figsize=(2.4 * COLUMN, 1.6 * COLUMN))
    norm = LogNorm(1, dimension.max())
    sections: list[dict[str, Any]] = [{"ratio": ratio} for ratio in SHOWN_RATIOS] + [
        {"slope": SHOWN_SLOPE}
    ]
    for axes, letter, section in zip(panels.flat, "abcd", sections, strict=False):
        phase_diagram(tables, ax=axes, norm=norm, legend=False, **section)
        title_left(axes, f"({letter}) {axes.get_title()}")
    mesh = panels[0, 0].collections[0]
    bar = figure.colorbar(mesh, ax=panels[0], label="dimensions of the hyper-ribbon", pad=0.01)
    tick_dimensions(bar, dimension.max())
    by_ratio = ScalarMappable(LogNorm(ratios[0], ratios[-1]), "turbo")
    for axes, letter, level in zip(panels[1, 1:], "ef", (3, 10), strict=True):
        for ratio, values in zip(ratios, dimension, strict=True):
            draw_boundary(axes, slopes, exponents, values, level, by_ratio.to_rgba(ratio))
        axes.set(xlim=(slopes[0], slopes[-1]), ylim=(exponents[0], exponents[-1]))
        frame(axes)
        axes.set_title(f"({letter}) boundary of {level} dimensions", loc="left")
    figure.colorbar(by_ratio, ax=panels[1, 1:], label=RATIO, pad=0.01)
    lines = [Line2D([], [], color=c, label=f"{d} dimensions") for d, c in BOUNDARIES.items()]
    legend_below(figure, [], lines)
    return figure
