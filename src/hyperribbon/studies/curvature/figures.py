"""Curvature of the loss: spectra, their slopes, eigenspaces (thesis Figs. 4.1, 4.3 to 4.11)."""

from collections.abc import Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyperribbon.reporting.panels import legend_below, name_outer, wrapped
from hyperribbon.reporting.style import COLOURS, COLUMN, LeftOut

# Matrices that are drawn together: label, colour and line. Names are those of the thesis.
MATRICES = {
    "input": ("inputs", "black", "-"),
    "activations": ("activations", "#56B4E9", "-"),
    "gradients": ("activation gradients", "#999933", "-"),
    "jacobian_summed": ("Jacobian, sum of logits", "#009E73", "-"),
    "fisher": ("Fisher", "#D55E00", "-"),
    "empirical_fisher": ("empirical Fisher", "#E69F00", "--"),
    "hessian": ("Hessian", "#0072B2", ""),  # points; its eigenvalues are close to Fisher's
    "kfac": ("KFAC", "#CC79A7", ":"),
}
COMPARED = ("input", "jacobian_summed", "fisher", "empirical_fisher", "hessian")
# From early to late, in every figure of training.
MOMENTS = {"initialisation": "#FCA636", "middle": "#CC4778", "end": "#2A0593"}
WIDTHS = {"middle": 2.5}  # remains visible beneath the end, which it may equal
SPACES: dict[str, Any] = {  # lines
    "Fisher and Hessian": "-",
    "Fisher, with the initial one": "-",
    "Hessian, with the initial one": "--",
}
LAYERS = "viridis"  # from the first layer, or class, to the last
PANELS = 4  # configurations shown, at most
SHOWN = 200  # leading eigenvalues; tables have only a selection of the others
LEAST = 1e-9  # smallest eigenvalue to draw, relative to the largest
# For negative eigenvalues.
HOLLOW: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 0.7}
NEGATIVE = [
    Line2D([], [], color="0.3", marker="o", markersize=3, linestyle="", label="negative", **HOLLOW)
]
NAMED = 6  # most layers in a legend; more get a colour bar with numbers
NOTHING = "Every seed of the analysed networks diverged."


def spectra(tables: dict[str, pd.DataFrame]) -> Figure:
    """All spectra at the end of training, each divided by its largest eigenvalue."""
    found = tables["spectra"].query("moment == 'end'")
    if found.empty:
        raise LeftOut(NOTHING)
    shown = list(configurations(found))
    figure, panels = wrapped(len(shown), 0.8, most=2, sharex=True, sharey=True)
    for axes, (name, part) in zip(panels, shown, strict=True):
        all_matrices(axes, part, name)
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
            parts = list(_parts(part[part["matrix"].isin(wanted)]))
            for (label, values), colour in zip(parts, _in_order(len(parts)), strict=True):
                _spectrum(axes, values, color=colour, label=label or "inputs")
            _spectrum_axes(axes, title)
            axes.set_xlabel("index")
            names = [label or "inputs" for label, _ in parts]
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
            for moment, colour in MOMENTS.items():
                values = part[(part["matrix"] == matrix) & (part["moment"] == moment)]
                width = WIDTHS.get(moment, 1)
                _spectrum(axes, values, color=colour, label=moment, linewidth=width)
            _spectrum_axes(axes, title)
            axes.set_xlabel("index")
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
    figure, panels = wrapped(len(titles), 0.8, most=3)
    for axes, (matrix, title) in zip(panels, titles.items(), strict=True):
        # Some spectra are equal, such as those of the inputs: the first remain visible beneath.
        widths = 1 + min(1.5, 5 / len(shown)) * np.arange(len(shown))[::-1]
        for (name, part), colour, width in zip(shown, COLOURS, widths, strict=False):
            rows = part[part["matrix"] == matrix]
            _spectrum(axes, rows, color=colour, label=name, linewidth=width)
        _spectrum_axes(axes, title)
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


