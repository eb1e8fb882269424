"""Figures of class manifolds and their inversion (arXiv:2303.05161)."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from hyperribbon.reporting.panels import legend_below
from hyperribbon.reporting.style import COLOURS, COLUMN, MARKERS, OTHERS, LeftOut, palette

TITLES = {
    "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "kmnist": "KMNIST", "cifar10": "CIFAR-10",
}  # fmt: skip
# Of training errors: where they range over more than a factor of 4, and elsewhere.
FEW_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
TICKS = (*FEW_TICKS, 0.03, 0.04, 0.07, 0.15, 0.3, 0.4)
OF_INVERSION: dict[str, Any] = {"color": "0.3", "linestyle": "--", "linewidth": 0.8}
CLASSES = {"radius_0": "even classes", "radius_1": "odd classes", "radius": "mean"}
REMOVALS = dict(zip(
    (
        "nothing", "stragglers", "random, as many", "misclassified at t*/4",
        "misclassified at t*/2", "misclassified at 2 t*", "as many of them at t*/4",
        "as many of them at t*/2", "misclassified by a linear classifier",
    ),
    ["black", *COLOURS],
    strict=False,
))  # fmt: skip


def _columns(table: pd.DataFrame, rows: int, height: float) -> tuple[Figure, dict[str, list[Axes]]]:
    """One column of panels per data set, with its name above."""
    names = list(dict.fromkeys(table["data"]))
    width = min(2.4 * COLUMN, 1.2 * COLUMN * len(names))
    figure, panels = plt.subplots(
        rows, len(names), figsize=(width, height * COLUMN), squeeze=False, sharex=False
    )
    for axes, name in zip(panels[0], names, strict=True):
        axes.set_title(TITLES.get(name, name))
    return figure, {name: list(panels[:, k]) for k, name in enumerate(names)}


def _label_first(columns: dict[str, list[Axes]], *labels: str) -> None:
    for axes, label in zip(next(iter(columns.values())), labels, strict=True):
        axes.set_ylabel(label)


def _errors_fall(axes: Axes) -> None:
    """Training error on a logarithmic axis, on which it falls to the right."""
    axes.set(xlabel="training error", xscale="log")
    low, high = axes.get_xlim()
    ticks = FEW_TICKS if high > 4 * low else TICKS
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(high, low)


def _usual_points(tables: dict[str, pd.DataFrame], data: str) -> pd.DataFrame:
    """The usual runs that invert."""
    rows = tables["inversion_points"]
    return rows[(rows["data"] == data) & (rows["kind"] == "usual") & (rows["inverts"] == 1)]


def inversion_curves(tables: dict[str, pd.DataFrame]) -> Figure:
    """Gyration radii of both classes and distance of their centres, by epoch."""
    curves = tables["inversion_curves"]
    curves = curves[curves["kind"] == "usual"]
    figure, columns = _columns(curves, 2, 1.25)
    for name, (upper, lower) in columns.items():
        rows = curves[curves["data"] == name]
        for (column, label), colour in zip(
            CLASSES.items(), (COLOURS[0], COLOURS[3], "black"), strict=True
        ):
            upper.plot(rows["step"], rows[column], color=colour, label=label)
        upper.fill_between(
            rows["step"], rows["radius_low"], rows["radius_high"], color="0.8", linewidth=0
        )
        lower.plot(rows["step"], rows["distance"], color=COLOURS[2])
        points = _usual_points(tables, name)
        for axes in (upper, lower):
            if len(points):
                axes.axvspan(points["step"].min(), points["step"].max(), color="0.92", zorder=0)
                axes.axvline(points["step"].mean(), **OF_INVERSION, label="inversion t*")
        lower.set_xlabel("epoch")
    _label_first(columns, "gyration radius", "distance of centres")
    legend_below(figure, [panels[0] for panels in columns.values()])
    return figure


def inversion_by_error(tables: dict[str, pd.DataFrame]) -> Figure:
    """Mean gyration radius against the training error, for several optimisers."""
    curves = tables["inversion_curves"]
    curves = curves[curves["kind"].isin(["usual", "optimiser"])]
    points = tables["inversion_points"]
    colours = palette(curves["condition"])
    figure, columns = _columns(curves, 1, 0.85)
    for name, (axes,) in columns.items():
        for condition, rows in curves[curves["data"] == name].groupby("condition", sort=False):
            label = "gradient descent" if condition == "usual" else str(condition)
            colour = colours[str(condition)]
            rows = rows[rows["step"] > 0]  # the error may fall by much in the first step
            axes.plot(rows["error"], rows["radius"], color=colour, label=label, linewidth=1)
            found = points[(points["data"] == name) & (points["condition"] == condition)]
            found = found[found["inverts"] == 1]
            if len(found):
                nearest = (rows["step"] - found["step"].mean()).abs().idxmin()
                axes.plot(
                    rows.loc[nearest, "error"], rows.loc[nearest, "radius"], "o", mfc="none",
                    color=colour, markersize=7,
                )  # fmt: skip
        _errors_fall(axes)
    _label_first(columns, "mean gyration radius")
    legend_below(figure, [panels[0] for panels in columns.values()])
    return figure


def inversion_conditions(tables: dict[str, pd.DataFrame]) -> Figure:
    """Training error at the inversion of each run, by condition."""
    points = tables["inversion_points"]
    points = points[points["kind"] != "removal"].copy()
    several = points["kind"].isin(["depth", "convolutional"])
    points["row"] = points["condition"].where(
        points["kind"].isin(["usual", "optimiser", "convolutional"]),
        points["kind"] + " " + points["condition"],
    )
    points.loc[several, "row"] += ", layer " + points.loc[several, "layer"].astype(str)
    points["row"] = points["row"].str.replace("usual", "usual, gradient descent")
    rows = list(dict.fromkeys(points["row"]))  # tasks are the same for data sets of ten classes
    figure, columns = _columns(points, 1, 0.085 * len(rows) + 0.3)
    for name, (axes,) in columns.items():
        here = points[points["data"] == name]
        usual = here.loc[(here["kind"] == "usual") & (here["inverts"] == 1), "error"].mean()
        axes.axvline(usual, **OF_INVERSION)
        widest = max(here["error"].max(), usual) if here["inverts"].any() else 1.0
        axes.set_xlim(0, 1.25 * widest)
        for k, row in enumerate(rows):
            runs = here[here["row"] == row]
            inverting = runs[runs["inverts"] == 1]
            colour = COLOURS[0] if k else "black"
            axes.plot(
                inverting["error"], np.full(len(inverting), k), "o", color=colour, mfc="none",
                markersize=4,
            )  # fmt: skip
            if 0 < len(runs) != len(inverting):
                axes.text(
                    1.24 * widest, k, f"{len(inverting)} of {len(runs)}", ha="right", va="center",
                    fontsize=6,
                )  # fmt: skip
        axes.set(yticks=range(len(rows)), xlabel="training error at t*")
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.grid(axis="y")
        axes.set_yticklabels(rows if axes is next(iter(columns.values()))[0] else [])
    return figure


def inversion_conservation(tables: dict[str, pd.DataFrame]) -> Figure:
    """Agreement of misclassified samples between runs by error, and of stragglers with others'."""
    table = tables["inversion_conservation"]
    if table.empty:
        raise LeftOut("No two runs have misclassified samples to compare.")
    others = list(dict.fromkeys(table.loc[~table["compared"].isin(["runs"]), "compared"]))
    figure, columns = _columns(table, 2, 1.0 + 0.09 * len(others))
    for name, (upper, lower) in columns.items():
        here = table[table["data"] == name]
        levels = here[here["compared"] == "runs"]
        upper.fill_between(
            levels["error"], levels["z_low"], levels["z_high"], color=COLOURS[0], alpha=0.2,
            linewidth=0,
        )  # fmt: skip
        upper.plot(levels["error"], levels["z"], color=COLOURS[0])
        at = here.loc[here["compared"] == "stragglers", "error"]
        if len(at):
            upper.axvline(at.iloc[0], **OF_INVERSION)
        _errors_fall(upper)
        for k, compared in enumerate(others):
            row = here[here["compared"] == compared]
            if len(row):
                low, high = row["z_low"].iloc[0], row["z_high"].iloc[0]
                lower.plot([low, high], [k, k], color="0.6", linewidth=1)
                lower.plot(row["z"], [k], "o", color=COLOURS[0], markersize=4)
        lower.set(xlabel="z-score of overlap", xlim=(0, None), yticks=range(len(others)))
        lower.set_ylim(max(len(others), 1) - 0.5, -0.5)
        lower.grid(axis="y")
        first = lower is next(iter(columns.values()))[1]
        labels = ["usual runs" if name == "stragglers" else name for name in others]
        lower.set_yticklabels(labels if first else [])
    _label_first(columns, "z-score of overlap", "")
    return figure


