"""Embeddings of tasks and methods, with the distances of their mean trajectories (chapter 3)."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hyperribbon.plot._embedding import embedding
from hyperribbon.reporting.panels import legend_below, name_outer, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, OTHERS, LeftOut, palette
from hyperribbon.studies.tasks.names import (
    CONTRASTIVE,
    EPISODIC,
    FINE_TUNING,
    METHODS,
    TASKS,
    TREE,
    WAYS,
)

Tables = dict[str, pd.DataFrame]
DEPARTURES = ("Reds", "Blues", "Greens", "Purples")  # one family of shades per task
MEAN: dict[str, Any] = {"linewidth": 1.8, "zorder": 8}
SHOWN = "with means"  # the stress of the embedding that is drawn


def colours_of(tables: Tables, comparison: str) -> dict[str, str]:
    """One colour per group of a comparison: black for the reference, shades for departures."""
    groups = groups_of(tables, comparison)
    rows = tables["task_distances"]
    references = rows.loc[rows["comparison"] == comparison, "reference"]
    found = dict.fromkeys(references.iloc[:1] if len(references) else groups[:1], "black")
    trainings = tables["task_trainings"].drop_duplicates("group").set_index("group")
    tuned = trainings.loc[groups].dropna(subset="start_epoch")
    for (_, part), name in zip(tuned.groupby("tasks", sort=False), DEPARTURES, strict=False):
        places = np.linspace(0.95, 0.35, len(part))  # later departures are paler
        names = part.sort_values("start_epoch").index
        found |= dict(zip(names, map(to_hex, mpl.colormaps[name](places)), strict=True))
    return found | palette([g for g in groups if g not in found], [*COLOURS, *OTHERS])


def of_comparison(tables: Tables, name: str) -> pd.DataFrame:
    """Models and mean trajectories of a comparison."""
    points = tables["task_embedding"]
    points = points[points["comparison"] == name]
    if points.empty:
        raise LeftOut(f"The study has no comparison named {name}.")
    return points


def groups_of(tables: Tables, comparison: str) -> list[str]:
    """Groups of a comparison, in the order of the study."""
    return list(dict.fromkeys(of_comparison(tables, comparison)["group"]))


def draw_embedding(axes: Any, tables: Tables, name: str) -> None:
    """The first three coordinates: models as points, mean trajectories as lines."""
    points = of_comparison(tables, name)
    colours = colours_of(tables, name)
    stress = tables["task_stress"]
    stress = stress[(stress["comparison"] == name) & (stress["kind"] == SHOWN)]
    found = {
        "models": points[points["kind"] == "model"],
        "explained_stress": stress.assign(kind=stress["axis"]),
    }
    embedding(
        found, dimensions=3, color="group", palette={group: colours[group] for group in
        groups_of(tables, name)}, ax=axes, legend=False, s=3, alpha=0.5,
    )  # fmt: skip
    for group, mean in points[points["kind"] == "mean"].groupby("group", sort=False):
        along = mean.sort_values("progress")
        axes.plot(*(along[f"pc{k}"] for k in (1, 2, 3)), color=colours[group], label=group, **MEAN)
    axes.xaxis.labelpad = axes.yaxis.labelpad = axes.zaxis.labelpad = -6
    axes.tick_params(pad=-3, labelsize=5)
    axes.locator_params(nbins=5)
    axes.set_box_aspect(None, zoom=1.05)
    explained = stress.loc[stress["dimension"] == 3, "explained_stress"].iloc[0]
    axes.set_title(f"explained stress {explained:.1%}, {len(points):,} points", y=1.02)


def draw_distances(axes: Axes, tables: Tables, name: str) -> bool:
    """Normalised distance of each mean trajectory from the reference; whether there is any."""
    found = tables["task_distances"]
    found = found[(found["comparison"] == name)].dropna(subset="normalised")
    if found.empty:
        return False
    colours = colours_of(tables, name)
    reference = found["reference"].iloc[0]
    for group, rows in found[found["reference"] == reference].groupby("group", sort=False):
        axes.plot(rows["progress"], rows["normalised"], color=colours[group], label=group)
    axes.axhline(1, color="0.6", linewidth=0.8, linestyle="--")
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_formatter("{x:g}")
    few = high < 8 * low  # too few powers of ten
    axes.yaxis.set_minor_formatter("{x:.2g}" if few else NullFormatter())
    axes.locator_params("x", nbins=5)
    axes.set_xlabel("progress")
    axes.set_title(f"from {reference}")
    return True


def _pair(tables: Tables, name: str) -> Figure:
    """The embedding of a comparison, and beside it the distances of the mean trajectories."""
    figure = plt.figure(figsize=(2.3 * COLUMN, 1.15 * COLUMN))
    left = figure.add_subplot(1, 2, 1, projection="3d", computed_zorder=False)
    right = figure.add_subplot(1, 2, 2)
    draw_embedding(left, tables, name)
    if draw_distances(right, tables, name):
        right.set_ylabel("distance / tube radius")
    else:
        text = "No two groups of several seeds\nreach the same progress."
        right.text(0.5, 0.5, text, ha="center", transform=right.transAxes)
        right.set_axis_off()
    legend_below(figure, [left])
    return figure


def tree_manifold(tables: Tables) -> Figure:
    """Trainings of nodes of the tree of classes (3.3)."""
    return _pair(tables, TREE)


def episodic_manifold(tables: Tables) -> Figure:
    """Episodic meta-learning and supervised learning (3.4a, 3.9)."""
    return _pair(tables, EPISODIC)


def ways_manifold(tables: Tables) -> Figure:
    """Supervised learning of two, five and more classes (3.4b)."""
    return _pair(tables, WAYS)


def methods_manifold(tables: Tables) -> Figure:
    """Contrastive, semi-supervised and supervised learning (3.6)."""
    return _pair(tables, METHODS)


def fine_tuning_manifold(tables: Tables) -> Figure:
    """Fine-tuning from several epochs of another training (3.7)."""
    return _pair(tables, FINE_TUNING)


def contrastive_manifold(tables: Tables) -> Figure:
    """Contrastive learning of two classes and of all (3.8)."""
    return _pair(tables, CONTRASTIVE)


def task_manifold(tables: Tables) -> Figure:
    """Supervised learning of several tasks: embedding, spectrum, accuracy (3.1)."""
    figure = plt.figure(figsize=(2.4 * COLUMN, 1.25 * COLUMN))
    grid = figure.add_gridspec(2, 3)
    axes = figure.add_subplot(grid[:, :2], projection="3d", computed_zorder=False)
    draw_embedding(axes, tables, TASKS)
    upper, lower = figure.add_subplot(grid[0, 2]), figure.add_subplot(grid[1, 2])
    draw_stress(upper, tables, TASKS)
    upper.legend()
    checkpoints = tables["task_checkpoints"].query("split == 'test'")
    for group, colour in colours_of(tables, TASKS).items():
        own = checkpoints[checkpoints["group"] == group]
        accuracy = 1 - own.groupby("epoch")["own_error"].mean()
        lower.plot(accuracy.index, accuracy, color=colour)
    lower.set(xlabel="epoch", ylabel="test accuracy, own classes")
    legend_below(figure, [axes])
    return figure


def draw_stress(axes: Axes, tables: Tables, name: str) -> None:
    """Explained stress by dimension: models, models with means, and shuffled models."""
    stress = tables["task_stress"]
    stress = stress[stress["comparison"] == name]
    for kind, colour, style in (
        ("models", "black", "-"),
        (SHOWN, COLOURS[0], "--"),
        ("shuffled", COLOURS[1], "-"),
    ):
        rows = stress[stress["kind"] == kind].groupby("dimension")["explained_stress"].mean()
        axes.plot(rows.index, 100 * rows, color=colour, linestyle=style, label=kind)
        if kind == "models":
            own = stress[stress["kind"] == kind]
            axes.fill_between(
                own["dimension"], 100 * own["low"], 100 * own["high"], color="0.85", linewidth=0
            )
    axes.set(xscale="log", xlabel="dimensions", ylabel="explained stress (%)", ylim=(0, 101))


def task_stress(tables: Tables) -> Figure:
    """Explained stress of every comparison, with models whose samples are shuffled."""
    names = list(dict.fromkeys(tables["task_stress"]["comparison"]))
    figure, panels = wrapped(len(names), 0.85, sharey=True)
    for axes, name in zip(panels, names, strict=True):
        draw_stress(axes, tables, name)
        axes.set_title(name.replace("_", " "))
        axes.set_ylabel("")
    name_outer(panels, "dimensions", "explained stress (%)")
    legend_below(figure, panels[:1])
    return figure


def task_distances(tables: Tables) -> Figure:
    """Normalised distances of the mean trajectories of every comparison (3.10)."""
    found = tables["task_distances"].dropna(subset="normalised")
    names = list(dict.fromkeys(found["comparison"]))
    if not names:
        raise LeftOut("No two groups of several seeds are compared, so there are no tubes.")
    figure, panels = wrapped(len(names), 0.95, most=3)
    for axes, name in zip(panels, names, strict=True):
        draw_distances(axes, tables, name)
        axes.set_title(f"{name.replace('_', ' ')}, {axes.get_title()}")
        axes.set_xlabel("")
        axes.legend(fontsize=5)
    name_outer(panels, "progress", "distance / tube radius")
    return figure