def all_matrices(axes: Axes, spectra: pd.DataFrame, title: str) -> None:
    """Draw the spectra of all matrices of one network, each divided by its largest eigenvalue."""
    for matrix, (label, colour, line) in MATRICES.items():
        parts = [rows for _, rows in _parts(spectra[spectra["matrix"] == matrix])]
        for k, rows in enumerate(parts):
            largest = rows["eigenvalue"].abs().max()
            rows = rows.assign(eigenvalue=rows["eigenvalue"] / largest)
            which = {0: ", first layer", len(parts) - 1: ", last"}.get(k) if len(parts) > 1 else ""
            name = None if which is None else f"{label}{which}"
            _spectrum(axes, rows, line, color=_shade(colour, k, len(parts)), label=name)
    _spectrum_axes(axes, title)


def configurations(found: pd.DataFrame, most: int = PANELS) -> Iterator[tuple[str, pd.DataFrame]]:
    """Names and rows of the first few configurations."""
    for k, (_, part) in enumerate(found.groupby("configuration", sort=False)):
        if k == most:
            return
        network, optimiser, augmentation = part.iloc[0][["network", "optimiser", "augmentation"]]
        extra = "" if augmentation == "none" else f", {augmentation}"
        yield f"{network}, {optimiser}{extra}", part


def _parts(spectra: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Name and rows of each layer or class of a matrix."""
    for (_, part), rows in spectra.fillna({"part": ""}).groupby(["matrix", "part"], sort=False):
        yield part, rows


def _in_order(number: int) -> list:
    """One colour per layer or class, from first to last, without the palest."""
    return [plt.get_cmap(LAYERS)(0.92 * k / max(number - 1, 1)) for k in range(number)]


def _shade(colour: str, k: int, number: int) -> tuple[float, ...]:
    """A shade of a colour, from pale to dark with depth; a single layer gets the colour itself."""
    depth = k / (number - 1) if number > 1 else 0.5
    pale, dark = np.array([1.0, 1.0, 1.0]), np.zeros(3)
    towards, share = (pale, 0.5 - depth) if depth < 0.5 else (dark, 1.1 * (depth - 0.5))
    return tuple((1 - share) * np.array(to_rgb(colour)) + share * towards)


def _spectrum(axes: Axes, rows: pd.DataFrame, line: str = "-", **style: Any) -> None:
    """Draw the magnitudes of the leading eigenvalues by index; those of a Hessian as points.

    Tables have only a selection of the other eigenvalues, which a line would join to a ramp.
    """
    rows = rows[rows["index"] <= SHOWN]
    index, value = rows["index"], rows["eigenvalue"]
    if set(rows["matrix"]) == {"hessian"}:
        style = {"markersize": 3, "linestyle": "", "zorder": 3, **style}
        axes.plot(index[value > 0], value[value > 0], ".", **style)
        axes.plot(index[value < 0], -value[value < 0], "o", **style | {"label": None} | HOLLOW)
    else:
        axes.plot(index, value, line, **{"linewidth": 1, **style})


def _spectrum_axes(axes: Axes, title: str) -> None:
    """Set the scales for everything drawn, also in panels that share them."""
    axes.set_yscale("log")
    axes.set_title(title, loc="left")
    panels = axes.get_shared_y_axes().get_siblings(axes)
    lines = [line.get_xydata() for panel in panels for line in panel.lines]
    points = np.concatenate([np.ones((1, 2)), *lines])[len(lines) > 0 :]
    if len(points):
        last, largest = points.max(axis=0)
        axes.set_xlim(0, last)
        axes.set_ylim(max(LEAST * largest, 0.5 * points[:, 1].min()), 3 * largest)


def _name_parts(figure: Figure, axes: Axes, names: list[str], kind: str) -> None:
    """Name the colours of layers or classes: in a legend if there are few, else in a colour bar."""
    if len(names) <= NAMED:
        axes.legend(fontsize=6)
        return
    edges = np.arange(len(names) + 1) + 0.5
    colours = ListedColormap(_in_order(len(names)))
    scale = ScalarMappable(BoundaryNorm(edges, colours.N), colours)
    # Classes are numbered from 0, layers from 1.
    ticks = range(1, len(names) + 1, 1 + len(names) // 12)
    bar = figure.colorbar(scale, ax=axes, ticks=ticks, label=kind, pad=0.02, aspect=30)
    bar.ax.set_yticklabels([str(t - (kind == "class")) for t in ticks])
    bar.ax.invert_yaxis()
    bar.ax.tick_params(length=0, which="both")