def inversion_removal(tables: dict[str, pd.DataFrame]) -> Figure:
    """Radii and test errors of trainings without some samples."""
    curves = tables["inversion_curves"]
    curves = curves[curves["kind"] == "removal"]
    if curves.empty:
        raise LeftOut("No run inverts, so there are no stragglers to remove.")
    points = tables["inversion_points"]
    points = points[points["kind"] == "removal"]
    names = [name for name in REMOVALS if name in set(curves["condition"])]
    figure, columns = _columns(curves, 2, 1.9)
    for name, (upper, lower) in columns.items():
        for condition in names:
            rows = curves[(curves["data"] == name) & (curves["condition"] == condition)]
            if len(rows):
                change = rows["radius"] - rows["radius"].iloc[0]
                style = "--" if condition.startswith("as many") else "-"
                upper.plot(rows["step"], change, style, color=REMOVALS[condition], linewidth=1)
        for k, condition in enumerate(names):
            errors = points[(points["data"] == name) & (points["condition"] == condition)]
            lower.plot(
                errors["test_error"], np.full(len(errors), k), "o", color=REMOVALS[condition],
                mfc="none", markersize=4,
            )  # fmt: skip
        upper.set_xlabel("epoch")
        lower.set(xlabel="test error at the end", yticks=range(len(names)))
        lower.set_ylim(len(names) - 0.5, -0.5)
        lower.grid(axis="y")
        first = lower is next(iter(columns.values()))[1]
        lower.set_yticklabels(names if first else [])
    _label_first(columns, "change of mean radius", "")
    return figure


