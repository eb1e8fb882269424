"""Figures of linear regression: spectra, bounds, variants, trainings on real data (thesis 5)."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.reporting.panels import legend_below, name_outer, stacked, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN

INDEX = "index"
SHOWN = 200  # leading eigenvalues; tables have only a selection of the others
BOUND: dict[str, Any] = {"color": "black", "linestyle": ":", "linewidth": 1}
MACHINES: dict[str, Any] = dict(
    zip(("linear", "RBF", "Laplace", "RBF and Laplace"), COLOURS, strict=False)
)
RATIOS: tuple[Any, ...] = ("-", "--", ":")
# Lines and widths; variants that equal gradient descent are visible on top of it.
VARIANTS: list[tuple[Any, float]] = [
    ("-", 3.5),
    ("-", 1.2),
    ((0, (2, 1.5)), 1.2),
    ("-", 1.2),
    ((0, (4, 1, 1, 1)), 1.2),
]


def _of(tables: dict[str, pd.DataFrame], figure: str) -> pd.DataFrame:
    spectra = tables["linear_spectra"]
    return spectra[spectra["figure"] == figure]


def _spectrum_axes(axes: Axes, ylabel: str = "eigenvalue") -> None:
    axes.set(yscale="log", xlabel=INDEX, ylabel=ylabel)


def linear_initialisation(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues that come from the initial weights, with their bounds, by T (Fig. 5.1)."""
    rows = _of(tables, "5.1")
    figure, axes = plt.subplots(figsize=(1.4 * COLUMN, COLUMN))
    lengths = sorted(rows["steps"].unique(), reverse=True)
    norm, colours = LogNorm(lengths[-1], lengths[0]), plt.get_cmap("viridis")
    figure.colorbar(ScalarMappable(norm, colours), ax=axes, label="steps T")
    # Spectra start alike: longer trainings have wider lines, beneath the others.
    for T, width in zip(lengths, np.linspace(5, 1.2, len(lengths)), strict=True):
        part = rows[rows["steps"] == T]
        axes.plot(part[INDEX], part["eigenvalue"], color=colours(norm(T)), linewidth=width)
    for _, part in rows.groupby("steps"):
        axes.plot(part[INDEX], part["bound"], **BOUND)
    _spectrum_axes(axes, "eigenvalue of T P1, initial weights")
    axes.legend(
        handles=[
            Line2D([], [], color="0.5", linewidth=2, label="computed (Eq. 5.2.9)"),
            Line2D([], [], **BOUND, label="bound (Eq. 5.2.10)"),
        ],
        loc="lower left",
    )
    return figure


