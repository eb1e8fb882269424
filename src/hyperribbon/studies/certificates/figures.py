"""Certificates by method, scales of posteriors, the effective dimension (thesis 4.3.3, 4.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot.eigenvalues import name_of
from hyperribbon.reporting.panels import ROW, WIDEST, legend_below, name_outer, title_left, wrapped
from hyperribbon.reporting.style import COLUMN, LeftOut, as_text, palette
from hyperribbon.studies.certificates.names import METHODS

NOTHING = "Every seed of the certified networks diverged."
OPTIMISED = {
    "objective": "objective",
    "surrogate_loss": "cross-entropy / ln 2 of Q",
    "kl": "KL (nats)",
}
STIFF: dict[str, Any] = {"color": "0.3", "linestyle": "--", "linewidth": 0.8}
FALL = 3  # by how many e-folds the sloppy line falls where the spectrum ends
LEAST = 1e-6  # eigenvalue to draw, relative to the threshold; posteriors are the prior below


def certificates(tables: dict[str, pd.DataFrame]) -> Figure:
    """Bounds and test errors, KL and effective dimension, one row per method."""
    found = _found(tables)
    rows = [method for method in METHODS if method in set(found["method"])]
    shown = list(_configurations(found))
    colours = palette(name for name, _ in shown)
    figure, panels = plt.subplots(
        1, 3, sharey=True, width_ratios=(2, 1, 1),
        figsize=(WIDEST, (0.25 + 0.05 * len(rows) * (len(shown) + 1)) * COLUMN),
    )  # fmt: skip
    errors, kl, dimension = panels
    for k, (name, part) in enumerate(shown):
        for method, some in part.groupby("method"):
            at = rows.index(str(method)) + 0.8 * ((k + 0.5) / len(shown) - 0.5)
            colour = colours[name]
            ends = some["posterior_test_error"].mean(), some["bound"].mean()
            errors.plot(ends, [at, at], color=colour, linewidth=1, alpha=0.5)
            _spread(errors, some["posterior_test_error"], at, colour, "o")
            _spread(errors, some["bound"], at, colour, "D")
            errors.plot(some["test_error"].mean(), at, "|", color=colour, markersize=5)
            _spread(kl, some["kl"], at, colour, "D")
            _spread(dimension, some["effective_dimension"], at, colour, "D")
    errors.axvline(_guessing(tables), **STIFF)
    errors.set_yticks(range(len(rows)), [METHODS[method] for method in rows])
    errors.set_ylim(len(rows) - 0.5, -0.5)
    errors.set(xlim=(0, 1), xlabel="error on new samples: measured, and its bound")
    kl.set_xlabel("KL (nats)")
    dimension.set_xlabel("effective dimension")
    for axes, column in ((kl, "kl"), (dimension, "effective_dimension")):
        axes.set_xscale("symlog", linthresh=1)  # both may be 0: Q is then the prior
        axes.set_xlim(0, 3 * max(found[column].max(), 1))
    for axes in panels:
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
    marks = [("D", "bound"), ("o", "test error of Q"), ("|", "test error of the network")]
    handles = [Line2D([], [], color=colours[name], label=as_text(name)) for name, _ in shown]
    handles += [
        Line2D([], [], color="0.3", marker=marker, linestyle="", markersize=4, label=label)
        for marker, label in marks
    ]
    legend_below(figure, [], [*handles, Line2D([], [], label="guessing", **STIFF)])
    return figure


def posterior_scales(tables: dict[str, pd.DataFrame]) -> Figure:
    """Posterior's standard deviation over the prior's, by eigenvalue, one panel per method."""
    found, scales = _found(tables), tables["posterior_scales"]
    methods = [method for method in METHODS if method in set(scales["method"])]
    if not methods:
        raise LeftOut("No posterior has scales along eigenvectors.")
    shown = list(_configurations(found))
    colours = palette(name for name, _ in shown)
    figure, panels = wrapped(len(methods), 1.0, sharex=True, sharey=True)
    ends: list[float] = []
    for axes, method in zip(panels, methods, strict=True):
        words = []
        for name, part in shown:
            row = _first(part[part["method"] == method])
            if row is None:
                continue
            some = _of(scales, row)
            x = some["eigenvalue"] * some["prior_scale"] ** 2 * 2 * (row["n_bounded"] - 1)
            x = x[x > LEAST].sort_values()  # a prior that is no multiple of 1 changes the order
            some = some.loc[x.index]
            prior, colour = some["prior_scale"], colours[name]
            axes.fill_between(x, some["low"] / prior, some["high"] / prior, color=colour,
                              alpha=0.2, linewidth=0)  # fmt: skip
            axes.plot(x, some["posterior_scale"] / prior, color=colour, label=as_text(name))
            words.append(f"{row['correlation']:.2f}" if np.isfinite(row["correlation"]) else "none")
            ends += list(x)
        axes.set(xscale="log", yscale="log")
        title_left(axes, f"{METHODS[method]}\nrho = {', '.join(words)}")
    line = np.geomspace(min(ends, default=LEAST), max(ends, default=1), 100)
    for axes in panels:
        axes.plot(line, 1 / np.sqrt(1 + line), label="analytic posterior", **STIFF)
    name_outer(panels, "eigenvalue / threshold", "posterior scale / prior scale")
    legend_below(figure, panels)
    return figure


def stiff_and_sloppy(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectrum of each network, its effective dimension, and the decay of what is sloppy."""
    found, scales = _found(tables), tables["posterior_scales"]
    pieces = []
    for name, part in _configurations(found):
        for method in ("analytic", "hessian"):  # both in the eigenbasis at the trained weights
            row = _first(part[part["method"] == method])
            if row is not None and len(_of(scales, row)):
                pieces.append((name, row, _of(scales, row)))
                break
    if not pieces:
        raise LeftOut("No method has the eigenvalues at the trained weights.")
    figure, panels = wrapped(len(pieces), 0.85, most=3)
    for axes, (name, row, some) in zip(panels, pieces, strict=True):
        stiff = int(row["stiff"])
        decays = row["sloppy_factor"] > 0
        last = stiff + FALL / row["sloppy_factor"] if decays else FALL * stiff
        last = min(max(last, 10), some["last"].max())
        some = some[(some["first"] <= last) & (some["eigenvalue"] > 0)]
        rank = np.sqrt(some["first"] * some["last"])
        axes.semilogy(rank, some["eigenvalue"], ".-", markersize=3, linewidth=1,
                      label="eigenvalues")  # fmt: skip
        axes.axvline(stiff, **STIFF | {"color": "#009E73"}, label="effective dimension")
        threshold = row["epsilon"] / (2 * (row["n_bounded"] - 1))
        if decays:
            at = np.array([stiff, last])
            axes.plot(at, threshold * np.exp(-row["sloppy_factor"] * (at - stiff)),
                      color="#D55E00", linewidth=1, label="sloppy factor")  # fmt: skip
        axes.set_xlim(0, last)
        low = some["eigenvalue"].min()
        axes.set_ylim(low / 2, some["eigenvalue"].max() * 2)
        title_left(axes, f"{as_text(name)}: p(n, ε) = {stiff}, c = {row['sloppy_factor']:.2g}")
    name_outer(panels, "index", "eigenvalue")
    legend_below(figure, panels)
    return figure