def inversion_manifold(tables: dict[str, pd.DataFrame]) -> Figure:
    """The runs in the manifold of predictions, with the inversion."""
    table = tables["inversion_manifold"]
    figure, columns = _columns(table, 3, 2.5)
    for name, (upper, middle, lower) in columns.items():
        here = table[table["data"] == name]
        runs = here[here["model"] == "run"]
        time = runs["relative"].where(runs["relative"].notna(), runs["step"] / runs["step"].max())
        upper.scatter(
            runs["pc1"], runs["pc2"], c=np.minimum(time, 2), s=3, vmin=0, vmax=2, cmap="viridis"
        )
        points = _usual_points(tables, name).set_index("run")["step"]
        for run, step in points.items():
            of_run = runs[runs["run"] == run]
            at = of_run.loc[(of_run["step"] - step).abs().idxmin()]
            upper.plot(at["pc1"], at["pc2"], "x", color="black", markersize=5, mew=0.8)
        for end, marker in (("ignorance", "D"), ("truth", "d")):
            place = here[here["model"] == end]
            upper.plot(place["pc1"], place["pc2"], marker, color=COLOURS[3], markersize=5)
            upper.annotate(
                end, (place["pc1"].iloc[0], place["pc2"].iloc[0]), xytext=(0, 6), fontsize=6,
                textcoords="offset points", ha="center",
            )  # fmt: skip
        upper.set_xlabel("PC1")
        later = runs[runs["step"] > 0]
        spread = later.groupby("step")["spread"].mean()
        middle.plot(spread.index, spread, color=COLOURS[0])
        ends = later.groupby("step")[["to_truth_stragglers", "to_truth_rest"]].mean()
        labels = ("stragglers", "all others")
        for column, label, colour in zip(ends, labels, (COLOURS[3], COLOURS[2]), strict=True):
            lower.plot(ends.index, ends[column], color=colour, label=label)
        for axes in (middle, lower):
            shown = np.concatenate([line.get_ydata() for line in axes.lines])
            scale = "log" if (shown > 0).any() else "linear"
            axes.set(xlabel="epoch", xscale="log", yscale=scale)
            if len(points):
                axes.axvline(points.mean(), **OF_INVERSION, label="inversion t*")
    _label_first(columns, "PC2", "spread of runs", "distance to truth")
    last = list(columns.values())[-1][0]
    figure.colorbar(last.collections[0], ax=last, label="step / t*", pad=0.01)
    legend_below(figure, [panels[2] for panels in columns.values()])
    return figure


def inversion_difficulty(tables: dict[str, pd.DataFrame]) -> Figure:
    """Share of stragglers against other measures of the difficulty of tasks."""
    table = tables["inversion_difficulty"].dropna(subset="share")
    if table.empty:
        raise LeftOut("No run inverts, so there is no share of stragglers.")
    figure, panels = plt.subplots(1, 3, figsize=(2.4 * COLUMN, 0.85 * COLUMN), sharey=True)
    measures: dict[str, str] = {
        "linear_error": "error of a linear classifier",
        "progress": "progress at the inversion",
        "intrinsic_dimension": "intrinsic dimension",
    }
    colours: dict[str, str] = palette(table["data"], COLOURS + OTHERS)
    for axes, (column, label) in zip(panels, measures.items(), strict=True):
        for k, (name, rows) in enumerate(table.groupby("data", sort=False)):
            for parity in (True, False):
                some = rows[(rows["task"] == "parity") == parity]
                axes.plot(
                    some[column], some["share"], MARKERS[k], color=colours[str(name)],
                    mfc=None if parity else "none",
                    label=TITLES.get(str(name), str(name)) if parity else "_",
                    markersize=5,
                )  # fmt: skip
        axes.set_xlabel(label)
    ends = [0, 1.1 * max(table["share"].max(), table["linear_error"].max())]
    panels[0].plot(ends, ends, **OF_INVERSION)
    panels[0].set(ylabel="share of stragglers", ylim=(0, None), xlim=(0, None))
    legend_below(figure, [panels[0]])
    return figure
