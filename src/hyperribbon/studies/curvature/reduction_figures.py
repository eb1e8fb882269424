"""Models reduced to stiff directions (Cowlagi & Chaudhari, Fig. 3)."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from hyperribbon.reporting.panels import legend_below, name_outer, wrapped
from hyperribbon.reporting.style import COLOURS, LeftOut
from hyperribbon.studies.curvature.figures import configurations


def reduction(tables: dict[str, pd.DataFrame]) -> Figure:
    """Error of models reduced to their leading Fisher eigenvectors."""
    found, critical = tables["reduction"], tables["reduction_critical"]
    if found.empty:
        raise LeftOut("No Fisher spectrum is complete, because curvature.samples is too large.")
    shown = list(configurations(found))
    figure, panels = wrapped(len(shown), 0.75, most=2, sharey=True)
    for axes, (name, part) in zip(panels, shown, strict=True):
        some, whole = part.iloc[:-1], part.iloc[-1]
        for split, colour in (("train", COLOURS[0]), ("test", COLOURS[3])):
            column = f"{split}_error"
            axes.plot(100 * some["fraction"], some[column], "o-", color=colour, markersize=3,
                      linewidth=1, label=split)  # fmt: skip
            axes.axhline(whole[column], color=colour, linestyle=":", linewidth=1)
        of_this = critical["configuration"] == whole["configuration"]
        stiff, enough = critical.loc[of_this, ["stiff_fraction", "critical_fraction"]].iloc[0]
        low, high = 80 * some["fraction"].min(), 125 * some["fraction"].max()
        for place, line, label in (
            (100 * stiff, "-", "stiff fraction of the inputs"), (100 * enough, "--", "critical k"),
        ):  # fmt: skip
            if low <= place <= high:  # otherwise only the title gives it
                axes.axvline(place, color="0.5", linestyle=line, linewidth=1, label=label)
        axes.set(xscale="log", xlim=(low, high))
        axes.set_title(
            f"{name}\ncritical k {enough:.2%}, stiff fraction of the inputs {stiff:.1%}", loc="left"
        )
    panels[0].set_ylim(bottom=0)
    name_outer(panels, "eigenvectors kept, % of the weights", "error; dotted: complete model")
    legend_below(figure, panels)
    return figure


def reduction_embedding(tables: dict[str, pd.DataFrame]) -> Figure:
    """Predictions of reduced models and of the complete one, one point per sample."""
    found = tables["reduction_embedding"]
    if found.empty:
        raise LeftOut("No Fisher spectrum is complete, because curvature.samples is too large.")
    name, part = next(configurations(found))
    counts = sorted(part["kept"].unique())
    shown = [counts[k] for k in sorted({0, len(counts) // 3, 2 * len(counts) // 3})]
    shown = sorted({*shown, *counts[-2:]})
    classes = part["label"].max() + 1
    colours: dict[str, Any] = {
        "cmap": plt.get_cmap("tab10" if classes <= 10 else "turbo"),
        "vmin": -0.5,
    }
    colours["vmax"] = max(classes, 10) - 0.5
    figure, panels = wrapped(len(shown), 0.85, most=3)
    for axes, kept in zip(panels, shown, strict=True):
        points = part.query("kept == @kept")
        image = axes.scatter(
            points["pc1"], points["pc2"], c=points["label"], s=5, linewidth=0, **colours
        )
        share = f"{points['fraction'].iloc[0]:.1%} of the weights"
        axes.set_title(
            "the complete model" if kept == counts[-1] else f"k = {kept:,}: {share}", loc="left"
        )
        axes.set(xticks=[], yticks=[])
    name_outer(panels, "PC1", "PC2")
    ticks = range(10) if classes <= 10 else None
    figure.colorbar(image, ax=panels, shrink=0.9, label="true class", ticks=ticks)
    figure.suptitle(name, fontsize=8)
    return figure
