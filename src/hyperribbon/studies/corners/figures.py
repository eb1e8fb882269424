"""Figures of trainings by way of random labels (thesis Figs. 2.20, 2.21)."""

from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot._embedding import embedding
from hyperribbon.plot.canvas import figure_of
from hyperribbon.plot.references import REFERENCES
from hyperribbon.reporting.style import COLUMN, OTHERS, LeftOut

DIRECT: dict[str, Any] = {"color": "0.55", "linewidth": 0.8}
STYLES: dict[str, dict[str, Any]] = {
    "to": {"linestyle": (0, (3, 1.5)), "linewidth": 0.7},
    "from": {"linewidth": 0.9},
}
NOTHING = "Every training from a random-label corner diverged."


def corners(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Trainings to the truth, to corners, and from there to the truth (2.20a, 2.21)."""
    models = tables["models"].query("split == @split")
    # Trainings are lines here, so points are not drawn.
    axes = embedding(tables, split=split, dimensions=3, legend=False, lines=False, s=0)
    for stage, part in models.groupby("stage", sort=False):
        for _, run in part.groupby(["configuration", "seed"], sort=False):
            points = run["pc1"], run["pc2"], run["pc3"]
            axes.plot(*points, **_style(stage), marker="o", markersize=1.2, zorder=3)
    stages = [name for name in models["stage"].unique() if name != "unknown"]
    handles = [Line2D([], [], **_style(stage), label=stage) for stage in stages]
    axes.figure.legend(handles=[*handles, *REFERENCES], loc="outside right center")
    return figure_of(axes)


def rejoining(tables: dict[str, pd.DataFrame]) -> Figure:
    """Distances to ignorance and to direct trainings along trainings from corners (2.20b)."""
    table = tables["corners"].query("split == 'train' and stage.str.startswith('from')")
    if table.empty:
        raise LeftOut(NOTHING)
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.8 * COLUMN))
    levels = tables["rejoining"].query("split == 'train'").mean(numeric_only=True)
    to_ignorance = {
        "geodesic from the corners": levels["geodesic_distance_to_ignorance"],
        "geodesics from the trainings' starts": levels["start_geodesic_distance_to_ignorance"],
    }
    for axes, column, label, lines in (
        (panels[0], "distance_to_ignorance", "distance to ignorance (nats)", to_ignorance),
        (panels[1], "distance_to_manifold", "distance to direct trainings (nats)",
         {"rejoined: 0.15 nats": 0.15}),
    ):  # fmt: skip
        for stage, part in table.groupby("stage", sort=False):
            for n, (_, run) in enumerate(part.groupby(["configuration", "seed"], sort=False)):
                axes.plot(run["progress"], run[column], ".-", markersize=3, **_style(stage),
                          label=None if n else stage)  # fmt: skip
        for (meaning, line), style in zip(lines.items(), ("--", ":"), strict=False):
            axes.axhline(line, color="black", linestyle=style, linewidth=0.8, label=meaning)
        axes.set(xlabel="train progress", ylabel=label, xlim=(-0.02, 1.02))
        axes.set_ylim(bottom=0)
        axes.legend()
    return figure


def _style(stage: str) -> dict[str, Any]:
    """How a training is drawn: colour by corner, line by direction."""
    kind, _, corner = stage.partition(" corner ")
    if not corner:
        return DIRECT
    return {**STYLES[kind], "color": OTHERS[(int(corner) - 1) % len(OTHERS)]}
