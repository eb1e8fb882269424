"""Figures of bases of models and of samples (thesis 6)."""

from __future__ import annotations

import base64
import io
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter
from PIL import Image

from hyperribbon.reporting.panels import legend_below
from hyperribbon.reporting.style import COLOURS, COLUMN, LeftOut, palette

EXPLAINED = "explained_pairwise_distance"
EXPLAINED_LABEL = "explained pairwise distance"
HALVES = "trainings"
NO_HALVES = "There are fewer than four trainings, so none can be held out at random."
SHOWN = 40  # samples
PER_ROW = 10
INPCA_STYLE: dict[str, Any] = {"color": "black", "linestyle": ":", "marker": "."}


def basis_of_models(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Explained distance by number of basis models, for all methods."""
    table = _halves(tables["model_bases"], split)
    table = table[table["mixture"].fillna("probability").isin(["", "probability"])]
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, COLUMN))
    methods = [name for name in table["method"].unique() if name != "InPCA"]
    for name, colour in palette(methods).items():
        label = name.replace("_", "-")
        rows = table[table["method"] == name]
        _curve(axes, rows, EXPLAINED, label=label, color=colour)
        _curve(axes, rows, "explained_with_residuals", color=colour, linestyle="--", shaded=False)
    _curve(axes, table[table["method"] == "InPCA"], EXPLAINED, label="InPCA (coordinates)",
           **INPCA_STYLE)  # fmt: skip
    _sizes(axes, table["size"], "basis models")
    axes.set(ylabel=EXPLAINED_LABEL, ylim=(max(0.0, axes.get_ylim()[0]), 1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def basis_mixtures(tables: dict[str, pd.DataFrame]) -> Figure:
    """Kinds of mixtures, on both splits."""
    table = tables["model_bases"]
    table = table[(table["held_out"] == HALVES) & (table["method"] == "subset")]
    if table.empty:
        raise LeftOut(NO_HALVES)
    figure, panels = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.85 * COLUMN), sharey=True)
    colours = palette(table["mixture"])
    for axes, (split, rows) in zip(panels, table.groupby("split", sort=False), strict=False):
        right = axes.twinx()
        right.spines["right"].set_visible(True)
        for kind, colour in colours.items():
            some = rows[rows["mixture"] == kind]
            _curve(axes, some, EXPLAINED, label=kind, color=colour)
            _curve(right, some, "residual", color=colour, linestyle="--", shaded=False)
        _sizes(axes, rows["size"], "basis models")
        axes.set_title(f"{split} samples")
        right.set_ylim(bottom=0)
        if axes is panels[-1]:
            right.set_ylabel("distance to mixture (nats), dashed")
    panels[0].set_ylabel(EXPLAINED_LABEL)
    legend_below(figure, [panels[0]])
    return figure


def basis_held_out(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Greedy bases by what was held out."""
    figure, panels = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.85 * COLUMN))
    of_models = tables["model_bases"].query("split == @split and method == 'subset'")
    of_models = of_models[of_models["mixture"] == "probability"]
    of_samples = tables["sample_bases"].query("split == @split and method == 'greedy'")
    of_samples = of_samples[of_samples["weighted"]]
    kinds = [kind for kind in of_models["held_out"].unique() if kind != "none"]
    if not kinds:
        raise LeftOut("The study has one training, so there is none to hold out.")
    for axes, table, label in (
        (panels[0], of_models, "basis models"),
        (panels[1], of_samples, "samples"),
    ):
        for kind, colour in palette(kinds).items():
            _curve(axes, table[table["held_out"] == kind], EXPLAINED, label=kind, color=colour)
        fitted = table[table["held_out"] == "none"]
        _curve(axes, fitted, EXPLAINED, label="none: the models fitted", color="0.5",
               linestyle="--")  # fmt: skip
        _sizes(axes, table["size"], label)
        axes.set_ylim(top=1)
    panels[0].set_ylabel(EXPLAINED_LABEL)
    legend_below(figure, [panels[0]])
    return figure


