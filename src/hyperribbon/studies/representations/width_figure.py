"""How random layers approach the symmetry of infinitely wide ones."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hyperribbon.reporting.panels import legend_below
from hyperribbon.reporting.style import COLUMN, palette


def width_deviations(tables: dict[str, pd.DataFrame]) -> Figure:
    """Asymmetry, log volume and scalar curvature of random layers, by width."""
    found, rates = tables["width_deviations"], tables["width_rates"]
    colours = palette(found["activation"])
    radius = found["radius"].iloc[(found["radius"] - 1).abs().argmin()]
    figure, panels = plt.subplots(1, 3, figsize=(2.4 * COLUMN, 0.95 * COLUMN))
    rows = rates[rates["quantity"] == "asymmetry"].set_index("activation")
    for k, (activation, part) in enumerate(found.groupby("activation", sort=False)):
        colour = colours[str(activation)]
        squares = (part["asymmetry"] ** 2).groupby(part["width"]).mean()
        slope, error = rows.loc[activation, ["slope", "error"]]
        label = f"{activation}: slope {slope:.2f} \N{PLUS-MINUS SIGN} {error:.2f}"
        panels[0].plot(squares, "o-", color=colour, markersize=3, linewidth=1.2, label=label)
        near = part[part["radius"] == radius]
        for axes, name in zip(panels[1:], ("volume", "scalar"), strict=True):
            away = near[f"{name}_mean"] - near[f"{name}_limit"]
            axes.errorbar(
                near["width"] * 1.08 ** (k - 1), away, near[f"{name}_sd"], fmt="o-", color=colour,
                markersize=3, linewidth=0.9,
            )  # fmt: skip
    widths = np.sort(found["width"].unique())
    start = (found["asymmetry"] ** 2).groupby(found["width"]).mean().max() / 3
    panels[0].plot(widths, start * widths[0] / widths, ":", color="black", label="1/n")
    panels[0].set(yscale="log", ylabel="mean square asymmetry")
    words = ("log volume less its limit", "scalar curvature less its limit")
    for axes, label in zip(panels[1:], words, strict=True):
        axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
        axes.set(ylabel=f"{label}, radius {radius:g}")
    panels[2].set_yscale("symlog", linthresh=1)
    for axes in panels:
        axes.set(xscale="log", xlabel="width n")
    legend_below(figure, [panels[0]])
    return figure
