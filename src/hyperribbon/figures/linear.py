"""Spectra of linear regression, its bounds, variants, and trainings on real data (thesis 5)."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.figures.style import COLOURS, COLUMN

INDEX = "index"


def _of(tables: dict[str, pd.DataFrame], figure: str) -> pd.DataFrame:
    spectra = tables["linear_spectra"]
    return spectra[spectra["figure"] == figure]


def _by_time(figure: Figure, panels, steps: pd.Series) -> dict[int, tuple]:
    """A colour for each T, and its bar."""
    values = sorted(steps.unique())
    norm, colours = LogNorm(values[0], values[-1]), plt.get_cmap("viridis")
    figure.colorbar(ScalarMappable(norm, colours), ax=panels, label="steps T")
    return {T: colours(norm(T)) for T in values}


def _spectrum_axes(axes: Axes, ylabel: str = "eigenvalue") -> None:
    axes.set(yscale="log", xlabel=INDEX, ylabel=ylabel)


def linear_initialisation(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues that come from initial weights, and their bounds, by T (Fig. 5.1)."""
    rows = _of(tables, "5.1")
    figure, axes = plt.subplots(figsize=(1.2 * COLUMN, 0.85 * COLUMN))
    colours = _by_time(figure, axes, rows["steps"])
    for T, part in rows.groupby("steps"):
        axes.plot(part[INDEX], part["eigenvalue"], color=colours[T])
        axes.plot(part[INDEX], part["bound"], ":", color=colours[T])
    _spectrum_axes(axes, "eigenvalue of T P1, initial weights")
    axes.legend(
        handles=[
            Line2D([], [], color="0.3", label="computed (Eq. 5.2.9)"),
            Line2D([], [], color="0.3", linestyle=":", label="bound (Eq. 5.2.10)"),
        ],
        loc="lower left",
    )
    return figure