def certificate_optimisation(tables: dict[str, pd.DataFrame]) -> Figure:
    """Objective, loss and KL by epoch, one row of panels per network."""
    found = tables["certificate_optimisation"]
    if found.empty:
        raise LeftOut("No posterior was optimised.")
    shown = list(_configurations(found))[:ROW]
    methods = [method for method in METHODS if method in set(found["method"])]
    colours = palette(METHODS[method] for method in METHODS)
    figure, panels = plt.subplots(
        len(shown), len(OPTIMISED), figsize=(WIDEST, 0.7 * len(shown) * COLUMN),
        squeeze=False, sharex=True,
    )  # fmt: skip
    for row, (name, part) in zip(panels, shown, strict=True):
        for axes, (column, label) in zip(row, OPTIMISED.items(), strict=True):
            for method in methods:
                curve = part[part["method"] == method].groupby("epoch")[column].mean()
                axes.plot(curve.index, curve, color=colours[METHODS[method]],
                          label=METHODS[method], linewidth=1)  # fmt: skip
            axes.set(yscale="log" if column == "kl" else "linear", ylabel=label)
        title_left(row[0], as_text(name))
    for axes in panels[-1]:
        axes.set_xlabel("epoch")
    legend_below(figure, [panels[0, 0]])
    return figure


def _found(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    found = tables["certificates"]
    if found.empty:
        raise LeftOut(NOTHING)
    return found


def _configurations(found: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Names and rows of all configurations."""
    for _, part in found.groupby("configuration", sort=False):
        yield name_of(part), part


def _first(rows: pd.DataFrame) -> pd.Series | None:
    """The row of the first seed; None if there is none."""
    return rows.sort_values("seed").iloc[0] if len(rows) else None


def _of(table: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    """Rows of a table that belong to a certificate."""
    keys = ["configuration", "seed", "method"]
    return table[(table[keys] == row[keys]).all(axis=1)]


def _spread(axes: Axes, values: pd.Series, at: float, colour: str, marker: str) -> None:
    """Mean and range of values over seeds."""
    axes.plot([values.min(), values.max()], [at, at], color=colour, linewidth=2.5, alpha=0.4)
    axes.plot(values.mean(), at, marker, color=colour, markersize=3.5)


def _guessing(tables: dict[str, pd.DataFrame]) -> float:
    return 1 - 1 / tables["certificates"]["classes"].iloc[0]