def basis_of_samples(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Explained distance by number of samples, for all methods."""
    table = _halves(tables["sample_bases"], split)
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, COLUMN))
    for name, colour in palette(table["method"]).items():
        for weighted in (True, False):
            rows = table[(table["method"] == name) & (table["weighted"] == weighted)]
            if len(rows):
                label = name.replace("_", "-") + ("" if weighted else ", equal weights")
                _curve(axes, rows, EXPLAINED, label=label, color=colour,
                       linestyle="-" if weighted else "--")  # fmt: skip
    axes.axhline(0.95, color="0.7", linewidth=0.8, zorder=0)
    _sizes(axes, table["size"], "samples")
    axes.set(ylabel=EXPLAINED_LABEL, ylim=(None, 1))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def monitoring(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Correlations with all samples, by number of samples."""
    table = _halves(tables["monitoring"], split)
    sets = list(dict.fromkeys(table["models"]))
    quantities = list(dict.fromkeys(table["quantity"]))
    figure, panels = plt.subplots(
        len(sets), len(quantities), figsize=(2.3 * COLUMN, 0.72 * COLUMN * len(sets)),
        sharex=True, squeeze=False,
    )  # fmt: skip
    for row, name in zip(panels, sets, strict=True):
        for axes, quantity in zip(row, quantities, strict=True):
            some = table[(table["models"] == name) & (table["quantity"] == quantity)]
            for column, colour in (("pearson", COLOURS[0]), ("spearman", COLOURS[3])):
                for method, style in (("greedy", "-"), ("random", "--")):
                    rows = some[some["method"] == method]
                    _curve(axes, rows, column, label=f"{column.capitalize()}, {method}",
                           color=colour, linestyle=style)  # fmt: skip
            _sizes(axes, some["size"], "samples" if name == sets[-1] else "")
            low = some[["pearson", "spearman"]].min().min()
            axes.set_ylim(max(-1, min(low, 0.9) - 0.05), 1.005)
            if name == sets[0]:
                axes.set_title(quantity)
                cheaper = axes.secondary_xaxis("top")
                ticks = some.drop_duplicates("size")
                cheaper.set_xticks(ticks["size"], [f"{cut:.0f}" for cut in ticks["cost_cut"]])
                cheaper.xaxis.set_minor_locator(NullLocator())
                cheaper.set_xlabel("times cheaper", fontsize=7)
        row[0].set_ylabel(f"correlation over {name}")
    legend_below(figure, [panels[0][0]])
    return figure


def basis_samples(tables: dict[str, pd.DataFrame], split: str) -> Figure:
    """Images of the samples of the greedy basis, and how hard they are."""
    table = tables["basis_samples"].query("split == @split")
    shown = table[table["picture"].notna() & (table["picture"] != "")].head(SHOWN)
    lines = -(-len(shown) // PER_ROW)
    figure = plt.figure(figsize=(2.3 * COLUMN, max(1.0 * COLUMN, 0.27 * COLUMN * lines)))
    grid = figure.add_gridspec(1, 2, width_ratios=[2.2, 1])
    left, right = figure.add_subfigure(grid[0]), figure.add_subfigure(grid[1])
    if lines:
        panels = left.subplots(lines, PER_ROW, squeeze=False)
        for axes in panels.flat:
            axes.set_axis_off()
        for axes, (_, sample) in zip(panels.flat, shown.iterrows(), strict=False):
            axes.imshow(_picture(sample["picture"]), cmap="gray_r")
            axes.set_title(f"{sample['label']}: {sample['rank']:.2f}", fontsize=6, pad=1)
    axes = right.subplots()
    weights = np.full(len(table), 10 / len(table))
    axes.hist(table["rank"], bins=np.linspace(0, 1, 11).tolist(), weights=weights, color=COLOURS[0])
    axes.axhline(1, color="black", linestyle="--", linewidth=0.8)
    axes.set(xlabel="rank of mean loss", ylabel="density", xlim=(0, 1))
    return figure


def tangent_bases(tables: dict[str, pd.DataFrame]) -> Figure:
    """Three directions beside four points and InPCA."""
    table = tables["tangent_bases"]
    figure, panels = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.8 * COLUMN), sharey=True)
    for axes, (split, rows) in zip(panels, table.groupby("split", sort=False), strict=False):
        for name, colour in palette(table["basis"]).items():
            for kind, face in (("none", colour), (HALVES, "none")):
                some = rows[(rows["basis"] == name) & (rows["held_out"] == kind)]
                _curve(axes, some, EXPLAINED, label=name if kind == "none" else None, color=colour,
                       marker="o", mfc=face, linestyle="-" if kind == "none" else ":")  # fmt: skip
        axes.set(
            title=f"{split} samples", xlabel="dimensions", xticks=sorted(set(rows["dimensions"]))
        )
    panels[0].set_ylabel(EXPLAINED_LABEL)
    legend_below(figure, [panels[0]])
    return figure


def kernel_tangents(tables: dict[str, pd.DataFrame]) -> Figure:
    """Angle between trainings and their tangent kernels' predictions."""
    table, missing = tables["kernel_tangents"], tables["kernel_missing"]
    if table.empty:
        raise LeftOut("Every training that could be compared with its tangent kernel diverged.")
    colours = palette(tables["models"]["network"] if "models" in tables else table["network"])
    figure, (left, right) = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 0.85 * COLUMN))
    for network, rows in table.groupby("network", sort=False):
        style = {"color": colours[str(network)], "label": network}
        left.plot(rows["progress"], rows["cosine"], ".-", markersize=4, linewidth=1, **style)
        of_class = missing[missing["network"] == network]
        relative = of_class["missing"] / of_class["share"]
        right.plot(of_class["label"], relative, "o", mfc="none", markersize=4, **style)
    left.axhline(1, color="black", linestyle=":", linewidth=0.8)
    left.set(xlabel="train progress", ylabel="cosine with the kernel's direction")
    right.set(xlabel="class", ylabel="missing, of the class's part of the way", ylim=(0, None))
    legend_below(figure, [left])
    return figure


def _halves(table: pd.DataFrame, split: str) -> pd.DataFrame:
    """Rows of random halves of the trainings."""
    table = table[(table["split"] == split) & (table["held_out"] == HALVES)]
    if table.empty:
        raise LeftOut(NO_HALVES)
    return table


def _curve(axes: Axes, rows: pd.DataFrame, column: str, *, shaded: bool = True, **style) -> None:
    """Mean over pieces with their range, by size or number of dimensions."""
    by = "size" if "size" in rows else "dimensions"
    found = rows.groupby(by)[column].agg(["mean", "min", "max"])
    if found.empty:
        return
    style = {"marker": ".", "linewidth": 1, "markersize": 4, **style}
    axes.plot(found.index, found["mean"], **style)
    if shaded:
        axes.fill_between(found.index, found["min"], found["max"], color=style["color"],
                          alpha=0.12, linewidth=0)  # fmt: skip


def _sizes(axes: Axes, sizes: pd.Series, label: str) -> None:
    """A logarithmic axis with a tick at each size."""
    axes.set_xscale("log")
    axes.set_xticks(sorted(set(sizes)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(label)


def _picture(address: str) -> np.ndarray:
    content = base64.b64decode(address.partition(",")[2])
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)
