"""Curvature of the loss: spectra, their slopes, eigenspaces (thesis Figs. 4.1, 4.3 to 4.11)."""

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.plot._curvature_spectrum import curvature_spectrum
from hyperribbon.plot.eigenvalues import (
    MATRICES,
    MOMENTS,
    NEGATIVE,
    NOTHING,
    WIDTHS,
    in_order,
    name_of,
    parts_of,
)
from hyperribbon.reporting.panels import legend_below, name_outer, title_left, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, LeftOut

COMPARED = ("input", "jacobian_summed", "fisher", "empirical_fisher", "hessian")
SPACES: dict[str, Any] = {  # lines
    "Fisher and Hessian": "-",
    "Fisher, with the initial one": "-",
    "Hessian, with the initial one": "--",
}
PANELS = 4  # configurations shown, at most
NAMED = 6  # most layers in a legend; more get a colour bar with numbers


def spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """All spectra at the end of training, each divided by its largest eigenvalue."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        raise LeftOut(NOTHING)
    shown = list(configurations(found))
    figure, panels = wrapped(len(shown), 0.8, most=2, sharex=True, sharey=True)
    for axes, (_, part) in zip(panels, shown, strict=True):
        title_left(curvature_spectrum(part, relative=True, ax=axes, legend=False))
    name_outer(panels, "index", "eigenvalue / the largest")
    legend_below(figure, panels, NEGATIVE)
    return figure


def spectra_layers(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra by layer and by class at the end of training."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        raise LeftOut(NOTHING)
    kinds = {
        "activations": "activations by layer",
        "gradients": "activation gradients by layer",
        "jacobian": "Jacobians by class",
    }
    # Spectra of logits' Jacobians exist only if there are few samples.
    kinds = {kind: title for kind, title in kinds.items() if kind in set(found["matrix"])}
    shown = list(configurations(found))
    figure, panels = plt.subplots(
        len(shown), len(kinds), figsize=(0.8 * len(kinds) * COLUMN, 0.85 * len(shown) * COLUMN),
        squeeze=False,
    )  # fmt: skip
    for row, (name, part) in zip(panels, shown, strict=True):
        for axes, (kind, title) in zip(row, kinds.items(), strict=True):
            wanted = ["input", kind] if kind == "activations" else [kind]
            rows = part[part["matrix"].isin(wanted)]
            curvature_spectrum(rows, color="part", ax=axes, legend=False)
            title_left(axes, title)
            axes.set_ylabel("")
            names = [label or "inputs" for label, _ in parts_of(rows)]
            _name_parts(figure, axes, names, "class" if kind == "jacobian" else "layer")
        row[0].set_ylabel(f"{name}\neigenvalue")
    return figure


def spectra_training(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra of Fisher matrix and Hessian at initialisation, in the middle and at the end."""
    found = tables["spectra"]
    if found.empty:
        raise LeftOut(NOTHING)
    shown = list(configurations(found))
    figure, panels = plt.subplots(
        len(shown), 2, figsize=(2.2 * COLUMN, 0.8 * len(shown) * COLUMN), squeeze=False,
        sharey="row",
    )  # fmt: skip
    for row, (name, part) in zip(panels, shown, strict=True):
        for axes, (matrix, title) in zip(
            row, {"fisher": "Fisher matrix", "hessian": "Hessian, magnitudes"}.items(), strict=True
        ):
            curvature_spectrum(part, color="moment", matrix=matrix, ax=axes, legend=False)
            title_left(axes, title)
            axes.set_ylabel("")
        row[0].set_ylabel(f"{name}\neigenvalue (nats)")
    legend_below(figure, panels.flat, NEGATIVE)
    return figure