def linear_parts(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of P1, and of its parts from initial weights and from the targets (Fig. 5.2)."""
    rows = _of(tables, "5.2")
    figure, axes = plt.subplots(figsize=(COLUMN, 0.8 * COLUMN))
    styles = {
        "targets": (COLOURS[1], "^", "from the targets"),
        "initialisation": (COLOURS[2], "s", "from initial weights"),
        "both": (COLOURS[0], "o", "P1, of both"),
    }
    for part, (colour, marker, label) in styles.items():
        found = rows[rows["part"] == part]
        axes.plot(
            found[INDEX], found["eigenvalue"], marker, color=colour, markersize=3, label=label
        )
    _spectrum_axes(axes)
    # The targets' part ends in rounding, of which the table has the beginning.
    low = rows.loc[rows["part"] == "initialisation", "eigenvalue"].min()
    axes.set_ylim(bottom=low / 30)
    axes.legend()
    return figure


def linear_bounds(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of P1 in parts of the largest, beside Lemma 5.2.3, by slope (Fig. 5.4)."""
    rows = _of(tables, "5.4")
    lengths = sorted(rows["steps"].unique())
    figure, panels = plt.subplots(
        1, len(lengths), figsize=(2 * COLUMN, 0.8 * COLUMN), sharey=True, squeeze=False
    )
    slopes = sorted(rows["slope"].unique())
    for axes, T in zip(panels[0], lengths, strict=True):
        for colour, slope in zip(COLOURS, slopes, strict=False):
            part = rows[(rows["steps"] == T) & (rows["slope"] == slope)]
            axes.plot(part[INDEX], part["eigenvalue"], color=colour, label=f"c = {slope:g}")
            axes.plot(part[INDEX], part["bound"], ":", color=colour)
        _spectrum_axes(axes, "eigenvalue / largest")
        axes.set_title(f"T = {T:,}", loc="left")
    panels[0, 0].plot([], [], ":", color="0.3", label="bound (Lemma 5.2.3)")
    panels[0, 0].legend()
    return figure


def linear_models(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of T P(N, T) of models drawn, beside the limit of many, by T (Fig. 5.5)."""
    rows = _of(tables, "5.5")
    figure, axes = plt.subplots(figsize=(1.2 * COLUMN, 0.85 * COLUMN))
    colours = _by_time(figure, axes, rows["steps"])
    for (T, part), found in rows.groupby(["steps", "part"]):
        style = "." if part == "models" else "-"
        axes.plot(
            found[INDEX], found["eigenvalue"], style, color=colours[T], markersize=3, linewidth=0.8
        )
    _spectrum_axes(axes, "eigenvalue of T P")
    axes.legend(
        handles=[
            Line2D([], [], color="0.3", linestyle="", marker=".", label="models drawn"),
            Line2D([], [], color="0.3", linewidth=0.8, label="in the limit of many"),
        ],
        loc="lower left",
    )
    return figure


def linear_variants(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of P after the longest training, and dimensions by T, of each variant (5.3)."""
    spectra, found = _of(tables, "variants"), tables["linear_variants"]
    names = list(dict.fromkeys(found["variant"]))
    figure, (left, right) = plt.subplots(1, 2, figsize=(2 * COLUMN, 0.85 * COLUMN))
    last = spectra[spectra["steps"] == spectra["steps"].max()]
    for colour, name in zip(COLOURS, names, strict=False):
        part = last[last["part"] == name]
        left.plot(part[INDEX], part["eigenvalue"], color=colour, label=name)
        part = found[found["variant"] == name]
        right.plot(part["steps"], part["dimension"], ".-", color=colour)
    _spectrum_axes(left)
    left.set_title(f"T = {last['steps'].iloc[0]:,}", loc="left")
    left.legend()
    right.set(xscale="log", xlabel="steps T", ylabel="dimensions of the hyper-ribbon")
    right.set_ylim(bottom=0)
    return figure


def linear_kernels(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra of kernels on each data set, above the dimensions predicted of their machines."""
    spectra, found = tables["linear_kernel_spectra"], tables["linear_kernels"]
    sets, ratios = list(dict.fromkeys(spectra["data"])), sorted(found["ratio"].unique())
    names = list(dict.fromkeys([*spectra["kernel"], *found["kernel"]]))
    colours = {name: COLOURS[k % len(COLOURS)] for k, name in enumerate(names)}
    figure, panels = plt.subplots(
        2, len(sets), figsize=(0.35 * COLUMN + 0.7 * COLUMN * len(sets), 1.5 * COLUMN),
        sharey="row", squeeze=False,
    )  # fmt: skip
    for column, data in enumerate(sets):
        above, below = panels[:, column]
        for name, part in spectra[spectra["data"] == data].groupby("kernel", sort=False):
            slope = part["slope"].iloc[0]
            above.plot(
                part[INDEX], part["eigenvalue"], color=colours[name], label=f"{name}: {slope:.3f}"
            )
        above.set(yscale="log", xlabel=INDEX)
        above.set_title(data, loc="left")
        above.legend(fontsize=5, title="slope per index", title_fontsize=5, loc="lower left")
        machines = found[found["data"] == data]
        for (name, ratio), part in machines.groupby(["kernel", "ratio"], sort=False):
            style = ("-", "--", ":")[ratios.index(ratio) % 3]
            below.plot(part["steps"], part["dimension"], style, color=colours[name], linewidth=0.9)
        below.set(xscale="log", yscale="log", xlabel="steps T")
    panels[0, 0].set_ylabel("eigenvalue / largest")
    panels[1, 0].set_ylabel("dimensions predicted")
    shown = [name for name in names if name in set(found["kernel"])]
    handles = [Line2D([], [], color=colours[name], label=name) for name in shown]
    handles += [
        Line2D([], [], color="0.3", linestyle=("-", "--", ":")[k % 3], label=f"ratio {ratio:g}")
        for k, ratio in enumerate(ratios)
    ]
    panels[1, 0].legend(handles=handles, fontsize=5, loc="lower left")
    return figure


def linear_experiments(tables: dict[str, pd.DataFrame]) -> Figure:
    """Dimensions predicted and measured of linear models and of networks, and how far apart."""
    found = tables["linear_experiments"].copy()
    ratio = found["ratio"].map(lambda r: "" if np.isnan(r) else f", ratio {r:g}")
    units = found["model"].where(found["model"] == "linear", found["model"] + " units")
    found["name"] = units + ratio
    sets, names = list(dict.fromkeys(found["data"])), list(dict.fromkeys(found["name"]))
    figure, panels = plt.subplots(
        2, len(sets), figsize=(0.35 * COLUMN + 0.7 * COLUMN * len(sets), 1.4 * COLUMN),
        sharex=True, sharey="row", squeeze=False,
    )  # fmt: skip
    for column, data in enumerate(sets):
        above, below = panels[:, column]
        for k, name in enumerate(names):
            colour = COLOURS[k % len(COLOURS)]
            part = found[(found["data"] == data) & (found["name"] == name)]
            above.plot(part["steps"], part["predicted"], color=colour, linewidth=0.9)
            above.plot(part["steps"], part["measured"], "o", color=colour, markersize=3, mfc="none")
            # Before the first step, networks are what the prediction begins with.
            later = part[part["difference"] > 1e-6]
            below.plot(later["steps"], later["difference"], ".-", color=colour, label=name)
        above.set_title(data, loc="left")
        above.set(xscale="log", yscale="log")
        below.set(yscale="log", xlabel="steps T")
    panels[0, 0].set_ylabel("dimensions")
    panels[1, 0].set_ylabel("covariances, relative difference")
    panels[0, 0].legend(
        handles=[
            Line2D([], [], color="0.3", linewidth=0.9, label="predicted"),
            Line2D([], [], color="0.3", linestyle="", marker="o", mfc="none", label="measured"),
        ],
        fontsize=6,
    )
    figure.legend(
        *panels[1, 0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=min(len(names), 6),
    )
    return figure