def linear_parts(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of P1 and of its parts, from initial weights and from targets (Fig. 5.2)."""
    rows = _of(tables, "5.2")
    figure, axes = plt.subplots(figsize=(1.4 * COLUMN, COLUMN))
    styles: dict[str, tuple[str, dict[str, Any], str]] = {  # circles do not hide equal values
        "targets": ("^", {"color": COLOURS[1], "markersize": 3}, "from the targets"),
        "initialisation": ("s", {"color": COLOURS[2], "markersize": 2}, "from initial weights"),
        "both": ("o", {"color": COLOURS[0], "markersize": 5, "mfc": "none"}, "P1, both"),
    }
    for part, (marker, style, label) in styles.items():
        found = rows[rows["part"] == part]
        axes.plot(found[INDEX], found["eigenvalue"], marker, **style, mew=0.8, label=label)
    _spectrum_axes(axes)
    # The part of the targets ends in rounding errors.
    low = rows.loc[rows["part"] == "initialisation", "eigenvalue"].min()
    axes.set_ylim(bottom=low / 30)
    axes.legend()
    return figure


def linear_bounds(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of P1 relative to the largest, with the bound of Lemma 5.2.3 (Fig. 5.4)."""
    rows = _of(tables, "5.4")
    slopes, found = rows["slope"].nunique(), list(rows.groupby(["steps", "slope"]))
    # One panel each, because several bounds are 1 throughout.
    figure, panels = wrapped(len(found), 1.0, most=min(slopes, 4), sharex=True, sharey=True)
    for axes, ((T, slope), part) in zip(panels, found, strict=True):
        axes.plot(part[INDEX], part["eigenvalue"], color=COLOURS[0], label="computed")
        axes.plot(part[INDEX], part["bound"], **BOUND, label="bound (Lemma 5.2.3)")
        axes.set_yscale("log")
        axes.set_title(f"T = {T:,}, c = {slope:g}", loc="left")
    name_outer(panels, INDEX, "eigenvalue / largest")
    legend_below(figure, panels)
    return figure


def linear_models(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of T P(N, T) for sampled models and for infinitely many, by T (Fig. 5.5)."""
    rows = _of(tables, "5.5")
    lengths = sorted(rows["steps"].unique())
    # One panel each, because spectra of long trainings are equal.
    figure, panels = wrapped(len(lengths), 0.8, most=3, sharex=True, sharey=True)
    for axes, T in zip(panels, lengths, strict=True):
        part = rows[rows["steps"] == T]
        drawn, limit = (part[part["part"] == name] for name in ("models", "limit"))
        axes.plot(
            drawn[INDEX], drawn["eigenvalue"], "o", color=COLOURS[1], markersize=3,
            markeredgewidth=0, label="sampled models",
        )  # fmt: skip
        axes.plot(
            limit[INDEX], limit["eigenvalue"], color="black", linewidth=0.9,
            label="infinitely many models",
        )  # fmt: skip
        axes.set_yscale("log")
        axes.set_title(f"T = {T:,}", loc="left")
    name_outer(panels, INDEX, "eigenvalue of T P")
    legend_below(figure, panels)
    return figure


def linear_variants(tables: dict[str, pd.DataFrame]) -> Figure:
    """Eigenvalues of P after the longest training, and dimensions by T, by variant (5.3)."""
    spectra, found = _of(tables, "variants"), tables["linear_variants"]
    names = list(dict.fromkeys(found["variant"]))
    figure, (left, right) = plt.subplots(1, 2, figsize=(2.2 * COLUMN, 1.05 * COLUMN))
    last = spectra[spectra["steps"] == spectra["steps"].max()]
    for k, name in enumerate(names):
        line, width = VARIANTS[k % len(VARIANTS)]
        style: dict[str, Any] = {"color": COLOURS[k % len(COLOURS)], "linestyle": line}
        style |= {"linewidth": width, "alpha": 1 if k else 0.4}
        part = last[last["part"] == name]
        left.plot(part[INDEX], part["eigenvalue"], **style, label=name)
        part = found[found["variant"] == name]
        right.plot(part["steps"], part["dimension"], **style, marker="o", markersize=1.5 + width)
    _spectrum_axes(left, "eigenvalue of P")
    left.set_title(f"spectra after T = {last['steps'].iloc[0]:,} steps", loc="left")
    right.set_title("dimensions by length of training", loc="left")
    right.set(xscale="log", xlabel="steps T", ylabel="dimensions of the hyper-ribbon")
    right.set_ylim(bottom=0)
    legend_below(figure, [left])
    return figure


def linear_kernels(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra of kernels on each data set, and predicted dimensions of their machines."""
    spectra, found = tables["linear_kernel_spectra"], tables["linear_kernels"]
    spectra = spectra[spectra[INDEX] <= SHOWN]
    sets, ratios = list(dict.fromkeys(spectra["data"])), sorted(found["ratio"].unique())
    names = list(dict.fromkeys([*spectra["kernel"], *found["kernel"]]))
    colours = _machine_colours(names)
    figure, pairs = stacked(len(sets), 2.0)
    for (above, below), data in zip(pairs, sets, strict=True):
        for name, part in spectra[spectra["data"] == data].groupby("kernel", sort=False):
            slope = f"{part['slope'].iloc[0]:.3f}".replace("-", "\N{MINUS SIGN}")
            above.plot(
                part[INDEX], part["eigenvalue"], color=colours[name], linewidth=1.2, label=slope
            )
        above.set(yscale="log", xlabel=INDEX)
        above.set_title(data, loc="left")
        machines = found[found["data"] == data]
        for (name, ratio), part in machines.groupby(["kernel", "ratio"], sort=False):
            line = RATIOS[ratios.index(ratio) % len(RATIOS)]
            below.plot(part["steps"], part["dimension"], line, color=colours[name], linewidth=1.2)
        below.set(xscale="log", yscale="log", xlabel="steps T")
    for above, _ in pairs:  # now that all spectra are drawn
        above.legend(
            fontsize=6, title="slope per index", title_fontsize=6, loc="lower left",
            ncols=2, columnspacing=1, handlelength=1,
        )  # fmt: skip
    low, high = pairs[0][0].get_ylim()
    pairs[0][0].set_ylim(low * (low / high) ** 0.35, high)
    pairs[0][0].set_ylabel("eigenvalue / largest")
    pairs[0][1].set_ylabel("predicted dimensions")
    extra = [Line2D([], [], color=colours[name], label=name) for name in names]
    extra += _ratio_handles(ratios)
    legend_below(figure, [], extra)
    return figure


def linear_experiments(tables: dict[str, pd.DataFrame]) -> Figure:
    """Predicted and measured dimensions of linear models and networks, and their difference."""
    found = tables["linear_experiments"]
    ratios = sorted(found["ratio"].dropna().unique())
    sets, names = list(dict.fromkeys(found["data"])), list(dict.fromkeys(found["model"]))
    colours = _machine_colours(names)
    # Predictions of networks may be equal: wide lines remain visible beneath the others.
    widths = {name: 1.2 + k for k, name in enumerate([n for n in names if n != "linear"][::-1])}
    figure, pairs = stacked(len(sets), 2.0)
    for (above, below), data in zip(pairs, sets, strict=True):
        groups = found[found["data"] == data].groupby(["model", "ratio"], sort=False, dropna=False)
        for (name, ratio), part in groups:
            line = "-" if np.isnan(ratio) else RATIOS[ratios.index(ratio) % len(RATIOS)]
            style: dict[str, Any] = {"color": colours[name], "linewidth": 1.2}
            width = min(widths.get(name, 1.2), 6)
            above.plot(part["steps"], part["predicted"], line, **style | {"linewidth": width})
            above.plot(
                part["steps"], part["measured"], "o", **style, mfc="none", markersize=2.5 + width
            )
            # Before the first step there is no difference to draw.
            later = part[part["difference"] > 1e-6]
            below.plot(
                later["steps"], later["difference"], line, marker=".", **style,
                label="linear" if name == "linear" else f"{name} units",
            )  # fmt: skip
        above.set_title(data, loc="left")
        above.set(xscale="log", yscale="log", xlabel="steps T")
        below.set(xscale="log", yscale="log", xlabel="steps T")
    pairs[0][0].set_ylabel("dimensions")
    pairs[0][1].set_ylabel("relative difference of covariances")
    extra = [
        *_ratio_handles(ratios),
        Line2D([], [], color="0.3", linestyle="", marker="o", markersize=3, mfc="none",
               label="measured; lines: predicted"),
    ]  # fmt: skip
    legend_below(figure, [below for _, below in pairs], extra)
    return figure


def _machine_colours(names: list[str]) -> dict[str, Any]:
    """Colours that both figures share; networks and their tangent kernels have the same."""
    networks = [name for name in names if name not in MACHINES]
    shades = plt.get_cmap("RdPu")(np.linspace(0.4, 1, len(networks)))
    return MACHINES | dict(zip(networks, shades, strict=True))


def _ratio_handles(ratios: list[float]) -> list[Line2D]:
    return [
        Line2D([], [], color="0.3", linestyle=RATIOS[k % len(RATIOS)], label=f"ratio {ratio:g}")
        for k, ratio in enumerate(ratios)
    ]