def spectra_compared(tables: dict[str, pd.DataFrame]) -> Figure:
    """Spectra of each matrix at the end, for all networks and augmentations (Fig. 4.11)."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        raise LeftOut(NOTHING)
    titles = {name: label for name, (label, *_) in MATRICES.items() if name in COMPARED}
    titles = {name: label for name, label in titles.items() if name in set(found["matrix"])}
    shown = list(configurations(found, len(COLOURS)))
    # Some spectra are equal, such as those of the inputs: the first remain visible beneath.
    wider = 1 + min(1.5, 5 / len(shown)) * np.arange(len(shown))[::-1]
    widths = dict(zip([name for name, _ in shown], wider, strict=True))
    figure, panels = wrapped(len(titles), 0.8, most=3)
    for axes, (matrix, title) in zip(panels, titles.items(), strict=True):
        curvature_spectrum(
            pd.concat([part for _, part in shown]), color="configuration", matrix=matrix,
            widths=widths, ax=axes, legend=False,
        )  # fmt: skip
        axes.set_title(title, loc="left")
    name_outer(panels, "index", "eigenvalue")
    legend_below(figure, panels, NEGATIVE if "hessian" in titles else [])
    return figure


def spectral_density(tables: dict[str, pd.DataFrame]) -> Figure:
    """Number of eigenvalues of the Hessian beyond each magnitude; exact eigenvalues as points."""
    found, exact = tables["spectral_density"], tables["spectra"]
    if found.empty:
        raise LeftOut("All eigenvalues are known, because the analysed networks have few weights.")
    shown = list(configurations(found))
    figure, panels = wrapped(len(shown), 0.75, most=2, sharey=True)
    for axes, (name, part) in zip(panels, shown, strict=True):
        configuration = part["configuration"].iloc[0]
        known = (exact["configuration"] == configuration) & (exact["moment"] == "end")
        leading = exact[known & (exact["matrix"] == "hessian")]["eigenvalue"]
        for sign, direction, colour in (("positive", 1, "#0072B2"), ("negative", -1, "#D55E00")):
            curve = part[part["sign"] == sign]
            low = (curve["beyond"] - 2 * curve["standard_error"]).clip(lower=0.5)
            high = curve["beyond"] + 2 * curve["standard_error"]
            axes.plot(curve["magnitude"], curve["beyond"], color=colour, linewidth=1, label=sign)
            axes.fill_between(curve["magnitude"], low, high, color=colour, alpha=0.25, linewidth=0)
            some = (direction * leading[direction * leading > 0]).sort_values(ascending=False)
            axes.plot(some, range(1, len(some) + 1), ".", color=colour, markersize=2.5)
        axes.plot([], [], ".", color="0.5", markersize=2.5, label="by Lanczos")
        axes.set(xscale="log", yscale="log", ylim=(0.5, None))
        axes.set_title(name, loc="left")
    name_outer(panels, "magnitude of an eigenvalue (nats)", "number of eigenvalues beyond")
    legend_below(figure, panels)
    return figure


def norm_bounds(tables: dict[str, pd.DataFrame]) -> Figure:
    """Measured values against their bounds from the norms of the weights."""
    found = tables["norm_bounds"]
    if found.empty:
        raise LeftOut(
            "The bounds need few samples, and networks of linear layers without biases, with ReLU "
            "or tanh between them; none of the analysed networks qualifies."
        )
    shown = list(configurations(found))
    figure, panels = wrapped(len(shown), 0.85, most=2, sharey=True)
    statements = list(found["statement"].unique())
    for axes, (name, part) in zip(panels, shown, strict=True):
        for k, statement in enumerate(statements):
            some = part[part["statement"] == statement]
            axes.plot(some["bound"], some["measured"], "o", color=COLOURS[k], markersize=3,
                      markeredgewidth=0, alpha=0.7, label=statement)  # fmt: skip
        ends = [part[["bound", "measured"]].min().min(), part["bound"].max()]
        axes.plot(ends, ends, color="0.5", linewidth=1)
        axes.set(xscale="log", yscale="log")
        axes.set_title(name, loc="left")
    name_outer(panels, "bound", "measured")
    legend_below(figure, panels)
    return figure


def sloppy_slopes(tables: dict[str, pd.DataFrame]) -> Figure:
    """Slope of the sloppy range of each spectrum at the end of training, with intervals."""
    found = tables["sloppiness"].query("moment == 'end'").dropna(subset="slope")
    if found.empty:
        raise LeftOut(NOTHING)
    shown = list(configurations(found))
    order = [m for m in (*MATRICES, "jacobian", "jacobian_all") if m in set(found["matrix"])]
    figure, axes = plt.subplots(figsize=(1.5 * COLUMN, (0.3 + 0.14 * len(order)) * COLUMN))
    for k, (name, part) in enumerate(shown):
        of_matrix = part.groupby("matrix", sort=False)
        spread = of_matrix.cumcount() - (of_matrix["slope"].transform("size") - 1) / 2
        most = max(spread.abs().max(), 1)
        for (_, row), place in zip(part.iterrows(), spread / most, strict=True):
            # Layers and classes share the row of their configuration.
            at = order.index(row["matrix"]) + 0.7 * (k + 0.5 + 0.4 * place) / len(shown) - 0.35
            axes.plot(
                [-row["high"], -row["low"]], [at, at], color=COLOURS[k], linewidth=1, alpha=0.6
            )
            axes.plot(-row["slope"], at, "o", color=COLOURS[k], markersize=2.5)
        axes.plot([], [], "o-", color=COLOURS[k], markersize=2.5, linewidth=1, label=name)
    labels = {"jacobian": "Jacobian of a logit", "jacobian_all": "Jacobians of all logits"}
    labels |= {name: label for name, (label, *_) in MATRICES.items()}
    axes.set_yticks(range(len(order)), [labels[name] for name in order])
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="decay of ln(eigenvalue) per index, sloppy range")
    axes.grid(axis="x")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return figure


def eigenspaces(tables: dict[str, pd.DataFrame]) -> Figure:
    """Agreement of stiff directions between Fisher matrix and Hessian, and with initial ones."""
    products, found = tables["eigenvector_products"], tables["eigenspace_overlaps"]
    if found.empty:
        raise LeftOut(NOTHING)
    shown = list(configurations(found))
    figure, panels = plt.subplots(
        len(shown), 3, figsize=(2.4 * COLUMN, 0.8 * len(shown) * COLUMN), squeeze=False
    )
    for (left, *right), (name, part) in zip(panels, shown, strict=True):
        configuration = part["configuration"].iloc[0]
        square = products[products["configuration"] == configuration].pivot(
            index="fisher", columns="hessian", values="inner_product"
        )
        size = square.shape[1], square.shape[0]
        extent = (0.5, size[0] + 0.5, size[1] + 0.5, 0.5)
        image = left.imshow(square, cmap="magma", vmin=0, vmax=1, extent=extent)
        left.set(xlabel="eigenvector of the Hessian", ylabel=f"{name}\nof the Fisher matrix")
        left.set_title("|inner products| at the end", loc="left")
        figure.colorbar(image, ax=left, shrink=0.8)
        initial = part["spaces"].str.contains("initial")
        titles = "overlap: Fisher and Hessian", "overlap with the initial space"
        for axes, rows, title in zip(right, (part[~initial], part[initial]), titles, strict=True):
            if "initial" in title:
                rows = rows[rows["moment"] != "initialisation"]  # the overlap with itself
            for (spaces, moment), curve in rows.groupby(["spaces", "moment"], sort=False):
                axes.plot(
                    curve["k"], curve["overlap"], linewidth=WIDTHS.get(moment, 1),
                    color=MOMENTS[moment], linestyle=SPACES[spaces],
                )  # fmt: skip
            random = part.drop_duplicates("k")
            axes.plot(random["k"], random["random"], color="0.6", linewidth=1)
            axes.set(xlabel="leading eigenvectors k", yscale="log", ylim=(None, 1.5))
            axes.set_title(title, loc="left")
    lines = [
        Line2D([], [], color=colour, linewidth=WIDTHS.get(name, 1), label=name)
        for name, colour in MOMENTS.items()
    ]
    lines += [Line2D([], [], color="0.3", linestyle=line, label=spaces)
              for spaces, line in SPACES.items() if "initial" in spaces]  # fmt: skip
    legend_below(figure, [], [*lines, Line2D([], [], color="0.6", label="random spaces")])
    return figure


def configurations(found: pd.DataFrame, most: int = PANELS) -> Iterator[tuple[str, pd.DataFrame]]:
    """Names and rows of the first few configurations."""
    for k, (_, part) in enumerate(found.groupby("configuration", sort=False)):
        if k == most:
            return
        yield name_of(part), part


def _name_parts(figure: Figure, axes: Axes, names: list[str], kind: str) -> None:
    """Name the colours of layers or classes: in a legend if there are few, else in a colour bar."""
    if len(names) <= NAMED:
        axes.legend(fontsize=6)
        return
    edges = np.arange(len(names) + 1) + 0.5
    colours = ListedColormap(in_order(len(names)))
    scale = ScalarMappable(BoundaryNorm(edges, colours.N), colours)
    # Classes are numbered from 0, layers from 1.
    ticks = range(1, len(names) + 1, 1 + len(names) // 12)
    bar = figure.colorbar(scale, ax=axes, ticks=ticks, label=kind, pad=0.02, aspect=30)
    bar.ax.set_yticklabels([str(t - (kind == "class")) for t in ticks])
    bar.ax.invert_yaxis()
    bar.ax.tick_params(length=0, which="both")
